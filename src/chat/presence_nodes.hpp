// What Presence keeps where nodes share their people (docs/adr/0022): which of its own the others
// were not told of, and what is known here of all. Part of Presence, under its mutex.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/uuid.hpp"
#include "chat/presence_types.hpp"

namespace rtc::chat {

class PresenceNodes {
 public:
  explicit PresenceNodes(const PresenceBounds& bounds) : bounds_(bounds) {}

  // --- own people, not yet told. Only who changed is kept; how it stands with him is looked up
  // when it is told, so coming and going any number of times is one change.
  void keep(bool on);  // what waited is forgotten
  void note_own(const RoomId& room, const UserId& who);
  using Own = std::vector<std::pair<RoomId, std::set<UserId>>>;
  // Whole rooms, until there are `limit` people. Nothing: more than waiting_max waited.
  std::optional<Own> take_own(std::size_t limit);
  std::size_t waiting() const { return waiting_; }
  // In that room own people began to type, go on, or ended.
  void note_typing(const RoomId& room);
  std::unordered_set<RoomId> take_typing() { return std::exchange(typing_, {}); }

  // --- rooms that are watched here; true: from now on
  void note_watched(const RoomId& room, bool watched);
  std::vector<std::pair<RoomId, bool>> take_watched() { return std::exchange(watched_, {}); }

  // --- what is known of all nodes, of rooms that are watched
  // How many people; nothing: only the own are known.
  std::optional<std::uint64_t> people(const RoomId& room) const;
  void tell(const PresenceChange& news);
  // Makes of `change` what is known, and what came since the last call. False: nothing is known.
  bool take_news(PresenceChange& change);
  // No room is known any more. Returns those that were.
  std::vector<RoomId> forget();

  // False: these typed there before as well.
  bool tell_typing(const RoomId& room, std::uint64_t node, std::vector<Person> people);
  // Adds them to those of this node, who are in `people` already.
  void add_typing(const RoomId& room, std::vector<Person>& people) const;
  // Notices that are too old end. Returns the rooms where that was so.
  std::vector<RoomId> end_typing(std::uint64_t now_ms);

 private:
  struct View {
    std::uint64_t people = 0;
    bool too_many = true;                             // the first change names nobody
    std::map<UserId, std::optional<Person>> changed;  // nobody: he left
  };
  struct Typing {
    std::vector<Person> people;
    std::uint64_t until_ms = 0;  // 0: from the next end_typing() on
  };

  const PresenceBounds bounds_;
  bool keeps_ = false;
  bool overflown_ = false;
  std::size_t waiting_ = 0;
  std::unordered_map<RoomId, std::set<UserId>> own_;
  std::unordered_set<RoomId> typing_;
  std::vector<std::pair<RoomId, bool>> watched_;
  std::unordered_map<RoomId, View> views_;
  std::unordered_map<RoomId, std::map<std::uint64_t, Typing>> others_typing_;  // by node
};

}  // namespace rtc::chat
