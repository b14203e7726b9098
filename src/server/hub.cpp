#include "server/hub.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/grow_gently.hpp"
#include "server/session.hpp"
#include "stomp/writer.hpp"

namespace rtc::server {
namespace {

constexpr std::string_view kText = "text/plain";
constexpr std::string_view kJson = "application/json";
// A buffer that once held a burst is not kept at that size.
constexpr std::size_t kPendingKeptMax = 64 << 10;

// From this size on a body is one segment shared by all groups, instead of a copy in each: so many
// groups (every subscriber may choose an id of his own) do not multiply a long message.
constexpr std::size_t kSharedTailMin = 1024;

}  // namespace

Hub::Hub(Epochs epochs, websocket::Deflater& deflater, std::size_t deflate_bytes_min)
    : epochs_(std::move(epochs)),
      context_{epochs_.stored, epochs_.live, {deflater, deflate_bytes_min}} {
  entry_.key_.kind = Destination::Kind::entry;
  errors_.key_.kind = Destination::Kind::errors;
  for (Topic* const topic : {&entry_, &errors_}) topic->destination_ = to_string(topic->key_);
}
Hub::~Hub() = default;

// Of the kinds that a UUID names; else null.
Hub::Topics* Hub::topics_of(Destination::Kind kind) {
  switch (kind) {
    case Destination::Kind::room:
      return &rooms_;
    case Destination::Kind::presence:
      return &presence_;
    case Destination::Kind::rooms:
      return &callers_;
    default:
      return nullptr;
  }
}

Topic& Hub::topic_of(const Destination& destination) {
  using Kind = Destination::Kind;
  if (destination.kind == Kind::entry) return entry_;
  if (destination.kind == Kind::errors) return errors_;
  Topics* const topics = topics_of(destination.kind);
  auto& topic = topics != nullptr
                    ? (*topics)[destination.room]
                    : (destination.kind == Kind::pattern ? patterns_ : named_)[destination.name];
  if (topic == nullptr) {
    topic = std::make_unique<Topic>();
    topic->key_ = destination;
    topic->destination_ = to_string(destination);
  }
  return *topic;
}

Group& Hub::group_of(const Destination& destination, const Variant& variant) {
  Topic& topic = topic_of(destination);
  auto& group = topic.groups_[variant];
  if (group == nullptr) {
    group = std::make_unique<Group>();
    group->topic_ = &topic;
    group->variant_ = variant;
  }
  return *group;
}

std::uint32_t Hub::add_member(Group& group, const Group::Member& member) {
  hand_out(group);  // what came before is not for the newcomer
  grow_gently(group.sessions_);
  grow_gently(group.subscriptions_);
  group.sessions_.push_back(member.session);
  group.subscriptions_.push_back(member.subscription);
  return static_cast<std::uint32_t>(group.sessions_.size() - 1);
}

Hub::Seat Hub::join(const Destination& destination, const Variant& variant, Session& session,
                    std::uint32_t subscription) {
  Group& group = group_of(destination, variant);
  return {&group, add_member(group, {&session, subscription})};
}

Hub::Seat Hub::hold(const Destination& destination, const Variant& variant, Session& session,
                    std::uint32_t subscription) {
  Group& group = group_of(destination, variant);
  ++group.held_;
  group.topic_->held_.push_back({{&session, subscription}, &group, false, 0});
  return {&group, kHeld};
}

std::vector<Topic::Held>::iterator Hub::find_held(const Group& group, const Session& session,
                                                  std::uint32_t subscription) {
  auto& held = group.topic_->held_;
  return std::find_if(held.begin(), held.end(), [&](const Topic::Held& each) {
    return each.member.session == &session && each.member.subscription == subscription;
  });
}

bool Hub::catch_up(const Seat& seat, const Session& session, std::uint32_t subscription,
                   MessageId last, std::size_t bytes_max) {
  Group& group = *seat.group;
  Topic& topic = *group.topic_;
  const auto held = find_held(group, session, subscription);
  if (topic.recent_ == nullptr || topic.recent_->back().message().id <= last) {
    // It hears the first one that is newer; what it has may still be on its way to this loop.
    held->ready = true;
    held->last = last;
    return true;
  }
  if (topic.recent_->front().message().id > last + 1) return false;
  std::vector<net::Bytes> missed;
  std::size_t bytes = 0;
  for (const Topic::Recent& recent : *topic.recent_) {
    if (recent.message().id <= last) continue;
    missed.push_back(net::Bytes::copy(encode(group, recent.message())));
    bytes += missed.back().size();
    if (bytes > bytes_max) return false;
  }
  const Group::Member member = held->member;
  topic.held_.erase(held);
  --group.held_;
  const std::uint32_t index = add_member(group, member);
  for (const net::Bytes& each : missed) member.session->send(each);
  member.session->seat_moved(member.subscription, index);
  return true;
}

// Before a message is encoded: those who have everything older take their seats, and it is kept for
// those who have not.
void Hub::seat_ready(Topic& topic, const chat::MessageBatch& batch, std::size_t index) {
  const MessageId id = (*batch)[index].id;
  bool catching_up = false;
  for (std::size_t i = 0; i < topic.held_.size();) {
    const Topic::Held held = topic.held_[i];
    if (!held.ready || held.last >= id) {
      catching_up = catching_up || !held.ready;
      ++i;
      continue;
    }
    topic.held_[i] = topic.held_.back();
    topic.held_.pop_back();
    --held.group->held_;
    held.member.session->seat_moved(held.member.subscription, add_member(*held.group, held.member));
  }
  if (!catching_up) {
    topic.recent_.reset();
    return;
  }
  if (topic.recent_ == nullptr) topic.recent_ = std::make_unique<std::deque<Topic::Recent>>();
  topic.recent_->push_back({batch, index});
  if (topic.recent_->size() > kRecentMax) topic.recent_->pop_front();
}

void Hub::leave(const Seat& seat, const Session& session, std::uint32_t subscription) {
  Group& group = *seat.group;
  if (seat.index == kHeld) {
    group.topic_->held_.erase(find_held(group, session, subscription));
    --group.held_;
    erase_if_empty(group);
    return;
  }
  hand_out(group);  // what came before is still for the leaver
  const Group::Member last{group.sessions_.back(), group.subscriptions_.back()};
  group.sessions_.pop_back();
  group.subscriptions_.pop_back();
  if (seat.index < group.sessions_.size()) {
    group.sessions_[seat.index] = last.session;
    group.subscriptions_[seat.index] = last.subscription;
    last.session->seat_moved(last.subscription, seat.index);
  }
  erase_if_empty(group);
}

void Hub::erase_if_empty(Group& group) {
  if (!group.sessions_.empty() || group.held_ > 0) return;
  Topic& topic = *group.topic_;
  topic.groups_.erase(Variant(group.variant_));
  if (!topic.groups_.empty()) return;
  const Destination key = topic.key_;
  if (Topics* const topics = topics_of(key.kind)) topics->erase(key.room);
  if (key.name.empty()) return;
  (key.kind == Destination::Kind::pattern ? patterns_ : named_).erase(key.name);
}

std::string Hub::encode(const Group& group, std::string_view message_id,
                        std::string_view content_type, std::span<const stomp::Header> more_headers,
                        std::string_view body) {
  std::string frame;
  stomp::Writer writer(frame, stomp::Command::message, group.variant_.version);
  if (!group.variant_.subscription_id.empty()) {
    writer.header("subscription", group.variant_.subscription_id);
  }
  writer.header("destination", group.topic_->destination_)
      .header("message-id", message_id)
      .header("content-type", content_type);
  for (const auto& [name, value] : more_headers) writer.header(name, value);
  writer.end(body);
  std::string framed;
  append_framed(framed, group.variant_.framing, frame);
  return framed;
}

std::string Hub::encode(Group& group, const chat::Message& message) const {
  RoomMessage whole(context_);
  whole.begin(message);
  std::string frame;
  whole.append_head(frame, group);
  return frame.append(whole.tail(group.variant()));
}

void Hub::mark_dirty(Group& group) {
  deliveries_ += group.sessions_.size();
  ++group.messages_;
  if (!group.pending_.empty() || !group.sealed_.empty()) return;
  group.dirty_index_ = dirty_.size();
  dirty_.push_back(&group);
}

template <class Frames>
void Hub::append(Group& group, Frames& message) {
  if (group.sessions_.empty()) return;
  mark_dirty(group);
  const std::size_t before = group.pending_.size();
  message.append_head(group.pending_, group);
  const std::string_view tail = message.tail(group.variant_);
  if (tail.size() < kSharedTailMin) {
    group.pending_ += tail;
    pending_bytes_ += group.pending_.size() - before;
  } else {
    pending_bytes_ += group.pending_.size() - before;
    seal(group);
    group.sealed_.push_back(message.shared_tail(group.variant_));
  }
}

void Hub::deliver(const chat::MessageBatch& batch, std::size_t index) {
  const chat::Message& message = (*batch)[index];
  const auto found = rooms_.find(message.room);
  if (found == rooms_.end()) return;
  Topic& topic = *found->second;
  if (!topic.held_.empty() || topic.recent_ != nullptr) seat_ready(topic, batch, index);
  room_message_.begin(message);
  for (auto& [variant, group] : topic.groups_) append(*group, room_message_);
  pending_bytes_ += message.text.size();
}

void Hub::deliver(const BrokerMessage& message) {
  BrokerFrames frames(message, &context_.deflate);
  const auto to_all = [&](Topic& topic) {
    for (auto& [variant, group] : topic.groups_) append(*group, frames);
    pending_bytes_ += message.body.size();
  };
  const auto found = named_.find(message.destination);
  if (found != named_.end()) to_all(*found->second);
  for (const auto& [name, topic] : patterns_) {
    if (matches(name, message.destination)) to_all(*topic);
  }
}

void Hub::deliver_count(std::uint64_t count) {
  const std::string message_id = "entry-" + std::to_string(++counts_sent_);
  const std::string body = std::to_string(count);
  for (auto& [variant, group] : entry_.groups_) {
    if (group->sessions_.empty()) continue;
    mark_dirty(*group);
    group->pending_ += encode(*group, message_id, kText, {}, body);
  }
}

void Hub::deliver(const News& news) {
  const Topics& topics = *topics_of(news.kind);
  const auto found = topics.find(news.key);
  if (found == topics.end()) return;
  const bool presence = news.kind == Destination::Kind::presence;
  const std::string message_id =
      (presence ? "presence-" : "rooms-") + std::to_string(++counts_sent_);
  for (auto& [variant, group] : found->second->groups_) {
    mark_dirty(*group);
    const std::string bytes = encode(*group, message_id, kJson, {}, news.body);
    if (presence) presence_bytes_ += bytes.size() * group->sessions_.size();
    pending_bytes_ += bytes.size();
    group->pending_ += bytes;
  }
}

void Hub::seal(Group& group) {
  if (group.pending_.empty()) return;
  group.sealed_.push_back(net::Bytes::copy(group.pending_));
  if (group.pending_.capacity() > kPendingKeptMax) {
    std::string().swap(group.pending_);
  } else {
    group.pending_.clear();
  }
}

void Hub::hand_out(Group& group) {
  seal(group);
  if (group.sealed_.empty()) return;
  dirty_.back()->dirty_index_ = group.dirty_index_;
  std::swap(dirty_[group.dirty_index_], dirty_.back());
  dirty_.pop_back();
  handed_out_.add(std::exchange(group.messages_, 0), group.sessions_.size());
  for (Session* const session : group.sessions_) {
    for (const net::Bytes& bytes : group.sealed_) session->send(bytes);
  }
  group.sealed_.clear();
}

void Hub::flush() {
  pending_bytes_ = 0;
  while (!dirty_.empty()) hand_out(*dirty_.back());
}

}  // namespace rtc::server
