// The JSON bodies of SEND: of a chat message and of a typing notice (docs/wire.md). Any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/uuid.hpp"

namespace rtc::server {

struct ChatBody {
  RoomId room;
  std::string text;
};
struct TypingBody {
  RoomId room;
  bool typing = false;
};

// {"roomId","message"} and {"roomId","typing"}; whatever else a body says (randId, nameTag) does
// not count; of a name that comes twice the last. Error: invalid_message_format, with the reason.
Result<ChatBody> parse_chat_body(std::string_view body);
Result<TypingBody> parse_typing_body(std::string_view body);

}  // namespace rtc::server
