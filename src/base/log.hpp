// The program's log: one line an event to standard error, through spdlog. Any thread.
// Never give it a token, a message's text or a full address.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <fmt/core.h>
#include <string_view>
#include <utility>

namespace rtc::log {

enum class Level { trace, debug, info, warn, error, off };

void set_level(Level level);
bool enabled(Level level);
void write(Level level, std::string_view text);

template <class... Args>
void at(Level level, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level)) write(level, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  at(Level::debug, format, std::forward<Args>(args)...);
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  at(Level::info, format, std::forward<Args>(args)...);
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  at(Level::warn, format, std::forward<Args>(args)...);
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  at(Level::error, format, std::forward<Args>(args)...);
}

// Lets one line in kInterval through, of events that may come by the thousand: a log on the disk
// that is full must not be what fills it. Any thread.
class Throttle {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kInterval{10};

  // How many events this line stands for, these and those since the last line; 0: no line now.
  std::uint64_t take(std::uint64_t events = 1, Clock::time_point now = Clock::now());

 private:
  std::atomic<Clock::rep> next_{Clock::time_point::min().time_since_epoch().count()};
  std::atomic<std::uint64_t> events_{0};
};

}  // namespace rtc::log
