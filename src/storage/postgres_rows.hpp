// Rows to values.
#pragma once

#include <vector>

#include "chat/message.hpp"
#include "chat/room.hpp"
#include "storage/postgres_values.hpp"

namespace rtc::storage {

// Of the columns that all statements on rooms give, in their order.
chat::Room room_of(const PostgresRows& rows, int row);
std::vector<chat::Room> rooms_of(const PostgresRows& rows);
// Of the columns that a page gives.
std::vector<chat::Message> messages_of(const PostgresRows& rows, RoomId room);

}  // namespace rtc::storage
