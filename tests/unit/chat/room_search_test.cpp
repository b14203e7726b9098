#include "chat/room_search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

#include "contract/memory_store.hpp"
#include "contract/store_contract.hpp"

namespace rtc::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RoomSearchTest : public testing::Test {
 protected:
  RoomId make(std::string name, std::string topic = "") {
    Room room = open_room(std::move(name));
    room.topic = std::move(topic);
    EXPECT_TRUE(store_.create(room, kAmple));
    return room.id;
  }
  std::vector<std::string> found(std::string_view text, std::uint32_t limit = 100) {
    const auto rooms = search_.find(search_words(text), limit);
    std::vector<std::string> names;
    for (const Room& room : rooms.value()) names.push_back(room.name);
    return names;
  }

  MemoryStore store_;
  RoomSearch search_{store_, 1'000};
};

TEST(SearchWords, AreWhatWhiteSpaceDividesWithoutCase) {
  EXPECT_THAT(search_words("Book CLUB"), ElementsAre("book", "club"));
  EXPECT_THAT(search_words(" \t책\xE3\x80\x80읽는  방\n"), ElementsAre("책", "읽는", "방"));
  EXPECT_THAT(search_words("ÉCOLE Жизнь"), ElementsAre("école", "жизнь"));
  EXPECT_THAT(search_words(""), IsEmpty());
  EXPECT_THAT(search_words(" \xE3\x80\x80"), IsEmpty());
  EXPECT_EQ(search_words("1 2 3 4 5 6 7 8 9 10").size(), kSearchWordsMax);
  EXPECT_EQ(search_words("1 2 3 4 5 6 7 8 9 10").back(), "8");
}

TEST_F(RoomSearchTest, FindsEachWordInNameOrTopicNewestFirst) {
  make("Book club", "Novels of this month");
  make("책 읽는 방", "이번 달: 소설");
  make("Chess", "beginners of the book");
  EXPECT_THAT(found("book"), ElementsAre("Chess", "Book club"));
  EXPECT_THAT(found("BOOK novel"), ElementsAre("Book club"));
  EXPECT_THAT(found("소설 책"), ElementsAre("책 읽는 방"));
  EXPECT_THAT(found("novel chess"), IsEmpty());
  EXPECT_THAT(found("clubnovels"), IsEmpty()) << "a word lies in one of the two";
  EXPECT_THAT(found(""), ElementsAre("Chess", "책 읽는 방", "Book club"));
  EXPECT_THAT(found("", 2), ElementsAre("Chess", "책 읽는 방"));
  EXPECT_THAT(found("book", 1), ElementsAre("Chess"));
}

TEST_F(RoomSearchTest, KnowsNeitherTheLobbyNorRoomsOfTwo) {
  ASSERT_TRUE(
      store_.find_or_create_direct(direct_room(UserId::random(), UserId::random()), kAmple));
  EXPECT_THAT(found(""), IsEmpty());
  EXPECT_THAT(found("Lobby"), IsEmpty());
  EXPECT_EQ(search_.rooms(), 0U);
}

TEST_F(RoomSearchTest, GivesTheWholeRoom) {
  Room room = open_room("name");
  room.topic = "topic";
  room.history = false;
  ASSERT_TRUE(store_.create(room, kAmple));
  const auto rooms = search_.find({}, 10);
  ASSERT_EQ(rooms->size(), 1U);
  EXPECT_EQ(rooms->front().id, room.id);
  EXPECT_EQ(rooms->front().topic, "topic");
  EXPECT_EQ(rooms->front().created_at_ms, room.created_at_ms);
  EXPECT_FALSE(rooms->front().history);
}

TEST_F(RoomSearchTest, FindsWhatWasMadeSinceTheLastSearch) {
  EXPECT_THAT(found("room"), IsEmpty());
  make("room 1");
  EXPECT_THAT(found("room"), ElementsAre("room 1"));
  make("room 2");
  make("another");
  EXPECT_THAT(found("room"), ElementsAre("room 2", "room 1"));
}

TEST_F(RoomSearchTest, KeepsTheNewestAndNoMoreThanItsBound) {
  for (int i = 0; i < 1'234; ++i) make("room " + std::to_string(i) + " of many");
  EXPECT_THAT(found("1233"), ElementsAre("room 1233 of many"));
  EXPECT_EQ(search_.rooms(), 1'000U);
  EXPECT_EQ(found("many", 2'000).size(), 1'000U);
  EXPECT_THAT(found("room 234 "), testing::Contains("room 234 of many"));
  EXPECT_THAT(found("233 of"), testing::Not(testing::Contains("room 233 of many")));
  make("the newest");
  EXPECT_THAT(found("", 1), ElementsAre("the newest"));
  EXPECT_EQ(search_.rooms(), 1'000U);
}

// Hands on to a store that may be replaced by an older copy of itself, or fail.
class OtherStore final : public RoomStore {
 public:
  explicit OtherStore(RoomStore& first) : behind(&first) {}
  RoomStore* behind;
  bool fails = false;

  Result<void> create(const Room& room, const RoomBounds& bounds) override {
    return behind->create(room, bounds);
  }
  Result<Room> find_or_create_direct(const Room& room, const RoomBounds& bounds) override {
    return behind->find_or_create_direct(room, bounds);
  }
  Result<std::optional<Room>> find(RoomId id) override { return behind->find(id); }
  Result<std::vector<Room>> list_open(std::optional<RoomId> after, std::uint32_t limit) override {
    if (fails) return {ErrorCode::internal_server_error, "disk I/O error"};
    return behind->list_open(after, limit);
  }
  Result<std::vector<Room>> list_direct(UserId user, std::optional<RoomId> after,
                                        std::uint32_t limit) override {
    return behind->list_direct(user, after, limit);
  }
};

TEST_F(RoomSearchTest, AnotherDatabaseIsReadAnew) {
  OtherStore store(store_);
  RoomSearch search(store, 1'000);
  make("lost");
  EXPECT_EQ(search.find({}, 10)->size(), 1U);
  MemoryStore older;
  ASSERT_TRUE(older.create(open_room("kept"), kAmple));
  store.behind = &older;
  const auto rooms = search.find({}, 10);
  ASSERT_EQ(rooms->size(), 1U);
  EXPECT_EQ(rooms->front().name, "kept");
}

TEST_F(RoomSearchTest, AStoreThatFailsIsToldAndAskedAgain) {
  OtherStore store(store_);
  RoomSearch search(store, 1'000);
  make("here");
  store.fails = true;
  const auto failed = search.find({}, 10);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::internal_server_error);
  store.fails = false;
  EXPECT_EQ(search.find({}, 10)->size(), 1U);
}

TEST_F(RoomSearchTest, EachSearchSeesWhatWasMadeBeforeItAndNothingTwice) {
  constexpr int kThreads = 4;
  constexpr int kRooms = 100;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread] {
      for (int i = 0; i < kRooms; ++i) {
        const std::string name = "t" + std::to_string(thread) + "r" + std::to_string(i) + "end";
        make(name);
        EXPECT_THAT(found(name), ElementsAre(name));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(search_.rooms(), static_cast<std::uint64_t>(kThreads * kRooms));
}

}  // namespace
}  // namespace rtc::chat
