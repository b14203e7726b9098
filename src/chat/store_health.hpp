// Whether the store works, as /readyz, /metrics and the log tell it. Any thread.
//
// A store that fails may fail thousands of times a second: the log hears of the first failure, of
// the failures in between once in log::Throttle::kInterval, and of the end.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "base/result.hpp"

namespace rtc::chat {

class StoreHealth {
 public:
  // A commit of so many messages failed; a commit worked.
  void commit_failed(std::uint64_t messages, const Error& error);
  void commit_worked() {
    if (failing()) recover();
  }

  // Another call failed: `what`, such as "the history could not be read". What its user may see: an
  // error of the rules is handed through; one of the store itself is counted and logged, and told
  // without the store's words.
  Error call_failed(std::string_view what, const Error& error);

  bool failing() const { return failing_.load(std::memory_order_relaxed); }  // the last commit did
  std::string reason() const;  // of the last failed commit; "" unless failing
  std::uint64_t failed_calls() const { return failed_calls_.load(std::memory_order_relaxed); }

 private:
  using Clock = std::chrono::steady_clock;
  void recover();

  std::atomic<bool> failing_{false};
  std::atomic<std::uint64_t> failed_calls_{0};
  log::Throttle commit_lines_;
  log::Throttle call_lines_;

  mutable std::mutex mutex_;
  std::string reason_;          // guarded by mutex_, as the next three
  Clock::time_point since_{};   // the first failure after the last commit that worked
  std::uint64_t messages_ = 0;  // not stored since then
  bool logged_ = false;         // a failure since then
};

}  // namespace rtc::chat
