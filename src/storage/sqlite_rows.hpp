// What the reading and the writing connection share: statements, ids and rooms as rows.
#pragma once

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "chat/room.hpp"

namespace rtc::storage {

// One use of a kept statement; its end resets the statement, so that it holds no snapshot open.
class Use {
 public:
  explicit Use(SQLite::Statement& statement) : statement_(statement) {}
  ~Use() { statement_.tryReset(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

  // Bound values must outlive this use.
  Use& bind(int index, const Uuid& id) {
    statement_.bindNoCopy(index, id.bytes.data(), static_cast<int>(id.bytes.size()));
    return *this;
  }
  Use& bind(int index, std::int64_t value) {
    statement_.bind(index, value);
    return *this;
  }
  Use& bind(int index, const std::string& text) {
    statement_.bindNoCopy(index, text);
    return *this;
  }

  bool next() { return statement_.executeStep(); }
  void run() { statement_.exec(); }

  Uuid uuid(int column) const;
  std::int64_t integer(int column) const { return statement_.getColumn(column).getInt64(); }
  std::string text(int column) const { return statement_.getColumn(column).getString(); }

 private:
  SQLite::Statement& statement_;
};

// The columns that read_room() takes, in its order.
inline constexpr char kRoomColumns[] =
    "rooms.id, kind, name, created_at_ms, creator, member_low, member_high, history, topic";
chat::Room read_room(const Use& row);

// internal_server_error with SQLite's own words.
Error storage_failure(const SQLite::Exception& error);

}  // namespace rtc::storage
