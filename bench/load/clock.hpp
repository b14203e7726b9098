// The one clock of the load client: nanoseconds that only grow, as the stamps carry them.
#pragma once

#include <cstdint>
#include <ctime>

namespace load {

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;

inline std::int64_t read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}
inline std::int64_t now_ns() {
  return read_clock(CLOCK_MONOTONIC);
}

}  // namespace load
