// What only the PostgreSQL adapter promises: several nodes on one database, and a database or a
// network that breaks or hangs.
#include "storage/postgres_store.hpp"

#include <algorithm>
#include <chrono>
#include <gmock/gmock.h>
#include <map>
#include <set>
#include <thread>

#include "contract/lossy_proxy.hpp"
#include "contract/postgres_stores.hpp"
#include "contract/store_contract.hpp"
#include "storage/postgres_migrations.hpp"

namespace rtc::storage {
namespace {

using chat::draft;
using chat::ids_stored;
using chat::kAmple;
using chat::lobby_id;
using chat::Stored;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using test::Database;
using test::LossyProxy;
using test::open_store;
using test::port_of;
using test::PostgresStores;

using chat::BanStoreContract;
using chat::MessageStoreContract;
using chat::RoomStoreContract;

std::unique_ptr<chat::Stores> make_postgres_stores() {
  return std::make_unique<PostgresStores>();
}
INSTANTIATE_TEST_SUITE_P(Postgres, MessageStoreContract, testing::Values(&make_postgres_stores));
INSTANTIATE_TEST_SUITE_P(Postgres, RoomStoreContract, testing::Values(&make_postgres_stores));
INSTANTIATE_TEST_SUITE_P(Postgres, BanStoreContract, testing::Values(&make_postgres_stores));

constexpr std::uint32_t kPatientMs = 30'000;  // nothing here takes so long
// What is held back, is for longer; what is not, takes less, though the machine be busy.
constexpr std::uint32_t kImpatientMs = 5'000;

chat::Draft keyed(RoomId room, std::string text, std::string key) {
  chat::Draft made = draft(room, std::move(text));
  made.key = std::move(key);
  return made;
}

std::vector<std::string> texts_of(chat::MessageStore& store, RoomId room) {
  std::vector<std::string> texts;
  const auto page = store.page_after(room, 0, 100'000);
  for (const auto& message : page.value()) {
    EXPECT_EQ(message.id, texts.size() + 1);
    texts.push_back(message.text);
  }
  return texts;
}

class PostgresStoreTest : public testing::Test {
 protected:
  std::unique_ptr<PostgresStore> node() const {
    return open_store({.url = database_.url(), .timeout_ms = kPatientMs});
  }
  std::unique_ptr<PostgresStore> node_behind(const LossyProxy& proxy,
                                             std::uint32_t timeout_ms) const {
    return open_store({.url = database_.url(proxy.port()), .timeout_ms = timeout_ms});
  }

  Database database_;
};

// --- Several nodes
// --------------------------------------------------------------------------------

TEST_F(PostgresStoreTest, SeveralNodesMayStartAtOnce) {
  std::vector<std::unique_ptr<PostgresStore>> nodes(6);
  std::vector<std::thread> starts;
  for (auto& each : nodes) starts.emplace_back([&] { each = node(); });
  for (auto& each : starts) each.join();
  std::set<std::string> epochs;
  for (const auto& each : nodes) epochs.insert(each->epoch());
  EXPECT_THAT(epochs, ElementsAre(testing::MatchesRegex("[0-9a-f]{16}[0-9A-F]{8}")));
  EXPECT_EQ(database_.ask("SELECT count(*) FROM rooms"), "1");
}

TEST_F(PostgresStoreTest, IdsOfSeveralNodesHaveOneOrderWithoutHoles) {
  constexpr int kNodes = 4;
  constexpr int kBatches = 60;
  std::vector<std::unique_ptr<PostgresStore>> nodes;
  for (int n = 0; n < kNodes; ++n) nodes.push_back(node());
  std::vector<RoomId> rooms = {lobby_id()};
  for (int r = 0; r < 3; ++r) {
    const chat::Room room = chat::open_room("room");
    ASSERT_TRUE(nodes[0]->create(room, kAmple));
    rooms.push_back(room.id);
  }
  std::vector<std::map<std::pair<RoomId, MessageId>, std::string>> told(kNodes);
  std::vector<std::thread> writers;
  for (int n = 0; n < kNodes; ++n) {
    writers.emplace_back([&, n] {
      // Each names the rooms in another order: whoever locked them so would meet the others.
      std::vector<RoomId> own = rooms;
      std::rotate(own.begin(), own.begin() + n, own.end());
      for (int b = 0; b < kBatches; ++b) {
        std::vector<chat::Draft> batch;
        for (int i = 0; i < 7; ++i) {
          batch.push_back(draft(own[static_cast<std::size_t>(i) % own.size()],
                                std::to_string(n) + " " + std::to_string(b * 7 + i)));
        }
        const auto ids = ids_stored(nodes[static_cast<std::size_t>(n)]->append(batch));
        for (std::size_t i = 0; i < batch.size(); ++i) {
          told[static_cast<std::size_t>(n)][{batch[i].room, ids[i]}] = batch[i].text;
        }
      }
    });
  }
  for (auto& each : writers) each.join();
  std::size_t stored = 0;
  for (const RoomId room : rooms) {
    const auto texts = texts_of(*nodes[0], room);
    stored += texts.size();
    std::map<char, int> last;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto node = static_cast<std::size_t>(texts[i][0] - '0');
      EXPECT_EQ((told[node][{room, i + 1}]), texts[i]);
      const int number = std::stoi(texts[i].substr(2));
      EXPECT_GE(number, last[texts[i][0]]) << "in the order of its sender";
      last[texts[i][0]] = number;
    }
  }
  EXPECT_EQ(stored, 7U * kNodes * kBatches);
}

TEST_F(PostgresStoreTest, AKeyThatTwoNodesGetAtOnceIsStoredOnce) {
  const auto one = node();
  const auto other = node();
  for (int round = 0; round < 50; ++round) {
    const std::vector batch{keyed(lobby_id(), "once", "k" + std::to_string(round))};
    Stored first;
    Stored second;
    std::thread beside([&] { second = other->append(batch)->front(); });
    first = one->append(batch)->front();
    beside.join();
    EXPECT_EQ(first.id, round + 1U);
    EXPECT_EQ(second.id, first.id);
    EXPECT_NE(first.repeated, second.repeated);
  }
}

TEST_F(PostgresStoreTest, BoundsOnRoomsHoldOverNodes) {
  constexpr std::uint64_t kMost = 5;
  const auto one = node();
  const auto other = node();
  const auto make = [](PostgresStore& store) {
    for (int i = 0; i < 10; ++i) {
      (void)store.create(chat::open_room("room"), {kMost, 100});
      (void)store.find_or_create_direct(chat::direct_room(UserId::random(), UserId::random()),
                                        {kMost, 100});
    }
  };
  std::thread beside([&] { make(*other); });
  make(*one);
  beside.join();
  EXPECT_EQ(one->list_open({}, 100)->size(), kMost + 1);
  EXPECT_EQ(database_.ask("SELECT count(*) FROM rooms WHERE kind = 1"), std::to_string(kMost));
}

TEST_F(PostgresStoreTest, TwoNodesThatOpenThePrivateRoomOfTwoGetTheSame) {
  const auto one = node();
  const auto other = node();
  for (int round = 0; round < 20; ++round) {
    const UserId a = UserId::random();
    const UserId b = UserId::random();
    RoomId second;
    std::thread beside(
        [&] { second = other->find_or_create_direct(chat::direct_room(b, a), kAmple)->id; });
    const RoomId first = one->find_or_create_direct(chat::direct_room(a, b), kAmple)->id;
    beside.join();
    EXPECT_EQ(first, second);
  }
}

TEST_F(PostgresStoreTest, SaysWhetherOthersWriteToIt) {
  EXPECT_TRUE(node()->shared());
  EXPECT_FALSE(open_store(PostgresOptions{.url = database_.url(), .shared = false})->shared());
}

// --- The database
// ---------------------------------------------------------------------------------

TEST_F(PostgresStoreTest, KeepsItsEpochAndAnotherDatabaseHasAnother) {
  const std::string epoch = node()->epoch();
  EXPECT_EQ(node()->epoch(), epoch);
  const Database another;
  EXPECT_NE(open_store(PostgresOptions{.url = another.url()})->epoch(), epoch);
}

TEST_F(PostgresStoreTest, RefusesANewerSchema) {
  (void)node();
  database_.ask("UPDATE schema_version SET version = 1000");
  const auto refused = PostgresStore::open({.url = database_.url()});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("newer version"));
}

// The database is brought to this version while a node of the one before still runs.
TEST_F(PostgresStoreTest, RoomsOfVersionOneHaveNoTopicAndItsNodesGoOn) {
  const auto make_as_before = [&](const chat::Room& room) {
    const std::string nobody = "'" + UserId{}.to_string() + "'";
    return database_.ask("SELECT count(*) FROM make_room('" + room.id.to_string() +
                         "', 0::int2, '" + room.name + "', 1, '" + room.creator.to_string() +
                         "', " + nobody + ", " + nobody + ", true, 10, 10)");
  };
  database_.ask(
      "CREATE SCHEMA realtimechat; CREATE TABLE schema_version (version integer NOT NULL); "
      "INSERT INTO schema_version VALUES (1); " +
      std::string(postgres_migrations().front()));
  const chat::Room old = chat::open_room("old");
  EXPECT_EQ(make_as_before(old), "1");
  const auto store = node();
  const chat::Room late = chat::open_room("late");
  EXPECT_EQ(make_as_before(late), "1");
  for (const chat::Room& room : {old, late}) {
    EXPECT_EQ(store->find(room.id)->value().name, room.name);
    EXPECT_EQ(store->find(room.id)->value().topic, "");
  }
  EXPECT_EQ(database_.ask("SELECT open_rooms FROM store"), "2");
}

TEST_F(PostgresStoreTest, SaysWhyItCannotBeOpened) {
  const auto nobody = PostgresStore::open(
      {.url = "postgresql://tests:no@127.0.0.1:1/none", .timeout_ms = kPatientMs});
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error().message, HasSubstr("refused"));
  const auto rubbish = PostgresStore::open({.url = "postgresql://me:secret@[::1/chat"});
  ASSERT_FALSE(rubbish);
  EXPECT_THAT(rubbish.error().message, HasSubstr("URI"));
  EXPECT_THAT(rubbish.error().message, Not(HasSubstr("secret")));
}

TEST_F(PostgresStoreTest, AFullRoomRefusesWhatItHasNoIdFor) {
  const auto store = node();
  database_.ask("UPDATE rooms SET newest = 9007199254740990");
  EXPECT_THAT(ids_stored(store->append(std::vector{draft(lobby_id(), "last")})),
              ElementsAre(9007199254740991U));
  const auto refused = store->append(std::vector{draft(lobby_id(), "too much")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::forbidden_action);
  EXPECT_EQ(database_.ask("SELECT count(*) FROM messages"), "1");
}

// Somebody else's transaction: the server itself ends what waits for it, and nothing was stored.
TEST_F(PostgresStoreTest, ALockedTableEndsInAnErrorAndLeavesNoHole) {
  const auto store = open_store({.url = database_.url(), .timeout_ms = kImpatientMs});
  ASSERT_TRUE(store->append(std::vector{draft(lobby_id(), "a")}));
  std::unique_ptr<PGconn, void (*)(PGconn*)> other(PQconnectdb(database_.url().c_str()), PQfinish);
  PQclear(PQexec(other.get(), "BEGIN; LOCK TABLE realtimechat.messages"));
  const auto failed = store->append(std::vector{draft(lobby_id(), "b")});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::internal_server_error);
  EXPECT_THAT(failed.error().message, HasSubstr("statement timeout"));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(store->append(std::vector{draft(lobby_id(), "b")}));
  EXPECT_LT(store->server().timeouts, 50U) << "not every call waits";
  PQclear(PQexec(other.get(), "COMMIT"));
  while (!store->append(std::vector{draft(lobby_id(), "c")})) std::this_thread::yield();
  EXPECT_THAT(texts_of(*store, lobby_id()), ElementsAre("a", "c"));
  EXPECT_EQ(store->server().resolved, 0U) << "all of it was sure";
}

// --- What is lost and what is late
// ----------------------------------------------------------------

TEST_F(PostgresStoreTest, ACommitWhoseAnswerWasLostIsAskedFor) {
  LossyProxy proxy(port_of(database_.url()));
  const auto store = node_behind(proxy, kPatientMs);
  ASSERT_TRUE(store->append(std::vector{keyed(lobby_id(), "a", "k")}));
  proxy.lose_next_answer();
  EXPECT_THAT(store
                  ->append(std::vector{draft(lobby_id(), "b"), keyed(lobby_id(), "a", "k"),
                                       draft(lobby_id(), "c")})
                  .value(),
              ElementsAre(Stored{2, false}, Stored{1, true}, Stored{3, false}));
  EXPECT_EQ(store->server().resolved, 1U);
  EXPECT_EQ(store->server().reconnects, 1U);
  EXPECT_THAT(ids_stored(store->append(std::vector{draft(lobby_id(), "d")})), ElementsAre(4));
  EXPECT_THAT(texts_of(*store, lobby_id()), ElementsAre("a", "b", "c", "d"));
}

TEST_F(PostgresStoreTest, ABatchThatWasLostIsSentAgain) {
  LossyProxy proxy(port_of(database_.url()));
  const auto store = node_behind(proxy, kPatientMs);
  ASSERT_TRUE(store->append(std::vector{draft(lobby_id(), "a")}));
  proxy.lose_next_request();
  EXPECT_THAT(ids_stored(store->append(std::vector{draft(lobby_id(), "b")})), ElementsAre(2));
  EXPECT_EQ(store->server().resolved, 1U);
  EXPECT_THAT(texts_of(*store, lobby_id()), ElementsAre("a", "b"));
}

TEST_F(PostgresStoreTest, OtherCallsAreMadeAgain) {
  LossyProxy proxy(port_of(database_.url()));
  const auto store = node_behind(proxy, kPatientMs);
  const chat::Room first = chat::open_room("first");
  ASSERT_TRUE(store->create(first, kAmple));
  for (const auto lose : {&LossyProxy::lose_next_answer, &LossyProxy::lose_next_request}) {
    const chat::Room room = chat::open_room("room");
    (proxy.*lose)();
    EXPECT_TRUE(store->create(room, chat::RoomBounds{10, 10}));
    EXPECT_TRUE(store->find(room.id)->has_value());
    (proxy.*lose)();
    EXPECT_EQ(store->find(first.id)->value().name, "first");
    (proxy.*lose)();
    EXPECT_EQ(store->forget_keys(0, 10).value(), 0U);
  }
  EXPECT_EQ(store->list_open({}, 10)->size(), 4U);
}

// The database hangs, the batch is given up, and the next one comes before it.
TEST_F(PostgresStoreTest, ABatchThatWasGivenUpIsNotStoredLater) {
  LossyProxy proxy(port_of(database_.url()));
  const auto store = node_behind(proxy, kImpatientMs);
  ASSERT_TRUE(store->append(std::vector{draft(lobby_id(), "a")}));
  proxy.hold();
  const auto failed = store->append(std::vector{draft(lobby_id(), "given up")});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::internal_server_error);
  EXPECT_GE(store->server().timeouts, 1U);
  auto next = store->append(std::vector{draft(lobby_id(), "b")});
  while (!next) next = store->append(std::vector{draft(lobby_id(), "b")});
  EXPECT_THAT(ids_stored(next), ElementsAre(2));
  proxy.release();
  // The server has executed what was held back when that session is gone.
  const std::string sessions =
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
      "AND query LIKE 'SELECT append_messages(%' AND pid <> pg_backend_pid()";
  while (database_.ask(sessions) != "1") std::this_thread::yield();
  EXPECT_THAT(ids_stored(store->append(std::vector{draft(lobby_id(), "c")})), ElementsAre(3));
  EXPECT_THAT(texts_of(*store, lobby_id()), ElementsAre("a", "b", "c"));
}

// The same, but the database goes on before anybody asks: its ids are not given again.
TEST_F(PostgresStoreTest, ABatchThatWasStoredAfterAllIsKnownByItsKey) {
  LossyProxy proxy(port_of(database_.url()));
  const auto store = node_behind(proxy, kImpatientMs);
  ASSERT_TRUE(store->append(std::vector{draft(lobby_id(), "a")}));
  proxy.hold();
  const std::vector late{keyed(lobby_id(), "late", "k")};
  ASSERT_FALSE(store->append(late));
  proxy.release();
  while (database_.ask("SELECT count(*) FROM messages") != "2") std::this_thread::yield();
  auto retry = store->append(late);
  while (!retry) retry = store->append(late);
  EXPECT_THAT(retry.value(), ElementsAre(Stored{2, true}));
  EXPECT_THAT(ids_stored(store->append(std::vector{draft(lobby_id(), "b")})), ElementsAre(3));
  EXPECT_THAT(texts_of(*store, lobby_id()), ElementsAre("a", "late", "b"));
}

// Whoever comes while nothing answers is refused without waiting: a hundred calls are made, and but
// for the first few each would time out.
TEST_F(PostgresStoreTest, WhileNothingAnswersNotEveryCallWaits) {
  LossyProxy proxy(port_of(database_.url()));
  const auto store = node_behind(proxy, kImpatientMs);
  ASSERT_TRUE(store->append(std::vector{draft(lobby_id(), "a")}));
  proxy.hold_all();
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(store->append(std::vector{draft(lobby_id(), "b")}));
  EXPECT_EQ(store->server().timeouts, 1U);
  proxy.release();
  while (!store->append(std::vector{draft(lobby_id(), "c")})) std::this_thread::yield();
  const auto texts = texts_of(*store, lobby_id());
  EXPECT_EQ(texts.front(), "a");
  EXPECT_EQ(texts.back(), "c");
  EXPECT_LE(texts.size(), 3U) << "one batch was on its way";
}

// Readers do not sit out their pause when the writer has found the server.
TEST_F(PostgresStoreTest, WhenOneConnectionIsBackTheOthersTryAtOnce) {
  const auto store =
      open_store({.url = database_.url(), .connections = 2, .timeout_ms = kImpatientMs});
  ASSERT_TRUE(store->append(std::vector{draft(lobby_id(), "a")}));
  ASSERT_TRUE(store->page_before(lobby_id(), 0, 10));
  database_.shut();
  EXPECT_FALSE(store->page_before(lobby_id(), 0, 10));
  database_.open();
  ASSERT_TRUE(store->append(std::vector{draft(lobby_id(), "b")}));
  const auto page = store->page_before(lobby_id(), 0, 10);
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->size(), 2U);
}

}  // namespace
}  // namespace rtc::storage
