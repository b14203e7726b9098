// The time of day, as it is stored and sent, and a time to measure by. Any thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace rtc {

// Unix time in milliseconds.
inline std::int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Microseconds since some moment; never goes back, the same for all threads.
inline std::uint64_t monotonic_us() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

}  // namespace rtc
