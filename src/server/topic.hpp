// What the hub keeps of one destination: its subscribers, in groups that get the same bytes. Only
// the hub changes these; the loop's thread only.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "chat/message.hpp"
#include "chat/relay.hpp"
#include "net/bytes.hpp"
#include "server/destinations.hpp"
#include "server/framing.hpp"
#include "stomp/frame.hpp"
#include "websocket/deflate.hpp"

namespace rtc::server {

class Session;
class Topic;

// What makes two subscribers' bytes the same.
struct Variant {
  std::string subscription_id;  // "" only in STOMP 1.0: no `subscription` header
  stomp::Version version = stomp::Version::v1_2;
  Framing framing = Framing::websocket;
  websocket::Deflate deflate = websocket::Deflate::off;
  bool acks = false;  // MESSAGEs of the broker say what to acknowledge

  bool operator==(const Variant&) const = default;
};

// The subscribers of one topic that get the same bytes.
class Group {
 public:
  struct Member {
    Session* session;
    std::uint32_t subscription;  // its index in the session
  };

  const Topic& topic() const { return *topic_; }
  const Variant& variant() const { return variant_; }
  // What the heads of its room's messages have in common; empty until the first. RoomMessage's.
  std::string& begin_of_heads() { return begin_of_heads_; }

 private:
  friend class Hub;
  friend class Topic;

  Topic* topic_ = nullptr;
  Variant variant_;
  // The members: two lists, because a delivery reads the sessions alone.
  std::vector<Session*> sessions_;
  std::vector<std::uint32_t> subscriptions_;
  std::uint32_t held_ = 0;  // seats held in it
  // Whole frames, to be handed out at the turn's end: first the sealed segments, then the rest.
  std::vector<net::Bytes> sealed_;
  std::string pending_;
  std::string begin_of_heads_;
  std::uint32_t messages_ = 0;   // in these
  std::size_t dirty_index_ = 0;  // in the hub's list, while there is something to hand out
};

class Topic {
 public:
  const Destination& key() const { return key_; }
  const std::string& destination() const { return destination_; }

 private:
  friend class Hub;
  struct VariantHash {
    std::size_t operator()(const Variant& variant) const {
      return std::hash<std::string>{}(variant.subscription_id) * 31 +
             static_cast<std::size_t>(variant.version) * kFramings +
             static_cast<std::size_t>(variant.framing) +
             static_cast<std::size_t>(variant.deflate) * 101 + (variant.acks ? 1009 : 0);
    }
  };

  // A session that is being told what it missed.
  struct Held {
    Group::Member member;
    Group* group;
    bool ready;  // it has everything up to `last`, and nothing newer was delivered here
    MessageId last;
  };
  // A message delivered while somebody was catching up.
  struct Recent {
    chat::MessageBatch batch;
    std::size_t index;
    const chat::Message& message() const { return (*batch)[index]; }
  };

  Destination key_;
  std::string destination_;
  std::unordered_map<Variant, std::unique_ptr<Group>, VariantHash> groups_;
  std::vector<Held> held_;
  std::unique_ptr<std::deque<Recent>> recent_;  // null while nobody catches up
};

}  // namespace rtc::server
