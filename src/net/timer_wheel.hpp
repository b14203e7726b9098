// Timers of one loop: arming, moving and cancelling cost a few pointer writes each, and none
// allocates. A timer fires once, up to one tick late, never early.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace rtc::net {

class TimerWheel;

// To be inherited by what wants to be woken; cancels itself when destroyed.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void cancel();
  bool armed() const { return next_ != nullptr; }

 protected:
  virtual ~Timer() { cancel(); }
  virtual void on_timer() = 0;  // may arm again, arm and cancel others, and destroy this timer

 private:
  friend class TimerWheel;
  Timer* previous_ = nullptr;  // a circle through the slot's head
  Timer* next_ = nullptr;
  std::uint32_t due_tick_ = 0;  // its lower half
};

class TimerWheel {
 public:
  static constexpr std::uint64_t kTickMs = 16;
  static constexpr std::size_t kSlots = 1024;  // one turn of the wheel: 16 s; later ones wait more

  explicit TimerWheel(std::uint64_t now_ms);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();

  // Tells the time without firing anything: what is armed from now on counts from it. A loop that
  // slept for long would else arm timers that are due at once.
  void set_time(std::uint64_t now_ms) { now_ms_ = std::max(now_ms_, now_ms); }
  static constexpr std::uint64_t kDelayMsMax = (std::uint64_t{1} << 30) * kTickMs;  // half a year

  // (Re)arms `timer` to fire `delay_ms` after the time told last; at the latest kDelayMsMax after.
  void arm(Timer& timer, std::uint64_t delay_ms);
  // Fires all that is due.
  void advance(std::uint64_t now_ms);
  // Milliseconds until advance() may have work: an upper bound of how long to sleep; -1: no timer.
  int sleep_ms(std::uint64_t now_ms) const;

 private:
  class Head final : public Timer {
    void on_timer() override {}
  };

  std::array<Head, kSlots> slots_;
  std::uint64_t tick_;  // all ticks up to this one have fired
  std::uint64_t now_ms_;
};

}  // namespace rtc::net
