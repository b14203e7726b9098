#include "net/timer_wheel.hpp"

#include <algorithm>

namespace rtc::net {

void Timer::cancel() {
  if (next_ == nullptr) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
  previous_ = next_ = nullptr;
}

TimerWheel::TimerWheel(std::uint64_t now_ms) : tick_(now_ms / kTickMs), now_ms_(now_ms) {
  for (Head& head : slots_) head.previous_ = head.next_ = &head;
}

TimerWheel::~TimerWheel() {
  for (Head& head : slots_) {
    while (head.next_ != &head) head.next_->cancel();
    head.previous_ = head.next_ = nullptr;
  }
}

void TimerWheel::arm(Timer& timer, std::uint64_t delay_ms) {
  timer.cancel();
  // Rounded up, so that it is never early; at least one tick ahead, so that a timer armed by
  // another's firing does not fire within the same advance().
  const std::uint64_t due_ms = now_ms_ + std::min(delay_ms, kDelayMsMax);
  const std::uint64_t due_tick = std::max((due_ms + kTickMs - 1) / kTickMs, tick_ + 1);
  timer.due_tick_ = static_cast<std::uint32_t>(due_tick);
  Head& head = slots_[due_tick % kSlots];
  timer.previous_ = head.previous_;
  timer.next_ = &head;
  head.previous_->next_ = &timer;
  head.previous_ = &timer;
}

void TimerWheel::advance(std::uint64_t now_ms) {
  now_ms_ = std::max(now_ms_, now_ms);
  const std::uint64_t target = now_ms_ / kTickMs;
  // After a long sleep one turn over all slots is enough: each holds every timer due until then.
  if (target > tick_ + kSlots) tick_ = target - kSlots;
  while (tick_ < target) {
    ++tick_;
    Head& head = slots_[tick_ % kSlots];
    // Firing may change the list anywhere, so take what is due out of it first.
    Head due;
    due.previous_ = due.next_ = &due;
    for (Timer* timer = head.next_; timer != &head;) {
      Timer* const after = timer->next_;
      const std::uint32_t late = static_cast<std::uint32_t>(tick_) - timer->due_tick_;
      if (static_cast<std::int32_t>(late) >= 0) {
        timer->cancel();
        timer->previous_ = due.previous_;
        timer->next_ = &due;
        due.previous_->next_ = timer;
        due.previous_ = timer;
      }
      timer = after;
    }
    while (due.next_ != &due) {
      Timer* const timer = due.next_;
      timer->cancel();
      timer->on_timer();
    }
    due.previous_ = due.next_ = nullptr;
  }
}

int TimerWheel::sleep_ms(std::uint64_t now_ms) const {
  for (std::uint64_t ahead = 1; ahead <= kSlots; ++ahead) {
    const Head& head = slots_[(tick_ + ahead) % kSlots];
    if (head.next_ == &head) continue;
    const std::uint64_t at_ms = (tick_ + ahead) * kTickMs;
    return at_ms <= now_ms ? 0 : static_cast<int>(at_ms - now_ms);
  }
  return -1;
}

}  // namespace rtc::net
