#include "server/broker_queue.hpp"

#include <algorithm>
#include <utility>

namespace rtc::server {

void BrokerQueue::push(BrokerMessagePtr message) {
  ++messages_;
  bytes_ += message->held.bytes();
  const std::uint64_t number = message->number;
  waiting_.emplace_hint(waiting_.end(), number, Entry{std::move(message)});
}

void BrokerQueue::add(ConsumerId consumer) {
  enrol(consumer, consumers_[consumer]);
}

void BrokerQueue::enrol(ConsumerId id, Consumer& consumer) {
  if (consumer.in_turn || consumer.held.size() >= bounds_.prefetch_max ||
      consumer.bytes >= bounds_.prefetch_bytes_max) {
    return;
  }
  consumer.in_turn = true;
  turn_.push_back(id);
}

void BrokerQueue::remove(ConsumerId consumer) {
  const auto found = consumers_.find(consumer);
  if (found == consumers_.end()) return;
  for (Entry& entry : found->second.held) give_back(std::move(entry));
  if (found->second.in_turn) std::erase(turn_, consumer);
  consumers_.erase(found);
}

std::optional<std::size_t> BrokerQueue::place(ConsumerId consumer, std::uint64_t number) const {
  const auto found = consumers_.find(consumer);
  if (found == consumers_.end()) return std::nullopt;
  const std::deque<Entry>& held = found->second.held;
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (held[i].message->number == number) return i;
  }
  return std::nullopt;
}

bool BrokerQueue::settle(ConsumerId consumer, std::uint64_t number, bool cumulative,
                         Settlement settlement) {
  const auto found = consumers_.find(consumer);
  if (found == consumers_.end()) return false;
  std::deque<Entry>& held = found->second.held;
  const auto last = std::find_if(held.begin(), held.end(),
                                 [&](const Entry& each) { return each.message->number == number; });
  if (last == held.end()) return false;
  const auto first = cumulative ? held.begin() : last;
  for (auto each = first; each != last + 1; ++each) {
    found->second.bytes -= each->message->held.bytes();
    if (settlement == Settlement::accepted) {
      forget(*each);
    } else {
      give_back(std::move(*each));
    }
  }
  held.erase(first, last + 1);
  enrol(consumer, found->second);
  return true;
}

void BrokerQueue::give_back(Entry entry) {
  if (entry.returns == bounds_.redeliveries_max) {
    ++dropped_;
    forget(entry);
    return;
  }
  ++entry.returns;
  const std::uint64_t number = entry.message->number;
  waiting_.emplace(number, std::move(entry));
}

void BrokerQueue::forget(const Entry& entry) {
  --messages_;
  bytes_ -= entry.message->held.bytes();
}

std::optional<BrokerQueue::Given> BrokerQueue::next() {
  if (waiting_.empty() || turn_.empty()) return std::nullopt;
  const ConsumerId id = turn_.front();
  turn_.pop_front();
  Consumer& consumer = consumers_.at(id);
  consumer.in_turn = false;
  Entry entry = std::move(waiting_.extract(waiting_.begin()).mapped());
  Given given{id, entry.message, entry.returns > 0};
  if (given.redelivered) ++redelivered_;
  consumer.bytes += entry.message->held.bytes();
  consumer.held.push_back(std::move(entry));
  enrol(id, consumer);
  return given;
}

}  // namespace rtc::server
