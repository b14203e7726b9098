// Tells all loops, every presence_interval, what changed among the people of rooms. Lives on one
// loop and its thread.
#pragma once

#include <memory>
#include <vector>

#include "net/timer_wheel.hpp"
#include "server/shard.hpp"

namespace rtc::server {

class PresenceTicker final : private net::Timer {
 public:
  // `shards` outlives it; the first one's loop is its home.
  explicit PresenceTicker(const std::vector<std::unique_ptr<Shard>>& shards) : shards_(shards) {}

  void start();

 private:
  void on_timer() override;

  const std::vector<std::unique_ptr<Shard>>& shards_;
};

}  // namespace rtc::server
