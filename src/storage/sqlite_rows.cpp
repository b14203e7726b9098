// Rows to values.
#include "storage/sqlite_rows.hpp"

#include <cstring>
#include <fmt/format.h>

namespace rtc::storage {

Uuid Use::uuid(int column) const {
  Uuid id;
  const SQLite::Column value = statement_.getColumn(column);
  // The schema's CHECK holds every id at 16 bytes.
  if (value.size() == static_cast<int>(id.bytes.size())) {
    std::memcpy(id.bytes.data(), value.getBlob(), id.bytes.size());
  }
  return id;
}

chat::Room read_room(const Use& row) {
  return {RoomId{row.uuid(0)}, static_cast<chat::Room::Kind>(row.integer(1)),
          row.text(2),         row.integer(3),
          UserId{row.uuid(4)}, {UserId{row.uuid(5)}, UserId{row.uuid(6)}},
          row.integer(7) != 0, row.text(8)};
}

Error storage_failure(const SQLite::Exception& error) {
  return {ErrorCode::internal_server_error, fmt::format("storage failed: {}", error.what())};
}

}  // namespace rtc::storage
