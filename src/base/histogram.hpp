// How often values of which size came, for metrics. One thread adds, any thread reads; neither
// waits. A bucket is a power of two, so that adding is a few instructions and no search.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace rtc {

// Buckets up to 2^First, 2^(First + 1) … 2^Last, and one for what is larger.
template <unsigned First, unsigned Last>
class Histogram {
 public:
  static_assert(First <= Last && Last < 63);
  static constexpr std::size_t kBuckets = Last - First + 2;

  // `times` values of `value` each. The adding thread only.
  void add(std::uint64_t value, std::uint64_t times = 1) {
    // The exponent of the least power of two that is not less.
    const auto exponent = value == 0 ? 0U : static_cast<unsigned>(std::bit_width(value - 1));
    increase(counts_[std::clamp(exponent, First, Last + 1) - First], times);
    increase(sum_, value * times);
  }

  // Values of bucket `index`: up to bound_of(index), which the last one has none of.
  std::uint64_t count_of(std::size_t index) const {
    return counts_[index].load(std::memory_order_relaxed);
  }
  static constexpr std::uint64_t bound_of(std::size_t index) {
    return std::uint64_t{1} << (First + index);
  }
  std::uint64_t sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  // No locked instruction: nobody else writes.
  static void increase(std::atomic<std::uint64_t>& number, std::uint64_t by) {
    number.store(number.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<std::uint64_t> sum_{0};
};

}  // namespace rtc
