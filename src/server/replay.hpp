// What a session keeps of a SUBSCRIBE: the request while its room is looked up, and what is left to
// be told to a subscriber who asked for what he missed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "chat/message.hpp"
#include "server/destinations.hpp"
#include "server/topic.hpp"

namespace rtc::server {

// What a resuming client is sent at once: a page of the store up to the message that fills it, and
// then what was delivered meanwhile. Both, and the longest message, fit the default outbox: what a
// client asked for must never be what cuts it off.
constexpr std::size_t replay_bytes_max(std::size_t outbox_bytes_max) {
  return outbox_bytes_max / 4;
}

// A subscription that is being told what it missed.
struct Replay {
  std::uint32_t number = 0;  // tells it from an older one of the same subscription
  std::uint32_t subscription = 0;
  RoomId room;
  bool live = false;   // the room has no history: there is nothing to read
  MessageId last = 0;  // everything up to it was sent, or the client was told to page for it
  bool waits_for_drain = false;
};
struct ReplayPage {
  bool more = false;  // the store has later ones
  std::vector<chat::Message> messages;
  MessageId newest = 0;        // of the room; told with the first page, as the next two
  bool epoch_changed = false;  // the client's ids are another store's
  bool too_many = false;       // more than history_replay_max were missed
  bool failed = false;
};
enum class AckMode : std::uint8_t { automatic, client, client_individual };
struct SubscribeRequest {
  Destination destination;
  Variant variant;
  AckMode ack = AckMode::automatic;
  std::optional<MessageId> since;
  std::string epoch;
  std::string receipt;
  bool live = false;  // the room has no history
};

// What a subscriber is told when the store cannot be asked for what he missed.
Error history_not_readable();

}  // namespace rtc::server
