// What a loop counts of itself: written by its thread, read by any (metrics).
#pragma once

#include <atomic>
#include <cstdint>

#include "base/histogram.hpp"

namespace rtc::net {

struct LoopFigures {
  std::atomic<std::uint64_t> turns{0};
  std::atomic<std::uint64_t> busy_us{0};  // in turns, without the waiting
  std::atomic<std::uint64_t> longest_turn_us{0};
  std::atomic<std::uint64_t> slow_turns{0};
  std::atomic<std::uint64_t> bytes_read{0};
  std::atomic<std::uint64_t> bytes_written{0};
  std::atomic<std::uint64_t> writes{0};
  // What the connections had to write and the kernel did not take, as of the last turn's end.
  std::atomic<std::uint64_t> queued_bytes{0};
  Histogram<4, 20> turn_us;        // without the waiting: 16 µs to 1 s
  Histogram<0, 6> write_segments;  // of one write: 1 to 64
  Histogram<5, 23> lag_us;         // of Loop::note_lag(): 32 µs to 8 s
};

}  // namespace rtc::net
