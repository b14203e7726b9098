#include <atomic>
#include <cstdint>
#include <gmock/gmock.h>
#include <limits>
#include <thread>

#include "contract/store_contract.hpp"

namespace rtc::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::vector<MessageId> ids_of(const Result<std::vector<Message>>& page) {
  std::vector<MessageId> ids;
  for (const Message& message : page.value()) ids.push_back(message.id);
  return ids;
}

TEST_P(MessageStoreContract, NumbersEachRoomFromOne) {
  const RoomId room = make_room();
  EXPECT_THAT(appended(std::vector{draft(room, "a")}), ElementsAre(1));
  EXPECT_THAT(appended(std::vector{draft(room, "b"), draft(room, "c")}), ElementsAre(2, 3));
  EXPECT_THAT(appended(std::vector{draft(lobby_id(), "d")}), ElementsAre(1));
  EXPECT_THAT(appended(std::vector{draft(room, "e")}), ElementsAre(4));
}

TEST_P(MessageStoreContract, NumbersTheRoomsOfOneBatchEachByItself) {
  const RoomId a = make_room();
  const RoomId b = make_room();
  const std::vector batch = {draft(a, "a1"),          draft(b, "b1"), draft(a, "a2"),
                             draft(lobby_id(), "l1"), draft(b, "b2"), draft(a, "a3")};
  EXPECT_THAT(appended(batch), ElementsAre(1, 1, 2, 1, 2, 3));
  const auto page = messages().page_after(a, 0, 10);
  ASSERT_THAT(ids_of(page), ElementsAre(1, 2, 3));
  EXPECT_EQ(page->at(0).text, "a1");
  EXPECT_EQ(page->at(1).text, "a2");
  EXPECT_EQ(page->at(2).text, "a3");
}

TEST_P(MessageStoreContract, TakesAnEmptyBatch) {
  EXPECT_THAT(appended({}), IsEmpty());
}

TEST_P(MessageStoreContract, StoresNothingOfABatchWithAnUnknownRoom) {
  const RoomId room = make_room();
  fill(room, 2);
  const RoomId unknown = RoomId::random();
  for (const auto& batch : {
           std::vector{draft(unknown, "x")},
           std::vector{draft(room, "x"), draft(room, "y"), draft(unknown, "z")},
           std::vector{draft(unknown, "x"), draft(lobby_id(), "y")},
           std::vector{draft(lobby_id(), "x"), draft(unknown, "y"), draft(room, "z")},
       }) {
    const auto failed = messages().append(batch);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::not_found_chatroom);
    EXPECT_THAT(ids_of(messages().page_before(room, 0, 10)), ElementsAre(2, 1));
    EXPECT_THAT(ids_of(messages().page_before(lobby_id(), 0, 10)), IsEmpty());
  }
  // No id was used up.
  EXPECT_THAT(appended(std::vector{draft(room, "a"), draft(lobby_id(), "b")}), ElementsAre(3, 1));
}

TEST_P(MessageStoreContract, AppendsToADirectRoom) {
  const Room room = direct_room(UserId::random(), UserId::random());
  ASSERT_TRUE(rooms().find_or_create_direct(room, kAmple));
  EXPECT_THAT(appended(std::vector{draft(room.id, "a")}), ElementsAre(1));
}

TEST_P(MessageStoreContract, PagesBackwards) {
  const RoomId room = make_room();
  fill(room, 5);
  EXPECT_THAT(ids_of(messages().page_before(room, 0, 10)), ElementsAre(5, 4, 3, 2, 1));
  EXPECT_THAT(ids_of(messages().page_before(room, 0, 5)), ElementsAre(5, 4, 3, 2, 1));
  EXPECT_THAT(ids_of(messages().page_before(room, 0, 2)), ElementsAre(5, 4));
  EXPECT_THAT(ids_of(messages().page_before(room, 0, 1)), ElementsAre(5));
  EXPECT_THAT(ids_of(messages().page_before(room, 1, 10)), IsEmpty());
  EXPECT_THAT(ids_of(messages().page_before(room, 2, 10)), ElementsAre(1));
  EXPECT_THAT(ids_of(messages().page_before(room, 4, 2)), ElementsAre(3, 2));
  EXPECT_THAT(ids_of(messages().page_before(room, 6, 2)), ElementsAre(5, 4));
  const std::vector beyond = {MessageId{7}, MessageId{1} << 53U, MessageId{1} << 63U,
                              std::numeric_limits<MessageId>::max()};
  for (const MessageId before : beyond) {
    EXPECT_THAT(ids_of(messages().page_before(room, before, 1)), ElementsAre(5)) << before;
  }
  EXPECT_EQ(messages().page_before(room, 0, std::numeric_limits<std::uint32_t>::max())->size(), 5U);
}

TEST_P(MessageStoreContract, PagesForwards) {
  const RoomId room = make_room();
  fill(room, 5);
  EXPECT_THAT(ids_of(messages().page_after(room, 0, 10)), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(ids_of(messages().page_after(room, 0, 1)), ElementsAre(1));
  EXPECT_THAT(ids_of(messages().page_after(room, 1, 2)), ElementsAre(2, 3));
  EXPECT_THAT(ids_of(messages().page_after(room, 4, 10)), ElementsAre(5));
  const std::vector beyond = {MessageId{5}, MessageId{6}, MessageId{1} << 63U,
                              std::numeric_limits<MessageId>::max()};
  for (const MessageId after : beyond) {
    EXPECT_THAT(ids_of(messages().page_after(room, after, 10)), IsEmpty()) << after;
  }
  EXPECT_EQ(messages().page_after(room, 0, std::numeric_limits<std::uint32_t>::max())->size(), 5U);
}

TEST_P(MessageStoreContract, TellsWhichRoomsHaveGrown) {
  const RoomId one = make_room();
  const RoomId five = make_room();
  const RoomId none = make_room();
  fill(one, 1);
  fill(five, 5);
  const auto grown = [&](std::vector<RoomMark> marks) { return messages().grown(marks).value(); };
  EXPECT_THAT(grown({{one, 0}, {five, 4}, {none, 0}, {RoomId::random(), 0}}),
              UnorderedElementsAre(one, five));
  EXPECT_THAT(grown({{one, 1}, {five, 5}, {none, 3}}), IsEmpty());
  EXPECT_THAT(grown({{five, std::numeric_limits<MessageId>::max()}}), IsEmpty());
  EXPECT_THAT(grown({}), IsEmpty());
  fill(one, 1);
  EXPECT_THAT(grown({{one, 1}, {five, 5}}), ElementsAre(one));
}

TEST_P(MessageStoreContract, HasNoMessagesInAnEmptyOrUnknownRoom) {
  fill(make_room(), 3);
  for (const RoomId room : {make_room(), RoomId::random(), RoomId{}}) {
    EXPECT_THAT(messages().page_before(room, 0, 10).value(), IsEmpty());
    EXPECT_THAT(messages().page_before(room, 5, 10).value(), IsEmpty());
    EXPECT_THAT(messages().page_after(room, 0, 10).value(), IsEmpty());
  }
}

TEST_P(MessageStoreContract, PagesThroughALongRoomWithoutAGap) {
  const RoomId room = make_room();
  fill(room, 1'000);
  MessageId expected = 1'000;
  MessageId before = 0;
  while (true) {
    const auto page = messages().page_before(room, before, 50);
    if (page->empty()) break;
    for (const Message& message : *page) {
      ASSERT_EQ(message.id, expected);
      ASSERT_EQ(message.text, std::to_string(expected));
      --expected;
    }
    before = page->back().id;
  }
  EXPECT_EQ(expected, 0U);
}

TEST_P(MessageStoreContract, KeepsEveryByte) {
  const RoomId room = make_room();
  const std::string nul("a\0b\0", 4);
  std::vector<Draft> batch;
  for (const auto& text :
       {std::string("안녕하세요"), std::string("👩‍👩‍👧‍👦 \xF4\x8F\xBF\xBF"), nul,
        std::string(1, '\0'), std::string("'; DROP TABLE messages; --"),
        std::string("<b>\r\n\t\\\"%s?1"), std::string(100'000, 'x')}) {
    Draft one = draft(room, text);
    one.sender = SharedIdentity({UserId::random(), text.substr(0, 64), "#FFFFFF", ""});
    one.created_at_ms = static_cast<std::int64_t>(batch.size()) - 1;
    batch.push_back(one);
  }
  batch[0].created_at_ms = std::numeric_limits<std::int64_t>::max();
  batch[1].created_at_ms = std::numeric_limits<std::int64_t>::min();
  ASSERT_TRUE(messages().append(batch));
  const auto page = messages().page_after(room, 0, 100);
  ASSERT_EQ(page->size(), batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const Message& message = page->at(i);
    EXPECT_EQ(message.room, room);
    EXPECT_EQ(message.id, i + 1);
    EXPECT_EQ(message.text, batch[i].text);
    EXPECT_EQ(message.created_at_ms, batch[i].created_at_ms);
    EXPECT_EQ(message.sender.id(), batch[i].sender.id());
    EXPECT_EQ(message.sender.nickname(), batch[i].sender.nickname());
    EXPECT_EQ(message.sender.name_tag(), batch[i].sender.name_tag());
    EXPECT_EQ(message.sender.address(), batch[i].sender.address());
  }
}

TEST_P(MessageStoreContract, ShowsReadersWholeBatchesOnly) {
  constexpr int kBatches = 200;
  constexpr int kBatchSize = 7;
  const RoomId room = make_room();
  std::atomic<bool> writing{true};
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&, r] {
      std::size_t seen = 0;
      bool last_round = false;
      while (!last_round) {
        last_round = !writing;
        const auto forwards = messages().page_after(room, 0, 10'000);
        const auto backwards = messages().page_before(room, 0, 10'000);
        ASSERT_TRUE(forwards.ok() && backwards.ok()) << r;
        ASSERT_EQ(forwards->size() % kBatchSize, 0U);
        ASSERT_EQ(backwards->size() % kBatchSize, 0U);
        ASSERT_GE(forwards->size(), seen);
        ASSERT_GE(backwards->size(), forwards->size());
        for (std::size_t i = 0; i < forwards->size(); ++i) ASSERT_EQ(forwards->at(i).id, i + 1);
        for (std::size_t i = 0; i < backwards->size(); ++i) {
          ASSERT_EQ(backwards->at(i).id, backwards->size() - i);
        }
        seen = backwards->size();
      }
      EXPECT_EQ(seen, std::size_t{kBatches} * kBatchSize);
    });
  }
  for (int b = 0; b < kBatches; ++b) fill(room, kBatchSize);
  writing = false;
  for (auto& reader : readers) reader.join();
}

// --- message keys
// ---------------------------------------------------------------------------------

Draft keyed(RoomId room, std::string text, std::string key) {
  Draft made = draft(room, std::move(text));
  made.key = std::move(key);
  return made;
}

TEST_P(MessageStoreContract, ARetryIsNotStoredAgainAndGetsTheFirstOnesId) {
  const RoomId room = make_room();
  const std::vector first{keyed(room, "a", "k1"), draft(room, "b"), keyed(room, "c", "k2")};
  EXPECT_THAT(messages().append(first).value(),
              ElementsAre(Stored{1, false}, Stored{2, false}, Stored{3, false}));
  const std::vector retry{keyed(room, "a", "k1"), keyed(room, "d", "k3"), keyed(room, "c", "k2")};
  EXPECT_THAT(messages().append(retry).value(),
              ElementsAre(Stored{1, true}, Stored{4, false}, Stored{3, true}));
  EXPECT_THAT(ids_of(messages().page_before(room, 0, 10)), ElementsAre(4, 3, 2, 1));
}

TEST_P(MessageStoreContract, ARetryIsKnownWithinOneBatch) {
  const RoomId room = make_room();
  const std::vector batch{keyed(room, "a", "k"), keyed(room, "a", "k"), draft(room, "b")};
  EXPECT_THAT(messages().append(batch).value(),
              ElementsAre(Stored{1, false}, Stored{1, true}, Stored{2, false}));
}

TEST_P(MessageStoreContract, AKeyIsItsSendersAndItsRoomsOwn) {
  const RoomId room = make_room();
  Draft other = keyed(room, "b", "k");
  other.sender = SharedIdentity({UserId::random(), "다람쥐42", "#0A1B2C", "203.0"});
  EXPECT_THAT(appended({keyed(room, "a", "k"), other, keyed(lobby_id(), "c", "k")}),
              ElementsAre(1, 2, 1));
}

TEST_P(MessageStoreContract, AFailedBatchRemembersNoKey) {
  const RoomId room = make_room();
  const std::vector failing{keyed(room, "a", "k"), draft(RoomId::random(), "b")};
  EXPECT_FALSE(messages().append(failing));
  EXPECT_THAT(appended({keyed(room, "a", "k")}), ElementsAre(1));
}

TEST_P(MessageStoreContract, ForgetsOldKeysAFewAtATime) {
  const RoomId room = make_room();
  std::vector<Draft> drafts;
  for (int i = 0; i < 5; ++i) {
    drafts.push_back(keyed(room, "m", "k" + std::to_string(i)));
    drafts.back().created_at_ms = 1000 + i;
  }
  EXPECT_TRUE(messages().append(drafts));
  EXPECT_EQ(messages().forget_keys(1003, 2).value(), 2U);
  EXPECT_EQ(messages().forget_keys(1003, 2).value(), 1U);
  EXPECT_EQ(messages().forget_keys(1003, 2).value(), 0U);
  EXPECT_THAT(messages().append(std::vector{drafts[2], drafts[3], drafts[4]}).value(),
              ElementsAre(Stored{6, false}, Stored{4, true}, Stored{5, true}));
}

TEST_P(MessageStoreContract, HasAnEpochThatStays) {
  const std::string epoch = messages().epoch();
  EXPECT_THAT(epoch, testing::MatchesRegex("[0-9A-Za-z]+"));
  EXPECT_LE(epoch.size(), 32U);
  fill(lobby_id(), 3);
  EXPECT_EQ(messages().epoch(), epoch);
}

}  // namespace
}  // namespace rtc::chat
