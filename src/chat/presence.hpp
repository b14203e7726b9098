// Who is in which room and who is typing there: people, however many sessions each has. In memory,
// of this node. Any thread; the lock is held for look-ups only.
//
// A person is in a room while a subscription to its messages is open. What changes is gathered and
// taken as one change a room, so that the cost of telling it goes with time and listeners, not with
// joins times listeners.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/uuid.hpp"
#include "chat/people.hpp"
#include "chat/shared_identity.hpp"

namespace rtc::chat {

// What others see of somebody in a room.
struct Person {
  UserId id;
  std::string nickname;
  std::string name_tag;

  bool operator==(const Person&) const = default;
};

struct PresenceBounds {
  std::size_t names_max = 50;            // people named in one change; beyond it only the count
  std::size_t typing_max = 8;            // people known to be typing in one room
  std::uint64_t typing_lifetime_ms = 0;  // a typing notice ends by itself
};

// A room as it is now, and what became of it since the change before.
struct PresenceChange {
  RoomId room;
  std::uint64_t people = 0;
  std::vector<Person> joined;  // in the room now, and was not, or left for a moment
  std::vector<UserId> left;    // not in the room now
  std::vector<Person> typing;  // all who are typing now
  bool complete = false;  // false: `joined` and `left` do not tell all; the roster does (page())
};

struct Roster {
  std::uint64_t people = 0;
  std::vector<Person> page;  // ascending by id
};

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

  std::uint64_t people(const RoomId& room) const;
  // Those with an id above `after` (none: from the first), at most `limit`.
  Roster page(const RoomId& room, const std::optional<UserId>& after, std::size_t limit) const;

  // One change of each watched room in which something changed since the last call.
  std::vector<PresenceChange> take_changes(std::uint64_t now_ms);

  // Rooms that anything is known of: it is none when nobody is there and nobody listens.
  std::size_t rooms() const;

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
  void erase_if_empty(const RoomId& id, const Room& room);
  static Person person(const SharedIdentity& who);
  static std::vector<Person> typing_in(const Room& room);

  PresenceBounds bounds_;
  mutable std::mutex mutex_;
  std::unordered_map<RoomId, Room> rooms_;       // guarded by mutex_, as the next two
  std::unordered_set<RoomId> changed_;           // watched rooms in which something changed
  std::unordered_set<RoomId> typing_somewhere_;  // rooms where somebody is typing
};

}  // namespace rtc::chat
