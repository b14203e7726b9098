// Who is in which room and who is typing there: people, however many sessions each has. In memory.
// Any thread; the lock is held for look-ups only.
//
// A person is in a room while a subscription to its messages is open. What changes is gathered and
// taken as one change a room, so that the cost of telling it goes with time and listeners, not with
// joins times listeners.
//
// Alone, a node tells its own people. Where nodes share theirs (share(); docs/adr/0022) the own are
// handed on, and what is told of a room is what came of all nodes, or the own while that is not
// known.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/uuid.hpp"
#include "chat/people.hpp"
#include "chat/presence_nodes.hpp"
#include "chat/presence_types.hpp"
#include "chat/shared_identity.hpp"

namespace rtc::chat {

class Presence {
 public:
  explicit Presence(const PresenceBounds& bounds) : bounds_(bounds) {}

  // A subscription of his to the room's messages begins; and ends, once for each enter().
  void enter(const RoomId& room, const SharedIdentity& who);
  void leave(const RoomId& room, const UserId& who);

  // Somebody wants to hear of the room's changes; returns how it stands, nobody named. Changes are
  // gathered only for rooms that are watched.
  PresenceChange watch(const RoomId& room);
  void unwatch(const RoomId& room);

  // He is typing there from now on, or is no longer. False when he is not in the room.
  bool set_typing(const RoomId& room, const UserId& who, bool typing, std::uint64_t now_ms);

  // Of the node's own people.
  std::uint64_t people(const RoomId& room) const;
  // Those with an id above `after` (none: from the first), at most `limit`.
  Roster page(const RoomId& room, const std::optional<UserId>& after, std::size_t limit) const;

  // One change of each watched room in which something changed since the last call.
  std::vector<PresenceChange> take_changes(std::uint64_t now_ms);

  // Rooms that anything is known of: it is none when nobody is there and nobody listens.
  std::size_t rooms() const;

  // --- with other nodes (presence_nodes.cpp). From the first of these calls on, which is before
  // any other of this class.
  void share();
  // What changes among the own people is kept to be handed on, from now on. Returns the rooms that
  // they are in now: page() tells who.
  std::vector<RoomId> keep_changes();
  void keep_no_changes();
  // Of some `limit` people, whole rooms. Nothing: more than waiting_max waited; keep_changes().
  std::optional<std::vector<OwnPeople>> take_own(std::size_t limit);
  std::size_t waiting() const;
  // Of rooms where it changed or goes on.
  std::vector<OwnTyping> take_own_typing();
  // Rooms that somebody watches from now on (true), or nobody any more.
  std::vector<std::pair<RoomId, bool>> take_watched();
  // How a room is on all nodes, `typing` apart; of rooms that nobody watches nothing is kept.
  void tell(const PresenceChange& news);
  void tell_typing(const RoomId& room, std::uint64_t node, std::vector<Person> people);
  // Only the own people are known, until tell() is called again.
  void forget_others();

 private:
  struct Room {
    People people;
    std::map<UserId, std::uint32_t> more;  // subscriptions of theirs beyond the first
    std::uint32_t watchers = 0;
    std::set<UserId> changed;                // at most names_max
    bool too_many = false;                   // more than that changed
    std::map<UserId, std::uint64_t> typing;  // until when; at most typing_max
  };

  void note(const RoomId& id, Room& room, const UserId& who);
  void note_typing(const RoomId& id, const Room& room, bool changed);
  bool is_watched(const RoomId& id) const;
  void erase_if_empty(const RoomId& id, const Room& room);
  static Person person(const SharedIdentity& who);
  static std::vector<Person> own_typing(const Room& room);
  std::vector<Person> typing_in(const RoomId& id, const Room& room) const;

  PresenceBounds bounds_;
  mutable std::mutex mutex_;
  std::unique_ptr<PresenceNodes> nodes_;  // null: there are none. Guarded by mutex_, as below
  std::unordered_map<RoomId, Room> rooms_;
  std::unordered_set<RoomId> changed_;           // watched rooms in which something changed
  std::unordered_set<RoomId> typing_somewhere_;  // rooms where somebody is typing
};

}  // namespace rtc::chat
