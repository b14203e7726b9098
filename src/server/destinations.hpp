// The STOMP destinations of the chat and of the broker (docs/wire.md): text in, meaning out. Pure.
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
inline constexpr std::string_view kRoomsDestination = "/user/queue/rooms";
inline constexpr std::string_view kRoomPrefix = "/sub/channel/";
inline constexpr std::string_view kPresenceSuffix = "/presence";
inline constexpr std::string_view kServerPrefix = "/sub/";  // only the server sends there

inline constexpr std::string_view kTopicPrefix = "/topic/";
inline constexpr std::string_view kQueuePrefix = "/queue/";
inline constexpr std::string_view kUserPrefix = "/user/";
inline constexpr std::string_view kUserQueuePrefix = "/user/queue/";

struct Destination {
  // From `topic` on: the broker's. A pattern is a topic's name with wildcards.
  enum class Kind { room, presence, entry, errors, rooms, topic, pattern, queue, user };
  Kind kind = Kind::room;
  RoomId room;            // of a room, or of its presence; of `rooms` whose they are: his `jti`
  std::string name = {};  // of the broker's: the whole text
};

// What may be subscribed to; nullopt for anything else.
std::optional<Destination> parse_destination(std::string_view text);
// The text of it, in its canonical spelling.
std::string to_string(const Destination& destination);

// --- the broker's ---

// What may be subscribed to; nullopt for anything else, and for what is longer than `bytes_max`.
std::optional<Destination> parse_broker_destination(std::string_view text, std::size_t bytes_max);

// Where a SEND goes.
struct BrokerTarget {
  Destination::Kind kind = Destination::Kind::topic;  // topic, queue or user
  std::string destination;                            // as its MESSAGEs have it
  std::string session;                                // user: for whom
};
bool is_broker_target(std::string_view text);  // by its prefix
// `bytes_max` is of the destination as its MESSAGEs have it: of what can be subscribed to.
std::optional<BrokerTarget> parse_broker_target(std::string_view text, std::size_t bytes_max);

// Whether a topic of that name is one of the pattern's: `*` is one level, `**` at the end is all
// further ones (one at least); '.' and '/' separate levels.
bool matches(std::string_view pattern, std::string_view topic);

}  // namespace rtc::server
