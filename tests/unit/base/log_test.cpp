#include "base/log.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace rtc::log {
namespace {

TEST(Throttle, LetsOneLineInAnIntervalThroughAndCountsTheRest) {
  Throttle throttle;
  const auto start = Throttle::Clock::now();
  EXPECT_EQ(throttle.take(5, start), 5U) << "the first at once";
  EXPECT_EQ(throttle.take(1, start), 0U);
  EXPECT_EQ(throttle.take(2, start + Throttle::kInterval - std::chrono::nanoseconds(1)), 0U);
  EXPECT_EQ(throttle.take(1, start + Throttle::kInterval), 4U) << "with those left out";
  EXPECT_EQ(throttle.take(1, start + Throttle::kInterval), 0U);
}

TEST(Throttle, ManyThreadsGetOneLineAndNoEventIsLost) {
  Throttle throttle;
  const auto start = Throttle::Clock::now();
  std::atomic<std::uint64_t> lines{0};
  std::atomic<std::uint64_t> told{0};
  std::vector<std::thread> threads(4);
  for (std::thread& thread : threads) {
    thread = std::thread([&] {
      for (int i = 0; i < 1000; ++i) {
        const std::uint64_t count = throttle.take(1, start);
        lines += count > 0 ? 1 : 0;
        told += count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lines, 1U);
  EXPECT_EQ(told + throttle.take(1, start + Throttle::kInterval), 4001U);
}

}  // namespace
}  // namespace rtc::log
