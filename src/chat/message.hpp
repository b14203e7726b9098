// A message before and after it is stored.
#pragma once

#include <cstdint>
#include <string>

#include "base/uuid.hpp"
#include "chat/shared_identity.hpp"

namespace rtc::chat {

// Accepted by the rules, not yet stored or given to readers: it has no id.
struct Draft {
  RoomId room;
  SharedIdentity sender;
  std::string text;  // UTF-8, 1 to message_bytes_max bytes, not blank
  std::int64_t created_at_ms = 0;
  std::string key;    // `message-key`: at most kMessageKeyBytesMax bytes; "": none
  bool live = false;  // of a room without history: never stored, and its key does not count
};

inline constexpr std::size_t kMessageKeyBytesMax = 64;

// What became of a draft.
struct Stored {
  MessageId id = 0;
  bool repeated = false;  // its key was known: nothing was stored, `id` is the first one's

  bool operator==(const Stored&) const = default;
};

// The room's next id is its own: for ever, or if it is live, while this process lives.
struct Message {
  RoomId room;
  MessageId id = 0;
  SharedIdentity sender;
  std::string text;
  std::int64_t created_at_ms = 0;  // Unix time
  bool live = false;               // of a room without history: stored nowhere
};

}  // namespace rtc::chat
