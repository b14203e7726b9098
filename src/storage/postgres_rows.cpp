#include "storage/postgres_rows.hpp"

namespace rtc::storage {

chat::Room room_of(const PostgresRows& rows, int row) {
  return {RoomId{rows.uuid(row, 0)}, static_cast<chat::Room::Kind>(rows.integer(row, 1)),
          rows.text(row, 2),         rows.integer(row, 3),
          UserId{rows.uuid(row, 4)}, {UserId{rows.uuid(row, 5)}, UserId{rows.uuid(row, 6)}},
          rows.flag(row, 7),         rows.text(row, 8)};
}

std::vector<chat::Room> rooms_of(const PostgresRows& rows) {
  std::vector<chat::Room> rooms;
  for (int row = 0; row < rows.count(); ++row) rooms.push_back(room_of(rows, row));
  return rooms;
}

std::vector<chat::Message> messages_of(const PostgresRows& rows, RoomId room) {
  std::vector<chat::Message> messages;
  messages.reserve(static_cast<std::size_t>(rows.count()));
  for (int row = 0; row < rows.count(); ++row) {
    messages.push_back({room, static_cast<MessageId>(rows.integer(row, 0)),
                        chat::SharedIdentity({UserId{rows.uuid(row, 1)}, rows.text(row, 2),
                                              rows.text(row, 3), rows.text(row, 4)}),
                        rows.text(row, 5), rows.integer(row, 6)});
  }
  return messages;
}

}  // namespace rtc::storage
