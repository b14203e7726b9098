#include "server/destinations.hpp"

namespace rtc::server {

std::optional<Destination> parse_destination(std::string_view text) {
  if (text == kEntryDestination) return Destination{Destination::Kind::entry, {}};
  if (text == kErrorsDestination) return Destination{Destination::Kind::errors, {}};
  if (!text.starts_with(kRoomPrefix)) return std::nullopt;
  text.remove_prefix(kRoomPrefix.size());
  auto kind = Destination::Kind::room;
  if (text.ends_with(kPresenceSuffix)) {
    text.remove_suffix(kPresenceSuffix.size());
    kind = Destination::Kind::presence;
  }
  const auto room = RoomId::parse(text);
  if (!room) return std::nullopt;
  return Destination{kind, *room};
}

std::string to_string(const Destination& destination) {
  switch (destination.kind) {
    case Destination::Kind::entry:
      return std::string(kEntryDestination);
    case Destination::Kind::errors:
      return std::string(kErrorsDestination);
    case Destination::Kind::room:
      return std::string(kRoomPrefix) + destination.room.to_string();
    case Destination::Kind::presence:
      break;
  }
  return std::string(kRoomPrefix) + destination.room.to_string() + std::string(kPresenceSuffix);
}

}  // namespace rtc::server
