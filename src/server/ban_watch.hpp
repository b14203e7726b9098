// Brings the bans of the store to all loops of this node: asks every ban_check_interval whether
// they changed. Its timer lives on the first loop; it asks on a reading thread of the store, one
// question at a time. While the store fails, the bans that were known last hold.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/result.hpp"
#include "chat/ban_store.hpp"
#include "net/timer_wheel.hpp"
#include "server/ban_list.hpp"
#include "server/services.hpp"

namespace rtc::server {

class BanWatch final : private net::Timer {
 public:
  // Both outlive it.
  BanWatch(chat::BanStore& store, Services& services) : store_(store), services_(services) {}

  // The first bans, before any loop runs: blocking. So nobody slips in at a start.
  Result<void> load();
  // From then on; on the first loop's thread.
  void start();

 private:
  using List = std::shared_ptr<const BanList>;
  void on_timer() override;
  Result<List> ask();  // null: nothing has changed

  chat::BanStore& store_;
  Services& services_;
  // Of whoever asks: the starting thread, then one reading thread at a time.
  std::optional<std::int64_t> version_;
  std::int64_t next_end_ms_ = 0;  // Unix time when the first of them is over; 0: never
};

}  // namespace rtc::server
