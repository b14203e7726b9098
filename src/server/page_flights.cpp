#include "server/page_flights.hpp"

namespace rtc::server {

bool PageFlights::join(const RoomId& room, std::uint32_t limit, const Waiter& waiter) {
  const std::scoped_lock lock(mutex_);
  auto& waiters = waiting_[{room, limit}];
  waiters.push_back(waiter);
  if (waiters.size() == 1) return true;
  joined_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

std::vector<PageFlights::Waiter> PageFlights::take(const RoomId& room, std::uint32_t limit) {
  const std::scoped_lock lock(mutex_);
  const auto found = waiting_.find({room, limit});
  if (found == waiting_.end()) return {};
  std::vector<Waiter> waiters = std::move(found->second);
  waiting_.erase(found);
  return waiters;
}

}  // namespace rtc::server
