// A room's message as MESSAGE frames: what all its subscribers share is made once. A frame is a
// head of the group's own and a tail common to all groups of one framing. The loop's thread only.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "chat/message.hpp"
#include "net/bytes.hpp"
#include "server/topic.hpp"

namespace rtc::server {

class RoomMessage {
 public:
  // `epoch` outlives it.
  RoomMessage(const chat::Message& message, std::string_view epoch);

  // Appends the frame without its tail, framed for the group's transport.
  void append_head(std::string& out, const Group& group);
  const net::Bytes& tail(Framing framing);

 private:
  std::string id_;
  std::string message_id_;
  std::string body_;
  std::string_view epoch_;
  std::array<net::Bytes, kFramings> tails_;  // by framing, made when first asked for
};

}  // namespace rtc::server
