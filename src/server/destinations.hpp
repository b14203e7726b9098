// The STOMP destinations of the chat (docs/wire.md): text in, meaning out. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.hpp"

namespace rtc::server {

inline constexpr std::string_view kSendDestination = "/pub/chat";
inline constexpr std::string_view kTypingDestination = "/pub/typing";
inline constexpr std::string_view kEntryDestination = "/sub/channel/entry";
inline constexpr std::string_view kErrorsDestination = "/user/queue/errors";
inline constexpr std::string_view kRoomPrefix = "/sub/channel/";
inline constexpr std::string_view kPresenceSuffix = "/presence";
inline constexpr std::string_view kServerPrefix = "/sub/";  // only the server sends there

struct Destination {
  enum class Kind { room, presence, entry, errors };
  Kind kind = Kind::room;
  RoomId room;  // of a room, or of its presence
};

// What may be subscribed to; nullopt for anything else.
std::optional<Destination> parse_destination(std::string_view text);
// The text of it, in its canonical spelling.
std::string to_string(const Destination& destination);

}  // namespace rtc::server
