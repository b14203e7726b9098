#include "server/broker.hpp"

#include <algorithm>
#include <charconv>

namespace rtc::server {
namespace {

Error overload(std::string_view what) {
  return {ErrorCode::server_overload, std::string(what) + "; try again in a while"};
}

struct Share {
  std::size_t messages = 0;
  std::uint64_t bytes = 0;
};

}  // namespace

// Holds the lock while it lives; its destructor wakes the loops after it let go.
class Broker::Work {
 public:
  explicit Work(Broker& broker) : broker_(broker), lock_(broker.mutex_) {}
  ~Work() {
    lock_.unlock();
    for (const auto* wake : wakes_) (*wake)();
  }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  BrokerQueue& queue(const std::string& name) {
    const Config& config = broker_.config_;
    return broker_.queues_
        .try_emplace(
            name, BrokerQueue::Bounds{config.broker_prefetch_max, config.broker_prefetch_bytes_max,
                                      config.broker_redeliveries_max})
        .first->second;
  }

  // Whether there is room for all of them.
  Result<void> check(std::span<const BrokerDraft> drafts) const {
    const Config& config = broker_.config_;
    std::unordered_map<std::string_view, Share> shares;
    std::size_t queues = broker_.queues_.size();
    for (const BrokerDraft& draft : drafts) {
      if (draft->kind != Destination::Kind::queue) continue;
      const auto [share, added] = shares.try_emplace(draft->destination);
      if (added) {
        const auto found = broker_.queues_.find(draft->destination);
        if (found == broker_.queues_.end()) {
          ++queues;
        } else {
          share->second = {found->second.messages(), found->second.bytes()};
        }
      }
      share->second.bytes += draft->held.bytes();
      if (++share->second.messages > config.broker_queue_messages_max ||
          share->second.bytes > config.broker_queue_bytes_max) {
        return overload("the queue is full");
      }
    }
    // Queues that are there may go on, whatever their number.
    if (queues > broker_.queues_.size() && queues > config.broker_queues_max) {
      return overload("there are too many queues");
    }
    return {};
  }

  // Whether each of them, in turn, finds its message held.
  Result<void> check(std::span<const Acknowledgement> settled) const {
    const Error not_held{ErrorCode::invalid_parameter,
                         "a message to acknowledge is not held any more; nothing of this is done"};
    std::unordered_map<ConsumerId, std::vector<char>> gone;  // by place among what is held
    for (const Acknowledgement& each : settled) {
      const auto consumer = broker_.consumers_.find(each.consumer);
      if (consumer == broker_.consumers_.end()) return not_held;
      const auto& queue = broker_.queues_.at(consumer->second.queue);
      const auto place = queue.place(each.consumer, each.number);
      if (!place) return not_held;
      std::vector<char>& there = gone[each.consumer];
      if (there.size() <= *place) there.resize(*place + 1);
      if (there[*place] != 0) return not_held;
      const auto last = there.begin() + static_cast<std::ptrdiff_t>(*place);
      std::fill(each.cumulative ? there.begin() : last, last + 1, 1);
    }
    return {};
  }

  void take(BrokerDraft draft) {
    draft->number = ++broker_.ended_.messages;
    const BrokerMessagePtr message = std::move(draft);
    switch (message->kind) {
      case Destination::Kind::queue:
        queue(message->destination).push(message);
        return;
      case Destination::Kind::user:
        to_user(message);
        return;
      default:
        for (Box& box : broker_.boxes_) post(box, {message, {}, 0, false});
    }
  }

  // Gives out what can be; a queue with nothing in it and nobody at it goes.
  void give(const std::string& name) {
    const auto found = broker_.queues_.find(name);
    if (found == broker_.queues_.end()) return;
    while (auto given = found->second.next()) {
      const Consumer& consumer = broker_.consumers_.at(given->consumer);
      post(broker_.boxes_[consumer.loop],
           {std::move(given->message), consumer.session, given->consumer, given->redelivered});
    }
    if (!found->second.empty()) return;
    broker_.ended_.redelivered += found->second.redelivered();
    broker_.ended_.dropped += found->second.dropped();
    broker_.queues_.erase(found);
  }

 private:
  void post(Box& box, Mail mail) {
    if (box.mail.empty()) wakes_.push_back(&box.wake);
    box.mail.push_back(std::move(mail));
  }

  // The name of a session says where it is (Session, "<loop>-<slot>-<generation>-<secret>"); the
  // session itself compares all of it.
  void to_user(const BrokerMessagePtr& message) {
    std::uint32_t loop = 0;
    Mail mail{message, {}, 0, false};
    const char* at = message->session.data();
    const char* const end = at + message->session.size();
    for (std::uint32_t* const part : {&loop, &mail.session.slot, &mail.session.generation}) {
      const auto [stop, problem] = std::from_chars(at, end, *part);
      if (problem != std::errc{} || stop == end || *stop != '-') return;
      at = stop + 1;
    }
    if (loop < broker_.boxes_.size()) post(broker_.boxes_[loop], std::move(mail));
  }

  Broker& broker_;
  std::unique_lock<std::mutex> lock_;
  std::vector<const std::function<void()>*> wakes_;
};

void Broker::attach(std::uint32_t loop, std::function<void()> wake) {
  const std::scoped_lock lock(mutex_);
  if (boxes_.size() <= loop) boxes_.resize(loop + 1);
  boxes_[loop].wake = std::move(wake);
}

std::vector<Mail> Broker::collect(std::uint32_t loop) {
  const std::scoped_lock lock(mutex_);
  return std::exchange(boxes_[loop].mail, {});
}

Result<BrokerDraft> Broker::make(const BrokerTarget& target, const stomp::Frame& frame,
                                 std::string sender) {
  auto draft = std::make_unique<BrokerMessage>(target, frame, std::move(sender), bytes_);
  if (bytes() > config_.broker_bytes_max) return overload("the broker holds too much");
  return draft;
}

Result<void> Broker::commit(std::span<BrokerDraft> drafts,
                            std::span<const Acknowledgement> settled) {
  std::vector<std::string> touched;
  Work work(*this);
  if (auto room = work.check(drafts); !room) return room;
  if (auto held = work.check(settled); !held) return held;
  for (BrokerDraft& draft : drafts) {
    if (draft->kind == Destination::Kind::queue) touched.push_back(draft->destination);
    work.take(std::move(draft));
  }
  for (const Acknowledgement& each : settled) {
    const std::string& queue = consumers_.at(each.consumer).queue;
    work.queue(queue).settle(each.consumer, each.number, each.cumulative, each.settlement);
    touched.push_back(queue);
  }
  for (const std::string& name : touched) work.give(name);
  return {};
}

bool Broker::holds(ConsumerId consumer, std::uint64_t number) {
  const std::scoped_lock lock(mutex_);
  const auto found = consumers_.find(consumer);
  return found != consumers_.end() &&
         queues_.at(found->second.queue).place(consumer, number).has_value();
}

Result<ConsumerId> Broker::consume(const std::string& queue, std::uint32_t loop,
                                   SlotHandle session) {
  Work work(*this);
  if (!queues_.contains(queue) && queues_.size() >= config_.broker_queues_max) {
    return overload("there are too many queues");
  }
  const ConsumerId id = ++last_consumer_;
  consumers_.emplace(id, Consumer{queue, loop, session});
  work.queue(queue).add(id);
  work.give(queue);
  return id;
}

void Broker::leave(ConsumerId consumer) {
  Work work(*this);
  const auto found = consumers_.find(consumer);
  if (found == consumers_.end()) return;
  const std::string name = std::move(found->second.queue);
  work.queue(name).remove(consumer);
  consumers_.erase(found);
  work.give(name);
}

Broker::Figures Broker::figures() {
  const std::scoped_lock lock(mutex_);
  Figures sum = ended_;
  sum.queues = queues_.size();
  for (const auto& [name, queue] : queues_) {
    sum.queue_messages += queue.messages();
    sum.redelivered += queue.redelivered();
    sum.dropped += queue.dropped();
  }
  return sum;
}

}  // namespace rtc::server
