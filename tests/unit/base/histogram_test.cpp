#include "base/histogram.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

namespace rtc {
namespace {

using testing::ElementsAre;

template <class Histogram>
std::vector<std::uint64_t> counts(const Histogram& histogram) {
  std::vector<std::uint64_t> each;
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i) each.push_back(histogram.count_of(i));
  return each;
}

TEST(Histogram, AValueBelongsToTheLeastBoundThatIsNotLess) {
  Histogram<0, 3> histogram;
  EXPECT_EQ(histogram.bound_of(0), 1U);
  EXPECT_EQ(histogram.bound_of(3), 8U);
  for (std::uint64_t value = 0; value <= 9; ++value) histogram.add(value);
  EXPECT_THAT(counts(histogram), ElementsAre(2, 1, 2, 4, 1)) << "0 1, 2, 3 4, 5 6 7 8, 9";
  EXPECT_EQ(histogram.sum(), 45U);
}

TEST(Histogram, TheFirstBucketHasWhatIsSmallerAndTheLastWhatIsLarger) {
  Histogram<4, 6> histogram;
  EXPECT_EQ(histogram.bound_of(0), 16U);
  for (const std::uint64_t value : {0U, 1U, 15U, 16U, 17U, 32U, 33U, 64U, 65U}) {
    histogram.add(value);
  }
  histogram.add(std::numeric_limits<std::uint32_t>::max());
  EXPECT_THAT(counts(histogram), ElementsAre(4, 2, 2, 2));
}

TEST(Histogram, ManyOfOneValueAtOnce) {
  Histogram<0, 2> histogram;
  histogram.add(3, 1000);
  histogram.add(2, 0);
  EXPECT_THAT(counts(histogram), ElementsAre(0, 0, 1000, 0));
  EXPECT_EQ(histogram.sum(), 3000U);
}

}  // namespace
}  // namespace rtc
