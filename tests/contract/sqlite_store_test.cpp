// What only the SQLite adapter promises: the file, its lock, kill -9, a full disk.
#include "storage/sqlite_store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <sstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "contract/sqlite_stores.hpp"
#include "contract/store_contract.hpp"

namespace rtc::storage {
namespace {

using chat::draft;
using chat::ids_stored;
using chat::kAmple;
using chat::lobby_id;
using testing::ElementsAre;
using testing::HasSubstr;

using test::Directory;
using test::open_store;
using test::SqliteStores;

std::unique_ptr<chat::Stores> make_sqlite_stores() {
  return std::make_unique<SqliteStores>();
}

using chat::BanStoreContract;
using chat::MessageStoreContract;
using chat::RoomStoreContract;
INSTANTIATE_TEST_SUITE_P(Sqlite, MessageStoreContract, testing::Values(&make_sqlite_stores));
INSTANTIATE_TEST_SUITE_P(Sqlite, RoomStoreContract, testing::Values(&make_sqlite_stores));
INSTANTIATE_TEST_SUITE_P(Sqlite, BanStoreContract, testing::Values(&make_sqlite_stores));

class SqliteStoreTest : public testing::Test {
 protected:
  std::filesystem::path file() const { return directory_.file(); }
  std::unique_ptr<SqliteStore> open() const { return open_store(file()); }
  std::string refusal() const {
    const auto store = SqliteStore::open({file()});
    return store.ok() ? "" : store.error().message;
  }
  void write(std::string_view bytes) const { std::ofstream(file(), std::ios::binary) << bytes; }
  std::string content() const {
    std::ostringstream bytes;
    bytes << std::ifstream(file(), std::ios::binary).rdbuf();
    return bytes.str();
  }
  // With no store open.
  void execute(const std::string& sql) const {
    SQLite::Database(file().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(sql);
  }
  std::string ask(const std::string& sql) const {
    return SQLite::Database(file().string()).execAndGet(sql).getString();
  }

 private:
  Directory directory_;
};

TEST_F(SqliteStoreTest, KeepsEverythingAndGoesOnAfterAReopen) {
  const UserId me = UserId::random();
  const chat::Room room = chat::open_room("방", me);
  const chat::Room direct = chat::direct_room(me, UserId::random());
  {
    const auto store = open();
    ASSERT_TRUE(store->create(room, kAmple));
    ASSERT_TRUE(store->find_or_create_direct(direct, kAmple));
    ASSERT_TRUE(store->append(std::vector{draft(room.id, "a"), draft(lobby_id(), "b")}));
    ASSERT_TRUE(store->append(std::vector{draft(room.id, "c"), draft(direct.id, "d")}));
  }
  const auto store = open();
  EXPECT_EQ(store->find(room.id)->value().name, "방");
  EXPECT_EQ(store->list_direct(me, {}, 10)->size(), 1U);
  const auto page = store->page_before(room.id, 0, 10);
  ASSERT_EQ(page->size(), 2U);
  EXPECT_EQ(page->at(0).text, "c");
  EXPECT_EQ(page->at(1).text, "a");
  EXPECT_THAT(ids_stored(store->append(
                  std::vector{draft(lobby_id(), "e"), draft(room.id, "f"), draft(direct.id, "g")})),
              ElementsAre(2, 3, 2));
  // Bounds count what the file holds.
  EXPECT_FALSE(store->create(chat::open_room("x"), {1, 100}));
  EXPECT_FALSE(store->create(chat::open_room("x", me), {100, 1}));
  EXPECT_FALSE(store->find_or_create_direct(chat::direct_room(UserId::random(), UserId::random()),
                                            {1, 100}));
}

TEST_F(SqliteStoreTest, MakesTheFileWithItsDirectoryForItsOwnerOnly) {
  const auto nested = file().parent_path() / "a" / "b" / "chat.db";
  const auto store = open_store(nested);
  ASSERT_TRUE(store->append(std::vector{draft(lobby_id(), "a")}));
  for (const auto* suffix : {"", "-wal", "-shm", ".lock"}) {
    struct stat status {};
    ASSERT_EQ(::stat((nested.string() + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 07777U, 0600U) << suffix;
  }
}

TEST_F(SqliteStoreTest, TakesAnEmptyFile) {
  write("");
  EXPECT_EQ(refusal(), "");
}

TEST_F(SqliteStoreTest, IsOpenedOnceAtATime) {
  auto store = open();
  EXPECT_THAT(refusal(), HasSubstr("in use by another process"));
  EXPECT_TRUE(store->append(std::vector{draft(lobby_id(), "a")})) << "the first one goes on";
  store.reset();
  EXPECT_EQ(refusal(), "");
}

TEST_F(SqliteStoreTest, RefusesAFileOfANewerVersion) {
  open().reset();
  execute("PRAGMA user_version = 1000");
  EXPECT_THAT(refusal(), HasSubstr("newer version"));
  EXPECT_EQ(ask("PRAGMA user_version"), "1000");
}

TEST_F(SqliteStoreTest, RefusesADatabaseOfAnotherProgramAndLeavesItAlone) {
  execute("CREATE TABLE theirs (a)");
  auto before = content();
  EXPECT_THAT(refusal(), HasSubstr("another program"));
  EXPECT_TRUE(content() == before);

  execute("DROP TABLE theirs; PRAGMA application_id = 1234");
  before = content();
  EXPECT_THAT(refusal(), HasSubstr("another program"));
  EXPECT_TRUE(content() == before);
}

TEST_F(SqliteStoreTest, RefusesWhatIsNoDatabaseAndLeavesItAlone) {
  for (const auto& garbage : {std::string("x"), std::string("hello, this is no database\n"),
                              std::string(100'000, 'x'), std::string(4'096, '\xFF')}) {
    write(garbage);
    EXPECT_THAT(refusal(), HasSubstr("is not a database; move it away")) << garbage.size();
    EXPECT_TRUE(content() == garbage) << garbage.size();
  }
}

TEST_F(SqliteStoreTest, RefusesWhatCannotBeOpened) {
  std::filesystem::create_directory(file());
  EXPECT_THAT(refusal(), HasSubstr("cannot open"));
  const auto below_a_file = SqliteStore::open({"/dev/null/chat.db"});
  ASSERT_FALSE(below_a_file);
  EXPECT_THAT(below_a_file.error().message, HasSubstr("/dev/null"));
}

TEST_F(SqliteStoreTest, ServesMoreThreadsThanItHasReaders) {
  auto opened = SqliteStore::open({file(), 1});
  ASSERT_TRUE(opened);
  const auto& store = *opened;
  ASSERT_TRUE(store->append(std::vector{draft(lobby_id(), "a")}));
  std::vector<std::thread> threads(4);
  for (auto& thread : threads) {
    thread = std::thread([&] {
      for (int i = 0; i < 100; ++i) EXPECT_EQ(store->page_before(lobby_id(), 0, 5)->size(), 1U);
    });
  }
  for (auto& thread : threads) thread.join();
}

// A child appends until it is killed, and tells each commit through a pipe: {lobby, room} of ids.
using Committed = std::array<MessageId, 2>;

[[noreturn]] void append_until_killed(const std::filesystem::path& file, RoomId room, int output) {
  const auto store = open_store(file);
  while (true) {
    const auto ids = store->append(std::vector{draft(lobby_id(), "x"), draft(room, "x"),
                                               draft(lobby_id(), std::string(3'000, 'y'))});
    if (!ids) ::_exit(1);
    const Committed last = {ids->at(2).id, ids->at(1).id};
    if (::write(output, last.data(), sizeof last) != ssize_t{sizeof last}) ::_exit(1);
  }
}

TEST_F(SqliteStoreTest, LosesNothingThatWasCommittedBeforeAKill) {
  const chat::Room room = chat::open_room("room");
  ASSERT_TRUE(open()->create(room, kAmple));
  Committed committed = {0, 0};
  for (int round = 0; round < 5; ++round) {
    std::array<int, 2> pipe_ends{};
    ASSERT_EQ(::pipe(pipe_ends.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) append_until_killed(file(), room.id, pipe_ends[1]);
    ::close(pipe_ends[1]);
    int reports = 0;
    while (::read(pipe_ends[0], committed.data(), sizeof committed) == ssize_t{sizeof committed}) {
      if (++reports == 100 * (round + 1)) {
        EXPECT_THAT(refusal(), HasSubstr("in use")) << "the child holds the lock";
        ASSERT_EQ(::kill(child, SIGKILL), 0);
      }
    }
    ::close(pipe_ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));

    const auto store = open();
    const auto in_lobby = store->page_after(lobby_id(), 0, 1'000'000);
    const auto in_room = store->page_after(room.id, 0, 1'000'000);
    ASSERT_GE(in_lobby->size(), committed[0]);
    ASSERT_GE(in_room->size(), committed[1]);
    EXPECT_EQ(in_lobby->size(), 2 * in_room->size()) << "a batch is whole or not there";
    for (std::size_t i = 0; i < in_lobby->size(); ++i) ASSERT_EQ(in_lobby->at(i).id, i + 1);
    for (std::size_t i = 0; i < in_room->size(); ++i) ASSERT_EQ(in_room->at(i).id, i + 1);
  }
  EXPECT_EQ(ask("PRAGMA integrity_check"), "ok");
  EXPECT_EQ(ask("SELECT count(*) FROM pragma_foreign_key_check"), "0");
}

// While it lives no file can grow beyond `bytes`: a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uintmax_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(SqliteStoreTest, StoresNothingWhenTheDiskIsFullAndWorksAfterwards) {
  const auto store = open();
  const chat::Room room = chat::open_room("room");
  ASSERT_TRUE(store->create(room, kAmple));
  ASSERT_TRUE(store->append(std::vector{draft(lobby_id(), "a"), draft(room.id, "b")}));
  // One that fails at its commit, and one that outgrows SQLite's cache and fails before.
  const std::vector small = {draft(room.id, "c"), draft(lobby_id(), "d")};
  const std::vector<chat::Draft> large(700, draft(room.id, std::string(100'000, 'e')));
  const chat::Room more = chat::open_room("more");
  const chat::Room direct = chat::direct_room(UserId::random(), UserId::random());
  {
    const FileSizeLimit full(std::filesystem::file_size(file().string() + "-wal"));
    for (const auto& batch : {small, large, small}) {
      const auto failed = store->append(batch);
      ASSERT_FALSE(failed);
      EXPECT_EQ(failed.error().code, ErrorCode::internal_server_error);
      EXPECT_THAT(failed.error().message, HasSubstr("disk"));
      EXPECT_EQ(store->page_before(room.id, 0, 10)->size(), 1U);
      EXPECT_EQ(store->page_before(lobby_id(), 0, 10)->size(), 1U);
    }
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(store->create(more, {2, 100}).error().code, ErrorCode::internal_server_error);
      EXPECT_EQ(store->find_or_create_direct(direct, {1, 1}).error().code,
                ErrorCode::internal_server_error);
    }
  }
  EXPECT_THAT(ids_stored(store->append(small)), ElementsAre(2, 2));
  EXPECT_EQ(store->append(large)->back().id, 702U);
  EXPECT_TRUE(store->create(more, {2, 100})) << "a room that was not made does not count";
  EXPECT_TRUE(store->find_or_create_direct(direct, {1, 1}));
  EXPECT_THAT(ids_stored(store->append(std::vector{draft(more.id, "f"), draft(direct.id, "g")})),
              ElementsAre(1, 1));
}

TEST_F(SqliteStoreTest, WaitsOnceForAnotherProcessThatWritesAndThenFailsAtOnceUntilItLetsGo) {
  constexpr std::chrono::milliseconds kTimeout(1000);
  auto opened = SqliteStore::open(
      {.file = file(), .busy_timeout_ms = static_cast<std::uint32_t>(kTimeout.count())});
  ASSERT_TRUE(opened);
  const auto& store = *opened;
  const std::vector one = {draft(lobby_id(), "a")};
  ASSERT_TRUE(store->append(one));
  const auto now = [] { return std::chrono::steady_clock::now(); };
  for (int round = 0; round < 2; ++round) {
    SQLite::Database other(file().string(), SQLite::OPEN_READWRITE);
    other.exec("BEGIN EXCLUSIVE");
    const auto began = now();
    const auto failed = store->append(one);
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message, HasSubstr("locked"));
    EXPECT_GE(now() - began, kTimeout) << "a moment's lock costs nobody his message";
    const auto then = now();
    for (int i = 0; i < 20; ++i) {
      EXPECT_FALSE(store->append(one));
      EXPECT_FALSE(store->create(chat::open_room("x"), kAmple));
      EXPECT_FALSE(store->forget_keys(0, 1));
    }
    EXPECT_LT(now() - then, 20 * kTimeout) << "nobody waits for the sum of them";
    EXPECT_EQ(store->page_before(lobby_id(), 0, 10)->size(), round + 1U);
    other.exec("COMMIT");
    EXPECT_THAT(ids_stored(store->append(one)), ElementsAre(round + 2U));
  }
}

// Until the log was brought into the database; the commits meanwhile hold it at its bound.
TEST_F(SqliteStoreTest, HoldsTheLogOfCommitsAtItsBound) {
  constexpr std::uint64_t kBound = 1 << 20;
  auto opened = SqliteStore::open({.file = file(), .log_bytes_max = kBound});
  ASSERT_TRUE(opened);
  const auto& store = *opened;
  const std::vector batch(8, draft(lobby_id(), std::string(4'000, 'x')));
  std::uint64_t written = 0;
  std::uint64_t most = 0;
  while (written < 64 * kBound) {
    ASSERT_TRUE(store->append(batch));
    written += 8 * 4'000;
    most = std::max(most, store->log().bytes);
  }
  EXPECT_LE(most, kBound + kBound / 4) << "and one commit";
  EXPECT_GE(most, kBound / 4);
  EXPECT_GE(store->log().checkpoints, 64U) << "of at most the bound each";
  EXPECT_LE(std::filesystem::file_size(file().string() + "-wal"), 2 * kBound);
  EXPECT_EQ(store->page_before(lobby_id(), 0, 1)->front().id, written / 4'000);
}

// Another process reads for long: the log cannot begin anew, and nobody waits for that.
TEST_F(SqliteStoreTest, GoesOnWhileAnotherProcessReadsAndCutsTheLogBackAfterwards) {
  constexpr std::uint64_t kBound = 1 << 20;
  auto opened = SqliteStore::open({.file = file(), .log_bytes_max = kBound});
  ASSERT_TRUE(opened);
  const auto& store = *opened;
  const std::vector batch(8, draft(lobby_id(), std::string(4'000, 'x')));
  {
    SQLite::Database other(file().string());
    other.exec("BEGIN; SELECT * FROM rooms");
    for (int i = 0; i < 200; ++i) ASSERT_TRUE(store->append(batch));
    EXPECT_GT(store->log().bytes, 2 * kBound);
    EXPECT_GT(store->log().waits, 0U);
    EXPECT_LT(store->log().waits, 100U) << "not with every commit";
  }
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(store->append(batch));
  EXPECT_LE(store->log().bytes, kBound + kBound / 4);
}

TEST_F(SqliteStoreTest, RemembersKeysAndItsEpochAcrossARestart) {
  chat::Draft keyed = draft(lobby_id(), "once");
  keyed.key = "k";
  std::string epoch;
  {
    const auto store = open();
    epoch = store->epoch();
    EXPECT_THAT(epoch, testing::MatchesRegex("[0-9a-f]{16}"));
    EXPECT_THAT(store->append(std::vector{keyed}).value(), ElementsAre(chat::Stored{1, false}));
  }
  const auto store = open();
  EXPECT_EQ(store->epoch(), epoch);
  EXPECT_THAT(store->append(std::vector{keyed}).value(), ElementsAre(chat::Stored{1, true}));
  EXPECT_EQ(store->page_before(lobby_id(), 0, 10)->size(), 1U);
}

TEST_F(SqliteStoreTest, AnotherFileHasAnotherEpoch) {
  const std::string first = open()->epoch();
  std::filesystem::remove(file());
  std::filesystem::remove(file().string() + "-wal");
  std::filesystem::remove(file().string() + "-shm");
  EXPECT_NE(open()->epoch(), first);
}

// The epoch that a store opened so has. `cleanly`: closed as at the end of the program; otherwise
// its process is killed.
std::string epoch_of(const SqliteOptions& options, bool cleanly = true) {
  std::array<int, 2> pipe_ends{};
  EXPECT_EQ(::pipe(pipe_ends.data()), 0);
  const pid_t child = ::fork();
  EXPECT_GE(child, 0);
  if (child == 0) {
    auto store = SqliteStore::open(options);
    if (!store || !(*store)->append(std::vector{draft(lobby_id(), "x")})) ::_exit(1);
    const std::string epoch = (*store)->epoch();
    if (cleanly) store->reset();
    if (::write(pipe_ends[1], epoch.data(), epoch.size()) < 0) ::_exit(1);
    if (!cleanly) ::raise(SIGKILL);
    ::_exit(0);
  }
  ::close(pipe_ends[1]);
  std::string epoch(100, '\0');
  const ssize_t size = ::read(pipe_ends[0], epoch.data(), epoch.size());
  ::close(pipe_ends[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(size, 16);
  epoch.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return epoch;
}

TEST_F(SqliteStoreTest, KeepsItsEpochAfterAKillUnlessTheMachineWentDownToo) {
  const SqliteOptions monday{.file = file(), .boot = "monday"};
  const SqliteOptions tuesday{.file = file(), .boot = "tuesday"};
  const std::string first = epoch_of(monday, false);
  EXPECT_EQ(epoch_of(monday, false), first) << "nothing was lost";
  const std::string second = epoch_of(tuesday, false);
  EXPECT_NE(second, first) << "commits may have been lost";
  EXPECT_EQ(epoch_of(tuesday), second);
  EXPECT_EQ(epoch_of(monday), second) << "it was closed cleanly";
  EXPECT_EQ(ask("SELECT boot FROM store"), "");
  EXPECT_EQ(ask("SELECT count(*) FROM messages"), "5");
}

TEST_F(SqliteStoreTest, KeepsItsEpochOverALossOfPowerWhenNoCommitIsLostByOne) {
  SqliteOptions options{.file = file(), .durability = Durability::fsync, .boot = "monday"};
  const std::string first = epoch_of(options, false);
  options.boot = "tuesday";
  EXPECT_EQ(epoch_of(options, false), first);
  // From the other durability to this one within a boot: what came before is on the disk.
  options.durability = Durability::commit;
  EXPECT_EQ(epoch_of(options, false), first);
  options.durability = Durability::fsync;
  EXPECT_EQ(epoch_of(options, false), first);
  options.boot = "wednesday";
  EXPECT_EQ(epoch_of(options, false), first);
}

TEST_F(SqliteStoreTest, AnUnknownBootIsTheMachines) {
  const std::string first = epoch_of({.file = file()}, false);
  EXPECT_EQ(epoch_of({.file = file()}, false), first);
  EXPECT_NE(ask("SELECT boot FROM store"), "");
}

TEST_F(SqliteStoreTest, ACopyHasAnotherEpochAndAMovedFileTheSame) {
  const std::string first = open()->epoch();
  const auto backup = file().parent_path() / "backup.db";
  const auto moved = file().parent_path() / "moved.db";
  std::filesystem::copy_file(file(), backup);
  std::filesystem::rename(file(), moved);
  EXPECT_EQ(open_store(moved)->epoch(), first);
  const std::string second = open_store(backup)->epoch();
  EXPECT_NE(second, first);
  EXPECT_EQ(open_store(backup)->epoch(), second) << "from then on it is a store of its own";
  // Put back where it was: most likely under the number of the file that was there.
  std::filesystem::remove(moved);
  std::filesystem::copy_file(backup, moved);
  EXPECT_NE(open_store(moved)->epoch(), second);
}

// Makes a file of today one of version 4.
constexpr const char* kToVersionFour = R"sql(
CREATE TABLE old_messages (
  room INTEGER NOT NULL REFERENCES rooms (key), id INTEGER NOT NULL,
  sender BLOB NOT NULL CHECK (length(sender) = 16), nickname TEXT NOT NULL,
  name_tag TEXT NOT NULL, address TEXT NOT NULL, text TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL, PRIMARY KEY (room, id)) STRICT, WITHOUT ROWID;
INSERT INTO old_messages SELECT place >> 36, place & 0xFFFFFFFFF, sender, nickname, name_tag,
  address, text, created_at_ms FROM messages;
DROP TABLE messages;
ALTER TABLE old_messages RENAME TO messages;
ALTER TABLE rooms DROP COLUMN topic;
DROP TABLE bans;
ALTER TABLE store DROP COLUMN bans_version;
PRAGMA user_version = 4;
)sql";

TEST_F(SqliteStoreTest, MessagesOfVersionFourKeepTheirPlaces) {
  const chat::Room one = chat::open_room("one");
  const chat::Room other = chat::open_room("other");
  std::vector<chat::Message> before;
  {
    const auto store = open();
    ASSERT_TRUE(store->create(one, chat::kAmple));
    ASSERT_TRUE(store->create(other, chat::kAmple));
    ASSERT_TRUE(store->append(std::vector{chat::draft(one.id, "a"), chat::draft(other.id, "b"),
                                          chat::draft(one.id, "c")}));
    before = store->page_after(one.id, 0, 10).value();
  }
  execute(kToVersionFour);
  const auto store = open();
  const auto after = store->page_after(one.id, 0, 10).value();
  ASSERT_EQ(after.size(), 2U);
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].id, before[i].id);
    EXPECT_EQ(after[i].text, before[i].text);
    EXPECT_EQ(after[i].sender.id(), before[i].sender.id());
    EXPECT_EQ(after[i].created_at_ms, before[i].created_at_ms);
  }
  EXPECT_EQ(store->append(std::vector{chat::draft(other.id, "d")})->front().id, 2U);
}

// The neighbours of a room in the table are other rooms' messages.
TEST_F(SqliteStoreTest, APageEndsWhereItsRoomEnds) {
  const auto store = open();
  std::vector<chat::Room> rooms;
  std::vector<chat::Draft> drafts;
  for (int i = 0; i < 3; ++i) {
    rooms.push_back(chat::open_room("room"));
    ASSERT_TRUE(store->create(rooms.back(), chat::kAmple));
    for (int j = 0; j < 3; ++j) drafts.push_back(chat::draft(rooms.back().id, "text"));
  }
  ASSERT_TRUE(store->append(drafts));
  for (const chat::Room& room : rooms) {
    for (const MessageId edge : {MessageId{0}, MessageId{4}, MessageId{1} << 36, ~MessageId{0}}) {
      EXPECT_EQ(store->page_before(room.id, edge, 100)->size(), 3U);
      EXPECT_EQ(store->page_after(room.id, edge, 100)->size(), edge == 0 ? 3U : 0U);
    }
  }
}

TEST_F(SqliteStoreTest, AFullRoomRefusesWhatItHasNoIdFor) {
  const chat::Room room = chat::open_room("full");
  ASSERT_TRUE(open()->create(room, chat::kAmple));
  execute(
      "INSERT INTO messages SELECT (key << 36) | (0xFFFFFFFFF - 1), zeroblob(16), '', '', '', '', "
      "0 "
      "FROM rooms WHERE name = 'full'");
  const auto store = open();
  EXPECT_EQ(store->append(std::vector{chat::draft(room.id, "last")})->front().id, 0xFFFFFFFFFU);
  const auto refused = store->append(std::vector{chat::draft(room.id, "too much")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::forbidden_action);
  EXPECT_EQ(store->page_before(room.id, 0, 10)->front().id, 0xFFFFFFFFFU);
}

TEST_F(SqliteStoreTest, ARoomOfVersionFiveHasNoTopic) {
  const chat::Room room = chat::open_room("old");
  ASSERT_TRUE(open()->create(room, chat::kAmple));
  execute(
      "ALTER TABLE rooms DROP COLUMN topic; DROP TABLE bans; "
      "ALTER TABLE store DROP COLUMN bans_version; PRAGMA user_version = 5");
  const auto store = open();
  EXPECT_EQ(store->find(room.id)->value().name, "old");
  EXPECT_EQ(store->find(room.id)->value().topic, "");
  EXPECT_EQ(store->find(chat::lobby_id())->value().topic, "");
}

TEST_F(SqliteStoreTest, ARoomOfVersionThreeHasHistory) {
  const chat::Room room = chat::open_room("old");
  ASSERT_TRUE(open()->create(room, chat::kAmple));
  execute(kToVersionFour);
  execute("ALTER TABLE rooms DROP COLUMN history; PRAGMA user_version = 3");
  EXPECT_TRUE(open()->find(room.id)->value().history);
}

TEST_F(SqliteStoreTest, AFileOfVersionTwoKeepsItsEpoch) {
  const std::string first = open()->epoch();
  execute(kToVersionFour);
  execute(
      "ALTER TABLE store DROP COLUMN boot; ALTER TABLE store DROP COLUMN file; "
      "ALTER TABLE rooms DROP COLUMN history; "
      "PRAGMA user_version = 2");
  EXPECT_EQ(open()->epoch(), first);
  EXPECT_NE(ask("SELECT file FROM store"), "");
}

}  // namespace
}  // namespace rtc::storage
