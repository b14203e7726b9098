// The port to the people of other nodes: what one node's Presence knows, all nodes tell. Adapter:
// relay/redis_presence. A single node has none: its Presence is all there is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/uuid.hpp"
#include "chat/presence.hpp"

namespace rtc::chat {

struct SharedPresenceFigures {
  bool connected = false;           // own people are known to the others, and theirs here
  std::uint64_t told = 0;           // people who came or went here, told to the others
  std::uint64_t waiting = 0;        // not yet
  std::uint64_t starts = 0;         // times that all own people were told, the first included
  std::uint64_t reads = 0;          // of changes and of pages
  std::uint64_t refused = 0;        // what was forged, broken or of another version
  std::uint64_t nodes_removed = 0;  // whose people this node removed, itself before a lost
                                    // connection included
};

class SharedPresence {
 public:
  // Nothing: it cannot be known now; the own people are all that is.
  using OnRoster = std::function<void(std::optional<Roster>)>;

  virtual ~SharedPresence() = default;

  // Once, before anybody enters; `own` outlives it. `sessions`: how many there are on this node
  // now; any thread.
  virtual void start(Presence& own, std::function<std::uint64_t()> sessions) = 0;
  // The own people are gone for the others: at once, if it can be reached, else when this node's
  // time is over. No OnRoster is called any more once it has returned.
  virtual void stop() = 0;

  // Those of all nodes with an id above `after` (none: from the first), at most `limit`. Any
  // thread, without waiting; `told` is called once, on any thread, and must not block.
  virtual void page(const RoomId& room, const std::optional<UserId>& after, std::size_t limit,
                    OnRoster told) = 0;

  // On the other nodes, a second or two ago. Any thread, without waiting.
  virtual std::uint64_t sessions_elsewhere() const = 0;
  virtual SharedPresenceFigures figures() const = 0;
};

}  // namespace rtc::chat
