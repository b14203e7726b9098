#include "relay/pulse.hpp"

#include <gtest/gtest.h>

namespace rtc::relay {
namespace {

using Partitions = std::vector<std::size_t>;

constexpr std::uint64_t kTimeoutMs = 1000;
constexpr std::uint64_t kMs = 1000;  // in µs

class PulseTest : public testing::Test {
 protected:
  void begin(std::size_t partition, std::uint64_t ms) { pulse_.begun(partition, ms * kMs); }
  Pulse::Heard hear(std::size_t partition, std::uint64_t sent_ms) {
    return pulse_.hear(partition, pulse_.beat(sent_ms * kMs));
  }
  Partitions lost(std::uint64_t ms) { return pulse_.lost(ms * kMs); }
  bool is_due(std::uint64_t ms) { return pulse_.is_due(ms * kMs); }

  Pulse pulse_{kTimeoutMs};
};

TEST_F(PulseTest, IsNotUpWithoutPartitions) {
  EXPECT_FALSE(pulse_.is_up());
  EXPECT_FALSE(is_due(5));
  EXPECT_TRUE(lost(5).empty());
}

TEST_F(PulseTest, EveryPartitionMustGiveBackABeat) {
  pulse_.resize(2);
  EXPECT_EQ(lost(10), (Partitions{0, 1}));
  begin(0, 10);
  begin(1, 10);
  EXPECT_TRUE(lost(10).empty());
  EXPECT_EQ(hear(1, 20), Pulse::Heard::own);
  EXPECT_FALSE(pulse_.is_up());
  EXPECT_EQ(hear(0, 20), Pulse::Heard::own);
  EXPECT_TRUE(pulse_.is_up());
  EXPECT_EQ(pulse_.ups(), 2U);
  EXPECT_EQ(hear(0, 30), Pulse::Heard::own);
  EXPECT_EQ(pulse_.ups(), 2U) << "it was up";
}

TEST_F(PulseTest, ABeatFromBeforeTheReadingBeganShowsNothing) {
  pulse_.resize(1);
  EXPECT_EQ(hear(0, 5), Pulse::Heard::other) << "not begun";
  begin(0, 10);
  EXPECT_EQ(hear(0, 9), Pulse::Heard::other);
  EXPECT_FALSE(pulse_.is_up());
  EXPECT_EQ(hear(0, 10), Pulse::Heard::own);
  EXPECT_TRUE(pulse_.is_up());
  begin(0, 20);
  EXPECT_FALSE(pulse_.is_up());
  EXPECT_EQ(hear(0, 15), Pulse::Heard::other);
  EXPECT_FALSE(pulse_.is_up());
}

TEST_F(PulseTest, OtherBeatsAndNoBeatsShowNothing) {
  Pulse other(kTimeoutMs);
  pulse_.resize(1);
  begin(0, 10);
  EXPECT_EQ(pulse_.hear(0, other.beat(20 * kMs)), Pulse::Heard::other);
  EXPECT_EQ(pulse_.hear(0, ""), Pulse::Heard::none);
  EXPECT_EQ(pulse_.hear(0, std::string(Pulse::kBeatBytes + 1, 'x')), Pulse::Heard::none);
  EXPECT_EQ(hear(1, 20), Pulse::Heard::other) << "no such partition";
  EXPECT_FALSE(pulse_.is_up());
}

TEST_F(PulseTest, IsLostWhenTheNewestBeatThatCameWasSentTooLongAgo) {
  pulse_.resize(2);
  begin(0, 0);
  begin(1, 0);
  hear(0, 100);
  hear(1, 100);
  hear(1, 600);
  hear(1, 500);  // came later, and is older
  EXPECT_TRUE(lost(1100).empty());
  EXPECT_TRUE(pulse_.is_up());
  EXPECT_EQ(lost(1101), Partitions{0});
  EXPECT_FALSE(pulse_.is_up());
  EXPECT_EQ(lost(1601), (Partitions{0, 1}));
}

TEST_F(PulseTest, WhatIsLostIsBegunAgainEachTimeout) {
  pulse_.resize(1);
  begin(0, 0);
  EXPECT_EQ(lost(1001), Partitions{0});
  begin(0, 1001);
  EXPECT_TRUE(lost(2001).empty());
  EXPECT_EQ(lost(2002), Partitions{0});
  begin(0, 2002);
  hear(0, 2010);
  EXPECT_TRUE(pulse_.is_up());
  EXPECT_EQ(pulse_.ups(), 1U);
}

TEST_F(PulseTest, BeatsFourTimesInATimeoutAndMoreWhileLost) {
  pulse_.resize(1);
  EXPECT_TRUE(is_due(1000));
  EXPECT_FALSE(is_due(1049));
  EXPECT_TRUE(is_due(1050));
  begin(0, 1000);
  hear(0, 1050);
  EXPECT_FALSE(is_due(1299));
  EXPECT_TRUE(is_due(1300));
}

TEST_F(PulseTest, PartitionsMayComeAndGo) {
  pulse_.resize(1);
  begin(0, 0);
  hear(0, 10);
  ASSERT_TRUE(pulse_.is_up());
  pulse_.resize(3);
  EXPECT_FALSE(pulse_.is_up());
  EXPECT_EQ(lost(20), (Partitions{1, 2}));
  begin(1, 20);
  begin(2, 20);
  hear(2, 30);
  pulse_.resize(2);
  EXPECT_FALSE(pulse_.is_up());
  hear(1, 30);
  EXPECT_TRUE(pulse_.is_up());
  pulse_.resize(1);
  EXPECT_TRUE(pulse_.is_up());
}

}  // namespace
}  // namespace rtc::relay
