#include "chat/live_rooms.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <thread>

namespace rtc::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FakeRelay final : public Relay {
 public:
  void start(OnMessages, OnDoubt) override {}
  void publish(const MessageBatch&) override {}
  void follow(const RoomId& room) override {
    ++followed[room];
    calls += '+';
  }
  void unfollow(const RoomId& room) override {
    --followed[room];
    calls += '-';
    if (while_unfollowing) while_unfollowing();
  }
  bool carries_live() const override { return true; }
  void publish_live(const MessageBatch& batch) override {
    const std::scoped_lock lock(mutex);
    for (const Message& each : *batch) sent.push_back(each.id);
  }
  RelayFigures figures() const override {
    RelayFigures told;
    told.connected = connected;
    return told;
  }

  std::map<RoomId, int> followed;
  std::string calls;
  std::function<void()> while_unfollowing;
  bool connected = true;
  std::mutex mutex;
  std::vector<MessageId> sent;
};

class LiveRoomsTest : public testing::Test {
 protected:
  LiveRoomsTest() {
    fanout_.attach(0, [] {});
    tick(1);
  }
  void tick(std::uint64_t ms) { live_.tick(now_ms_ += ms); }
  void open(int& opened) {
    live_.open(room_, [&opened] { ++opened; });
  }
  // A listener, heard by the relay at once.
  void enter() {
    int opened = 0;
    open(opened);
    live_.doubt(room_);
    EXPECT_EQ(opened, 1);
    EXPECT_TRUE(live_.watch(room_));
  }
  MessageId publish(const std::string& text = "own") {
    std::vector<Draft> drafts(1, Draft{room_, {}, text, 5, "", true});
    return fanout_.publish_live(drafts).front();
  }
  void take(std::size_t count) {
    live_.take(std::make_shared<const std::vector<Message>>(
        count, Message{room_, 1, {}, "theirs", 5, true}));
  }
  std::vector<MessageId> delivered() {
    std::vector<MessageId> ids;
    for (const auto& each : fanout_.collect(0)) {
      for (const Message& message : *each.batch) ids.push_back(message.id);
    }
    return ids;
  }

  FakeRelay relay_;
  Fanout fanout_;
  bool overloaded_ = false;
  LiveRooms live_{{relay_, fanout_, [this] { return overloaded_; }}};
  RoomId room_ = RoomId::random();
  std::uint64_t now_ms_ = 0;
};

TEST_F(LiveRoomsTest, TheFirstListenerWaitsForTheRelaysWord) {
  int opened = 0;
  EXPECT_FALSE(live_.watch(room_));
  open(opened);
  open(opened);
  tick(LiveRooms::kWaitMs - 1);
  EXPECT_EQ(opened, 0);
  live_.doubt(room_);
  EXPECT_EQ(opened, 2);
  EXPECT_TRUE(live_.watch(room_));
  open(opened);
  EXPECT_EQ(opened, 3) << "at once";
  EXPECT_EQ(relay_.followed[room_], 1);
  EXPECT_EQ(live_.figures().unsure, 0U);
}

TEST_F(LiveRoomsTest, NobodyWaitsForARelayThatIsAway) {
  relay_.connected = false;
  int opened = 0;
  open(opened);
  tick(1);
  EXPECT_EQ(opened, 1);
  EXPECT_TRUE(live_.watch(room_));
  EXPECT_EQ(live_.figures().unsure, 1U);
}

TEST_F(LiveRoomsTest, NobodyWaitsForLong) {
  int opened = 0;
  open(opened);
  tick(LiveRooms::kWaitMs);
  EXPECT_EQ(opened, 1);
  live_.doubt(room_);
  EXPECT_EQ(opened, 1);
}

TEST_F(LiveRoomsTest, ItsOwnAndThoseOfOthersAreNumberedTogether) {
  enter();
  EXPECT_EQ(publish(), 1U);
  take(2);
  EXPECT_EQ(publish(), 4U);
  EXPECT_THAT(delivered(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(relay_.sent, ElementsAre(1, 4)) << "its own, and only those";
  EXPECT_EQ(live_.figures().received, 2U);
}

TEST_F(LiveRoomsTest, ADoubtLeavesAnIdOut) {
  enter();
  publish();
  live_.doubt(room_);
  publish();
  EXPECT_THAT(delivered(), ElementsAre(1, 3));
  EXPECT_EQ(live_.figures().doubts, 2U);
  live_.doubt(RoomId::random());
  EXPECT_EQ(live_.figures().doubts, 2U) << "of a room that nobody listens to";
}

TEST_F(LiveRoomsTest, WhoComesBackWithinAWhileMissesNothing) {
  enter();
  publish();
  live_.unwatch(room_);
  tick(LiveRooms::kLingerMs - 1);
  take(1);
  EXPECT_TRUE(live_.watch(room_));
  tick(LiveRooms::kLingerMs);
  live_.unwatch(room_);
  tick(LiveRooms::kLingerMs - 1);
  EXPECT_TRUE(live_.watch(room_)) << "the while begins when the last one goes";
  EXPECT_EQ(fanout_.newest(room_), 2U);
  EXPECT_EQ(relay_.calls, "+");
}

TEST_F(LiveRoomsTest, WhoComesBackLaterSeesThatSomethingMayBeMissing) {
  enter();
  publish();
  live_.unwatch(room_);
  tick(1);
  EXPECT_EQ(live_.figures().rooms, 1U);
  tick(LiveRooms::kLingerMs);
  EXPECT_EQ(relay_.followed[room_], 0);
  EXPECT_FALSE(live_.watch(room_));
  EXPECT_EQ(live_.figures().rooms, 0U);
  relay_.connected = false;  // without the relay's word as well
  int opened = 0;
  open(opened);
  tick(1);
  EXPECT_EQ(opened, 1);
  EXPECT_EQ(fanout_.newest(room_), 2U);
}

TEST_F(LiveRoomsTest, WhoComesWhileTheRelayIsToldToLetGoIsFollowedAnew) {
  enter();
  live_.unwatch(room_);
  int opened = 0;
  relay_.while_unfollowing = [&] {
    EXPECT_FALSE(live_.watch(room_));
    open(opened);
    live_.doubt(room_);  // of what was followed before
  };
  tick(LiveRooms::kLingerMs);
  EXPECT_EQ(relay_.calls, "+-+");
  EXPECT_EQ(opened, 0);
  live_.doubt(room_);
  EXPECT_EQ(opened, 1);
  EXPECT_TRUE(live_.watch(room_));
}

TEST_F(LiveRoomsTest, DropsWhatOthersSendWhenTooMuchWaitsAndShowsIt) {
  enter();
  publish();
  overloaded_ = true;
  take(3);
  overloaded_ = false;
  take(1);
  EXPECT_THAT(delivered(), ElementsAre(1, 5));
  EXPECT_EQ(live_.figures().dropped, 3U);
}

TEST_F(LiveRoomsTest, SendsInTheOrderOfIdsWhateverThreadsPublish) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kEach = 2000;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([this] {
      for (std::size_t n = 0; n < kEach; ++n) publish();
    });
  }
  for (std::thread& each : threads) each.join();
  ASSERT_EQ(relay_.sent.size(), kThreads * kEach);
  for (std::size_t i = 0; i < relay_.sent.size(); ++i) ASSERT_EQ(relay_.sent[i], i + 1);
}

}  // namespace
}  // namespace rtc::chat
