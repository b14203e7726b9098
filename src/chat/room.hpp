// Rooms: immutable once made, so any thread may keep a copy.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/uuid.hpp"

namespace rtc::chat {

// The original client knows this room only; it exists on every store.
RoomId lobby_id();  // 723a2a33-577b-4380-8116-a1aa8e5868d3

struct Room {
  enum class Kind : std::uint8_t { open = 0, direct = 1 };

  RoomId id;
  Kind kind = Kind::open;
  std::string name;                // open rooms: 1 to room_name_length_max characters; direct: ""
  std::int64_t created_at_ms = 0;  // Unix time
  UserId creator;                  // open rooms; all zero for the lobby
  std::array<UserId, 2> members;   // direct rooms: the two, in ascending order
  bool history = true;             // open rooms; false: its messages are live only, never stored
  std::string topic{};             // open rooms: at most room_topic_length_max characters; "": none
};

}  // namespace rtc::chat
