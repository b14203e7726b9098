// The open rooms by the words of their names and topics, in memory. Rooms are only ever added, and
// listed in the order of their making, so each search first reads those that were made since the
// one before, by whichever node: one call of the store that finds nothing, nearly always.
//
// Any thread that may wait for the store; the lock is never held over a call of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "chat/room_store.hpp"

namespace rtc::chat {

// More of a search are not looked at.
inline constexpr std::size_t kSearchWordsMax = 8;

// The words of valid UTF-8, at most kSearchWordsMax, as they are compared: without case.
std::vector<std::string> search_words(std::string_view text);

class RoomSearch {
 public:
  // Looks through the newest `rooms_max` rooms, the lobby not among them; `rooms` outlives it.
  RoomSearch(RoomStore& rooms, std::uint32_t rooms_max) : store_(rooms), rooms_max_(rooms_max) {}

  // The rooms that have each of the words (search_words()) somewhere in their name or topic, newest
  // first, at most `limit`; without words the newest. Otherwise the store's own error.
  Result<std::vector<Room>> find(const std::vector<std::string>& words, std::uint32_t limit);

  // Rooms in memory now (metrics).
  std::uint64_t rooms() const { return count_.load(std::memory_order_relaxed); }

 private:
  struct Entry {
    Room room;
    std::string folded;  // its name and its topic, without case
  };
  Result<void> catch_up();
  void add(const std::vector<Room>& page);  // under mutex_
  void forget();                            // under mutex_

  RoomStore& store_;
  const std::uint32_t rooms_max_;
  std::atomic<std::uint64_t> count_{0};

  std::shared_mutex mutex_;
  std::deque<Entry> entries_;     // guarded by mutex_, as the next; oldest first
  std::optional<RoomId> newest_;  // the last room that was listed
};

}  // namespace rtc::chat
