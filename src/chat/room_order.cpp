#include "chat/room_order.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace rtc::chat {
namespace {

constexpr std::size_t kScanMax = 512;  // rooms looked at in one tick
constexpr std::size_t kMessageBytes = sizeof(Message) + 112;

std::size_t bytes_of(const Message& message) {
  return kMessageBytes + message.text.size();
}

}  // namespace

RoomOrder::RoomOrder(Ports ports, const RoomOrderBounds& bounds)
    : ports_(std::move(ports)), bounds_(bounds) {}

bool RoomOrder::watch(const RoomId& id) {
  const Lock lock(mutex_);
  const auto found = rooms_.find(id);
  if (found == rooms_.end() || !found->second.open) return false;
  ++found->second.listeners;
  return true;
}

void RoomOrder::unwatch(const RoomId& id) {
  const Lock lock(mutex_);
  const auto found = rooms_.find(id);
  if (found == rooms_.end() || found->second.listeners == 0) return;
  if (--found->second.listeners == 0) found->second.empty_ms = now_ms_;
}

// The relay is asked first and the store then: what is committed after the store was read is held
// from the relay, or found when that says it follows the room.
Result<void> RoomOrder::open(const RoomId& id) {
  bool made = false;
  {
    const Lock lock(mutex_);
    const auto [room, is_new] = rooms_.try_emplace(id);
    if (room->second.open) return {};
    ++room->second.openers;
    made = is_new;
  }
  if (made) ports_.relay.follow(id);
  const auto newest = ports_.store.page_before(id, 0, 1);
  Lock lock(mutex_);
  Room& room = rooms_.at(id);
  --room.openers;
  room.empty_ms = now_ms_;
  if (!newest) return newest.error();
  if (room.open) return {};
  room.open = true;
  room.newest = newest->empty() ? 0 : newest->front().id;
  room.sure_ms = now_ms_;
  Next before_anybody;  // listens
  release(room, before_anybody);
  if (!room.held.empty()) note_hole(id, room, bounds_.hole_wait_ms);
  if (room.doubtful) want(id, room);
  read_some(lock);
  return {};
}

void RoomOrder::take(const MessageBatch& batch) {
  const bool overloaded = ports_.overloaded();
  Lock lock(mutex_);
  Next next;
  for (const Message& message : *batch) {
    const auto found = rooms_.find(message.room);
    if (found == rooms_.end()) continue;
    if (overloaded) {
      want(found->first, found->second);
    } else {
      place(found->first, found->second, message, next);
    }
  }
  if (next.messages.size() == batch->size() && next.released.empty()) {
    ready_.push_back(batch);
  } else if (!next.messages.empty()) {
    auto made = std::make_shared<std::vector<Message>>();
    made->reserve(next.messages.size());
    for (const Message* each : next.messages) made->push_back(*each);
    ready_.push_back(std::move(made));
  }
  deliver(lock);
  read_some(lock);
}

void RoomOrder::doubt(const RoomId& id) {
  Lock lock(mutex_);
  const auto found = rooms_.find(id);
  if (found == rooms_.end()) return;
  want(id, found->second);
  read_some(lock);
}

void RoomOrder::tick(std::uint64_t now_ms) {
  std::vector<RoomId> forgotten;
  {
    Lock lock(mutex_);
    const std::uint64_t passed_ms = now_ms_ == 0 ? 0 : now_ms - now_ms_;
    now_ms_ = now_ms;
    checks_ = std::min<double>(checks_ + static_cast<double>(passed_ms) * bounds_.checks_max / 1000,
                               bounds_.checks_max);
    for (; !holes_.empty() && holes_.front().due_ms <= now_ms; holes_.pop_front()) {
      const auto found = rooms_.find(holes_.front().room);
      if (found == rooms_.end()) continue;
      Room& room = found->second;
      room.hole = false;
      if (room.doubtful || !room.held.empty()) want(found->first, room);
    }
    compare_some(lock);
    forget_empty(forgotten);
    figures_.rooms.store(rooms_.size(), std::memory_order_relaxed);
    read_some(lock);
  }
  for (const RoomId& room : forgotten) ports_.relay.unfollow(room);
}

void RoomOrder::stop_reading() {
  const Lock lock(mutex_);
  reads_no_more_ = true;
}

// --- under the lock

void RoomOrder::place(const RoomId& id, Room& room, const Message& message, Next& next) {
  if (room.open && message.id <= room.newest) {
    figures_.repeats.fetch_add(1, std::memory_order_relaxed);
  } else if (room.open && message.id == room.newest + 1) {
    room.newest = message.id;
    room.sure_ms = now_ms_;
    next.messages.push_back(&message);
    release(room, next);
  } else {
    figures_.holes.fetch_add(room.open ? 1 : 0, std::memory_order_relaxed);
    hold(room, message);
    if (room.open) note_hole(id, room, bounds_.hole_wait_ms);
  }
}

void RoomOrder::hold(Room& room, const Message& message) {
  const std::size_t bytes = bytes_of(message);
  if (held_bytes_ + bytes > bounds_.held_bytes_max) {
    figures_.not_held.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (!room.held.emplace(message.id, message).second) return;
  held_bytes_ += bytes;
  figures_.held_bytes.store(held_bytes_, std::memory_order_relaxed);
}

// What follows the newest without a hole.
void RoomOrder::release(Room& room, Next& next) {
  for (auto first = room.held.begin(); first != room.held.end(); first = room.held.begin()) {
    if (first->first > room.newest + 1) break;
    if (first->first == room.newest + 1) {
      room.newest = first->first;
      next.released.push_back(first->second);
      next.messages.push_back(&next.released.back());
    }
    drop_held(room, first->first);
  }
}

void RoomOrder::drop_held(Room& room, MessageId up_to) {
  while (!room.held.empty() && room.held.begin()->first <= up_to) {
    held_bytes_ -= bytes_of(room.held.begin()->second);
    room.held.erase(room.held.begin());
  }
  figures_.held_bytes.store(held_bytes_, std::memory_order_relaxed);
}

void RoomOrder::note_hole(const RoomId& id, Room& room, std::uint64_t wait_ms) {
  if (std::exchange(room.hole, true)) return;
  holes_.push_back({now_ms_ + wait_ms, id});
}

void RoomOrder::want(const RoomId& id, Room& room) {
  room.doubtful = true;
  if (!room.open || room.wanted) return;
  if (room.reading) {
    room.again = true;
    return;
  }
  room.wanted = true;
  wanted_.push_back(id);
}

// Goes around all rooms, a part in each tick.
std::vector<RoomMark> RoomOrder::find_due() {
  std::vector<RoomMark> due;
  const std::size_t most = std::min(kScanMax, rooms_.size());
  auto each = rooms_.upper_bound(cursor_);
  for (std::size_t i = 0; i < most && checks_ >= 1; ++i, ++each) {
    if (each == rooms_.end()) each = rooms_.begin();
    cursor_ = each->first;
    Room& room = each->second;
    if (room.listeners == 0 || !room.open || room.wanted || room.reading) continue;
    if (now_ms_ - room.sure_ms < bounds_.check_interval_ms) continue;
    due.push_back({each->first, room.newest});
    checks_ -= 1;
  }
  return due;
}

void RoomOrder::forget_empty(std::vector<RoomId>& forgotten) {
  std::size_t most = std::min(kScanMax, rooms_.size());
  for (auto each = rooms_.upper_bound(empty_cursor_); most > 0; --most) {
    if (each == rooms_.end()) each = rooms_.begin();
    empty_cursor_ = each->first;
    Room& room = each->second;
    const bool unused = room.listeners == 0 && room.openers == 0 && !room.wanted && !room.reading;
    if (!unused || now_ms_ - room.empty_ms < kLingerMs) {
      ++each;
      continue;
    }
    drop_held(room, ~MessageId{0});
    forgotten.push_back(each->first);
    each = rooms_.erase(each);
    if (rooms_.empty()) return;
  }
}

// Calls of several threads must not overtake each other, and no lock is held over one: who finds
// that nobody delivers does it for all.
void RoomOrder::deliver(Lock& lock) {
  if (delivering_) return;
  delivering_ = true;
  while (!ready_.empty()) {
    const std::deque<MessageBatch> batches = std::exchange(ready_, {});
    lock.unlock();
    for (const MessageBatch& each : batches) ports_.deliver(each);
    lock.lock();
  }
  delivering_ = false;
}

// --- reading what is missing

void RoomOrder::compare_some(Lock& lock) {
  if (comparing_ || reads_no_more_ || now_ms_ < compare_ms_ || ports_.overloaded()) return;
  auto due = find_due();
  if (due.empty()) return;
  comparing_ = true;
  compare_ms_ = now_ms_ + kCompareMs;
  auto job = [this, due = std::move(due), asked_ms = now_ms_] { compare(due, asked_ms); };
  lock.unlock();
  const bool taken = ports_.read(std::move(job));
  lock.lock();
  if (!taken) comparing_ = false;
}

// Should it fail, they stay due, and their turn comes again.
void RoomOrder::compare(const std::vector<RoomMark>& due, std::uint64_t asked_ms) {
  const auto grown = ports_.store.grown(due);
  figures_.reads.fetch_add(1, std::memory_order_relaxed);
  Lock lock(mutex_);
  comparing_ = false;
  if (!grown) return;
  const std::set<RoomId> larger(grown->begin(), grown->end());
  for (const RoomMark& each : due) {
    const auto found = rooms_.find(each.room);
    // What came meanwhile is as good as a comparison.
    if (found == rooms_.end() || found->second.newest != each.newest) continue;
    if (larger.contains(each.room)) {
      want(found->first, found->second);
    } else {
      found->second.sure_ms = std::max(found->second.sure_ms, asked_ms);
    }
  }
  read_some(lock);
}

void RoomOrder::read_some(Lock& lock) {
  while (reads_ < kReadsAtOnce && !reads_no_more_ && !wanted_.empty() && !ports_.overloaded()) {
    const RoomId id = wanted_.front();
    wanted_.pop_front();
    Room& room = rooms_.at(id);  // not forgotten while it is wanted or being read
    room.wanted = false;
    room.reading = true;
    ++reads_;
    lock.unlock();
    const bool taken = ports_.read([this, id] { read(id); });
    lock.lock();
    if (taken) continue;
    end_read(id, 0, Error{ErrorCode::server_overload, ""});
    return;
  }
}

void RoomOrder::read(const RoomId& id) {
  MessageId after = 0;
  MessageId known = 0;
  {
    const Lock lock(mutex_);
    Room& room = rooms_.at(id);
    after = room.newest;
    known = room.held.empty() ? 0 : room.held.rbegin()->first;
    room.again = false;
    room.doubtful = false;
  }
  const auto page = ports_.store.page_after(id, after, kPage);
  figures_.reads.fetch_add(1, std::memory_order_relaxed);
  Lock lock(mutex_);
  end_read(id, known, page);
  deliver(lock);
  read_some(lock);
}

// `known`: the newest that was held before the reading began. It was committed, so a page that is
// not full holds all before it: what the store does not know then was never committed.
void RoomOrder::end_read(const RoomId& id, MessageId known,
                         const Result<std::vector<Message>>& page) {
  --reads_;
  Room& room = rooms_.at(id);
  room.reading = false;
  if (!page) {
    room.doubtful = true;
    note_hole(id, room, kRetryMs);
    return;
  }
  Next next;
  for (const Message& each : *page) {
    if (each.id != room.newest + 1) continue;  // it came by itself meanwhile
    room.newest = each.id;
    next.messages.push_back(&each);
    release(room, next);
  }
  if (!next.messages.empty()) {
    figures_.fetched.fetch_add(next.messages.size() - next.released.size(),
                               std::memory_order_relaxed);
    auto made = std::make_shared<std::vector<Message>>();
    made->reserve(next.messages.size());
    for (const Message* each : next.messages) made->push_back(*each);
    ready_.push_back(std::move(made));
  }
  const bool more = page->size() == kPage;
  if (!more) {
    room.sure_ms = now_ms_;
    drop_held(room, known);
  }
  if (more || std::exchange(room.again, false)) want(id, room);
  if (!room.held.empty()) note_hole(id, room, bounds_.hole_wait_ms);
}

}  // namespace rtc::chat
