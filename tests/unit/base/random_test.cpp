#include "base/random.hpp"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <set>
#include <vector>

namespace rtc {
namespace {

TEST(RandomBelow, StaysBelowItsBoundAndReachesAllOfIt) {
  for (const std::uint32_t bound : {1U, 2U, 3U, 7U, 10U}) {
    std::set<std::uint32_t> seen;
    // Missing one of ten in 2,000 draws has a probability below 10^-90.
    for (int i = 0; i < 2000; ++i) seen.insert(random_below(bound));
    EXPECT_EQ(seen.size(), bound);
    EXPECT_EQ(*seen.begin(), 0U);
    EXPECT_EQ(*seen.rbegin(), bound - 1);
  }
}

TEST(RandomBelow, TakesTheLargestBounds) {
  for (const std::uint32_t bound : {0x80000000U, 0x80000001U, 0xFFFFFFFFU}) {
    for (int i = 0; i < 1000; ++i) EXPECT_LT(random_below(bound), bound);
  }
}

// With 2^31 + 2^30 as bound, a bare remainder would give the lowest 2^30 twice as often as the
// rest: half of all draws in place of a third.
TEST(RandomBelow, GivesEveryValueTheSameChance) {
  constexpr std::uint32_t kBound = 0xC0000000U;
  int low = 0;
  for (int i = 0; i < 30000; ++i) {
    if (random_below(kBound) < 0x40000000U) ++low;
  }
  EXPECT_GT(low, 9000);   // 10,000 expected, deviation 82
  EXPECT_LT(low, 11000);  // a bare remainder: 15,000
}

TEST(FillRandom, FillsEveryByteAndNothingElse) {
  std::array<bool, 16> changed{};
  for (int round = 0; round < 64; ++round) {
    std::array<std::uint8_t, 18> bytes{};
    fill_random(std::span(bytes).subspan(1, 16));
    EXPECT_EQ(bytes.front(), 0);
    EXPECT_EQ(bytes.back(), 0);
    for (std::size_t i = 0; i < changed.size(); ++i) changed[i] = changed[i] || bytes[i + 1] != 0;
  }
  EXPECT_TRUE(std::all_of(changed.begin(), changed.end(), [](bool each) { return each; }));
  fill_random({});
}

}  // namespace
}  // namespace rtc
