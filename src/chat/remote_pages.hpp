// The port to the newest pages of rooms that the nodes of one store keep for each other outside of
// it. Adapter: relay/redis_pages. It may have lost a page, or have an old one: who asks for it
// checks it (chat/remote_page_store.hpp). Any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "chat/message.hpp"

namespace rtc::chat {

// For metrics.
struct RemotePageFigures {
  bool connected = false;
  std::uint64_t found = 0;
  std::uint64_t missing = 0;  // it has none of that room
  std::uint64_t late = 0;     // it did not say so in time
  std::uint64_t refused = 0;  // forged, broken, or another store's
  std::uint64_t kept = 0;
  std::uint64_t dropped = 0;  // not kept because of a bound
};

class RemotePages {
 public:
  virtual ~RemotePages() = default;

  // What some node kept of the room last: oldest first, ids without a hole. Empty: nothing is
  // there, or not soon enough. Blocks for a bounded time: from threads that read a store only.
  virtual std::vector<Message> read(const RoomId& room) = 0;
  // One message at least, oldest first, ids without a hole. Never waits.
  virtual void keep(const RoomId& room, const std::vector<Message>& messages) = 0;

  // Never waits.
  virtual RemotePageFigures figures() const = 0;
};

}  // namespace rtc::chat
