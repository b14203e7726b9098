// The port to bans: who may not be here. Adapters: storage/sqlite_bans, storage/postgres_store,
// tests' memory_store; one contract suite (tests/contract/ban_store_contract.cpp) holds for all.
//
// Calls block on disk or network: never from an event loop. Any thread, one at a time. Other
// processes (the command --ban, other nodes) use the same store at the same time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace rtc::chat {

struct Ban {
  std::string target;              // as server::BanTarget::to_string() writes it
  std::int64_t until_ms = 0;       // Unix time; 0: for ever
  std::string reason;              // for the banned person; "": none was given
  std::int64_t created_at_ms = 0;  // Unix time
  bool operator==(const Ban&) const = default;
};

class BanStore {
 public:
  virtual ~BanStore() = default;

  // Stores it, durably, in the place of the one of the same target; those that were over when it
  // was made are forgotten. too_many_requests, and nothing is changed, when `bans_max` other ones
  // hold.
  virtual Result<void> put_ban(const Ban& ban, std::uint32_t bans_max) = 0;

  // Whether there was one.
  virtual Result<bool> remove_ban(const std::string& target) = 0;

  // Those that hold at `now_ms`, oldest first.
  virtual Result<std::vector<Ban>> bans(std::int64_t now_ms) = 0;

  // Another number after each change, whoever made it. Cheap: it is asked for all the time.
  virtual Result<std::int64_t> bans_version() = 0;
};

// What put_ban() refuses with.
inline Error too_many_bans(std::uint32_t bans_max) {
  return {ErrorCode::too_many_requests, "not banned: bans_max (" + std::to_string(bans_max) +
                                            ") bans hold; end some, or raise it"};
}

}  // namespace rtc::chat
