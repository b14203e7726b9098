// The port to durable rooms. Same adapters, suite and threads as MessageStore: create() and
// find_or_create_direct() are called by the writing thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "chat/room.hpp"

namespace rtc::chat {

// Bounds checked and applied in one step with the insertion. 0 is not "no bound".
struct RoomBounds {
  std::uint64_t rooms_max = 0;               // rooms of that kind in all, the lobby not counted
  std::uint64_t rooms_per_identity_max = 0;  // made by that identity, whoever the other member is
};

class RoomStore {
 public:
  virtual ~RoomStore() = default;

  // Stores an open room (and whether it has history) under room.id, a fresh random id. Beyond a
  // bound: too_many_requests with a message that names the bound.
  virtual Result<void> create(const Room& room, const RoomBounds& bounds) = 0;

  // The direct room of the two members of `room`; stored under room.id when there was none.
  // Beyond a bound (the identity is room.creator): too_many_requests.
  virtual Result<Room> find_or_create_direct(const Room& room, const RoomBounds& bounds) = 0;

  virtual Result<std::optional<Room>> find(RoomId id) = 0;

  // Open rooms oldest first (the lobby is the first of all), those after the room `after` (none:
  // from the beginning; an unknown or direct `after`: not_found_chatroom), at most `limit`.
  virtual Result<std::vector<Room>> list_open(std::optional<RoomId> after, std::uint32_t limit) = 0;

  // The direct rooms of `user`, oldest first; `after` as above, among those rooms.
  virtual Result<std::vector<Room>> list_direct(UserId user, std::optional<RoomId> after,
                                                std::uint32_t limit) = 0;
};

}  // namespace rtc::chat
