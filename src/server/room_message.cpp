#include "server/room_message.hpp"

#include "server/envelope.hpp"
#include "stomp/writer.hpp"

namespace rtc::server {

RoomMessage::RoomMessage(const chat::Message& message, std::string_view epoch)
    : id_(std::to_string(message.id)),
      message_id_(message.room.to_string() + "-" + id_),
      body_(message_json(message)),
      epoch_(epoch) {}

void RoomMessage::append_head(std::string& out, const Group& group) {
  const Variant& variant = group.variant();
  std::string head;
  stomp::Writer writer(head, stomp::Command::message, variant.version);
  if (!variant.subscription_id.empty()) writer.header("subscription", variant.subscription_id);
  writer.header("destination", group.topic().destination())
      .header("message-id", message_id_)
      .header("content-type", "application/json")
      .header("id", id_)
      .header("epoch", epoch_)
      .end_headers(body_.size());
  append_framed_head(out, variant.framing, head, tail(variant.framing).size());
}

const net::Bytes& RoomMessage::tail(Framing framing) {
  net::Bytes& tail = tails_[static_cast<std::size_t>(framing)];
  if (tail.size() == 0) tail = net::Bytes::copy(framed_tail(framing, body_));
  return tail;
}

}  // namespace rtc::server
