// A message of the broker (docs/wire.md, "Broker destinations"), and its MESSAGE frames.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/bytes.hpp"
#include "server/framing.hpp"
#include "server/topic.hpp"
#include "stomp/frame.hpp"

namespace rtc::server {

// Counts bytes in a total for as long as it lives. Any thread.
class BytesHeld {
 public:
  BytesHeld(std::atomic<std::uint64_t>& total, std::uint64_t bytes) : total_(total), bytes_(bytes) {
    total_.fetch_add(bytes_, std::memory_order_relaxed);
  }
  ~BytesHeld() { total_.fetch_sub(bytes_, std::memory_order_relaxed); }
  BytesHeld(const BytesHeld&) = delete;
  BytesHeld& operator=(const BytesHeld&) = delete;
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::atomic<std::uint64_t>& total_;
  std::uint64_t bytes_;
};

// Of message ids, by what they were sent to; a number follows.
inline constexpr std::string_view kTopicIdPrefix = "topic-";
inline constexpr std::string_view kQueueIdPrefix = "queue-";
inline constexpr std::string_view kUserIdPrefix = "user-";

struct BrokerMessage {
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // A SEND to `target`; what of its headers a subscriber may see is copied. `total` outlives it.
  BrokerMessage(const BrokerTarget& target, const stomp::Frame& frame, std::string sender_id,
                std::atomic<std::uint64_t>& total);

  std::string id() const;  // message-id

  Destination::Kind kind;   // topic, queue or user
  std::string destination;  // as MESSAGE has it
  std::string session;      // user: for whom
  std::string sender;       // the identity's id
  Headers headers;
  std::string body;
  bool binary;               // no text: goes in a binary WebSocket message
  std::uint64_t number = 0;  // in the order in which the broker took them
  BytesHeld held;
};
// Until the broker takes it, and then shared by all who get it.
using BrokerDraft = std::unique_ptr<BrokerMessage>;
using BrokerMessagePtr = std::shared_ptr<const BrokerMessage>;

// Its frames on one loop: a head of the group's own and a tail that all of one framing, version and
// compression share. The loop's thread only.
class BrokerFrames {
 public:
  // `message` outlives it, and `deflate`, without which nothing is compressed.
  explicit BrokerFrames(const BrokerMessage& message, const SharedDeflate* deflate = nullptr)
      : message_(message), deflate_(deflate), id_(message.id()) {}

  // Appends the frame without its tail, framed for the group's transport.
  void append_head(std::string& out, const Group& group, bool redelivered = false);
  std::string_view tail(const Variant& variant) { return tail_of(variant).bytes.view(); }
  // The same for who keeps it.
  const net::Bytes& shared_tail(const Variant& variant) { return tail_of(variant).bytes; }
  // A whole frame.
  net::Bytes whole(const Group& group, bool redelivered);

 private:
  static constexpr std::size_t kVersions = 3;
  using Tails = std::array<FramedTail, websocket::kDeflates>;

  const FramedTail& tail_of(const Variant& variant);

  const BrokerMessage& message_;
  const SharedDeflate* deflate_;
  std::string id_;
  std::array<std::array<Tails, kVersions>, kFramings> tails_;
};

}  // namespace rtc::server
