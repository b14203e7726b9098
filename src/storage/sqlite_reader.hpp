// Read-only connections.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <filesystem>
#include <memory>
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

// For threads to borrow: at least one. Throws SQLite::Exception.
std::vector<std::unique_ptr<SqliteReader>> open_readers(const std::filesystem::path& file,
                                                        std::uint32_t readers,
                                                        std::uint32_t busy_timeout_ms);

}  // namespace rtc::storage
