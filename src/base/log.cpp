#include "base/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace rtc::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::trace:
      return spdlog::level::trace;
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
    case Level::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = spdlog::stderr_color_mt("realtimechat");
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
    made->flush_on(spdlog::level::warn);
    return made;
  }();
  return *instance;
}

}  // namespace

void set_level(Level level) {
  logger().set_level(to_spdlog(level));
}
bool enabled(Level level) {
  return logger().should_log(to_spdlog(level));
}
void write(Level level, std::string_view text) {
  logger().log(to_spdlog(level), text);
}

std::uint64_t Throttle::take(std::uint64_t events, Clock::time_point now) {
  events_.fetch_add(events, std::memory_order_relaxed);
  Clock::rep next = next_.load(std::memory_order_relaxed);
  if (now.time_since_epoch().count() < next) return 0;
  const Clock::rep after = (now + kInterval).time_since_epoch().count();
  // Who comes second at the same time leaves the line, and his events, to the first.
  if (!next_.compare_exchange_strong(next, after, std::memory_order_relaxed)) return 0;
  return events_.exchange(0, std::memory_order_relaxed);
}

}  // namespace rtc::log
