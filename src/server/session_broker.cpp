#include "server/session_broker.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>

#include "base/random.hpp"
#include "server/session.hpp"
#include "server/shard.hpp"
#include "websocket/decoder.hpp"

namespace rtc::server {
namespace {

constexpr std::string_view kReplyTo = "reply-to";

std::string secret() {
  std::array<std::uint8_t, 16> bytes{};
  fill_random(bytes);
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

// A sender names a queue of his own; the server says whose it is.
void complete_reply_to(BrokerMessage& message, std::string_view session) {
  for (auto& [name, value] : message.headers) {
    if (name != kReplyTo || !value.starts_with(kUserQueuePrefix)) continue;
    value = fmt::format("{}{}/{}", kUserPrefix, session, value.substr(kUserPrefix.size()));
  }
}

}  // namespace

SessionBroker::SessionBroker(Session& session)
    : session_(session),
      id_(fmt::format("{}-{}-{}-{}", session.shard_.index(), session.handle_.slot,
                      session.handle_.generation, secret())) {}

void SessionBroker::refuse(const stomp::Frame& frame, const Error& error) {
  if (const auto id = frame.find("transaction")) session_.transactions().spoil(*id, error);
  session_.refuse(error, frame.get("receipt"));
}

void SessionBroker::on_send(const stomp::Frame& frame) {
  Shard& shard = session_.shard_;
  const auto transaction = frame.find("transaction");
  if (transaction) {
    if (const auto joins = session_.transactions().check(*transaction); !joins) {
      refuse(frame, joins.error());
      return;
    }
  }
  const auto target =
      parse_broker_target(frame.get("destination"), shard.config().broker_destination_bytes_max);
  if (!target) {
    refuse(frame, {ErrorCode::forbidden_action, "there is no such destination to send to"});
    return;
  }
  if (!shard.take_send_token(session_.identity_.id(), session_.output_.client())) {
    refuse(frame, {ErrorCode::too_many_requests, "you are sending too fast; wait a moment"});
    return;
  }
  Broker& broker = shard.services().broker;
  auto draft = broker.make(*target, frame, session_.identity_.id().to_string());
  if (!draft) {
    refuse(frame, draft.error());
    return;
  }
  complete_reply_to(**draft, id_);
  const auto taken =
      transaction ? session_.transactions().keep(*transaction, std::move(*draft), shard.config())
                  : broker.commit({&*draft, 1}, {});
  if (!taken) {
    refuse(frame, taken.error());
    return;
  }
  shard.figures().messages_received.fetch_add(1, std::memory_order_relaxed);
  session_.acknowledge(std::string(frame.get("receipt")));
}

bool SessionBroker::has_subscription(std::string_view id) const {
  const Seats& seats = session_.subscriptions_;
  return seats.find([&](const Hub::Seat& seat) {
    return seat.group->variant().subscription_id == id;
  }) < seats.size();
}

std::optional<Acknowledgement> SessionBroker::find(
    const stomp::Frame& frame, std::uint64_t number,
    const std::optional<std::string_view>& subscription) {
  for (const Consumer& consumer : consumers_) {
    const Hub::Seat seat = session_.subscriptions_[consumer.subscription];
    if (consumer.mode == AckMode::automatic ||
        (subscription && seat.group->variant().subscription_id != *subscription) ||
        !session_.shard_.services().broker.holds(consumer.id, number)) {
      continue;
    }
    return Acknowledgement{
        consumer.id, number, consumer.mode == AckMode::client,
        frame.command == stomp::Command::ack ? Settlement::accepted : Settlement::refused};
  }
  return std::nullopt;
}

void SessionBroker::on_acknowledge(const stomp::Frame& frame) {
  const stomp::Version version = session_.parser_.version();
  const auto id = frame.find(version == stomp::Version::v1_2 ? "id" : "message-id");
  // 1.1 asks for both; in 1.0 `subscription` is no header of ACK, in 1.2 the id says it.
  const auto subscription =
      version == stomp::Version::v1_1 ? frame.find("subscription") : std::nullopt;
  if (!id || (version == stomp::Version::v1_1 && !subscription)) {
    constexpr std::array<std::string_view, 3> kNeeded{
        "the header message-id", "the headers message-id and subscription", "the header id"};
    session_.fail({ErrorCode::invalid_message_format,
                   fmt::format("{} needs {}", stomp::to_string(frame.command),
                               kNeeded[static_cast<std::size_t>(version)])},
                  frame.get("receipt"), websocket::kCloseProtocolError);
    return;
  }
  const auto transaction = frame.find("transaction");
  if (transaction) {
    if (const auto joins = session_.transactions().check(*transaction); !joins) {
      refuse(frame, joins.error());
      return;
    }
  }
  if (subscription && !has_subscription(*subscription)) {
    refuse(frame, {ErrorCode::invalid_parameter, "this session has no subscription of that id"});
    return;
  }
  if (id->starts_with(kTopicIdPrefix) || id->starts_with(kUserIdPrefix)) {
    session_.acknowledge(std::string(frame.get("receipt")));  // nothing hangs on it
    return;
  }
  std::optional<Acknowledgement> found;
  if (id->starts_with(kQueueIdPrefix)) {
    const std::string_view digits = id->substr(kQueueIdPrefix.size());
    std::uint64_t number = 0;
    const auto [end, problem] =
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (problem == std::errc{} && end == digits.data() + digits.size()) {
      found = find(frame, number, subscription);
    }
  }
  if (!found) {
    refuse(frame, {ErrorCode::invalid_parameter, "no message of that id waits for ACK or NACK"});
    return;
  }
  if (!transaction) {
    // No message, no bound, and it is held: this cannot fail.
    std::ignore = session_.shard_.services().broker.commit({}, {&*found, 1});
  } else if (const auto kept =
                 session_.transactions().keep(*transaction, *found, session_.shard_.config());
             !kept) {
    refuse(frame, kept.error());
    return;
  }
  session_.acknowledge(std::string(frame.get("receipt")));
}

Result<void> SessionBroker::take_part(const SubscribeRequest& request, std::uint32_t subscription) {
  Shard& shard = session_.shard_;
  const std::string& name = request.destination.name;
  if (request.destination.kind == Destination::Kind::pattern &&
      shard.hub().patterns() >= shard.config().broker_patterns_max &&
      !shard.hub().has_pattern(name)) {
    return {ErrorCode::server_overload, "there are too many wildcard subscriptions"};
  }
  if (request.destination.kind != Destination::Kind::queue) return {};
  const auto consumer = shard.services().broker.consume(name, shard.index(), session_.handle_);
  if (!consumer) return consumer.error();
  consumers_.push_back({*consumer, subscription, request.ack});
  return {};
}

void SessionBroker::leave(std::uint32_t subscription) {
  const auto found = std::find_if(consumers_.begin(), consumers_.end(), [&](const Consumer& each) {
    return each.subscription == subscription;
  });
  if (found == consumers_.end()) return;
  session_.shard_.services().broker.leave(found->id);
  consumers_.erase(found);
}

void SessionBroker::deliver(const Mail& mail) {
  BrokerFrames frames(*mail.message);
  if (mail.message->kind == Destination::Kind::user) {
    if (mail.message->session != id_) return;  // that one is gone, or was guessed
    for (std::uint32_t i = 0; i < session_.subscriptions_.size(); ++i) {
      const Group* const group = session_.subscriptions_[i].group;
      if (group == nullptr || group->topic().key().name != mail.message->destination) continue;
      session_.send(frames.whole(*group, false));
    }
    return;
  }
  const auto consumer =
      std::find_if(consumers_.begin(), consumers_.end(),
                   [&](const Consumer& each) { return each.id == mail.consumer; });
  if (consumer == consumers_.end()) return;  // it left meanwhile, and the message went back
  const Hub::Seat seat = session_.subscriptions_[consumer->subscription];
  session_.send(frames.whole(*seat.group, mail.redelivered));
  if (consumer->mode != AckMode::automatic) return;
  consumer->sent = mail.message->number;
  if (session_.output_.queued_bytes() < kQueuedBytesMax) settle_sent(*consumer);
}

void SessionBroker::settle_sent(Consumer& consumer) {
  const std::uint64_t number = std::exchange(consumer.sent, 0);
  if (number == 0) return;
  const Acknowledgement all{consumer.id, number, true, Settlement::accepted};
  std::ignore = session_.shard_.services().broker.commit({}, {&all, 1});
}

void SessionBroker::on_drained() {
  for (Consumer& consumer : consumers_) settle_sent(consumer);
}

}  // namespace rtc::server
