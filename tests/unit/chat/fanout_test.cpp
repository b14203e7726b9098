#include "chat/fanout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <thread>

#include "base/clock.hpp"

namespace rtc::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

RoomId room(std::uint8_t number) {
  RoomId id;
  id.value.bytes[15] = number;
  return id;
}

std::vector<Draft> drafts_for(const std::vector<std::uint8_t>& rooms, const std::string& text) {
  std::vector<Draft> drafts;
  for (const std::uint8_t each : rooms) drafts.push_back({room(each), {}, text, 5, "", true});
  return drafts;
}

class FanoutTest : public testing::Test {
 protected:
  FanoutTest() {
    for (std::uint32_t i = 0; i < 2; ++i) fanout_.attach(i, [this, i] { ++wakes_[i]; });
  }
  std::vector<MessageId> publish(const std::vector<std::uint8_t>& rooms,
                                 std::uint32_t by = Fanout::kNoLoop) {
    auto drafts = drafts_for(rooms, "text");
    return fanout_.publish_live(drafts, by);
  }

  Fanout fanout_;
  std::array<std::atomic<int>, 2> wakes_{};
};

TEST_F(FanoutTest, NumbersEachRoomFromOneWithoutHoles) {
  EXPECT_EQ(fanout_.newest(room(1)), 0U);
  EXPECT_THAT(publish({1, 2, 1}), ElementsAre(1, 1, 2));
  EXPECT_THAT(publish({2, 1}), ElementsAre(2, 3));
  EXPECT_EQ(fanout_.newest(room(1)), 3U);
  EXPECT_EQ(fanout_.newest(room(2)), 2U);
  EXPECT_EQ(fanout_.live_messages(), 5U);
}

TEST_F(FanoutTest, GivesEveryLoopTheSameBatchesInTheSameOrder) {
  const std::uint64_t before_us = monotonic_us();
  publish({1, 2});
  const auto stored = std::make_shared<const std::vector<Message>>(3);
  fanout_.publish(stored);
  publish({1}, 0);
  const auto first = fanout_.collect(0);
  ASSERT_EQ(first.size(), 3U);
  EXPECT_EQ(first, fanout_.collect(1));
  EXPECT_EQ(first[0].batch->at(1).room, room(2));
  EXPECT_TRUE(first[0].batch->at(1).live);
  EXPECT_EQ(first[0].batch->at(1).text, "text");
  EXPECT_EQ(first[1].batch, stored);
  EXPECT_GE(first[0].at_us, before_us);
  EXPECT_GE(first[1].at_us, first[0].at_us);
  EXPECT_EQ(first[2].batch->front().id, 2U);
  EXPECT_THAT(fanout_.collect(0), IsEmpty());
}

TEST_F(FanoutTest, WakesWhoseBoxWasEmptyButNotTheCaller) {
  publish({1}, 0);
  EXPECT_EQ(wakes_[0], 0);
  EXPECT_EQ(wakes_[1], 1);
  publish({1});
  EXPECT_EQ(wakes_[0], 0) << "its box was not empty: it collects what it put there itself";
  EXPECT_EQ(wakes_[1], 1) << "it is awake already";
  fanout_.collect(0);
  fanout_.collect(1);
  publish({1});
  EXPECT_EQ(wakes_[0], 1);
  EXPECT_EQ(wakes_[1], 2);
}

TEST_F(FanoutTest, CountsWhatEachLoopHasStillToEncode) {
  publish({1, 1, 1});
  fanout_.publish(std::make_shared<const std::vector<Message>>(2));
  EXPECT_EQ(fanout_.undelivered(), 10);
  fanout_.collect(0);
  EXPECT_EQ(fanout_.undelivered(), 10) << "taken is not encoded";
  fanout_.delivered(5);
  EXPECT_EQ(fanout_.undelivered(), 5);
}

TEST_F(FanoutTest, HasAnEpochOfItsOwn) {
  EXPECT_THAT(fanout_.live_epoch(), MatchesRegex("[0-9a-f]{16}"));
  EXPECT_NE(fanout_.live_epoch(), Fanout().live_epoch());
}

TEST_F(FanoutTest, NumbersWhatOtherNodesSentAsItsOwn) {
  publish({1});
  fanout_.collect(0);
  fanout_.take_live({{room(1), 700, {}, "theirs", 5, true}, {room(2), 9, {}, "theirs", 5, true}});
  EXPECT_THAT(publish({1, 2}), ElementsAre(3, 2));
  const auto taken = fanout_.collect(0);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].batch->at(0).id, 2U);
  EXPECT_EQ(taken[0].batch->at(1).id, 1U);
  EXPECT_TRUE(taken[0].batch->at(0).live);
  EXPECT_EQ(fanout_.live_messages(), 3U) << "its own";
}

TEST_F(FanoutTest, LeavesAnIdOutOfARoomThatHadOne) {
  fanout_.leave_out(room(1));
  EXPECT_THAT(publish({1}), ElementsAre(1));
  fanout_.leave_out(room(1));
  EXPECT_EQ(fanout_.newest(room(1)), 2U);
  EXPECT_THAT(publish({1}), ElementsAre(3));
}

TEST_F(FanoutTest, KeepsItsOwnLiveMessagesForOtherNodesIfToldTo) {
  publish({1});
  EXPECT_THAT(fanout_.collect_live(), IsEmpty());
  int told = 0;
  fanout_.keep_live([&] { ++told; });
  publish({1, 2});
  fanout_.take_live({{room(1), 1, {}, "theirs", 5, true}});
  fanout_.publish(std::make_shared<const std::vector<Message>>(2));
  publish({1});
  EXPECT_EQ(told, 2);
  const auto kept = fanout_.collect_live();
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0]->size(), 2U);
  EXPECT_EQ(kept[1]->at(0).id, 4U);
  EXPECT_THAT(fanout_.collect_live(), IsEmpty());
}

TEST_F(FanoutTest, KeepsOneOrderForAllWhateverThreadsPublish) {
  constexpr int kThreads = 4;
  constexpr int kBatches = 500;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (int n = 0; n < kBatches; ++n) {
        auto drafts = drafts_for({1, 2, 1}, std::to_string(t) + "/" + std::to_string(n));
        const auto ids = fanout_.publish_live(drafts);
        EXPECT_EQ(ids[2], ids[0] + 1) << "a batch lies in one piece";
      }
    });
  }
  std::array<std::vector<MessageBatch>, 2> taken;
  const auto collect = [&](std::uint32_t loop) {
    for (auto& each : fanout_.collect(loop)) taken[loop].push_back(std::move(each.batch));
  };
  while (taken[0].size() < std::size_t{kThreads * kBatches}) collect(0);
  for (std::thread& each : threads) each.join();
  collect(1);
  EXPECT_EQ(taken[0], taken[1]);
  std::map<RoomId, MessageId> last;
  std::map<char, int> next;
  for (const MessageBatch& batch : taken[0]) {
    for (const Message& each : *batch) ASSERT_EQ(each.id, ++last[each.room]);
    const std::string& text = batch->front().text;
    ASSERT_EQ(text.substr(2), std::to_string(next[text[0]]++)) << "a thread's own order";
  }
}

}  // namespace
}  // namespace rtc::chat
