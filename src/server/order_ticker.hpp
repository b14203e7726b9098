// Tells chat::RoomOrder the time, on one loop and its thread.
#pragma once

#include "chat/room_order.hpp"
#include "net/timer_wheel.hpp"
#include "server/shard.hpp"

namespace rtc::server {

class OrderTicker final : private net::Timer {
 public:
  // Both outlive it.
  OrderTicker(chat::RoomOrder& order, Shard& home) : order_(order), home_(home) {}

  void start() { home_.loop().timers().arm(*this, net::TimerWheel::kTickMs); }

 private:
  void on_timer() override {
    order_.tick(home_.loop().now_ms());
    start();
  }

  chat::RoomOrder& order_;
  Shard& home_;
};

}  // namespace rtc::server
