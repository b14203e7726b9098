#include "chat/presence.hpp"

#include <utility>

namespace rtc::chat {

void Presence::note(const RoomId& id, Room& room, const UserId& who) {
  if (nodes_ != nullptr) {
    nodes_->note_own(id, who);
    if (nodes_->people(id)) return;  // it comes back, put together with what others tell
  }
  if (room.watchers == 0) return;
  changed_.insert(id);
  if (room.too_many) return;
  room.changed.insert(who);
  if (room.changed.size() > bounds_.names_max) {
    room.too_many = true;
    room.changed.clear();
  }
}

void Presence::note_typing(const RoomId& id, const Room& room, bool changed) {
  if (nodes_ != nullptr) nodes_->note_typing(id);
  if (changed && room.watchers > 0) changed_.insert(id);
}

bool Presence::is_watched(const RoomId& id) const {
  const auto room = rooms_.find(id);
  return room != rooms_.end() && room->second.watchers > 0;
}

void Presence::erase_if_empty(const RoomId& id, const Room& room) {
  if (!room.people.empty() || room.watchers > 0) return;
  changed_.erase(id);
  typing_somewhere_.erase(id);
  rooms_.erase(RoomId(id));
}

Person Presence::person(const SharedIdentity& who) {
  return {who.id(), std::string(who.nickname()), std::string(who.name_tag())};
}

void Presence::enter(const RoomId& room_id, const SharedIdentity& who) {
  const std::scoped_lock lock(mutex_);
  Room& room = rooms_[room_id];
  if (room.people.add(who)) {
    note(room_id, room, who.id());
  } else {
    ++room.more[who.id()];
  }
}

void Presence::leave(const RoomId& room_id, const UserId& who) {
  const std::scoped_lock lock(mutex_);
  const auto room = rooms_.find(room_id);
  if (room == rooms_.end()) return;
  if (room->second.people.find(who) == nullptr) return;
  if (const auto more = room->second.more.find(who); more != room->second.more.end()) {
    if (--more->second == 0) room->second.more.erase(more);
    return;
  }
  room->second.people.remove(who);
  const bool typed = room->second.typing.erase(who) > 0;
  if (typed) note_typing(room_id, room->second, true);
  note(room_id, room->second, who);
  erase_if_empty(room_id, room->second);
}

PresenceChange Presence::watch(const RoomId& room_id) {
  const std::scoped_lock lock(mutex_);
  Room& room = rooms_[room_id];
  ++room.watchers;
  std::uint64_t people = room.people.size();
  if (nodes_ != nullptr) {
    if (room.watchers == 1) nodes_->note_watched(room_id, true);
    people = nodes_->people(room_id).value_or(people);
  }
  return {room_id, people, {}, {}, typing_in(room_id, room), false};
}

void Presence::unwatch(const RoomId& room_id) {
  const std::scoped_lock lock(mutex_);
  const auto room = rooms_.find(room_id);
  if (room == rooms_.end() || --room->second.watchers > 0) return;
  if (nodes_ != nullptr) nodes_->note_watched(room_id, false);
  // Who watches next hears of what changes from then on.
  room->second.changed.clear();
  room->second.too_many = false;
  changed_.erase(room_id);
  erase_if_empty(room_id, room->second);
}

bool Presence::set_typing(const RoomId& room_id, const UserId& who, bool typing,
                          std::uint64_t now_ms) {
  const std::scoped_lock lock(mutex_);
  const auto found = rooms_.find(room_id);
  if (found == rooms_.end() || found->second.people.find(who) == nullptr) return false;
  Room& room = found->second;
  if (!typing) {
    if (room.typing.erase(who) > 0) note_typing(room_id, room, true);
    return true;
  }
  const bool known = room.typing.contains(who);
  if (!known && room.typing.size() >= bounds_.typing_max) return true;  // enough are named
  room.typing[who] = now_ms + bounds_.typing_lifetime_ms;
  typing_somewhere_.insert(room_id);
  note_typing(room_id, room, !known);
  return true;
}

std::uint64_t Presence::people(const RoomId& room_id) const {
  const std::scoped_lock lock(mutex_);
  const auto room = rooms_.find(room_id);
  return room == rooms_.end() ? 0 : room->second.people.size();
}

Roster Presence::page(const RoomId& room_id, const std::optional<UserId>& after,
                      std::size_t limit) const {
  const std::scoped_lock lock(mutex_);
  const auto room = rooms_.find(room_id);
  if (room == rooms_.end()) return {};
  const auto& people = room->second.people;
  Roster roster{people.size(), {}};
  for (const SharedIdentity& who : people.page(after, limit)) {
    roster.page.push_back(person(who));
  }
  return roster;
}

std::vector<Person> Presence::own_typing(const Room& room) {
  std::vector<Person> people;
  for (const auto& [id, until_ms] : room.typing) {
    people.push_back(person(*room.people.find(id)));
  }
  return people;
}

std::vector<Person> Presence::typing_in(const RoomId& id, const Room& room) const {
  std::vector<Person> people = own_typing(room);
  if (nodes_ != nullptr) nodes_->add_typing(id, people);
  return people;
}

std::vector<PresenceChange> Presence::take_changes(std::uint64_t now_ms) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(typing_somewhere_, [&](const RoomId& id) {
    Room& room = rooms_.at(id);
    const auto ended =
        std::erase_if(room.typing, [&](const auto& each) { return each.second <= now_ms; });
    if (ended > 0) note_typing(id, room, true);
    return room.typing.empty();
  });
  if (nodes_ != nullptr) {
    for (const RoomId& id : nodes_->end_typing(now_ms)) changed_.insert(id);
  }
  std::vector<PresenceChange> changes;
  changes.reserve(changed_.size());
  for (const RoomId& id : changed_) {
    Room& room = rooms_.at(id);
    PresenceChange change{id, room.people.size(), {}, {}, typing_in(id, room), !room.too_many};
    if (nodes_ != nullptr && nodes_->take_news(change)) room.changed.clear();
    for (const UserId& who : room.changed) {
      if (const SharedIdentity* const found = room.people.find(who)) {
        change.joined.push_back(person(*found));
      } else {
        change.left.push_back(who);
      }
    }
    room.changed.clear();
    room.too_many = false;
    changes.push_back(std::move(change));
  }
  changed_.clear();
  return changes;
}

std::size_t Presence::rooms() const {
  const std::scoped_lock lock(mutex_);
  return rooms_.size();
}

}  // namespace rtc::chat
