// From a SQLite file to PostgreSQL.
#include <gmock/gmock.h>

#include "contract/postgres_stores.hpp"
#include "contract/sqlite_stores.hpp"
#include "contract/store_contract.hpp"
#include "storage/store_copy.hpp"

namespace rtc::storage {
namespace {

using chat::draft;
using chat::kAmple;
using chat::lobby_id;
using chat::Stored;
using testing::ElementsAre;
using testing::HasSubstr;

using test::Database;
using test::open_store;

chat::Draft keyed(RoomId room, std::string text, std::string key) {
  chat::Draft made = draft(room, std::move(text));
  made.key = std::move(key);
  return made;
}

class PostgresCopyTest : public testing::Test {
 protected:
  Result<CopyFigures> copy() const { return copy_store(file(), {.url = database_.url()}); }
  std::unique_ptr<PostgresStore> target() const { return open_store({.url = database_.url()}); }
  std::filesystem::path file() const { return directory_.file(); }
  std::string refusal() const {
    const auto copied = copy();
    return copied ? "" : copied.error().message;
  }

  test::Directory directory_;
  Database database_;
  std::unique_ptr<SqliteStore> source_ = test::open_store(file());
};

TEST_F(PostgresCopyTest, BringsOverAllOfALiveFileAndThenWhatIsNew) {
  const UserId a = UserId::random();
  const UserId b = UserId::random();
  chat::Room live = chat::open_room(std::string("la\0ut 🎈", 10), a);
  live.history = false;
  live.topic = std::string("wh\0at 🎈", 10);
  const chat::Room open = chat::open_room("방");
  const chat::Room direct = chat::direct_room(b, a);
  ASSERT_TRUE(source_->create(live, kAmple));
  ASSERT_TRUE(source_->create(open, kAmple));
  ASSERT_TRUE(source_->find_or_create_direct(direct, kAmple));
  std::vector<chat::Draft> many(1'201, draft(open.id, "text"));
  ASSERT_TRUE(source_->append(many));
  ASSERT_TRUE(source_->append(
      std::vector{keyed(lobby_id(), std::string("a\0b", 3), "k"), draft(direct.id, "between us")}));
  const chat::Ban held{"address:203.0.113.0/24", 0, "광고", 1};
  ASSERT_TRUE(test::open_bans(file())->put_ban(held, 10));
  const auto first = copy();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->rooms, 4U);
  EXPECT_EQ(first->messages, 1'203U);
  EXPECT_EQ(first->new_messages, 1'203U);
  EXPECT_EQ(first->keys, 1U);

  const chat::Room later = chat::open_room("later");
  ASSERT_TRUE(source_->create(later, kAmple));
  ASSERT_TRUE(source_->append(
      std::vector{draft(open.id, "new"), draft(later.id, "new"), keyed(open.id, "newer", "k2")}));
  const auto second = copy();
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->rooms, 5U);
  EXPECT_EQ(second->messages, 1'206U);
  EXPECT_EQ(second->new_messages, 3U);

  const auto store = target();
  EXPECT_THAT(store->bans(0).value(), ElementsAre(held));
  const auto rooms = store->list_open({}, 100);
  ASSERT_EQ(rooms->size(), 4U);
  EXPECT_EQ(rooms->at(1).id, live.id);
  EXPECT_EQ(rooms->at(1).name, live.name);
  EXPECT_EQ(rooms->at(1).topic, live.topic);
  EXPECT_FALSE(rooms->at(1).history);
  EXPECT_EQ(rooms->at(3).id, later.id);
  EXPECT_EQ(store->list_direct(a, {}, 10)->front().id, direct.id);
  EXPECT_EQ(store->page_after(lobby_id(), 0, 10)->front().text, std::string("a\0b", 3));
  EXPECT_THAT(
      store->append(std::vector{keyed(open.id, "newer", "k2"), draft(open.id, "on")}).value(),
      ElementsAre(Stored{1'203, true}, Stored{1'204, false}));
  EXPECT_FALSE(store->create(chat::open_room("one too many"), chat::RoomBounds{3, 10}));
  EXPECT_THAT(refusal(), HasSubstr("not in the file")) << "somebody talks there already";
}

TEST_F(PostgresCopyTest, BansAreEndedAndChangedThereAsTheyWereInTheFile) {
  const auto bans = test::open_bans(file());
  const chat::Ban stays{"address:203.0.113.7", 0, "stays", 1};
  const chat::Ban ended{"address:203.0.113.8", 0, "ended", 2};
  chat::Ban changed{"address:203.0.113.9", 0, "for ever", 3};
  for (const auto& each : {stays, ended, changed}) ASSERT_TRUE(bans->put_ban(each, 10));
  ASSERT_TRUE(copy());
  EXPECT_THAT(target()->bans(0).value(), ElementsAre(stays, ended, changed));
  const std::int64_t version = target()->bans_version().value();

  ASSERT_TRUE(bans->remove_ban(ended.target).value());
  changed = {changed.target, std::int64_t{1} << 50, "for long", 4};
  ASSERT_TRUE(bans->put_ban(changed, 10));
  ASSERT_TRUE(copy());
  EXPECT_THAT(target()->bans(0).value(), ElementsAre(stays, changed));
  EXPECT_EQ(target()->bans_version().value(), version + 2) << "nothing else was touched";
}

// There people talk already, and bans of their own may hold.
TEST_F(PostgresCopyTest, ACopyThatIsRefusedEndsNoBans) {
  ASSERT_TRUE(copy());
  const auto store = target();
  ASSERT_TRUE(store->append(std::vector{draft(lobby_id(), "there")}));
  const chat::Ban theirs{"address:203.0.113.7", 0, "theirs", 1};
  ASSERT_TRUE(store->put_ban(theirs, 10));
  EXPECT_THAT(refusal(), HasSubstr("not in the file"));
  EXPECT_THAT(store->bans(0).value(), ElementsAre(theirs));
}

TEST_F(PostgresCopyTest, FindsWhatIsNotTheSame) {
  ASSERT_TRUE(source_->append(std::vector{draft(lobby_id(), "a"), draft(lobby_id(), "b")}));
  ASSERT_TRUE(copy());
  database_.ask("UPDATE messages SET text = 'c' WHERE id = 1");
  EXPECT_THAT(refusal(), HasSubstr("message 1 of room"));
  database_.ask("UPDATE messages SET text = 'a' WHERE id = 1");
  EXPECT_EQ(refusal(), "");
  database_.ask("DELETE FROM messages WHERE id = 2");
  EXPECT_THAT(refusal(), HasSubstr("message 2 of room"));
  database_.ask("UPDATE rooms SET topic = 'another'");
  EXPECT_THAT(refusal(), testing::StartsWith("room " + lobby_id().to_string()));
}

TEST_F(PostgresCopyTest, RefusesAFileThatIsNotThere) {
  source_.reset();
  std::filesystem::remove(file());
  EXPECT_THAT(refusal(), HasSubstr("there is no"));
}

}  // namespace
}  // namespace rtc::storage
