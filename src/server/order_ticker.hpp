// Tells chat::RoomOrder and chat::LiveRooms the time, on one loop and its thread.
#pragma once

#include "chat/live_rooms.hpp"
#include "chat/room_order.hpp"
#include "net/timer_wheel.hpp"
#include "server/shard.hpp"

namespace rtc::server {

class OrderTicker final : private net::Timer {
 public:
  // All outlive it; `live` may be null.
  OrderTicker(chat::RoomOrder& order, chat::LiveRooms* live, Shard& home)
      : order_(order), live_(live), home_(home) {}

  void start() { home_.loop().timers().arm(*this, net::TimerWheel::kTickMs); }

 private:
  void on_timer() override {
    order_.tick(home_.loop().now_ms());
    if (live_ != nullptr) live_->tick(home_.loop().now_ms());
    start();
  }

  chat::RoomOrder& order_;
  chat::LiveRooms* live_;
  Shard& home_;
};

}  // namespace rtc::server
