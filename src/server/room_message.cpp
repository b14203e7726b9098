#include "server/room_message.hpp"

#include <utility>

#include "server/envelope.hpp"
#include "stomp/writer.hpp"

namespace rtc::server {
namespace {

// Memory that a long message took is not kept.
constexpr std::size_t kBodyKeptMax = 16 << 10;

// Up to the number in the message-id. The same for all messages of a room: its group keeps it.
std::string begin_of_heads(const Group& group, const chat::Message& message,
                           std::string_view epoch) {
  const Variant& variant = group.variant();
  std::string head;
  stomp::Writer writer(head, stomp::Command::message, variant.version);
  if (!variant.subscription_id.empty()) writer.header("subscription", variant.subscription_id);
  writer.header("destination", group.topic().destination())
      .header("content-type", "application/json")
      .header("epoch", epoch);
  message.room.append_to(head.append("message-id:"));
  head += '-';
  return head;
}

}  // namespace

void RoomMessage::begin(const chat::Message& message) {
  message_ = &message;
  id_ = std::to_string(message.id);
  if (body_.capacity() > kBodyKeptMax) std::string().swap(body_);
  body_.clear();
  append_message_json(body_, message);
  body_.push_back('\0');
  if (std::exchange(any_tail_, false)) tails_ = {};
}

void RoomMessage::append_head(std::string& out, Group& group) {
  std::string& begin = group.begin_of_heads();
  if (begin.empty()) {
    begin = begin_of_heads(group, *message_, message_->live ? context_.live_epoch : context_.epoch);
  }
  head_.assign(begin).append(id_).append("\nid:").append(id_);
  head_.append("\ncontent-length:").append(std::to_string(body_.size() - 1)).append("\n\n");
  const Variant& variant = group.variant();
  if (is_plain(variant)) {
    append_framed_head(out, variant.framing, head_, body_.size());
  } else {
    const FramedTail& tail = framed(variant);
    append_framed_head(out, variant.framing, head_, tail.bytes.size(), tail.compressed);
  }
}

std::string_view RoomMessage::tail(const Variant& variant) {
  return is_plain(variant) ? body_ : framed(variant).bytes.view();
}

websocket::Deflate RoomMessage::deflate_of(const Variant& variant) const {
  return context_.deflate.of(body_.size() - 1, variant.deflate);
}

bool RoomMessage::is_plain(const Variant& variant) const {
  return (variant.framing == Framing::websocket || variant.framing == Framing::bare) &&
         deflate_of(variant) == websocket::Deflate::off;
}

FramedTail& RoomMessage::framed(const Variant& variant) {
  const auto deflate = deflate_of(variant);
  FramedTail& tail =
      tails_[static_cast<std::size_t>(variant.framing)][static_cast<std::size_t>(deflate)];
  if (tail.bytes.size() == 0) {
    const std::string_view body = std::string_view(body_).substr(0, body_.size() - 1);
    tail = context_.deflate.tail(framed_tail(variant.framing, body), deflate);
    any_tail_ = true;
  }
  return tail;
}

}  // namespace rtc::server
