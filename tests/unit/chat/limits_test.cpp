#include "chat/limits.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

#include "unit/base/seed.hpp"

namespace rtc::chat {
namespace {

TEST(TokenBucket, IsFullWhenNew) {
  TokenBucket bucket;
  const Rate rate{.per_second = 1, .burst = 5};
  EXPECT_TRUE(bucket.full(rate, 1000));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(bucket.take(rate, 1000));
  EXPECT_FALSE(bucket.take(rate, 1000));
  EXPECT_FALSE(bucket.full(rate, 1000));
}

TEST(TokenBucket, FillsAtItsRateAndNoFurtherThanItsBurst) {
  TokenBucket bucket;
  const Rate rate{.per_second = 10, .burst = 3};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(rate, 0));
  EXPECT_FALSE(bucket.take(rate, 99));
  EXPECT_TRUE(bucket.take(rate, 100));
  EXPECT_FALSE(bucket.take(rate, 100));
  EXPECT_FALSE(bucket.full(rate, 399));
  EXPECT_TRUE(bucket.full(rate, 400));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(rate, 100'000));
  EXPECT_FALSE(bucket.take(rate, 100'000));
}

TEST(TokenBucket, RefusalsCostNothing) {
  TokenBucket bucket;
  const Rate rate{.per_second = 1, .burst = 1};
  EXPECT_TRUE(bucket.take(rate, 0));
  for (std::uint64_t now = 1; now < 1000; ++now) EXPECT_FALSE(bucket.take(rate, now));
  EXPECT_TRUE(bucket.take(rate, 1000));
}

TEST(TokenBucket, TakesTheLargestRates) {
  TokenBucket bucket;
  const Rate rate{.per_second = 1'000'000, .burst = 1'000'000};
  for (int i = 0; i < 1'000'000; ++i) ASSERT_TRUE(bucket.take(rate, 7));
  EXPECT_FALSE(bucket.take(rate, 7));
  EXPECT_FALSE(bucket.full(rate, 8));
  EXPECT_TRUE(bucket.full(rate, 1007));
}

TEST(TokenBucket, ForgivesWhenItsClockWraps) {
  TokenBucket bucket;
  const Rate rate{.per_second = 1, .burst = 2};
  const std::uint64_t before = UINT32_MAX - std::uint64_t{500};
  EXPECT_TRUE(bucket.take(rate, before));
  EXPECT_TRUE(bucket.take(rate, before));
  EXPECT_FALSE(bucket.take(rate, before + 999));
  EXPECT_TRUE(bucket.take(rate, before + 1000));
}

TEST(TokenBucket, AgreesWithAModel) {
  std::mt19937_64 random(test::seed());
  for (int round = 0; round < 50; ++round) {
    const Rate rate{static_cast<std::uint32_t>(test::pick(random, 1, 100)),
                    static_cast<std::uint32_t>(test::pick(random, 1, 20))};
    TokenBucket bucket;
    std::uint64_t milli = std::uint64_t{rate.burst} * 1000;  // thousandths of a token
    std::uint64_t now = test::pick(random, 0, 1'000'000);
    for (int step = 0; step < 500; ++step) {
      const std::size_t passed =
          test::pick(random, 0, 9) == 0 ? test::pick(random, 0, 30'000) : test::pick(random, 0, 30);
      now += passed;
      milli = std::min<std::uint64_t>(milli + passed * rate.per_second,
                                      std::uint64_t{rate.burst} * 1000);
      ASSERT_EQ(bucket.full(rate, now), milli == std::uint64_t{rate.burst} * 1000);
      const bool expected = milli >= 1000;
      if (expected) milli -= 1000;
      ASSERT_EQ(bucket.take(rate, now), expected);
    }
  }
}

TEST(RateTable, CountsEachKeyForItself) {
  RateTable<int> table({.per_second = 1, .burst = 2});
  EXPECT_TRUE(table.take(1, 0));
  EXPECT_TRUE(table.take(1, 0));
  EXPECT_FALSE(table.take(1, 0));
  EXPECT_TRUE(table.take(2, 0));
  EXPECT_EQ(table.size(), 2U);
}

TEST(RateTable, IsBoundedAndForgetsThoseAtRestFirst) {
  RateTable<std::size_t> table({.per_second = 1, .burst = 2});
  constexpr std::size_t kMost = RateTable<std::size_t>::kEntriesMax;
  for (std::size_t key = 0; key < kMost; ++key) ASSERT_TRUE(table.take(key, 1000));
  EXPECT_EQ(table.size(), kMost);
  EXPECT_FALSE(table.take(kMost, 1000)) << "no place for strangers";
  EXPECT_TRUE(table.take(7, 1000)) << "those known are served";
  EXPECT_FALSE(table.take(7, 1000));
  EXPECT_EQ(table.size(), kMost);
  // A second later all but the one that took two are at rest.
  EXPECT_TRUE(table.take(kMost, 2000));
  EXPECT_EQ(table.size(), 2U);
  EXPECT_TRUE(table.take(7, 2000));
  EXPECT_FALSE(table.take(7, 2000)) << "not forgotten, or it would be full";
}

}  // namespace
}  // namespace rtc::chat
