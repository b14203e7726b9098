#include "server/hub.hpp"

#include <utility>

#include "server/envelope.hpp"
#include "server/session.hpp"
#include "stomp/writer.hpp"

namespace rtc::server {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kText = "text/plain";
// A buffer that once held a burst is not kept at that size.
constexpr std::size_t kPendingKeptMax = 64 << 10;

}  // namespace

Hub::Hub() {
  entry_.key_.kind = Destination::Kind::entry;
  entry_.destination_ = kEntryDestination;
  errors_.key_.kind = Destination::Kind::errors;
  errors_.destination_ = kErrorsDestination;
}
Hub::~Hub() = default;

Topic& Hub::topic_of(const Destination& destination) {
  switch (destination.kind) {
    case Destination::Kind::entry:
      return entry_;
    case Destination::Kind::errors:
      return errors_;
    case Destination::Kind::room:
      break;
  }
  auto& topic = rooms_[destination.room];
  if (topic == nullptr) {
    topic = std::make_unique<Topic>();
    topic->key_ = destination;
    topic->destination_ = std::string(kRoomPrefix) + destination.room.to_string();
  }
  return *topic;
}

Hub::Seat Hub::join(const Destination& destination, const Variant& variant, Session& session,
                    std::uint32_t subscription) {
  Topic& topic = topic_of(destination);
  auto& group = topic.groups_[variant];
  if (group == nullptr) {
    group = std::make_unique<Group>();
    group->topic_ = &topic;
    group->variant_ = variant;
  }
  hand_out(*group);  // what came before is not for the newcomer
  group->members_.push_back({&session, subscription});
  return {group.get(), static_cast<std::uint32_t>(group->members_.size() - 1)};
}

void Hub::leave(const Seat& seat) {
  Group& group = *seat.group;
  hand_out(group);  // what came before is still for the leaver
  const Group::Member last = group.members_.back();
  group.members_.pop_back();
  if (seat.index < group.members_.size()) {
    group.members_[seat.index] = last;
    last.session->seat_moved(last.subscription, seat.index);
    return;
  }
  if (!group.members_.empty()) return;
  Topic& topic = *group.topic_;
  topic.groups_.erase(Variant(group.variant_));
  if (topic.groups_.empty() && topic.key_.kind == Destination::Kind::room) {
    rooms_.erase(RoomId(topic.key_.room));
  }
}

std::string Hub::encode(const Group& group, std::string_view message_id,
                        std::string_view content_type, std::string_view extra_name,
                        std::string_view extra_value, std::string_view body) {
  std::string frame;
  stomp::Writer writer(frame, stomp::Command::message, group.variant_.version);
  if (!group.variant_.subscription_id.empty()) {
    writer.header("subscription", group.variant_.subscription_id);
  }
  writer.header("destination", group.topic_->destination_)
      .header("message-id", message_id)
      .header("content-type", content_type);
  if (!extra_name.empty()) writer.header(extra_name, extra_value);
  writer.end(body);
  std::string framed;
  append_framed(framed, group.variant_.framing, frame);
  return framed;
}

void Hub::encode_for_all(Topic& topic, std::string_view message_id, std::string_view content_type,
                         std::string_view body) {
  for (auto& [variant, group] : topic.groups_) {
    if (group->pending_.empty()) {
      group->dirty_index_ = dirty_.size();
      dirty_.push_back(group.get());
    }
    group->pending_ += encode(*group, message_id, content_type, "", "", body);
    deliveries_ += group->members_.size();
  }
}

void Hub::deliver(const chat::Message& message) {
  const auto found = rooms_.find(message.room);
  if (found == rooms_.end()) return;
  const std::string message_id = message.room.to_string() + "-" + std::to_string(message.id);
  encode_for_all(*found->second, message_id, kJson, message_json(message));
}

void Hub::deliver_count(std::uint64_t count) {
  const std::string message_id = "entry-" + std::to_string(++counts_sent_);
  encode_for_all(entry_, message_id, kText, std::to_string(count));
}

void Hub::hand_out(Group& group) {
  if (group.pending_.empty()) return;
  dirty_.back()->dirty_index_ = group.dirty_index_;
  std::swap(dirty_[group.dirty_index_], dirty_.back());
  dirty_.pop_back();
  const net::Bytes bytes = net::Bytes::copy(group.pending_);
  if (group.pending_.capacity() > kPendingKeptMax) {
    std::string().swap(group.pending_);
  } else {
    group.pending_.clear();
  }
  for (const Group::Member& member : group.members_) member.session->send(bytes);
}

void Hub::flush() {
  while (!dirty_.empty()) hand_out(*dirty_.back());
}

}  // namespace rtc::server
