// Where a message lies in its table: one integer of its room's key and its id, so that a page of a
// room lies in one place at any depth, and to put a message behind the others is to compare one
// number a page on the way.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "base/uuid.hpp"

namespace rtc::storage {

// 2^36 messages a room, and 2^27 rooms.
inline constexpr int kMessageIdBits = 36;
inline constexpr std::int64_t kMessageIdMax = (std::int64_t{1} << kMessageIdBits) - 1;
inline constexpr std::int64_t kRoomKeyMax =
    (std::int64_t{1} << (std::numeric_limits<std::int64_t>::digits - kMessageIdBits)) - 1;

constexpr std::int64_t place_of(std::int64_t room_key, std::int64_t id) {
  return (room_key << kMessageIdBits) | id;
}

// What a caller asks for as the column has it.
constexpr std::int64_t column_id(MessageId id, std::int64_t max = kMessageIdMax) {
  return static_cast<std::int64_t>(std::min(id, static_cast<MessageId>(max)));
}

}  // namespace rtc::storage
