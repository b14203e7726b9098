#include "chat/presence_nodes.hpp"

#include <algorithm>
#include <iterator>

#include "chat/presence.hpp"

namespace rtc::chat {
namespace {

// Own people that are looked up under one lock.
constexpr std::size_t kLookUpsAtOnce = 100;

}  // namespace

void PresenceNodes::keep(bool on) {
  keeps_ = on;
  overflown_ = false;
  waiting_ = 0;
  own_.clear();
}

void PresenceNodes::note_own(const RoomId& room, const UserId& who) {
  if (!keeps_ || overflown_) return;
  if (own_[room].insert(who).second) ++waiting_;
  if (waiting_ <= bounds_.waiting_max) return;
  keep(true);
  overflown_ = true;
}

std::optional<PresenceNodes::Own> PresenceNodes::take_own(std::size_t limit) {
  if (overflown_) return std::nullopt;
  Own taken;
  for (std::size_t people = 0; people < limit && !own_.empty();) {
    auto room = own_.extract(own_.begin());
    people += room.mapped().size();
    taken.emplace_back(room.key(), std::move(room.mapped()));
    waiting_ -= taken.back().second.size();
  }
  return taken;
}

void PresenceNodes::note_typing(const RoomId& room) {
  if (keeps_) typing_.insert(room);
}

void PresenceNodes::note_watched(const RoomId& room, bool watched) {
  watched_.emplace_back(room, watched);
  if (watched) return;
  views_.erase(room);
  others_typing_.erase(room);
}

std::optional<std::uint64_t> PresenceNodes::people(const RoomId& room) const {
  const auto view = views_.find(room);
  if (view == views_.end()) return std::nullopt;
  return view->second.people;
}

void PresenceNodes::tell(const PresenceChange& news) {
  View& view = views_[news.room];
  view.people = news.people;
  view.too_many = view.too_many || !news.complete;
  if (!view.too_many) {
    for (const Person& each : news.joined) view.changed[each.id] = each;
    for (const UserId& each : news.left) view.changed[each] = std::nullopt;
    view.too_many = view.changed.size() > bounds_.names_max;
  }
  if (view.too_many) view.changed.clear();
}

bool PresenceNodes::take_news(PresenceChange& change) {
  const auto found = views_.find(change.room);
  if (found == views_.end()) return false;
  View& view = found->second;
  change.people = view.people;
  change.complete = !view.too_many;
  for (auto& [id, person] : view.changed) {
    if (person) {
      change.joined.push_back(std::move(*person));
    } else {
      change.left.push_back(id);
    }
  }
  view.changed.clear();
  view.too_many = false;
  return true;
}

std::vector<RoomId> PresenceNodes::forget() {
  std::vector<RoomId> known;
  known.reserve(views_.size());
  for (const auto& [room, view] : views_) known.push_back(room);
  views_.clear();
  return known;
}

bool PresenceNodes::tell_typing(const RoomId& room, std::uint64_t node,
                                std::vector<Person> people) {
  Typing& typing = others_typing_[room][node];
  const bool news = typing.people != people;
  typing = {std::move(people), 0};
  return news;
}

void PresenceNodes::add_typing(const RoomId& room, std::vector<Person>& people) const {
  const auto found = others_typing_.find(room);
  if (found == others_typing_.end()) return;
  for (const auto& [node, typing] : found->second) {
    for (const Person& each : typing.people) {
      if (people.size() >= bounds_.typing_max) return;
      const auto same = [&](const Person& other) { return other.id == each.id; };
      if (std::none_of(people.begin(), people.end(), same)) people.push_back(each);
    }
  }
}

std::vector<RoomId> PresenceNodes::end_typing(std::uint64_t now_ms) {
  std::vector<RoomId> changed;
  for (auto room = others_typing_.begin(); room != others_typing_.end();) {
    auto& nodes = room->second;
    bool ended = false;
    for (auto node = nodes.begin(); node != nodes.end();) {
      Typing& typing = node->second;
      if (typing.until_ms == 0) typing.until_ms = now_ms + bounds_.typing_lifetime_ms;
      const bool ends = typing.people.empty() || typing.until_ms <= now_ms;
      ended = ended || ends;
      node = ends ? nodes.erase(node) : std::next(node);
    }
    if (ended) changed.push_back(room->first);
    room = nodes.empty() ? others_typing_.erase(room) : std::next(room);
  }
  return changed;
}

// --- Presence, where there are other nodes

void Presence::share() {
  const std::scoped_lock lock(mutex_);
  nodes_ = std::make_unique<PresenceNodes>(bounds_);
}

std::vector<RoomId> Presence::keep_changes() {
  const std::scoped_lock lock(mutex_);
  nodes_->keep(true);
  std::vector<RoomId> occupied;
  for (const auto& [id, room] : rooms_) {
    if (!room.people.empty()) occupied.push_back(id);
  }
  return occupied;
}

void Presence::keep_no_changes() {
  const std::scoped_lock lock(mutex_);
  nodes_->keep(false);
}

std::optional<std::vector<OwnPeople>> Presence::take_own(std::size_t limit) {
  std::optional<PresenceNodes::Own> taken;
  {
    const std::scoped_lock lock(mutex_);
    taken = nodes_->take_own(limit);
  }
  if (!taken) return std::nullopt;
  std::vector<OwnPeople> all;
  all.reserve(taken->size());
  for (const auto& [id, changed] : *taken) {
    OwnPeople own{id, {}, {}, false};
    // A few at a time, as the loops wait for the lock. Who changes meanwhile is told next time.
    for (auto who = changed.begin(); who != changed.end();) {
      const std::scoped_lock lock(mutex_);
      const auto room = rooms_.find(id);
      own.empty = room == rooms_.end() || room->second.people.empty();
      for (std::size_t n = 0; n < kLookUpsAtOnce && who != changed.end(); ++n, ++who) {
        const SharedIdentity* const found = own.empty ? nullptr : room->second.people.find(*who);
        if (found != nullptr) {
          own.here.push_back(person(*found));
        } else {
          own.gone.push_back(*who);
        }
      }
    }
    all.push_back(std::move(own));
  }
  return all;
}

std::vector<OwnTyping> Presence::take_own_typing() {
  const std::scoped_lock lock(mutex_);
  std::vector<OwnTyping> all;
  for (const RoomId& id : nodes_->take_typing()) {
    const auto room = rooms_.find(id);
    all.push_back({id, room == rooms_.end() ? std::vector<Person>() : own_typing(room->second)});
  }
  return all;
}

std::size_t Presence::waiting() const {
  const std::scoped_lock lock(mutex_);
  return nodes_->waiting();
}

std::vector<std::pair<RoomId, bool>> Presence::take_watched() {
  const std::scoped_lock lock(mutex_);
  return nodes_->take_watched();
}

void Presence::tell(const PresenceChange& news) {
  const std::scoped_lock lock(mutex_);
  if (!is_watched(news.room)) return;
  nodes_->tell(news);
  changed_.insert(news.room);
}

void Presence::tell_typing(const RoomId& room, std::uint64_t node, std::vector<Person> people) {
  const std::scoped_lock lock(mutex_);
  if (!is_watched(room)) return;
  if (nodes_->tell_typing(room, node, std::move(people))) changed_.insert(room);
}

void Presence::forget_others() {
  const std::scoped_lock lock(mutex_);
  for (const RoomId& id : nodes_->forget()) {
    rooms_.at(id).too_many = true;
    changed_.insert(id);
  }
}

}  // namespace rtc::chat
