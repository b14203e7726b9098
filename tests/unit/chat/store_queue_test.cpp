// The queue over a store that does what the test says: waits, fails, knows some rooms only.
#include "chat/store_queue.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>

#include "base/log.hpp"

namespace rtc::chat {
namespace {

RoomId room(std::uint8_t number) {
  RoomId id;
  id.value.bytes[15] = number;
  return id;
}
constexpr std::uint8_t kUnknownRoom = 99;
constexpr std::string_view kRepeatedKey = "sent before";

class ScriptedStore final : public MessageStore {
 public:
  Result<std::vector<Stored>> append(std::span<const Draft> drafts) override {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    std::vector<std::string> batch;
    for (const Draft& draft : drafts) batch.push_back(draft.text);
    if (failures_ > 0) {
      --failures_;
      return Error{ErrorCode::internal_server_error, "the disk is full"};
    }
    for (const Draft& draft : drafts) {
      if (draft.room == room(kUnknownRoom)) {
        return Error{ErrorCode::not_found_chatroom, "there is no such room"};
      }
    }
    batches_.push_back(std::move(batch));
    std::vector<Stored> stored;
    for (const Draft& draft : drafts) {
      const bool repeated = draft.key == kRepeatedKey;
      stored.push_back({repeated ? last_id_[draft.room] : ++last_id_[draft.room], repeated});
    }
    return stored;
  }
  Result<std::vector<Message>> page_before(RoomId, MessageId, std::uint32_t) override {
    return std::vector<Message>{};
  }
  Result<std::vector<Message>> page_after(RoomId, MessageId, std::uint32_t) override {
    return std::vector<Message>{};
  }

  std::string epoch() const override { return "scripted"; }
  Result<std::uint64_t> forget_keys(std::int64_t before_ms, std::uint32_t) override {
    const std::scoped_lock lock(mutex_);
    forgotten_before_ms_.push_back(before_ms);
    return std::uint64_t{0};
  }

  // Holds the next commits back; returns once open() is needed.
  void shut() {
    const std::scoped_lock lock(mutex_);
    open_ = false;
    waiting_ = 0;
  }
  void wait_until_called() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }
  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void fail_next(int count) {
    const std::scoped_lock lock(mutex_);
    failures_ = count;
  }
  std::vector<std::int64_t> forgotten_before_ms() {
    const std::scoped_lock lock(mutex_);
    return forgotten_before_ms_;
  }
  std::vector<std::vector<std::string>> batches() {
    const std::scoped_lock lock(mutex_);
    return batches_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
  int waiting_ = 0;
  int failures_ = 0;
  std::vector<std::vector<std::string>> batches_;
  std::vector<std::int64_t> forgotten_before_ms_;
  std::map<RoomId, MessageId> last_id_;
};

// What left the queue, in the order in which it did.
struct Left {
  bool published = false;  // else an outcome
  std::uint32_t request = 0;
  std::string text;  // published
  MessageId id = 0;
  ErrorCode code = ErrorCode::server_overload;
};

class Journal {
 public:
  void publish(const MessageBatch& batch) {
    const std::scoped_lock lock(mutex_);
    for (const Message& each : *batch) all_.push_back({true, 0, each.text, each.id, {}});
  }
  void settle(const std::vector<Outcome>& outcomes) {
    const std::scoped_lock lock(mutex_);
    for (const Outcome& each : outcomes) {
      all_.push_back({false, each.reply.request, "", each.id, each.error.code});
    }
    outcomes_ += outcomes.size();
    changed_.notify_all();
  }
  void wait_for_outcomes(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return outcomes_ >= count; });
  }
  std::vector<Left> all() {
    const std::scoped_lock lock(mutex_);
    return all_;
  }
  std::vector<Left> outcomes() {
    std::vector<Left> some;
    for (const Left& each : all()) {
      if (!each.published) some.push_back(each);
    }
    return some;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Left> all_;
  std::size_t outcomes_ = 0;
};

// Of each commit: which texts lie next to each other, how many of each.
using Commits = std::vector<std::vector<std::pair<std::string, std::size_t>>>;

class StoreQueueTest : public testing::Test {
 protected:
  StoreQueueTest() { log::set_level(log::Level::off); }
  ~StoreQueueTest() override { log::set_level(log::Level::info); }

  StoreQueue& queue() {
    if (queue_ == nullptr) {
      queue_ = std::make_unique<StoreQueue>(
          store_, fanout_, bounds_,
          [this](const MessageBatch& committed, const std::vector<Outcome>& outcomes) {
            journal_.publish(committed);
            journal_.settle(outcomes);
          });
    }
    return *queue_;
  }
  // Hands in texts "<first>", "<first + 1>" …, all of one room, in one call.
  void submit(std::uint32_t first, std::uint32_t count, std::uint8_t room_number = 1) {
    std::vector<Submission> batch;
    for (std::uint32_t i = first; i < first + count; ++i) {
      ASSERT_TRUE(queue().reserve());
      batch.push_back(submission(i, room_number));
    }
    queue().submit(batch);
    EXPECT_TRUE(batch.empty());
  }
  static Submission submission(std::uint32_t request, std::uint8_t room_number = 1,
                               bool more = false) {
    return {{room(room_number), {}, std::to_string(request), 5, {}}, {0, 0, 0, request}, more};
  }
  // Hands in one unit of `count` submissions, one for each of the rooms in turn.
  void submit_unit(std::uint32_t request, std::uint32_t count,
                   const std::vector<std::uint8_t>& rooms = {1}) {
    ASSERT_TRUE(queue().reserve(count));
    std::vector<Submission> batch;
    for (std::uint32_t i = 0; i < count; ++i) {
      batch.push_back(submission(request, rooms[i % rooms.size()], i + 1 < count));
    }
    queue().submit(batch);
  }
  Commits runs() {
    Commits all;
    for (const auto& batch : store_.batches()) {
      auto& runs = all.emplace_back();
      for (const std::string& text : batch) {
        if (runs.empty() || runs.back().first != text) runs.push_back({text, 0});
        ++runs.back().second;
      }
    }
    return all;
  }

  ScriptedStore store_;
  Journal journal_;
  Fanout fanout_;
  StoreQueueBounds bounds_;
  std::unique_ptr<StoreQueue> queue_;  // last: its threads use all of the above
};

TEST_F(StoreQueueTest, EverySubmissionGetsOneOutcomeInOrder) {
  for (std::uint32_t i = 0; i < 100; ++i) submit(i * 10, 10);
  queue().drain();
  const auto outcomes = journal_.outcomes();
  ASSERT_EQ(outcomes.size(), 1000U);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(outcomes[i].request, i);
    ASSERT_EQ(outcomes[i].id, i + 1);
  }
  EXPECT_EQ(queue().messages_waiting(), 0U);
  EXPECT_EQ(queue().figures().messages.load(), 1000U);
  EXPECT_EQ(queue().figures().failures.load(), 0U);
  EXPECT_EQ(queue().figures().commits.load(), store_.batches().size());
}

TEST_F(StoreQueueTest, CallersKeepTheirOwnOrder) {
  constexpr std::uint32_t kCallers = 4;
  constexpr std::uint32_t kEach = 500;
  queue();
  std::vector<std::thread> callers;
  for (std::uint32_t c = 0; c < kCallers; ++c) {
    callers.emplace_back([&, c] {
      for (std::uint32_t i = 0; i < kEach; ++i) submit(c * kEach + i, 1);
    });
  }
  for (std::thread& each : callers) each.join();
  queue().drain();
  std::vector<std::uint32_t> next(kCallers, 0);
  for (const Left& each : journal_.outcomes()) {
    const std::uint32_t caller = each.request / kEach;
    ASSERT_EQ(each.request % kEach, next[caller]);
    ++next[caller];
  }
  EXPECT_EQ(next, std::vector<std::uint32_t>(kCallers, kEach));
}

TEST_F(StoreQueueTest, CommitsAreToldInTheirOrder) {
  submit(0, 50);
  submit(50, 50);
  queue().drain();
  std::set<MessageId> published;
  std::size_t outcomes = 0;
  MessageId last = 0;
  for (const Left& each : journal_.all()) {
    if (each.published) {
      EXPECT_EQ(each.id, last + 1) << "in the order of ids";
      EXPECT_EQ(each.text, std::to_string(last));
      last = each.id;
      published.insert(each.id);
    } else {
      ++outcomes;
      EXPECT_TRUE(published.contains(each.id)) << each.id;
    }
  }
  EXPECT_EQ(published.size(), 100U);
  EXPECT_EQ(outcomes, 100U);
}

TEST_F(StoreQueueTest, WhatComesDuringACommitGoesIntoTheNext) {
  store_.shut();
  submit(0, 1);
  store_.wait_until_called();
  for (std::uint32_t i = 1; i < 20; ++i) submit(i, 1);
  EXPECT_EQ(queue().messages_waiting(), 20U);
  store_.open();
  queue().drain();
  const auto batches = store_.batches();
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches[0].size(), 1U);
  EXPECT_EQ(batches[1].size(), 19U);
}

TEST_F(StoreQueueTest, ABatchHasNoMoreThanItsBounds) {
  bounds_.batch_max = 8;
  submit(0, 20);
  queue().drain();
  std::vector<std::size_t> sizes;
  for (const auto& batch : store_.batches()) sizes.push_back(batch.size());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{8, 8, 4}));
}

TEST_F(StoreQueueTest, ABatchHasNoMoreBytesThanItsBoundExceptOfOneMessage) {
  bounds_.batch_bytes_max = 10;
  std::vector<Submission> batch;
  for (std::uint32_t i = 0; i < 6; ++i) {
    ASSERT_TRUE(queue().reserve());
    batch.push_back(submission(i));
    // 4+4, 30, 5+5, 1
    batch.back().draft.text = std::string(std::vector<std::size_t>{4, 4, 30, 5, 5, 1}[i], 'x');
  }
  queue().submit(batch);
  queue().drain();
  std::vector<std::size_t> sizes;
  for (const auto& each : store_.batches()) sizes.push_back(each.size());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2, 1, 2, 1}));
  EXPECT_EQ(journal_.outcomes().size(), 6U);
}

TEST_F(StoreQueueTest, AFailedCommitAnswersAllOfItsMessagesAndNoOthers) {
  bounds_.batch_max = 5;
  store_.fail_next(1);
  submit(0, 10);
  queue().drain();
  const auto outcomes = journal_.outcomes();
  ASSERT_EQ(outcomes.size(), 10U);
  for (std::uint32_t i = 0; i < 10; ++i) {
    EXPECT_EQ(outcomes[i].request, i);
    EXPECT_EQ(outcomes[i].id, i < 5 ? 0U : i - 4);
    if (i < 5) {
      EXPECT_EQ(outcomes[i].code, ErrorCode::internal_server_error);
    }
  }
  for (const Left& each : journal_.all()) {
    if (each.published) {
      EXPECT_GE(std::stoi(each.text), 5) << "not stored, not seen";
    }
  }
  EXPECT_EQ(queue().figures().failures.load(), 5U);
  EXPECT_EQ(queue().messages_waiting(), 0U);
}

TEST_F(StoreQueueTest, ItsHealthIsThatOfTheLastCommit) {
  EXPECT_FALSE(queue().health().failing());
  store_.fail_next(1);
  submit(0, 1);
  journal_.wait_for_outcomes(1);
  EXPECT_TRUE(queue().health().failing());
  EXPECT_EQ(queue().health().reason(), "the disk is full");
  submit(1, 1, kUnknownRoom);
  journal_.wait_for_outcomes(2);
  EXPECT_TRUE(queue().health().failing()) << "nothing was committed";
  submit(2, 1);
  journal_.wait_for_outcomes(3);
  EXPECT_FALSE(queue().health().failing());
  EXPECT_EQ(queue().health().reason(), "");
  submit(3, 1, kUnknownRoom);
  journal_.wait_for_outcomes(4);
  EXPECT_FALSE(queue().health().failing()) << "a room that is not there is no failure of the store";
}

TEST_F(StoreQueueTest, OneUnknownRoomCostsTheOthersNothing) {
  std::vector<Submission> batch;
  for (std::uint32_t i = 0; i < 9; ++i) {
    ASSERT_TRUE(queue().reserve());
    batch.push_back(submission(i, i == 4 ? kUnknownRoom : static_cast<std::uint8_t>(1 + i % 2)));
  }
  queue().submit(batch);
  queue().drain();
  const auto outcomes = journal_.outcomes();
  ASSERT_EQ(outcomes.size(), 9U);
  for (std::uint32_t i = 0; i < 9; ++i) {
    EXPECT_EQ(outcomes[i].request, i);
    EXPECT_EQ(outcomes[i].id == 0, i == 4) << i;
  }
  EXPECT_EQ(outcomes[4].code, ErrorCode::not_found_chatroom);
  EXPECT_EQ(outcomes[8].id, 4U) << "rooms keep their order: 0, 2, 6, 8";
  EXPECT_EQ(queue().figures().failures.load(), 1U);
  EXPECT_EQ(queue().messages_waiting(), 0U);
}

TEST_F(StoreQueueTest, AUnitIsNeverSplitByABoundOfMessages) {
  bounds_.batch_max = 4;
  store_.shut();
  submit(0, 1);
  store_.wait_until_called();
  submit(1, 3);
  submit_unit(4, 2);  // the fifth and sixth: into the next commit, both
  submit(5, 1);
  submit_unit(6, 9);  // larger than any commit: one of its own
  submit(7, 1);
  submit_unit(8, 3);
  submit_unit(9, 4);
  store_.open();
  queue().drain();
  EXPECT_EQ(runs(), (Commits{{{"0", 1}},
                             {{"1", 1}, {"2", 1}, {"3", 1}},
                             {{"4", 2}, {"5", 1}},
                             {{"6", 9}},
                             {{"7", 1}, {"8", 3}},
                             {{"9", 4}}}));
}

TEST_F(StoreQueueTest, AUnitIsNeverSplitByABoundOfBytes) {
  bounds_.batch_bytes_max = 5;
  store_.shut();
  submit(0, 1);
  store_.wait_until_called();
  submit(1, 3);
  submit_unit(4, 3);
  submit_unit(5, 2);
  submit_unit(6, 6);
  submit(7, 1);
  store_.open();
  queue().drain();
  EXPECT_EQ(runs(), (Commits{{{"0", 1}},
                             {{"1", 1}, {"2", 1}, {"3", 1}},
                             {{"4", 3}, {"5", 2}},
                             {{"6", 6}},
                             {{"7", 1}}}));
}

TEST_F(StoreQueueTest, UnitsOfManyCallersStayWholeAndInOrder) {
  constexpr std::uint32_t kCallers = 4;
  constexpr std::uint32_t kUnits = 200;
  bounds_.batch_max = 16;
  queue();
  std::vector<std::thread> callers;
  for (std::uint32_t c = 0; c < kCallers; ++c) {
    callers.emplace_back([&, c] {
      for (std::uint32_t i = 0; i < kUnits; ++i) submit_unit(c * kUnits + i, 1 + i % 7);
    });
  }
  for (std::thread& each : callers) each.join();
  queue().drain();
  std::vector<std::uint32_t> next(kCallers, 0);
  const auto published = [&] {
    std::vector<std::uint32_t> requests;
    for (const Left& each : journal_.all()) {
      if (each.published) requests.push_back(static_cast<std::uint32_t>(std::stoul(each.text)));
    }
    return requests;
  }();
  for (std::size_t at = 0; at < published.size();) {
    const std::uint32_t caller = published[at] / kUnits;
    const std::uint32_t unit = published[at] % kUnits;
    ASSERT_EQ(unit, next[caller]++);
    for (std::uint32_t i = 0; i < 1 + unit % 7; ++i)
      ASSERT_EQ(published[at++], caller * kUnits + unit);
  }
  EXPECT_EQ(next, std::vector<std::uint32_t>(kCallers, kUnits));
  EXPECT_EQ(journal_.outcomes().size(), published.size());
}

TEST_F(StoreQueueTest, AUnitWithAnUnknownRoomFailsWholeAndAlone) {
  store_.shut();
  submit(0, 1);
  store_.wait_until_called();
  submit(1, 1);
  submit_unit(2, 3, {1, kUnknownRoom, 2});
  submit_unit(3, 2, {1, 2});
  submit(4, 1, kUnknownRoom);
  submit(5, 1);
  store_.open();
  queue().drain();
  std::map<std::uint32_t, std::vector<MessageId>> ids;
  std::uint32_t last = 0;
  for (const Left& each : journal_.outcomes()) {
    ids[each.request].push_back(each.id);
    EXPECT_GE(each.request, std::exchange(last, each.request)) << "in the order handed in";
  }
  using Ids = std::vector<MessageId>;
  EXPECT_EQ(ids, (std::map<std::uint32_t, Ids>{
                     {0, {1}}, {1, {2}}, {2, {0, 0, 0}}, {3, {3, 1}}, {4, {0}}, {5, {4}}}));
  for (const Left& each : journal_.all()) {
    if (each.published) {
      EXPECT_NE(each.text, "2") << "nothing of a failed unit is seen";
    }
  }
  EXPECT_EQ(queue().figures().failures.load(), 4U);
  EXPECT_EQ(queue().messages_waiting(), 0U);
}

// Requests 0 and 1: a stored message in room 1 between two live ones in room 7.
class MixedUnitTest : public StoreQueueTest {
 protected:
  MixedUnitTest() {
    fanout_.attach(0, [] {});
  }
  void submit_mixed(std::uint32_t request, std::uint8_t stored_room = 1) {
    ASSERT_TRUE(queue().reserve(3));
    std::vector<Submission> batch;
    for (const std::uint8_t number : {std::uint8_t{7}, stored_room, std::uint8_t{7}}) {
      batch.push_back(submission(request, number, batch.size() < 2));
      batch.back().draft.live = number == 7;
    }
    queue().submit(batch);
  }
  std::vector<MessageId> ids_told() {
    std::vector<MessageId> ids;
    for (const Left& each : journal_.outcomes()) ids.push_back(each.id);
    return ids;
  }
  // Ids of the live messages that the loops get.
  std::vector<MessageId> live() {
    std::vector<MessageId> ids;
    for (const auto& [batch, at_us] : fanout_.collect(0)) {
      for (const Message& each : *batch) {
        EXPECT_TRUE(each.live);
        ids.push_back(each.id);
      }
    }
    return ids;
  }
};

TEST_F(MixedUnitTest, LiveMessagesFollowTheCommitAndAreNotStored) {
  store_.shut();
  submit_mixed(0);
  store_.wait_until_called();
  submit_mixed(1);
  EXPECT_EQ(live(), std::vector<MessageId>{}) << "nothing before the commit";
  store_.open();
  queue().drain();
  EXPECT_EQ(ids_told(), (std::vector<MessageId>{1, 1, 2, 3, 2, 4}));
  EXPECT_EQ(live(), (std::vector<MessageId>{1, 2, 3, 4}));
  EXPECT_EQ(store_.batches(), (std::vector<std::vector<std::string>>{{"0"}, {"1"}}));
  EXPECT_EQ(queue().messages_waiting(), 0U);
}

TEST_F(MixedUnitTest, AFailedCommitLeavesNothing) {
  store_.fail_next(1);
  submit_mixed(0);
  journal_.wait_for_outcomes(3);
  submit_mixed(1);
  queue().drain();
  EXPECT_EQ(ids_told(), (std::vector<MessageId>{0, 0, 0, 1, 1, 2}));
  EXPECT_EQ(live(), (std::vector<MessageId>{1, 2}));
}

TEST_F(MixedUnitTest, AnUnknownRoomCostsItsOwnUnitOnly) {
  store_.shut();
  submit(9, 1);
  store_.wait_until_called();
  submit_mixed(0, kUnknownRoom);
  submit_mixed(1);
  store_.open();
  queue().drain();
  EXPECT_EQ(ids_told(), (std::vector<MessageId>{1, 0, 0, 0, 1, 2, 2}));
  EXPECT_EQ(live(), (std::vector<MessageId>{1, 2}));
}

TEST_F(StoreQueueTest, AUnitIsSettledInOneCall) {
  bounds_.batch_max = 2;
  std::vector<std::size_t> calls;
  queue_ = std::make_unique<StoreQueue>(
      store_, fanout_, bounds_, [&](const MessageBatch&, const std::vector<Outcome>& outcomes) {
        calls.push_back(outcomes.size());
      });
  submit_unit(0, 5);
  queue().drain();
  EXPECT_EQ(calls, (std::vector<std::size_t>{5}));
}

TEST_F(StoreQueueTest, PlacesForAUnitAreTakenAllOrNone) {
  bounds_.messages_max = 5;
  store_.shut();
  submit(0, 2);
  EXPECT_FALSE(queue().reserve(4));
  EXPECT_EQ(queue().messages_waiting(), 2U);
  EXPECT_EQ(queue().figures().refused.load(), 4U);
  submit_unit(1, 3);
  EXPECT_FALSE(queue().reserve());
  store_.open();
  journal_.wait_for_outcomes(5);
  EXPECT_TRUE(queue().reserve(5));
  std::vector<Submission> batch;
  for (std::uint32_t i = 0; i < 5; ++i) batch.push_back(submission(i));
  queue().submit(batch);
  queue().drain();
}

TEST_F(StoreQueueTest, ARetryIsAnsweredWithTheFirstIdAndNotPublishedAgain) {
  std::vector<Submission> batch{submission(0), submission(1), submission(2)};
  batch[1].draft.key = kRepeatedKey;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue().reserve());
  queue().submit(batch);
  queue().drain();
  const auto outcomes = journal_.outcomes();
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_EQ(outcomes[1].id, outcomes[0].id);
  EXPECT_EQ(outcomes[2].id, 2U);
  std::vector<std::string> published;
  for (const Left& each : journal_.all()) {
    if (each.published) published.push_back(each.text);
  }
  EXPECT_EQ(published, (std::vector<std::string>{"0", "2"}));
  EXPECT_EQ(queue().figures().repeats.load(), 1U);
  EXPECT_EQ(queue().figures().messages.load(), 2U);
}

TEST_F(StoreQueueTest, OldKeysAreForgottenAfterACommitNotAfterEach) {
  bounds_.key_lifetime_ms = 1000;
  submit(0, 1);
  journal_.wait_for_outcomes(1);
  submit(1, 1);
  queue().drain();
  const auto before = store_.forgotten_before_ms();
  ASSERT_EQ(before.size(), 1U);
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  EXPECT_LE(before[0], now - 1000);
  EXPECT_GE(before[0], now - 1000 - 600'000);
}

TEST_F(StoreQueueTest, PlacesAreBounded) {
  bounds_.messages_max = 3;
  store_.shut();
  submit(0, 2);
  ASSERT_TRUE(queue().reserve());
  EXPECT_FALSE(queue().reserve());
  EXPECT_FALSE(queue().reserve());
  EXPECT_EQ(queue().messages_waiting(), 3U) << "a refusal takes no place";
  EXPECT_EQ(queue().figures().refused.load(), 2U);
  store_.open();
  journal_.wait_for_outcomes(2);
  EXPECT_TRUE(queue().reserve()) << "a commit gives its places back before it is told";
  EXPECT_TRUE(queue().reserve());
  EXPECT_FALSE(queue().reserve());
  std::vector<Submission> batch{submission(2), submission(3), submission(4)};
  queue().submit(batch);
  queue().drain();
  EXPECT_EQ(journal_.outcomes().size(), 5U);
}

TEST_F(StoreQueueTest, ReadsRunAndAreBounded) {
  bounds_.reads_max = 2;
  bounds_.readers = 1;
  std::mutex gate;
  std::condition_variable changed;
  bool started = false;
  bool open = false;
  std::vector<int> ran;
  ASSERT_TRUE(queue().read([&] {
    std::unique_lock lock(gate);
    started = true;
    changed.notify_all();
    changed.wait(lock, [&] { return open; });
    ran.push_back(0);
  }));
  {
    std::unique_lock lock(gate);
    changed.wait(lock, [&] { return started; });
  }
  EXPECT_TRUE(queue().read([&] { ran.push_back(1); }));
  EXPECT_TRUE(queue().read([&] { ran.push_back(2); }));
  EXPECT_FALSE(queue().read([&] { ran.push_back(3); }));
  EXPECT_EQ(queue().figures().refused.load(), 1U);
  {
    const std::scoped_lock lock(gate);
    open = true;
    changed.notify_all();
  }
  queue().drain();
  EXPECT_EQ(ran, (std::vector<int>{0, 1, 2})) << "drain() runs what was taken";
  EXPECT_EQ(queue().figures().reads.load(), 3U);
}

TEST_F(StoreQueueTest, WritesRunBetweenCommitsOnTheirThreadAndAreBounded) {
  bounds_.reads_max = 2;
  store_.shut();
  submit(0, 1);
  store_.wait_until_called();
  std::vector<int> ran;
  std::size_t outcomes_before = 99;
  EXPECT_TRUE(queue().write([&] {
    outcomes_before = journal_.outcomes().size();
    ran.push_back(1);
  }));
  EXPECT_TRUE(queue().write([&] { ran.push_back(2); }));
  EXPECT_FALSE(queue().write([&] { ran.push_back(3); }));
  EXPECT_TRUE(ran.empty()) << "a commit is running";
  store_.open();
  queue().drain();
  EXPECT_EQ(ran, (std::vector<int>{1, 2}));
  EXPECT_EQ(outcomes_before, 1U);
}

TEST_F(StoreQueueTest, DrainCommitsAllThatWasTaken) {
  bounds_.batch_max = 3;
  store_.shut();
  submit(0, 1);
  store_.wait_until_called();
  submit(1, 10);
  bool wrote = false;
  EXPECT_TRUE(queue().write([&] { wrote = true; }));
  std::thread drainer([&] { queue().drain(); });
  store_.open();
  drainer.join();
  EXPECT_EQ(journal_.outcomes().size(), 11U);
  EXPECT_TRUE(wrote);
  queue().drain();  // and again, as the destructor does
}

}  // namespace
}  // namespace rtc::chat
