// A queue of the broker: its order, whose turn it is, what comes back; and all of it in random
// order against a simple model (the seed is printed).
#include "server/broker_queue.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>

#include "unit/base/seed.hpp"

namespace rtc::server {
namespace {

class BrokerQueueTest : public testing::Test {
 protected:
  BrokerMessagePtr make(std::size_t bytes = 1) {
    stomp::Frame frame;
    const std::string body(bytes, 'x');
    frame.body = body;
    auto draft = std::make_unique<BrokerMessage>(
        BrokerTarget{Destination::Kind::queue, "/queue/q", ""}, frame, "sender", total_);
    draft->number = ++last_;
    return draft;
  }
  // What the queue gives out now, as "<consumer>:<number>" with "!" behind what was given before.
  std::vector<std::string> give() {
    std::vector<std::string> given;
    while (const auto next = queue_.next()) {
      given.push_back(std::to_string(next->consumer) + ":" + std::to_string(next->message->number) +
                      (next->redelivered ? "!" : ""));
    }
    return given;
  }
  bool accept(ConsumerId consumer, std::uint64_t number, bool cumulative = false) {
    return queue_.settle(consumer, number, cumulative, Settlement::accepted);
  }
  bool refuse(ConsumerId consumer, std::uint64_t number, bool cumulative = false) {
    return queue_.settle(consumer, number, cumulative, Settlement::refused);
  }
  using Given = std::vector<std::string>;

  std::atomic<std::uint64_t> total_{0};
  std::uint64_t last_ = 0;
  BrokerQueue queue_{{3, 10'000, 2}};
};

TEST_F(BrokerQueueTest, GivesInOrderAndInTurn) {
  for (int i = 0; i < 4; ++i) queue_.push(make());
  EXPECT_TRUE(give().empty()) << "nobody is there";
  queue_.add(1);
  queue_.add(2);
  EXPECT_EQ(give(), (Given{"1:1", "2:2", "1:3", "2:4"}));
}

TEST_F(BrokerQueueTest, NobodyHoldsMoreThanHeMay) {
  queue_.add(1);
  for (int i = 0; i < 5; ++i) queue_.push(make());
  EXPECT_EQ(give(), (Given{"1:1", "1:2", "1:3"}));
  EXPECT_TRUE(accept(1, 2));
  EXPECT_EQ(give(), (Given{"1:4"}));
  EXPECT_TRUE(accept(1, 3, true)) << "1 and 3";
  EXPECT_EQ(give(), (Given{"1:5"}));
  EXPECT_EQ(queue_.messages(), 2U);
}

TEST_F(BrokerQueueTest, HeavyMessagesCountByTheirBytes) {
  queue_.add(1);
  for (int i = 0; i < 3; ++i) queue_.push(make(6'000));
  EXPECT_EQ(give(), (Given{"1:1", "1:2"}));
  EXPECT_TRUE(accept(1, 1));
  EXPECT_EQ(give(), (Given{"1:3"}));
}

TEST_F(BrokerQueueTest, WhatIsRefusedGoesToTheNextInTurnBeforeWhatIsNewer) {
  queue_.add(1);
  queue_.push(make());
  EXPECT_EQ(give(), (Given{"1:1"}));
  queue_.add(2);
  queue_.push(make());
  EXPECT_TRUE(refuse(1, 1));
  EXPECT_EQ(give(), (Given{"1:1!", "2:2"}));
}

TEST_F(BrokerQueueTest, WhatAConsumerHeldGoesBackToItsPlaceWhenHeLeaves) {
  queue_.add(1);
  for (int i = 0; i < 5; ++i) queue_.push(make());
  EXPECT_EQ(give(), (Given{"1:1", "1:2", "1:3"}));
  EXPECT_TRUE(accept(1, 2));
  queue_.remove(1);
  queue_.add(2);
  EXPECT_EQ(give(), (Given{"2:1!", "2:3!", "2:4"}));
  EXPECT_FALSE(accept(1, 1)) << "it is his no more";
  EXPECT_EQ(queue_.place(2, 1), 0U);
  EXPECT_EQ(queue_.place(2, 5), std::nullopt);
}

TEST_F(BrokerQueueTest, WhatComesBackTooOftenIsDropped) {
  queue_.add(1);
  queue_.push(make());
  EXPECT_EQ(give(), (Given{"1:1"}));
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(refuse(1, 1));
    EXPECT_EQ(give(), (Given{"1:1!"}));
  }
  EXPECT_TRUE(refuse(1, 1));
  EXPECT_TRUE(give().empty());
  EXPECT_EQ(queue_.dropped(), 1U);
  EXPECT_EQ(queue_.redelivered(), 2U);
  EXPECT_EQ(queue_.messages(), 0U);
  EXPECT_EQ(queue_.bytes(), 0U);
  EXPECT_EQ(total_, 0U) << "its memory is given back";
  EXPECT_FALSE(queue_.empty()) << "a consumer is there";
  queue_.remove(1);
  EXPECT_TRUE(queue_.empty());
}

// The model: who holds what, in the order in which it was given, and what waits, by number.
TEST_F(BrokerQueueTest, DoesWhatTheModelDoes) {
  std::mt19937_64 random(test::seed());
  constexpr std::size_t kPrefetch = 3;
  constexpr int kRedeliveries = 2;
  std::set<std::uint64_t> waiting;
  std::map<std::uint64_t, int> returns;
  std::map<ConsumerId, std::vector<std::uint64_t>> consumers;
  ConsumerId last_consumer = 0;
  std::uint64_t dropped = 0;
  const auto give_back = [&](std::uint64_t number) {
    if (returns[number]++ == kRedeliveries) {
      ++dropped;
    } else {
      waiting.insert(number);
    }
  };
  for (int step = 0; step < 20'000; ++step) {
    const auto choice = test::pick(random, 0, 9);
    if (choice < 4) {
      queue_.push(make());
      waiting.insert(last_);
    } else if (choice == 4 && consumers.size() < 6) {
      consumers[++last_consumer];
      queue_.add(last_consumer);
    } else if (!consumers.empty()) {
      const auto consumer =
          std::next(consumers.begin(),
                    static_cast<std::ptrdiff_t>(test::pick(random, 0, consumers.size() - 1)));
      auto& held = consumer->second;
      if (choice == 5) {
        for (const std::uint64_t number : held) give_back(number);
        queue_.remove(consumer->first);
        consumers.erase(consumer);
      } else if (!held.empty()) {
        const bool cumulative = test::pick(random, 0, 1) == 0;
        const bool accepted = test::pick(random, 0, 2) > 0;
        const auto at = static_cast<std::ptrdiff_t>(test::pick(random, 0, held.size() - 1));
        ASSERT_TRUE(queue_.settle(consumer->first, held[static_cast<std::size_t>(at)], cumulative,
                                  accepted ? Settlement::accepted : Settlement::refused));
        const auto first = held.begin() + (cumulative ? 0 : at);
        if (!accepted) std::for_each(first, held.begin() + at + 1, give_back);
        held.erase(first, held.begin() + at + 1);
      }
    }
    while (const auto given = queue_.next()) {
      const std::uint64_t number = given->message->number;
      ASSERT_FALSE(waiting.empty());
      ASSERT_EQ(number, *waiting.begin()) << "the oldest";
      ASSERT_TRUE(consumers.contains(given->consumer));
      ASSERT_LT(consumers[given->consumer].size(), kPrefetch);
      ASSERT_EQ(given->redelivered, returns.contains(number));
      waiting.erase(waiting.begin());
      consumers[given->consumer].push_back(number);
    }
    std::size_t held = 0;
    bool somebody_may = false;
    for (const auto& [id, numbers] : consumers) {
      held += numbers.size();
      somebody_may = somebody_may || numbers.size() < kPrefetch;
      for (const std::uint64_t number : numbers) ASSERT_TRUE(queue_.place(id, number));
    }
    ASSERT_TRUE(waiting.empty() || !somebody_may) << "nothing waits that could be given";
    ASSERT_EQ(queue_.messages(), waiting.size() + held);
    ASSERT_EQ(queue_.dropped(), dropped);
  }
}

}  // namespace
}  // namespace rtc::server
