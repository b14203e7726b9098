// The one connection that writes. One thread at a time.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "chat/message_store.hpp"
#include "chat/room_store.hpp"
#include "storage/sqlite_checkpointer.hpp"
#include "storage/sqlite_store.hpp"

namespace rtc::storage {

// The calls are those of the ports. The constructor throws SQLite::Exception.
class SqliteWriter {
 public:
  SqliteWriter(SQLite::Database database, const std::filesystem::path& file,
               const SqliteOptions& options);
  ~SqliteWriter();
  SqliteWriter(const SqliteWriter&) = delete;
  SqliteWriter& operator=(const SqliteWriter&) = delete;

  Result<std::vector<chat::Stored>> append(std::span<const chat::Draft> drafts);
  Result<std::uint64_t> forget_keys(std::int64_t before_ms, std::uint32_t limit);
  const std::string& epoch() const { return epoch_; }
  chat::LogFigures log() const { return checkpointer_.figures(); }  // any thread
  Result<void> create(const chat::Room& room, const chat::RoomBounds& bounds);
  Result<chat::Room> find_or_create_direct(const chat::Room& room, const chat::RoomBounds& bounds);

 private:
  struct Counter {
    std::int64_t room_key = 0;
    std::int64_t last_id = 0;
  };

  // Null when there is no such room. Good until the next call.
  Counter* counter_of(RoomId room);
  // The id under which the draft's key is known; 0: it is not, or the draft has none.
  MessageId known_id(const Counter& counter, const chat::Draft& draft);
  void insert(const Counter& counter, const chat::Draft& draft);
  void insert(const chat::Room& room);
  bool has_room_key() const;
  std::uint64_t count(SQLite::Statement& statement, UserId user, std::uint64_t up_to);
  // How a call that writes ended. While another process holds the file, only the first call waits
  // for it busy_timeout_ms long: after that each fails at once, until one works. So nobody waits
  // for the sum of what the calls before him waited.
  Error failed(const SQLite::Exception& error);
  void worked();

  // From here to commit(), or rolled back; the statements are the writer's, parsed once.
  class Transaction {
   public:
    explicit Transaction(SqliteWriter& writer);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

   private:
    SqliteWriter& writer_;
    bool committed_ = false;
  };

  SQLite::Database database_;
  std::uint32_t busy_timeout_ms_;
  bool waits_when_busy_ = true;
  SQLite::Statement begin_;
  SQLite::Statement commit_;
  SQLite::Statement rollback_;
  SQLite::Statement find_counter_;
  SQLite::Statement insert_message_;
  SQLite::Statement find_key_;
  SQLite::Statement insert_key_;
  SQLite::Statement forget_keys_;
  SQLite::Statement insert_room_;
  SQLite::Statement insert_member_;
  SQLite::Statement find_direct_;
  SQLite::Statement count_open_of_;
  SQLite::Statement count_direct_of_;

  // What the file says, kept to save a look-up per message; emptied when a batch fails and when it
  // has grown to its bound, and read again from the file.
  std::unordered_map<RoomId, Counter> counters_;
  std::uint64_t open_rooms_ = 0;  // without the lobby
  std::uint64_t direct_rooms_ = 0;
  std::string epoch_;
  SqliteCheckpointer checkpointer_;
};

}  // namespace rtc::storage
