// Read-only connections, and the pool that threads borrow them from.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "chat/message.hpp"
#include "chat/room.hpp"

namespace rtc::storage {

// The calls are those of the ports; one thread at a time. All throw SQLite::Exception.
class SqliteReader {
 public:
  explicit SqliteReader(SQLite::Database database);

  std::vector<chat::Message> page_before(RoomId room, MessageId before, std::uint32_t limit);
  std::vector<chat::Message> page_after(RoomId room, MessageId after, std::uint32_t limit);
  std::optional<chat::Room> find(RoomId id);
  Result<std::vector<chat::Room>> list_open(std::optional<RoomId> after, std::uint32_t limit);
  Result<std::vector<chat::Room>> list_direct(UserId user, std::optional<RoomId> after,
                                              std::uint32_t limit);

 private:
  SQLite::Database database_;
  SQLite::Statement page_before_;
  SQLite::Statement page_after_;
  SQLite::Statement find_;
  SQLite::Statement open_key_;
  SQLite::Statement list_open_;
  SQLite::Statement direct_key_;
  SQLite::Statement list_direct_;
};

// Any thread.
class SqliteReaders {
 public:
  // At least one; throws SQLite::Exception.
  SqliteReaders(const std::filesystem::path& file, std::uint32_t readers,
                std::uint32_t busy_timeout_ms);

  // Runs `use` with a reader of its own; waits for one when all are out.
  template <class Function>
  auto with(Function use) {
    const Loan loan(*this);
    return use(*loan.reader);
  }

 private:
  struct Loan {
    explicit Loan(SqliteReaders& from) : readers(from), reader(from.borrow()) {}
    ~Loan() { readers.give_back(std::move(reader)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    SqliteReaders& readers;
    std::unique_ptr<SqliteReader> reader;
  };

  std::unique_ptr<SqliteReader> borrow();
  void give_back(std::unique_ptr<SqliteReader> reader);

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<SqliteReader>> idle_;  // under mutex_; room for all is reserved
};

}  // namespace rtc::storage
