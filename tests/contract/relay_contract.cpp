// The suite of the Relay port. It asks for what a single node gets back of its own, where nothing
// is lost; that a relay may lose messages is for the suites of those that do.
#include "contract/relay_contract.hpp"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace rtc::chat {
namespace {

// Only a failing test waits for so long.
constexpr std::chrono::seconds kPatience{60};

Message message(RoomId room, MessageId id) {
  return {room, id, SharedIdentity({UserId::random(), "다람쥐42", "#0A1B2C", "203.0"}), "text",
          1'700'000'000'123};
}

// What on_messages brought; its calls may come on any thread, several at a time.
class Delivered {
 public:
  Relay::OnMessages callback() {
    return [this](const MessageBatch& batch) {
      const std::scoped_lock lock(mutex_);
      for (const Message& each : *batch) messages_.push_back(each);
      changed_.notify_all();
    };
  }
  // What is there now.
  std::size_t count() {
    const std::scoped_lock lock(mutex_);
    return messages_.size();
  }
  std::vector<Message> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return messages_.size() >= count; }));
    return messages_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Message> messages_;
};

TEST_P(RelayContract, GivesBackWhatWasPublishedWhole) {
  Delivered delivered;
  relay().start(delivered.callback(), [](const RoomId&) {});
  const Message sent = message(RoomId::random(), 7);
  relay().publish(std::make_shared<const std::vector<Message>>(1, sent));
  const auto got = delivered.wait_for(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].room, sent.room);
  EXPECT_EQ(got[0].id, 7U);
  EXPECT_EQ(got[0].sender.id(), sent.sender.id());
  EXPECT_EQ(got[0].sender.nickname(), sent.sender.nickname());
  EXPECT_EQ(got[0].sender.name_tag(), sent.sender.name_tag());
  EXPECT_EQ(got[0].sender.address(), sent.sender.address());
  EXPECT_EQ(got[0].text, sent.text);
  EXPECT_EQ(got[0].created_at_ms, sent.created_at_ms);
}

TEST_P(RelayContract, TellsThisNodeBeforePublishReturns) {
  Delivered delivered;
  relay().start(delivered.callback(), [](const RoomId&) {});
  for (std::size_t i = 1; i <= 100; ++i) {
    relay().publish(std::make_shared<const std::vector<Message>>(1, message(RoomId::random(), i)));
    ASSERT_EQ(delivered.count(), i);
  }
}

TEST_P(RelayContract, TellsNothingOnceItIsStopped) {
  Delivered delivered;
  const RoomId room = RoomId::random();
  relay().start(delivered.callback(), [](const RoomId&) {});
  relay().follow(room);
  relay().publish(std::make_shared<const std::vector<Message>>(1, message(room, 1)));
  relay().stop();
  EXPECT_EQ(delivered.wait_for(1).size(), 1U);
}

TEST_P(RelayContract, KeepsTheOrderOfEveryRoomAndRepeatsNothing) {
  constexpr std::size_t kRooms = 5;
  constexpr std::size_t kBatches = 400;
  Delivered delivered;
  relay().start(delivered.callback(), [](const RoomId&) {});
  std::vector<RoomId> rooms;
  std::map<RoomId, MessageId> published;
  for (std::size_t i = 0; i < kRooms; ++i) rooms.push_back(RoomId::random());
  std::size_t count = 0;
  for (std::size_t i = 0; i < kBatches; ++i) {
    auto batch = std::make_shared<std::vector<Message>>();
    for (std::size_t j = 0; j <= i % 7; ++j) {
      const RoomId& room = rooms[(i + j) % kRooms];
      batch->push_back(message(room, ++published[room]));
    }
    count += batch->size();
    relay().publish(batch);
  }
  std::map<RoomId, MessageId> seen;
  for (const Message& each : delivered.wait_for(count)) {
    ASSERT_EQ(each.id, seen[each.room] + 1) << "of a room in the order of ids, each once";
    seen[each.room] = each.id;
  }
  EXPECT_EQ(seen, published) << "nothing invented";
}

}  // namespace
}  // namespace rtc::chat
