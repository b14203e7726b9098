// Who is banned, as all loops share it: made anew when the bans change, then only read. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "base/uuid.hpp"
#include "chat/ban_store.hpp"
#include "net/address.hpp"

namespace rtc::server {

// Whom a ban is about: an identity, or all who come from a network.
struct BanTarget {
  std::optional<UserId> user;  // else:
  net::Network network;

  // "user:<uuid>", "address:<address>", "address:<network>". An IPv6 address without a prefix
  // stands for its /64, as one household has that (and rates count it as one address). Not all
  // addresses at once.
  static Result<BanTarget> parse(std::string_view text);
  // "user:<uuid>", "address:<network>": one text for whatever means the same.
  std::string to_string() const;
};

// What the banned person is told with the ban: valid UTF-8, no control characters, at most
// kBanReasonBytesMax, or nothing.
inline constexpr std::size_t kBanReasonBytesMax = 200;
Result<void> check_ban_reason(std::string_view reason);

class BanList {
 public:
  BanList() = default;  // nobody
  // A ban whose target is not understood (another version's) is left out, and the log says so.
  explicit BanList(std::span<const chat::Ban> bans);

  // A ban of that person (nil: nobody), or of an address that has it, that holds at `now_ms` (Unix
  // time); null: none. The cost grows with the different lengths of networks, not with the bans.
  const chat::Ban* find(const UserId& user, const net::IpAddress& address,
                        std::int64_t now_ms) const;
  std::size_t size() const { return size_; }

 private:
  struct Networks {
    unsigned prefix_bits = 0;
    std::unordered_map<net::IpAddress, chat::Ban> bans;  // by the network's first address
  };

  std::unordered_map<UserId, chat::Ban> users_;
  std::vector<Networks> networks_;
  std::size_t size_ = 0;
};

// What the banned person is told.
Error ban_error(const chat::Ban& ban);

}  // namespace rtc::server
