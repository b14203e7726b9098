// The time of day, as it is stored and sent. Any thread.
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

}  // namespace rtc
