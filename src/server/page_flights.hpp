// Newest pages that are asked for and not yet read. Who asks for one that waits for a reading
// thread gets the same answer: however many ask at once, a page is read for all of them
// (docs/adr/0021). It is read after the last of them asked, so nobody is shown less than he would
// be alone.
//
// Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/slot_map.hpp"
#include "base/uuid.hpp"

namespace rtc::server {

class Shard;

class PageFlights {
 public:
  // A request that waits (Shard::waiting_requests); one at most for each connection.
  struct Waiter {
    Shard* shard;
    SlotHandle connection;
  };

  // True: nobody waits for that page, so the caller has it read.
  bool join(const RoomId& room, std::uint32_t limit, const Waiter& waiter);
  // Those who wait, right before it is read; who comes from now on is another one's.
  std::vector<Waiter> take(const RoomId& room, std::uint32_t limit);

  // Requests answered by what another one had read.
  std::uint64_t joined() const { return joined_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> joined_{0};
  std::mutex mutex_;
  std::map<std::pair<RoomId, std::uint32_t>, std::vector<Waiter>> waiting_;  // guarded by mutex_
};

}  // namespace rtc::server
