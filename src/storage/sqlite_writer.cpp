// Commits: batches of messages, new rooms.
#include "storage/sqlite_writer.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <sqlite3.h>

#include "base/log.hpp"
#include "storage/sqlite_epoch.hpp"
#include "storage/sqlite_file.hpp"
#include "storage/sqlite_place.hpp"
#include "storage/sqlite_rows.hpp"

namespace rtc::storage {
namespace {

constexpr std::size_t kCountersMax = 100'000;

std::uint64_t count_rooms(SQLite::Database& database, const char* query) {
  return static_cast<std::uint64_t>(database.execAndGet(query).getInt64());
}

Error bound_reached(std::string_view bound, std::uint64_t value) {
  return {ErrorCode::too_many_requests,
          fmt::format("No room was made: {} ({}) is reached.", bound, value)};
}

}  // namespace

SqliteWriter::SqliteWriter(SQLite::Database database, const std::filesystem::path& file,
                           const SqliteOptions& options)
    : database_(std::move(database)),
      busy_timeout_ms_(options.busy_timeout_ms),
      begin_(database_, "BEGIN IMMEDIATE"),
      commit_(database_, "COMMIT"),
      rollback_(database_, "ROLLBACK"),
      find_counter_(database_,
                    fmt::format("SELECT key, coalesce((SELECT place & {1} FROM messages "
                                "WHERE place > key << {0} AND place < (key + 1) << {0} "
                                "ORDER BY place DESC LIMIT 1), 0) FROM rooms WHERE id = ?",
                                kMessageIdBits, kMessageIdMax)),
      insert_message_(database_, "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?)"),
      find_key_(database_, "SELECT id FROM message_keys WHERE sender = ? AND room = ? AND key = ?"),
      insert_key_(database_, "INSERT INTO message_keys VALUES (?, ?, ?, ?, ?)"),
      forget_keys_(database_,
                   "DELETE FROM message_keys WHERE (sender, room, key) IN (SELECT sender, room, "
                   "key FROM message_keys WHERE created_at_ms < ? ORDER BY created_at_ms LIMIT ?)"),
      insert_room_(database_, "INSERT INTO rooms VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      insert_member_(database_, "INSERT OR IGNORE INTO room_members VALUES (?, ?)"),
      find_direct_(database_, fmt::format("SELECT {} FROM rooms "
                                          "WHERE kind = 1 AND member_low = ? AND member_high = ?",
                                          kRoomColumns)),
      count_open_of_(database_,
                     "SELECT count(*) FROM "
                     "(SELECT 1 FROM rooms WHERE kind = 0 AND creator = ? LIMIT ?)"),
      count_direct_of_(database_,
                       "SELECT count(*) FROM "
                       "(SELECT 1 FROM rooms WHERE kind = 1 AND creator = ? LIMIT ?)"),
      open_rooms_(count_rooms(database_, "SELECT count(*) - 1 FROM rooms WHERE kind = 0")),
      direct_rooms_(count_rooms(database_, "SELECT count(*) FROM rooms WHERE kind = 1")),
      epoch_(database_.execAndGet("SELECT epoch FROM store").getString()),
      checkpointer_(database_, file, options.log_bytes_max) {}

Error SqliteWriter::failed(const SQLite::Exception& error) {
  counters_.clear();
  if (error.getErrorCode() == SQLITE_BUSY && waits_when_busy_) {
    waits_when_busy_ = false;
    database_.setBusyTimeout(0);
  }
  return storage_failure(error);
}

void SqliteWriter::worked() {
  if (waits_when_busy_) return;
  waits_when_busy_ = true;
  database_.setBusyTimeout(timeout_of(busy_timeout_ms_));
}

SqliteWriter::~SqliteWriter() {
  try {
    close_epoch(database_);
  } catch (const SQLite::Exception& error) {
    log::warn("store: not closed cleanly: {}", error.what());
  }
}

SqliteWriter::Transaction::Transaction(SqliteWriter& writer) : writer_(writer) {
  Use(writer_.begin_).run();
}

void SqliteWriter::Transaction::commit() {
  Use(writer_.commit_).run();
  committed_ = true;
}

SqliteWriter::Transaction::~Transaction() {
  if (committed_) return;
  // After some errors SQLite has rolled back itself, and this one fails.
  writer_.rollback_.tryExecuteStep();
  writer_.rollback_.tryReset();
}

SqliteWriter::Counter* SqliteWriter::counter_of(RoomId room) {
  const auto known = counters_.find(room);
  if (known != counters_.end()) return &known->second;
  Use row(find_counter_);
  if (!row.bind(1, room.value).next()) return nullptr;
  if (counters_.size() >= kCountersMax) counters_.clear();
  return &counters_.emplace(room, Counter{row.integer(0), row.integer(1)}).first->second;
}

void SqliteWriter::insert(const Counter& counter, const chat::Draft& draft) {
  const chat::SharedIdentity& sender = draft.sender;
  const std::string nickname(sender.nickname());
  const std::string name_tag(sender.name_tag());
  const std::string address(sender.address());
  Use(insert_message_)
      .bind(1, place_of(counter.room_key, counter.last_id))
      .bind(2, sender.id().value)
      .bind(3, nickname)
      .bind(4, name_tag)
      .bind(5, address)
      .bind(6, draft.text)
      .bind(7, draft.created_at_ms)
      .run();
  if (draft.key.empty()) return;
  Use(insert_key_)
      .bind(1, sender.id().value)
      .bind(2, counter.room_key)
      .bind(3, draft.key)
      .bind(4, counter.last_id)
      .bind(5, draft.created_at_ms)
      .run();
}

Result<std::uint64_t> SqliteWriter::forget_keys(std::int64_t before_ms, std::uint32_t limit) {
  try {
    Use(forget_keys_).bind(1, before_ms).bind(2, std::int64_t{limit}).run();
    worked();
    return static_cast<std::uint64_t>(database_.getChanges());
  } catch (const SQLite::Exception& error) {
    return failed(error);
  }
}

MessageId SqliteWriter::known_id(const Counter& counter, const chat::Draft& draft) {
  if (draft.key.empty()) return 0;
  Use row(find_key_);
  row.bind(1, draft.sender.id().value).bind(2, counter.room_key).bind(3, draft.key);
  return row.next() ? static_cast<MessageId>(row.integer(0)) : 0;
}

Result<std::vector<chat::Stored>> SqliteWriter::append(std::span<const chat::Draft> drafts) {
  std::vector<chat::Stored> stored;
  if (drafts.empty()) return stored;
  stored.reserve(drafts.size());
  try {
    Transaction transaction(*this);
    for (const chat::Draft& draft : drafts) {
      Counter* counter = counter_of(draft.room);
      if (counter == nullptr) {
        counters_.clear();
        return {ErrorCode::not_found_chatroom, "There is no such room."};
      }
      if (const MessageId known = known_id(*counter, draft); known != 0) {
        stored.push_back({known, true});
        continue;
      }
      if (counter->last_id == kMessageIdMax) {
        counters_.clear();
        return {ErrorCode::forbidden_action, "The room is full; open another."};
      }
      ++counter->last_id;
      insert(*counter, draft);
      stored.push_back({static_cast<MessageId>(counter->last_id), false});
    }
    transaction.commit();
    worked();
    return stored;
  } catch (const SQLite::Exception& error) {
    return failed(error);
  }
}

std::uint64_t SqliteWriter::count(SQLite::Statement& statement, UserId user, std::uint64_t up_to) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  Use row(statement);
  row.bind(1, user.value).bind(2, static_cast<std::int64_t>(std::min(up_to, kMax)));
  return row.next() ? static_cast<std::uint64_t>(row.integer(0)) : 0;
}

void SqliteWriter::insert(const chat::Room& room) {
  Use(insert_room_)
      .bind(1, room.id.value)
      .bind(2, static_cast<std::int64_t>(room.kind))
      .bind(3, room.name)
      .bind(4, room.created_at_ms)
      .bind(5, room.creator.value)
      .bind(6, room.members[0].value)
      .bind(7, room.members[1].value)
      .bind(8, std::int64_t{room.history})
      .bind(9, room.topic)
      .run();
}

// The settings end well below it.
bool SqliteWriter::has_room_key() const {
  return open_rooms_ + direct_rooms_ + 2 < static_cast<std::uint64_t>(kRoomKeyMax);
}

Result<void> SqliteWriter::create(const chat::Room& room, const chat::RoomBounds& bounds) {
  if (!has_room_key()) return bound_reached("the number of rooms of a file", kRoomKeyMax);
  if (open_rooms_ >= bounds.rooms_max) return bound_reached("rooms_max", bounds.rooms_max);
  try {
    const std::uint64_t own_max = bounds.rooms_per_identity_max;
    if (count(count_open_of_, room.creator, own_max) >= own_max) {
      return bound_reached("rooms_per_identity_max", own_max);
    }
    insert(room);
    worked();
    ++open_rooms_;
    return {};
  } catch (const SQLite::Exception& error) {
    return failed(error);
  }
}

Result<chat::Room> SqliteWriter::find_or_create_direct(const chat::Room& room,
                                                       const chat::RoomBounds& bounds) {
  try {
    {
      Use row(find_direct_);
      row.bind(1, room.members[0].value).bind(2, room.members[1].value);
      if (row.next()) return read_room(row);
    }
    const std::uint64_t own_max = bounds.rooms_per_identity_max;
    if (!has_room_key()) return bound_reached("the number of rooms of a file", kRoomKeyMax);
    if (direct_rooms_ >= bounds.rooms_max) {
      return bound_reached("direct_rooms_max", bounds.rooms_max);
    }
    if (count(count_direct_of_, room.creator, own_max) >= own_max) {
      return bound_reached("direct_rooms_per_identity_max", own_max);
    }
    Transaction transaction(*this);
    insert(room);
    const std::int64_t key = database_.getLastInsertRowid();
    for (const UserId& member : room.members) {
      Use(insert_member_).bind(1, member.value).bind(2, key).run();
    }
    transaction.commit();
    worked();
    ++direct_rooms_;
    return room;
  } catch (const SQLite::Exception& error) {
    return failed(error);
  }
}

}  // namespace rtc::storage
