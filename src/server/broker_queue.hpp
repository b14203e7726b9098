// One queue of the broker: messages in the order in which they came, each given to one consumer at
// a time, in turn. Pure: no thread, no socket. One owner (the broker, under its lock).
//
// A consumer holds what it was given until it settles it: accepted, the message is gone; refused,
// or when the consumer leaves, it goes back to its place in the order and is given again, to the
// next in turn. A message that came back more than `redeliveries_max` times is dropped.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>

#include "server/broker_message.hpp"

namespace rtc::server {

using ConsumerId = std::uint64_t;

enum class Settlement : std::uint8_t { accepted, refused };

class BrokerQueue {
 public:
  struct Bounds {
    std::uint32_t prefetch_max;        // messages that a consumer may hold
    std::uint32_t prefetch_bytes_max;  // it gets no more while it holds so many bytes
    std::uint32_t redeliveries_max;
  };
  struct Given {
    ConsumerId consumer;
    BrokerMessagePtr message;
    bool redelivered;
  };

  explicit BrokerQueue(const Bounds& bounds) : bounds_(bounds) {}

  // `message` has a greater number than all before it.
  void push(BrokerMessagePtr message);
  void add(ConsumerId consumer);
  // What it held goes back.
  void remove(ConsumerId consumer);
  // Of a message that the consumer holds: how many it was given before that one and holds; else
  // nullopt.
  std::optional<std::size_t> place(ConsumerId consumer, std::uint64_t number) const;
  // `cumulative`: with all that the consumer was given before it. False: it does not hold that one.
  bool settle(ConsumerId consumer, std::uint64_t number, bool cumulative, Settlement settlement);
  // Gives the next message to the next consumer that may hold one more; nullopt: there is none.
  std::optional<Given> next();

  std::size_t messages() const { return messages_; }  // waiting and held
  std::uint64_t bytes() const { return bytes_; }      // of them
  std::uint64_t redelivered() const { return redelivered_; }
  std::uint64_t dropped() const { return dropped_; }
  bool empty() const { return messages_ == 0 && consumers_.empty(); }

 private:
  struct Entry {
    BrokerMessagePtr message;
    std::uint32_t returns = 0;
  };
  struct Consumer {
    std::deque<Entry> held;  // in the order in which they were given
    std::uint64_t bytes = 0;
    bool in_turn = false;
  };

  void enrol(ConsumerId id, Consumer& consumer);
  void give_back(Entry entry);
  void forget(const Entry& entry);

  Bounds bounds_;
  std::map<std::uint64_t, Entry> waiting_;  // by number
  std::unordered_map<ConsumerId, Consumer> consumers_;
  std::deque<ConsumerId> turn_;  // those that may hold one more; the first is next
  std::size_t messages_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t redelivered_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace rtc::server
