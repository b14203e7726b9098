// The broker: who gets what was sent to /topic/…, /queue/… and /user/… (docs/wire.md, "Broker
// destinations"). In memory; shared by all loops: any thread.
//
// It puts mail into the boxes of the loops, under one lock, so that all loops see messages in one
// order; a loop that has mail is woken and collects it. A topic's message goes to every loop, whose
// hub knows the subscribers; a queue's to the loop of the one consumer that gets it; a user's to
// the loop of the session. What waits is bounded: each message counts in `bytes()` for as long as
// it lives anywhere, in a queue, a box or an open transaction.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/config.hpp"
#include "base/result.hpp"
#include "base/slot_map.hpp"
#include "server/broker_queue.hpp"

namespace rtc::server {

// One message on its way to a loop.
struct Mail {
  BrokerMessagePtr message;
  SlotHandle session;       // of a queue's and a user's
  ConsumerId consumer = 0;  // of a queue's
  bool redelivered = false;
};

// An ACK or NACK of a queue's message.
struct Acknowledgement {
  ConsumerId consumer = 0;
  std::uint64_t number = 0;
  bool cumulative = false;
  Settlement settlement = Settlement::accepted;
};

class Broker {
 public:
  explicit Broker(const Config& config) : config_(config) {}

  // Off: nothing below is called.
  bool open() const { return config_.broker || config_.conformance; }
  // Loop number `loop`, from 0 on without a gap, before any runs; `wake` makes it collect().
  void attach(std::uint32_t loop, std::function<void()> wake);
  std::vector<Mail> collect(std::uint32_t loop);

  // server_overload: broker_bytes_max.
  Result<BrokerDraft> make(const BrokerTarget& target, const stomp::Frame& frame,
                           std::string sender);
  // All of it or nothing: messages in their order, with nothing between them, then
  // acknowledgements. server_overload: a bound of a queue; invalid_parameter: a message to
  // acknowledge is not held (by then, of several of one message).
  Result<void> commit(std::span<BrokerDraft> drafts, std::span<const Acknowledgement> settled);
  bool holds(ConsumerId consumer, std::uint64_t number);

  // A session of that loop takes part in that queue. server_overload: broker_queues_max.
  Result<ConsumerId> consume(const std::string& queue, std::uint32_t loop, SlotHandle session);
  void leave(ConsumerId consumer);

  struct Figures {
    std::uint64_t queues = 0;
    std::uint64_t queue_messages = 0;  // waiting in queues, or held by consumers
    std::uint64_t messages = 0;        // taken, ever
    std::uint64_t redelivered = 0;
    std::uint64_t dropped = 0;  // by broker_redeliveries_max
  };
  Figures figures();
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  struct Box {
    std::function<void()> wake;
    std::vector<Mail> mail;
  };
  struct Consumer {
    std::string queue;
    std::uint32_t loop;
    SlotHandle session;
  };
  using Queues = std::unordered_map<std::string, BrokerQueue>;
  class Work;  // what one call does under the lock, and whom it wakes after it

  const Config& config_;
  std::atomic<std::uint64_t> bytes_{0};
  std::mutex mutex_;  // of all below
  std::vector<Box> boxes_;
  Queues queues_;
  std::unordered_map<ConsumerId, Consumer> consumers_;
  ConsumerId last_consumer_ = 0;
  Figures ended_;  // messages, and of queues that are gone: redelivered and dropped
};

}  // namespace rtc::server
