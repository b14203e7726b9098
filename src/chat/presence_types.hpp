// What is told of the people of rooms: between Presence, its listeners, and other nodes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/uuid.hpp"

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
  std::size_t waiting_max = 100'000;     // own people who came or went and wait for other nodes
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

// Of a node's own people in a room, who came or went, as it is now.
struct OwnPeople {
  RoomId room;
  std::vector<Person> here;
  std::vector<UserId> gone;
  bool empty = false;  // nobody of this node is there now
};

// All own people who are typing in a room now.
struct OwnTyping {
  RoomId room;
  std::vector<Person> people;
};

}  // namespace rtc::chat
