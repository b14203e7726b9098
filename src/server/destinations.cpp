#include "server/destinations.hpp"

namespace rtc::server {

std::optional<Destination> parse_destination(std::string_view text) {
  if (text == kEntryDestination) return Destination{Destination::Kind::entry, {}};
  if (text == kErrorsDestination) return Destination{Destination::Kind::errors, {}};
  if (!text.starts_with(kRoomPrefix)) return std::nullopt;
  const auto room = RoomId::parse(text.substr(kRoomPrefix.size()));
  if (!room) return std::nullopt;
  return Destination{Destination::Kind::room, *room};
}

}  // namespace rtc::server
