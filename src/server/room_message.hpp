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

// One object serves the messages of a loop one after another: its memory is made once.
class RoomMessage {
 public:
  // What the messages of a loop have in common.
  struct Context {
    std::string_view epoch;       // of stored messages
    std::string_view live_epoch;  // of those of rooms without history
    SharedDeflate deflate;
  };

  explicit RoomMessage(const Context& context) : context_(context) {}

  // From now on it is `message`, which outlives that.
  void begin(const chat::Message& message);

  // Appends the frame without its tail, framed for the group's transport. The group is of the
  // message's room.
  void append_head(std::string& out, Group& group);
  // Good until the next begin().
  std::string_view tail(const Variant& variant);
  // The same for who keeps it.
  const net::Bytes& shared_tail(const Variant& variant) { return framed(variant).bytes; }

 private:
  websocket::Deflate deflate_of(const Variant& variant) const;
  // Whether the tail is the body with its NUL, and nothing else.
  bool is_plain(const Variant& variant) const;
  FramedTail& framed(const Variant& variant);

  Context context_;
  const chat::Message* message_ = nullptr;
  std::string id_;
  std::string body_;  // and NUL
  std::string head_;
  std::array<std::array<FramedTail, websocket::kDeflates>, kFramings> tails_;  // by framing
  bool any_tail_ = false;
};

}  // namespace rtc::server
