// A message before and after it is stored.
#pragma once

#include <cstdint>
#include <string>

#include "base/uuid.hpp"
#include "chat/identity.hpp"

namespace rtc::chat {

// Accepted by the rules, not yet stored: it has no id.
struct Draft {
  RoomId room;
  Identity sender;
  std::string text;  // UTF-8, 1 to message_bytes_max bytes, not blank
  std::int64_t created_at_ms = 0;
};

// Stored: the room's next id is its own for ever.
struct Message {
  RoomId room;
  MessageId id = 0;
  Identity sender;
  std::string text;
  std::int64_t created_at_ms = 0;  // Unix time
};

}  // namespace rtc::chat
