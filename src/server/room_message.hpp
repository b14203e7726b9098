// A room's message as MESSAGE frames: what all its subscribers share is made once. A frame is a
// head of the group's own and a tail common to all groups of one framing and compression: a message
// is compressed at most once a framing, whatever number of subscribers. The loop's thread only.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "chat/message.hpp"
#include "net/bytes.hpp"
#include "server/topic.hpp"
#include "websocket/deflate.hpp"

namespace rtc::server {

class RoomMessage {
 public:
  // What the messages of a loop have in common.
  struct Context {
    std::string_view epoch;       // of stored messages
    std::string_view live_epoch;  // of those of rooms without history
    SharedDeflate deflate;
  };

  // `context` outlives it.
  RoomMessage(const chat::Message& message, const Context& context);

  // Appends the frame without its tail, framed for the group's transport.
  void append_head(std::string& out, const Group& group);
  const net::Bytes& tail(const Variant& variant) { return tail_of(variant).bytes; }

 private:
  FramedTail& tail_of(const Variant& variant);

  const Context& context_;
  std::string_view epoch_;
  std::string id_;
  std::string message_id_;
  std::string body_;
  std::array<std::array<FramedTail, websocket::kDeflates>, kFramings> tails_;  // by framing
};

}  // namespace rtc::server
