// Pages and lists, each by key.
#include "storage/sqlite_reader.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "storage/sqlite_file.hpp"
#include "storage/sqlite_place.hpp"
#include "storage/sqlite_rows.hpp"

namespace rtc::storage {
namespace {

// ?1: the room; ?2 and ?3: the ids between which to look; ?4: how many at most.
std::string page_query(std::string_view order) {
  constexpr std::string_view kBegin = "((SELECT key FROM rooms WHERE id = ?1) << {})";
  const std::string begin = fmt::format(fmt::runtime(kBegin), kMessageIdBits);
  return fmt::format(
      "SELECT place & {}, sender, nickname, name_tag, address, text, created_at_ms FROM messages "
      "WHERE place > {} + ?2 AND place < {} + ?3 ORDER BY place {} LIMIT ?4",
      kMessageIdMax, begin, begin, order);
}

// Of the messages between `after` and `before`, without these two.
std::vector<chat::Message> read_page(SQLite::Statement& statement, RoomId room, std::int64_t after,
                                     std::int64_t before, std::uint32_t limit) {
  Use row(statement);
  row.bind(1, room.value).bind(2, after).bind(3, before).bind(4, std::int64_t{limit});
  std::vector<chat::Message> page;
  while (row.next()) {
    page.push_back(
        {room, static_cast<MessageId>(row.integer(0)),
         chat::SharedIdentity({UserId{row.uuid(1)}, row.text(2), row.text(3), row.text(4)}),
         row.text(5), row.integer(6)});
  }
  return page;
}

std::vector<chat::Room> read_rooms(Use& row) {
  std::vector<chat::Room> rooms;
  while (row.next()) rooms.push_back(read_room(row));
  return rooms;
}

Error no_such_room() {
  return {ErrorCode::not_found_chatroom, "There is no such room."};
}

}  // namespace

SqliteReader::SqliteReader(SQLite::Database database)
    : database_(std::move(database)),
      page_before_(database_, page_query("DESC")),
      page_after_(database_, page_query("ASC")),
      find_(database_, fmt::format("SELECT {} FROM rooms WHERE id = ?", kRoomColumns)),
      open_key_(database_, "SELECT key FROM rooms WHERE id = ? AND kind = 0"),
      list_open_(database_, fmt::format("SELECT {} FROM rooms WHERE kind = 0 AND key > ? "
                                        "ORDER BY key LIMIT ?",
                                        kRoomColumns)),
      direct_key_(database_,
                  "SELECT room FROM rooms JOIN room_members ON room = key "
                  "WHERE rooms.id = ? AND user = ?"),
      list_direct_(database_, fmt::format("SELECT {} FROM room_members JOIN rooms ON key = room "
                                          "WHERE user = ? AND room > ? ORDER BY room LIMIT ?",
                                          kRoomColumns)) {}

std::vector<chat::Message> SqliteReader::page_before(RoomId room, MessageId before,
                                                     std::uint32_t limit) {
  constexpr std::int64_t kEnd = kMessageIdMax + 1;
  return read_page(page_before_, room, 0, before == 0 ? kEnd : column_id(before, kEnd), limit);
}

std::vector<chat::Message> SqliteReader::page_after(RoomId room, MessageId after,
                                                    std::uint32_t limit) {
  return read_page(page_after_, room, column_id(after), kMessageIdMax + 1, limit);
}

std::optional<chat::Room> SqliteReader::find(RoomId id) {
  Use row(find_);
  if (!row.bind(1, id.value).next()) return std::nullopt;
  return read_room(row);
}

Result<std::vector<chat::Room>> SqliteReader::list_open(std::optional<RoomId> after,
                                                        std::uint32_t limit) {
  std::int64_t after_key = 0;
  if (after) {
    Use row(open_key_);
    if (!row.bind(1, after->value).next()) return no_such_room();
    after_key = row.integer(0);
  }
  Use rows(list_open_);
  rows.bind(1, after_key).bind(2, std::int64_t{limit});
  return read_rooms(rows);
}

Result<std::vector<chat::Room>> SqliteReader::list_direct(UserId user, std::optional<RoomId> after,
                                                          std::uint32_t limit) {
  std::int64_t after_key = 0;
  if (after) {
    Use row(direct_key_);
    if (!row.bind(1, after->value).bind(2, user.value).next()) return no_such_room();
    after_key = row.integer(0);
  }
  Use rows(list_direct_);
  rows.bind(1, user.value).bind(2, after_key).bind(3, std::int64_t{limit});
  return read_rooms(rows);
}

std::vector<std::unique_ptr<SqliteReader>> open_readers(const std::filesystem::path& file,
                                                        std::uint32_t readers,
                                                        std::uint32_t busy_timeout_ms) {
  std::vector<std::unique_ptr<SqliteReader>> all(std::max(readers, 1U));
  for (auto& each : all) {
    each = std::make_unique<SqliteReader>(open_reader(file, busy_timeout_ms));
  }
  return all;
}

}  // namespace rtc::storage
