#include "chat/page_cache.hpp"

#include <algorithm>
#include <utility>

namespace rtc::chat {
namespace {

// What a room and a message cost beside their texts: blocks, pointers, look-up.
constexpr std::size_t kRoomBytes = 1024;
constexpr std::size_t kMessageBytes = sizeof(Message) + 112;
constexpr std::size_t kRoomsAtLeast = 8;

std::size_t bytes_of(const Message& message) {
  const SharedIdentity& sender = message.sender;
  return kMessageBytes + message.text.size() + sender.nickname().size() + sender.name_tag().size() +
         sender.address().size();
}

MessageId newest_of(const std::vector<Message>& messages) {
  if (messages.empty()) return 0;
  return std::max(messages.front().id, messages.back().id);
}

}  // namespace

PageCache::PageCache(MessageStore& behind, const PageCacheBounds& bounds)
    : behind_(behind), bounds_(bounds), shared_(behind.shared()) {}

Result<std::vector<Stored>> PageCache::append(std::span<const Draft> drafts) {
  auto stored = behind_.append(drafts);
  if (!stored || shared_) return stored;
  // Under one lock: readers see a commit whole.
  const std::scoped_lock lock(mutex_);
  if (rooms_.empty()) return stored;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if ((*stored)[i].repeated) continue;
    const Draft& draft = drafts[i];
    const auto kept = rooms_.find(draft.room);
    if (kept == rooms_.end()) continue;
    add(kept, {draft.room, (*stored)[i].id, draft.sender, draft.text, draft.created_at_ms});
  }
  evict();
  return stored;
}

void PageCache::add(const std::vector<Message>& messages) {
  const std::scoped_lock lock(mutex_);
  if (rooms_.empty()) return;
  for (const Message& message : messages) {
    const auto kept = rooms_.find(message.room);
    if (kept != rooms_.end()) add(kept, message);
  }
  evict();
}

Result<std::vector<Message>> PageCache::page_before(RoomId room, MessageId before,
                                                    std::uint32_t limit) {
  if (bounds_.bytes_max == 0) return behind_.page_before(room, before, limit);
  if (shared_ && before == 0) return newest_of_shared(room, limit);
  const bool loads = before == 0 && limit <= bounds_.messages_max;
  std::vector<Shared> page;
  bool found = false;
  std::uint64_t number = 0;
  {
    std::unique_lock lock(mutex_);
    auto kept = rooms_.find(room);
    const auto is_loading = [&] {
      kept = rooms_.find(room);
      return kept != rooms_.end() && kept->second.loading != 0;
    };
    if (loads) loaded_.wait(lock, [&] { return !is_loading(); });
    if (kept != rooms_.end() && kept->second.loading == 0) {
      Kept& found_room = kept->second;
      const MessageId oldest = found_room.oldest();
      const MessageId newest = found_room.newest();
      const MessageId last = before == 0 ? newest : std::min(before - 1, newest);
      found = oldest == 1 || (last >= oldest && last - oldest + 1 >= limit);
      // Others may have committed more than is here.
      if (shared_ && before > newest + 1) found = false;
      if (found) {
        page = between(found_room, last < limit ? 1 : last - limit + 1, last);
        touch(found_room);
      }
    }
    if (loads && kept == rooms_.end()) number = begin_load(room);
  }
  if (found) {
    std::reverse(page.begin(), page.end());
    return hit(page);
  }
  if (number != 0) return load(room, number, limit);
  auto read = behind_.page_before(room, before, limit);
  if (read) {
    const std::scoped_lock lock(mutex_);
    showed(room, newest_of(*read));
  }
  return read;
}

// Others write too, and what they wrote may not have come here yet. One question to the store,
// begun after this call was, makes it certain.
Result<std::vector<Message>> PageCache::newest_of_shared(RoomId room, std::uint32_t limit) {
  const bool loads = limit <= bounds_.messages_max;
  std::vector<Shared> known;
  MessageId newest = 0;
  bool enough = false;
  std::uint64_t number = 0;
  {
    std::unique_lock lock(mutex_);
    auto kept = rooms_.find(room);
    const auto is_loading = [&] {
      kept = rooms_.find(room);
      return kept != rooms_.end() && kept->second.loading != 0;
    };
    if (loads) loaded_.wait(lock, [&] { return !is_loading(); });
    if (kept == rooms_.end()) {
      if (loads) number = begin_load(room);
    } else if (kept->second.loading == 0) {
      newest = kept->second.newest();
      const MessageId oldest = kept->second.oldest();
      enough = oldest == 1 || newest - oldest + 1 >= limit;
      if (enough) {
        known = between(kept->second, newest < limit ? 1 : newest - limit + 1, newest);
        touch(kept->second);
      }
    }
  }
  if (number != 0) return load(room, number, limit);
  if (enough) {
    const auto later = behind_.page_after(room, newest, bounds_.messages_max);
    if (!later) return later.error();
    if (later->size() < bounds_.messages_max) return top_up(known, *later, limit);
  }
  auto read = behind_.page_before(room, 0, limit);
  if (read) {
    const std::scoped_lock lock(mutex_);
    showed(room, newest_of(*read));
  }
  return read;
}

// The page, newest first; what was not here is from now on.
std::vector<Message> PageCache::top_up(const std::vector<Shared>& known,
                                       const std::vector<Message>& later, std::uint32_t limit) {
  (later.empty() ? figures_.hits : figures_.topped_up).fetch_add(1, std::memory_order_relaxed);
  if (!later.empty()) add(later);
  std::vector<Message> page;
  page.reserve(std::min<std::size_t>(limit, known.size() + later.size()));
  for (auto each = later.rbegin(); each != later.rend() && page.size() < limit; ++each) {
    page.push_back(*each);
  }
  for (auto each = known.rbegin(); each != known.rend() && page.size() < limit; ++each) {
    page.push_back(**each);
  }
  return page;
}

Result<std::vector<Message>> PageCache::page_after(RoomId room, MessageId after,
                                                   std::uint32_t limit) {
  if (bounds_.bytes_max == 0) return behind_.page_after(room, after, limit);
  std::vector<Shared> page;
  bool found = false;
  {
    const std::scoped_lock lock(mutex_);
    const auto kept = rooms_.find(room);
    if (kept != rooms_.end() && kept->second.loading == 0) {
      Kept& found_room = kept->second;
      const MessageId newest = found_room.newest();
      found = after >= found_room.oldest() - 1;
      // Others may have committed more than is here.
      if (shared_ && (newest < limit || newest - limit < after)) found = false;
      if (found) {
        if (after < newest) {
          page = between(found_room, after + 1, after + std::min<MessageId>(limit, newest - after));
        }
        touch(found_room);
      }
    }
  }
  if (found) return hit(page);
  auto read = behind_.page_after(room, after, limit);
  if (read) {
    const std::scoped_lock lock(mutex_);
    showed(room, newest_of(*read));
  }
  return read;
}

// The texts are copied without the lock.
std::vector<Message> PageCache::hit(const std::vector<Shared>& page) {
  figures_.hits.fetch_add(1, std::memory_order_relaxed);
  std::vector<Message> messages;
  messages.reserve(page.size());
  for (const Shared& each : page) messages.push_back(*each);
  return messages;
}

std::uint64_t PageCache::begin_load(RoomId room) {
  Kept& made = rooms_[room];
  made.use = uses_.insert(uses_.begin(), room);
  made.loading = ++loads_;
  resize(made, kRoomBytes);
  return made.loading;
}

Result<std::vector<Message>> PageCache::load(RoomId room, std::uint64_t number,
                                             std::uint32_t limit) {
  figures_.misses.fetch_add(1, std::memory_order_relaxed);
  auto read = behind_.page_before(room, 0, bounds_.messages_max);
  std::vector<Shared> newest_first;
  if (read) {
    newest_first.reserve(read->size());
    for (const Message& each : *read) newest_first.push_back(std::make_shared<const Message>(each));
    if (read->size() > limit) read->resize(limit);
  }
  {
    const std::scoped_lock lock(mutex_);
    if (read) {
      finish_load(room, number, newest_first);
    } else if (const auto kept = rooms_.find(room);
               kept != rooms_.end() && kept->second.loading == number) {
      drop(kept);  // who waits tries himself
    }
  }
  loaded_.notify_all();
  return read;
}

// What was committed since the load began is there already: it was begun under the lock, and each
// commit is added after it can be read. So together they are whole.
void PageCache::finish_load(RoomId room, std::uint64_t number,
                            const std::vector<Shared>& newest_first) {
  const MessageId newest = newest_first.empty() ? 0 : newest_first.front()->id;
  const auto found = rooms_.find(room);
  if (found == rooms_.end() || found->second.loading != number) {
    showed(room, newest);  // evicted meanwhile, and maybe read again by another
    return;
  }
  Kept& kept = found->second;
  const std::deque<Shared> meanwhile = std::exchange(kept.messages, {});
  resize(kept, kRoomBytes);
  for (auto each = newest_first.rbegin(); each != newest_first.rend(); ++each) push(kept, *each);
  for (const Shared& each : meanwhile) {
    if (each->id == kept.newest() + 1) push(kept, each);
  }
  const bool whole = meanwhile.empty() || kept.newest() >= meanwhile.back()->id;
  if (!whole || kept.newest() < kept.seen || kept.bytes > room_bytes_max()) {
    drop(found);
    return;
  }
  kept.loading = 0;
  evict();
}

void PageCache::showed(RoomId room, MessageId newest) {
  const auto found = rooms_.find(room);
  if (found == rooms_.end()) return;
  Kept& kept = found->second;
  if (kept.loading != 0) {
    kept.seen = std::max(kept.seen, newest);
  } else if (kept.newest() < newest) {
    drop(found);  // committed, and not added yet: nobody may be shown less from now on
  }
}

void PageCache::add(Rooms::iterator found, Message message) {
  Kept& kept = found->second;
  const bool begins = kept.loading != 0 && kept.messages.empty();
  if (!begins && message.id <= kept.newest()) return;  // the load found it
  if (!begins && message.id != kept.newest() + 1) {
    drop(found);
    return;
  }
  push(kept, std::make_shared<const Message>(std::move(message)));
  if (kept.bytes > room_bytes_max()) drop(found);
}

std::vector<PageCache::Shared> PageCache::between(const Kept& kept, MessageId first,
                                                  MessageId last) {
  std::vector<Shared> page;
  if (last < first || kept.messages.empty()) return page;
  const auto begin = kept.messages.begin() + static_cast<std::ptrdiff_t>(first - kept.oldest());
  page.assign(begin, begin + static_cast<std::ptrdiff_t>(last - first + 1));
  return page;
}

// One of long texts must not push out all others.
std::size_t PageCache::room_bytes_max() const {
  return std::max(bounds_.bytes_max / kRoomsAtLeast, kRoomBytes);
}

// The oldest go beyond messages_max and the room's part of bytes_max.
void PageCache::push(Kept& kept, Shared message) {
  std::size_t bytes = kept.bytes + bytes_of(*message);
  kept.messages.push_back(std::move(message));
  while (kept.messages.size() > bounds_.messages_max ||
         (kept.messages.size() > 1 && bytes > room_bytes_max())) {
    bytes -= bytes_of(*kept.messages.front());
    kept.messages.pop_front();
  }
  resize(kept, bytes);
}

void PageCache::resize(Kept& kept, std::size_t bytes) {
  bytes_ = bytes_ - kept.bytes + bytes;
  kept.bytes = bytes;
  figures_.bytes.store(bytes_, std::memory_order_relaxed);
  figures_.rooms.store(rooms_.size(), std::memory_order_relaxed);
}

void PageCache::drop(Rooms::iterator kept) {
  resize(kept->second, 0);
  uses_.erase(kept->second.use);
  rooms_.erase(kept);
  figures_.rooms.store(rooms_.size(), std::memory_order_relaxed);
}

void PageCache::evict() {
  while (!uses_.empty() && (rooms_.size() > bounds_.rooms_max || bytes_ > bounds_.bytes_max)) {
    drop(rooms_.find(uses_.back()));
    figures_.evictions.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace rtc::chat
