// One node's order of ids, step by step; room_order_model_test.cpp runs several nodes at random.
#include "chat/room_order.hpp"

#include <deque>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <thread>

#include "contract/memory_store.hpp"

namespace rtc::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CountingRelay final : public Relay {
 public:
  void start(OnMessages, OnDoubt) override {}
  void publish(const MessageBatch&) override {}
  void follow(const RoomId& room) override { ++followed[room]; }
  void unfollow(const RoomId& room) override { --followed[room]; }

  std::map<RoomId, int> followed;
};

class RoomOrderTest : public testing::Test {
 protected:
  RoomOrderTest() {
    bounds_.hole_wait_ms = 20;
    bounds_.check_interval_ms = 1000;
    tick(1);
  }
  RoomOrder& order() {
    if (order_ == nullptr) {
      order_ = std::make_unique<RoomOrder>(
          RoomOrder::Ports{.store = store_,
                           .relay = relay_,
                           .read =
                               [this](std::function<void()> job) {
                                 if (reads_refused_) return false;
                                 jobs_.push_back(std::move(job));
                                 return true;
                               },
                           .deliver =
                               [this](const MessageBatch& batch) {
                                 for (const Message& each : *batch) delivered_.push_back(each.id);
                                 batches_.push_back(batch);
                               },
                           .overloaded = [this] { return overloaded_; }},
          bounds_);
    }
    return *order_;
  }
  void tick(std::uint64_t ms) { order().tick(now_ms_ += ms); }
  // Commits by another node.
  void commit(std::size_t count) {
    const std::vector<Draft> drafts(count, Draft{room_, {}, "text", 0, ""});
    ASSERT_TRUE(store_.append(drafts));
  }
  MessageBatch batch(std::vector<MessageId> ids) {
    auto made = std::make_shared<std::vector<Message>>();
    for (const MessageId id : ids) made->push_back({room_, id, {}, "text", 0});
    return made;
  }
  void open_and_watch() {
    ASSERT_TRUE(order().open(room_));
    ASSERT_TRUE(order().watch(room_));
  }
  std::size_t run_reads() {
    std::size_t count = 0;
    for (; !jobs_.empty(); ++count) {
      const auto job = std::move(jobs_.front());
      jobs_.pop_front();
      job();
    }
    return count;
  }

  RoomOrderBounds bounds_;
  MemoryStore store_;
  CountingRelay relay_;
  RoomId room_ = lobby_id();
  bool overloaded_ = false;
  bool reads_refused_ = false;
  std::deque<std::function<void()>> jobs_;
  std::vector<MessageId> delivered_;
  std::vector<MessageBatch> batches_;
  std::uint64_t now_ms_ = 1'000'000;
  std::unique_ptr<RoomOrder> order_;
};

TEST_F(RoomOrderTest, NeedsARoomToBeOpenedFirst) {
  commit(3);
  EXPECT_FALSE(order().watch(room_));
  order().take(batch({4}));
  EXPECT_THAT(delivered_, IsEmpty()) << "nobody listens";
  ASSERT_TRUE(order().open(room_));
  EXPECT_EQ(relay_.followed[room_], 1);
  EXPECT_TRUE(order().watch(room_));
  commit(1);
  order().take(batch({4}));
  EXPECT_THAT(delivered_, ElementsAre(4));
}

TEST_F(RoomOrderTest, PassesABatchInOrderAsItIs) {
  open_and_watch();
  commit(3);
  const auto in_order = batch({1, 2, 3});
  order().take(in_order);
  EXPECT_THAT(batches_, ElementsAre(in_order));
}

TEST_F(RoomOrderTest, IgnoresWhatCameBefore) {
  open_and_watch();
  commit(3);
  order().take(batch({1, 2}));
  order().take(batch({1, 2, 3, 3}));
  EXPECT_THAT(delivered_, ElementsAre(1, 2, 3));
  EXPECT_EQ(order().figures().repeats, 3U);
}

TEST_F(RoomOrderTest, AHoleThatFillsByItselfCostsNoReading) {
  open_and_watch();
  commit(3);
  order().take(batch({3}));
  order().take(batch({2}));
  EXPECT_THAT(delivered_, IsEmpty());
  EXPECT_GT(order().figures().held_bytes, 0U);
  order().take(batch({1}));
  EXPECT_THAT(delivered_, ElementsAre(1, 2, 3));
  EXPECT_EQ(order().figures().held_bytes, 0U);
  tick(100);
  EXPECT_EQ(run_reads(), 0U);
}

TEST_F(RoomOrderTest, AHoleThatStaysIsReadOnceFromTheStore) {
  open_and_watch();
  commit(250);
  order().take(batch({249}));
  tick(19);
  EXPECT_TRUE(jobs_.empty());
  tick(1);
  EXPECT_EQ(jobs_.size(), 1U);
  order().take(batch({250}));
  tick(100);
  EXPECT_EQ(jobs_.size(), 1U) << "one reading of a room at a time";
  EXPECT_EQ(run_reads(), 3U) << "pages";
  ASSERT_EQ(delivered_.size(), 250U);
  for (MessageId id = 1; id <= 250; ++id) EXPECT_EQ(delivered_[id - 1], id);
}

TEST_F(RoomOrderTest, WhatIsLostWithoutATraceIsFoundByAComparison) {
  open_and_watch();
  commit(2);
  tick(999);
  EXPECT_TRUE(jobs_.empty());
  tick(1);
  EXPECT_EQ(run_reads(), 2U) << "the comparison, and a page";
  EXPECT_THAT(delivered_, ElementsAre(1, 2));
  EXPECT_EQ(order().figures().fetched, 2U);
  tick(500);
  EXPECT_TRUE(jobs_.empty());
}

TEST_F(RoomOrderTest, IdleRoomsAreComparedTogetherAndOneAfterTheOther) {
  constexpr std::size_t kRooms = 50;
  std::vector<RoomId> rooms;
  for (std::size_t i = 0; i < kRooms; ++i) {
    Room room;
    rooms.push_back(room.id = RoomId::random());
    ASSERT_TRUE(store_.create(room, {1000, 1000}));
    ASSERT_TRUE(order().open(room.id));
    ASSERT_TRUE(order().watch(room.id));
  }
  tick(1000);
  EXPECT_EQ(jobs_.size(), 1U);
  tick(1000);
  EXPECT_EQ(jobs_.size(), 1U) << "not before the one before is answered";
  room_ = rooms.back();
  commit(1);
  order().unwatch(rooms.front());
  EXPECT_EQ(run_reads(), 2U) << "and a page of the one that has more";
  EXPECT_EQ(store_.compared, kRooms);
  EXPECT_THAT(delivered_, ElementsAre(1));
}

TEST_F(RoomOrderTest, AComparisonThatFailsOrIsNotTakenIsMadeAgain) {
  open_and_watch();
  commit(1);
  reads_refused_ = true;
  tick(1000);
  reads_refused_ = false;
  store_.reads_fail = true;
  tick(RoomOrder::kCompareMs);
  EXPECT_EQ(run_reads(), 1U);
  store_.reads_fail = false;
  tick(RoomOrder::kCompareMs - 1);
  EXPECT_TRUE(jobs_.empty());
  tick(1);
  EXPECT_EQ(run_reads(), 2U);
  EXPECT_THAT(delivered_, ElementsAre(1));
}

TEST_F(RoomOrderTest, WhatCameWhileARoomWasComparedIsNotReadAgain) {
  open_and_watch();
  commit(1);
  tick(1000);
  ASSERT_EQ(jobs_.size(), 1U);
  order().take(batch({1}));
  EXPECT_EQ(run_reads(), 1U) << "the comparison alone";
  EXPECT_THAT(delivered_, ElementsAre(1));
}

TEST_F(RoomOrderTest, ComparesNoMoreRoomsASecondThanItMay) {
  bounds_.checks_max = 10;
  order_ = nullptr;
  tick(1);
  for (int i = 0; i < 100; ++i) {
    Room room;
    room.id = RoomId::random();
    ASSERT_TRUE(store_.create(room, {1000, 1000}));
    ASSERT_TRUE(order().open(room.id));
    ASSERT_TRUE(order().watch(room.id));
  }
  tick(1000);
  for (int i = 0; i < 10; ++i) {
    tick(100);
    run_reads();
  }
  EXPECT_GE(store_.compared, 15U);
  EXPECT_LE(store_.compared, 20U) << "of two seconds";
}

TEST_F(RoomOrderTest, ADoubtIsSettledAtOnce) {
  open_and_watch();
  commit(2);
  order().doubt(room_);
  EXPECT_EQ(run_reads(), 1U);
  EXPECT_THAT(delivered_, ElementsAre(1, 2));
}

TEST_F(RoomOrderTest, AReadingThatFailsIsTriedAgain) {
  open_and_watch();
  commit(1);
  order().doubt(room_);
  std::function<void()> job = std::move(jobs_.front());
  jobs_.clear();
  store_.reads_fail = true;
  job();
  EXPECT_THAT(delivered_, IsEmpty());
  store_.reads_fail = false;
  tick(RoomOrder::kRetryMs - 1);
  EXPECT_TRUE(jobs_.empty());
  tick(1);
  ASSERT_EQ(jobs_.size(), 1U);
  EXPECT_EQ(run_reads(), 1U);
  EXPECT_THAT(delivered_, ElementsAre(1));
}

TEST_F(RoomOrderTest, AReadingThatIsNotTakenIsTriedAgain) {
  open_and_watch();
  commit(1);
  reads_refused_ = true;
  order().doubt(room_);
  EXPECT_TRUE(jobs_.empty());
  reads_refused_ = false;
  tick(RoomOrder::kRetryMs);
  EXPECT_EQ(run_reads(), 1U);
  EXPECT_THAT(delivered_, ElementsAre(1));
}

TEST_F(RoomOrderTest, ADoubtBeforeTheRoomIsOpenIsSettledThen) {
  commit(1);
  // The relay says that it follows while the store is read.
  struct Doubting final : MessageStore {
    MemoryStore* behind = nullptr;
    std::function<void()> after_read;
    Result<std::vector<Stored>> append(std::span<const Draft> drafts) override {
      return behind->append(drafts);
    }
    Result<std::vector<Message>> page_before(RoomId room, MessageId before,
                                             std::uint32_t limit) override {
      auto page = behind->page_before(room, before, limit);
      if (after_read) std::exchange(after_read, {})();
      return page;
    }
    Result<std::vector<Message>> page_after(RoomId room, MessageId after,
                                            std::uint32_t limit) override {
      return behind->page_after(room, after, limit);
    }
    std::string epoch() const override { return ""; }
    Result<std::uint64_t> forget_keys(std::int64_t, std::uint32_t) override { return 0; }
  } store;
  store.behind = &store_;
  RoomOrder order({.store = store,
                   .relay = relay_,
                   .read =
                       [this](std::function<void()> job) {
                         jobs_.push_back(std::move(job));
                         return true;
                       },
                   .deliver =
                       [this](const MessageBatch& batch) {
                         for (const Message& each : *batch) delivered_.push_back(each.id);
                       },
                   .overloaded = [] { return false; }},
                  bounds_);
  store.after_read = [&] {
    commit(2);
    order.take(batch({3}));  // 2 was lost, as it was not followed yet
    order.doubt(room_);
  };
  ASSERT_TRUE(order.open(room_));
  ASSERT_TRUE(order.watch(room_));
  EXPECT_EQ(run_reads(), 1U);
  EXPECT_THAT(delivered_, ElementsAre(2, 3));
}

TEST_F(RoomOrderTest, WhatTheStoreDoesNotKnowIsNotKept) {
  open_and_watch();
  commit(1);
  order().take(batch({5}));
  tick(20);
  EXPECT_EQ(run_reads(), 1U);
  EXPECT_THAT(delivered_, ElementsAre(1));
  EXPECT_EQ(order().figures().held_bytes, 0U);
}

TEST_F(RoomOrderTest, HoldsNoMoreThanItMay) {
  bounds_.held_bytes_max = 2000;
  order_ = nullptr;
  tick(1);
  open_and_watch();
  commit(100);
  for (MessageId id = 2; id <= 100; ++id) order().take(batch({id}));
  EXPECT_LE(order().figures().held_bytes, 2000U);
  EXPECT_GT(order().figures().not_held, 0U);
  tick(20);
  for (int i = 0; i < 5; ++i) {
    run_reads();
    tick(20);
  }
  ASSERT_EQ(delivered_.size(), 100U);
}

TEST_F(RoomOrderTest, TakesNothingWhileTheLoopsHaveTooMuch) {
  open_and_watch();
  commit(2);
  overloaded_ = true;
  order().take(batch({1}));
  order().doubt(room_);
  tick(20);
  EXPECT_TRUE(jobs_.empty());
  overloaded_ = false;
  order().take(batch({2}));
  tick(20);
  run_reads();
  EXPECT_THAT(delivered_, ElementsAre(1, 2));
}

TEST_F(RoomOrderTest, FollowsARoomForAWhileAfterItsLastListener) {
  open_and_watch();
  commit(2);
  order().unwatch(room_);
  tick(RoomOrder::kLingerMs - 1);
  order().take(batch({1}));
  EXPECT_THAT(delivered_, ElementsAre(1)) << "still in order";
  EXPECT_EQ(relay_.followed[room_], 1);
  tick(1);
  EXPECT_EQ(relay_.followed[room_], 0);
  EXPECT_FALSE(order().watch(room_));
  EXPECT_EQ(order().figures().rooms, 0U);
}

TEST_F(RoomOrderTest, AStoreThatFailsOpensNothing) {
  store_.reads_fail = true;
  EXPECT_FALSE(order().open(room_));
  EXPECT_FALSE(order().watch(room_));
  store_.reads_fail = false;
  EXPECT_TRUE(order().open(room_));
  EXPECT_TRUE(order().watch(room_));
  EXPECT_EQ(relay_.followed[room_], 1);
}

// Under ThreadSanitizer this is worth most.
TEST_F(RoomOrderTest, ManyThreadsKeepOneOrder) {
  constexpr std::size_t kMessages = 3'000;
  std::mutex mutex;
  std::vector<MessageId> delivered;
  std::deque<std::function<void()>> jobs;
  RoomOrder order({.store = store_,
                   .relay = relay_,
                   .read =
                       [&](std::function<void()> job) {
                         const std::scoped_lock lock(mutex);
                         jobs.push_back(std::move(job));
                         return true;
                       },
                   .deliver =
                       [&](const MessageBatch& batch) {
                         for (const Message& each : *batch) delivered.push_back(each.id);
                       },
                   .overloaded = [] { return false; }},
                  {.hole_wait_ms = 0, .check_interval_ms = 100});
  ASSERT_TRUE(order.open(room_));
  ASSERT_TRUE(order.watch(room_));
  commit(kMessages);
  std::atomic<int> running{2};
  const auto every_second = [&](MessageId first) {
    for (MessageId id = first; id <= kMessages; id += 2) {
      if (id % 50 != 0) order.take(batch({id}));
    }
    --running;
  };
  std::thread odd(every_second, 1);
  std::thread even(every_second, 2);
  std::uint64_t now_ms = 1000;
  while (true) {
    const bool was_running = running > 0;
    order.tick(now_ms += 10);
    std::deque<std::function<void()>> taken;
    {
      const std::scoped_lock lock(mutex);
      taken.swap(jobs);
    }
    for (const auto& job : taken) job();
    if (!was_running && taken.empty() && now_ms > 100'000) break;
  }
  odd.join();
  even.join();
  ASSERT_EQ(delivered.size(), kMessages);
  for (MessageId id = 1; id <= kMessages; ++id) ASSERT_EQ(delivered[id - 1], id);
}

}  // namespace
}  // namespace rtc::chat
