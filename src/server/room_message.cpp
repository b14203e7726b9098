#include "server/room_message.hpp"

#include "server/envelope.hpp"
#include "stomp/writer.hpp"

namespace rtc::server {
namespace {

// A head is seldom longer; then its memory grows.
constexpr std::size_t kHeadBytes = 320;

}  // namespace

RoomMessage::RoomMessage(const chat::Message& message, const Context& context)
    : context_(context),
      epoch_(message.live ? context.live_epoch : context.epoch),
      id_(std::to_string(message.id)),
      message_id_(message.room.to_string() + "-" + id_),
      body_(message_json(message)) {}

void RoomMessage::append_head(std::string& out, const Group& group) {
  const Variant& variant = group.variant();
  std::string head;
  head.reserve(kHeadBytes);
  stomp::Writer writer(head, stomp::Command::message, variant.version);
  if (!variant.subscription_id.empty()) writer.header("subscription", variant.subscription_id);
  writer.header("destination", group.topic().destination())
      .header("message-id", message_id_)
      .header("content-type", "application/json")
      .header("id", id_)
      .header("epoch", epoch_)
      .end_headers(body_.size());
  const FramedTail& tail = tail_of(variant);
  append_framed_head(out, variant.framing, head, tail.bytes.size(), tail.compressed);
}

FramedTail& RoomMessage::tail_of(const Variant& variant) {
  const auto deflate = context_.deflate.of(body_.size(), variant.deflate);
  FramedTail& tail =
      tails_[static_cast<std::size_t>(variant.framing)][static_cast<std::size_t>(deflate)];
  if (tail.bytes.size() == 0) {
    tail = context_.deflate.tail(framed_tail(variant.framing, body_), deflate);
  }
  return tail;
}

}  // namespace rtc::server
