#include "chat/room.hpp"

namespace rtc::chat {

RoomId lobby_id() {
  static const RoomId id = *RoomId::parse("723a2a33-577b-4380-8116-a1aa8e5868d3");
  return id;
}

}  // namespace rtc::chat
