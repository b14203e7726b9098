// The STOMP destinations of the chat (docs/wire.md): text in, meaning out. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/uuid.hpp"

namespace rtc::server {

inline constexpr std::string_view kSendDestination = "/pub/chat";
inline constexpr std::string_view kEntryDestination = "/sub/channel/entry";
inline constexpr std::string_view kErrorsDestination = "/user/queue/errors";
inline constexpr std::string_view kRoomPrefix = "/sub/channel/";
inline constexpr std::string_view kServerPrefix = "/sub/";  // only the server sends there

struct Destination {
  enum class Kind { room, entry, errors };
  Kind kind = Kind::room;
  RoomId room;  // of a room
};

// What may be subscribed to; nullopt for anything else.
std::optional<Destination> parse_destination(std::string_view text);

}  // namespace rtc::server
