#include "relay/payload_batch.hpp"

#include <gtest/gtest.h>
#include <map>

namespace rtc::relay {
namespace {

TEST(PayloadBatch, ParsesBackRoomByRoomInOrderAndCutsLongTextsIntoSeveral) {
  const Payloads writer("secret", "epoch");
  const Payloads reader("secret", "epoch");
  const RoomId small = RoomId::random();
  const RoomId large = RoomId::random();
  std::vector<chat::Message> batch;
  for (MessageId id = 1; id <= 10; ++id) {
    batch.push_back({small, id, {}, "text", 5});
    batch.push_back({large, id, {}, std::string(100 << 10, 'x'), 5});
  }
  std::map<RoomId, std::size_t> payloads;
  std::map<RoomId, MessageId> newest;
  encode_batch(writer, batch,
               [&](std::span<const chat::Message* const> messages, const std::string& payload) {
                 const RoomId room = messages.front()->room;
                 ++payloads[room];
                 const auto decoded = reader.decode(room, payload);
                 ASSERT_TRUE(decoded);
                 ASSERT_EQ(decoded->messages.size(), messages.size());
                 for (const chat::Message& each : decoded->messages) {
                   EXPECT_EQ(each.id, newest[room] + 1);
                   newest[room] = each.id;
                 }
               });
  EXPECT_EQ(newest, (std::map<RoomId, MessageId>{{small, 10}, {large, 10}}));
  EXPECT_EQ(payloads[small], 1U);
  EXPECT_EQ(payloads[large], 5U) << "two of 100 KiB fit into 256 KiB, three do not";
}

TEST(PayloadBatch, AMessageThatIsLongerThanAPayloadHasOneOfItsOwn) {
  const Payloads payloads("secret", "epoch");
  const RoomId room = RoomId::random();
  std::vector<chat::Message> batch;
  for (MessageId id = 1; id <= 3; ++id) {
    batch.push_back({room, id, {}, std::string(id == 2 ? 1 << 20 : 1, 'x'), 5});
  }
  std::vector<std::size_t> counts;
  encode_batch(payloads, batch,
               [&](std::span<const chat::Message* const> messages, const std::string& payload) {
                 counts.push_back(messages.size());
                 EXPECT_LT(payload.size(), Payloads::kBytesMax);
               });
  EXPECT_EQ(counts, (std::vector<std::size_t>{1, 1, 1}));
}

}  // namespace
}  // namespace rtc::relay
