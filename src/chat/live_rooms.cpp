#include "chat/live_rooms.hpp"

#include <utility>

namespace rtc::chat {

LiveRooms::LiveRooms(Ports ports) : ports_(std::move(ports)) {
  ports_.fanout.keep_live([this] { send(); });
}

bool LiveRooms::watch(const RoomId& id) {
  const std::scoped_lock lock(mutex_);
  const auto found = rooms_.find(id);
  if (found == rooms_.end() || !found->second.open) return false;
  ++found->second.listeners;
  return true;
}

void LiveRooms::unwatch(const RoomId& id) {
  const std::scoped_lock lock(mutex_);
  const auto found = rooms_.find(id);
  if (found == rooms_.end() || found->second.listeners == 0) return;
  if (--found->second.listeners == 0) note_empty(id, found->second);
}

void LiveRooms::open(const RoomId& id, std::function<void()> then) {
  bool made = false;
  {
    const std::scoped_lock lock(mutex_);
    const auto [room, is_new] = rooms_.try_emplace(id);
    if (!room->second.open) room->second.waiters.push_back(std::exchange(then, {}));
    if (is_new) opening_.push_back({now_ms_ + kWaitMs, id});
    made = is_new;
  }
  if (made) ports_.relay.follow(id);
  if (then) then();
}

// Loops publish at once, and must not overtake each other: the fan-out keeps what they published in
// the order of ids, and who finds that nobody sends does it for all.
void LiveRooms::send() {
  std::unique_lock lock(mutex_);
  if (std::exchange(sending_, true)) return;
  while (true) {
    const std::vector<MessageBatch> batches = ports_.fanout.collect_live();
    if (batches.empty()) break;
    lock.unlock();
    for (const MessageBatch& each : batches) ports_.relay.publish_live(each);
    lock.lock();
  }
  sending_ = false;
}

void LiveRooms::take(const MessageBatch& batch) {
  figures_.received.fetch_add(batch->size(), std::memory_order_relaxed);
  if (!ports_.overloaded()) {
    ports_.fanout.take_live(*batch);
    return;
  }
  figures_.dropped.fetch_add(batch->size(), std::memory_order_relaxed);
  for (const Message& each : *batch) ports_.fanout.leave_out(each.room);
}

// Before anybody is seated: who comes back by an id that he had is to see that it may not be all.
void LiveRooms::doubt(const RoomId& id) {
  Waiters waiters;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = rooms_.find(id);
    if (found == rooms_.end() || found->second.closing) return;
    Room& room = found->second;
    if (!std::exchange(room.open, true)) note_empty(id, room);
    waiters = std::exchange(room.waiters, {});
    ports_.fanout.leave_out(id);
    figures_.doubts.fetch_add(1, std::memory_order_relaxed);
  }
  for (const auto& each : waiters) each();
}

void LiveRooms::tick(std::uint64_t now_ms) {
  Waiters waiters;
  std::vector<RoomId> closing;
  {
    const std::scoped_lock lock(mutex_);
    now_ms_ = now_ms;
    if (!opening_.empty()) give_up_waiting(!ports_.relay.figures().connected, waiters);
    closing = close_empty();
  }
  for (const auto& each : waiters) each();
  for (const RoomId& id : closing) ports_.relay.unfollow(id);
  std::vector<RoomId> again;
  {
    const std::scoped_lock lock(mutex_);
    for (const RoomId& id : closing) {
      Room& room = rooms_.at(id);
      if (room.waiters.empty()) {
        rooms_.erase(id);
        continue;
      }
      room.closing = false;
      opening_.push_back({now_ms_ + kWaitMs, id});
      again.push_back(id);
    }
    figures_.rooms.store(rooms_.size(), std::memory_order_relaxed);
  }
  for (const RoomId& id : again) ports_.relay.follow(id);
}

// --- under the lock

void LiveRooms::note_empty(const RoomId& id, Room& room) {
  room.empty_ms = now_ms_;
  if (!std::exchange(room.leaving, true)) left_.push_back({now_ms_ + kLingerMs, id});
}

// Who has waited long enough, or all, goes on without the relay's word.
void LiveRooms::give_up_waiting(bool all, Waiters& waiters) {
  for (; !opening_.empty() && (all || opening_.front().due_ms <= now_ms_); opening_.pop_front()) {
    const RoomId id = opening_.front().room;
    const auto found = rooms_.find(id);
    if (found == rooms_.end() || found->second.open || found->second.closing) continue;
    Room& room = found->second;
    room.open = true;
    note_empty(id, room);
    ports_.fanout.leave_out(id);
    figures_.unsure.fetch_add(room.waiters.size(), std::memory_order_relaxed);
    for (auto& each : std::exchange(room.waiters, {})) waiters.push_back(std::move(each));
  }
}

// Until the relay has been told the room stays, shut: unfollow() must not come behind a follow().
std::vector<RoomId> LiveRooms::close_empty() {
  std::vector<RoomId> closing;
  while (!left_.empty() && left_.front().due_ms <= now_ms_) {
    const RoomId id = left_.front().room;
    left_.pop_front();
    Room& room = rooms_.at(id);
    room.leaving = false;
    if (room.listeners > 0) continue;
    if (now_ms_ - room.empty_ms < kLingerMs) {
      room.leaving = true;
      left_.push_back({room.empty_ms + kLingerMs, id});
      continue;
    }
    room.open = false;
    room.closing = true;
    closing.push_back(id);
  }
  return closing;
}

}  // namespace rtc::chat
