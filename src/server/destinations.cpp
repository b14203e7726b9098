#include "server/destinations.hpp"

#include <algorithm>

namespace rtc::server {
namespace {

constexpr std::string_view kSeparators = "./";
constexpr std::size_t kSessionBytesMax = 128;  // no session's name is longer (session_broker.cpp)

std::string_view first_level(std::string_view text) {
  return text.substr(0, text.find_first_of(kSeparators));
}

bool is_name(std::string_view text, std::size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max &&
         std::none_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < 0x20 || byte == 0x7F;
         });
}

bool is_plain_name(std::string_view text, std::size_t bytes_max) {
  return is_name(text, bytes_max) && text.find('*') == std::string_view::npos;
}

// `*` only as a whole level, `**` only as the last.
bool is_pattern(std::string_view text) {
  while (true) {
    const std::string_view level = first_level(text);
    const bool last = level.size() == text.size();
    if (level.find('*') != std::string_view::npos && level != "*" && (level != "**" || !last)) {
      return false;
    }
    if (last) return true;
    text.remove_prefix(level.size() + 1);
  }
}

}  // namespace

std::optional<Destination> parse_destination(std::string_view text) {
  if (text == kEntryDestination) return Destination{Destination::Kind::entry, {}};
  if (text == kErrorsDestination) return Destination{Destination::Kind::errors, {}};
  if (text == kRoomsDestination) return Destination{Destination::Kind::rooms, {}};
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
    case Destination::Kind::rooms:
      return std::string(kRoomsDestination);
    case Destination::Kind::room:
      return std::string(kRoomPrefix) + destination.room.to_string();
    case Destination::Kind::presence:
      break;
    default:
      return destination.name;
  }
  return std::string(kRoomPrefix) + destination.room.to_string() + std::string(kPresenceSuffix);
}

std::optional<Destination> parse_broker_destination(std::string_view text, std::size_t bytes_max) {
  using Kind = Destination::Kind;
  if (text.size() > bytes_max) return std::nullopt;
  if (text.starts_with(kTopicPrefix)) {
    const std::string_view name = text.substr(kTopicPrefix.size());
    if (is_plain_name(name, bytes_max)) return Destination{Kind::topic, {}, std::string(text)};
    if (!is_name(name, bytes_max) || !is_pattern(name)) return std::nullopt;
    return Destination{Kind::pattern, {}, std::string(text)};
  }
  for (const auto& [prefix, kind] :
       {std::pair{kQueuePrefix, Kind::queue}, std::pair{kUserQueuePrefix, Kind::user}}) {
    if (text.starts_with(prefix) && is_plain_name(text.substr(prefix.size()), bytes_max)) {
      return Destination{kind, {}, std::string(text)};
    }
  }
  return std::nullopt;
}

bool is_broker_target(std::string_view text) {
  return text.starts_with(kTopicPrefix) || text.starts_with(kQueuePrefix) ||
         text.starts_with(kUserPrefix);
}

std::optional<BrokerTarget> parse_broker_target(std::string_view text, std::size_t bytes_max) {
  using Kind = Destination::Kind;
  std::string session;
  std::string destination(text);
  if (text.starts_with(kUserPrefix)) {
    // "/user/<session>/queue/<name>", heard as "/user/queue/<name>".
    const std::string_view rest = text.substr(kUserPrefix.size());
    session = rest.substr(0, rest.find('/'));
    if (session.empty() || session.size() > kSessionBytesMax) return std::nullopt;
    destination =
        std::string(kUserPrefix).append(rest.substr(std::min(session.size() + 1, rest.size())));
    if (destination == kErrorsDestination || destination == kRoomsDestination) return std::nullopt;
  }
  const auto parsed = parse_broker_destination(destination, bytes_max);
  if (!parsed || parsed->kind == Kind::pattern) return std::nullopt;
  if ((parsed->kind == Kind::user) == session.empty()) return std::nullopt;
  return BrokerTarget{parsed->kind, std::move(destination), std::move(session)};
}

bool matches(std::string_view pattern, std::string_view topic) {
  while (true) {
    const std::string_view wanted = first_level(pattern);
    const std::string_view level = first_level(topic);
    if (wanted == "**") return !topic.empty();
    if (wanted == "*" ? level.empty() : wanted != level) return false;
    pattern.remove_prefix(wanted.size());
    topic.remove_prefix(level.size());
    if (pattern.empty() || topic.empty()) return pattern.empty() && topic.empty();
    if (pattern.front() != topic.front()) return false;
    pattern.remove_prefix(1);
    topic.remove_prefix(1);
  }
}

}  // namespace rtc::server
