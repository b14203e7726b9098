// The port to other nodes: what one node has committed, all nodes deliver. Adapters:
// relay/local_relay (one node), relay/redis_relay and relay/kafka_relay (several); one contract
// suite holds for all.
//
// A relay may lose messages, and between nodes repeat and reorder them: chat/room_order, behind it
// where there are several nodes, mends that by the ids and the store. It never invents one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "chat/message.hpp"

namespace rtc::chat {

using MessageBatch = std::shared_ptr<const std::vector<Message>>;

// For all sessions of a person, on whatever node: told beside messages, and stored nowhere.
struct UserNews {
  UserId whom;
  std::string body;  // JSON
};

// Of a relay to other nodes. News count as messages.
struct RelayFigures {
  bool connected = false;           // messages go out and come in
  std::uint64_t published = 0;      // messages taken by what carries them
  std::uint64_t dropped = 0;        // not: too many waited, or they were refused
  std::uint64_t received = 0;       // of other nodes
  std::uint64_t refused = 0;        // payloads that were forged, broken or of another version
  std::uint64_t reconnects = 0;     // connections made after the first
  std::uint64_t waiting_bytes = 0;  // to be taken, about
  std::uint64_t unread_bytes = 0;   // that came and were not looked at, about
};

class Relay {
 public:
  // Called on the thread of a publish() or on one of the relay's, several at a time; must not
  // block. One publish() is told whole before the next of the same thread.
  using OnMessages = std::function<void(const MessageBatch&)>;
  // Called on a thread of the relay's; must not block. From now on that room's messages come, but
  // some before may not have: the store knows.
  using OnDoubt = std::function<void(const RoomId&)>;

  virtual ~Relay() = default;

  // Once, before the first publish().
  virtual void start(OnMessages on_messages, OnDoubt on_doubt) = 0;
  // Committed messages, of a room in the order of ids. Never waits. This node's own on_messages
  // gets them too, before it returns. One thread at a time.
  virtual void publish(const MessageBatch& batch) = 0;
  // Nothing is called any more once it has returned. What was published is given a moment to go.
  virtual void stop() {}

  // Other nodes' messages of a room are wanted, as often as follow() was called more than
  // unfollow(). Any thread, without waiting; on_doubt says when it is so, and again whenever it was
  // not for a while.
  virtual void follow(const RoomId& /*room*/) {}
  virtual void unfollow(const RoomId& /*room*/) {}

  // --- What is stored nowhere (docs/adr/0019): messages of rooms without history, and news. It
  // goes to the other nodes only, comes there once at most and in the order of this node's calls,
  // and what is lost is lost. A room's part of a batch comes in one piece.

  // Whether the next three do anything.
  virtual bool carries_live() const { return false; }
  using OnNews = std::function<void(const UserNews&)>;
  // Once, before start(). Called on a thread of the relay's, one at a time; must not block. The
  // messages of rooms that are followed, with the ids of the node that sent them; all news.
  virtual void on_live(OnMessages /*on_live*/, OnNews /*on_news*/) {}
  // Any thread, without waiting.
  virtual void publish_live(const MessageBatch& /*batch*/) {}
  virtual void tell(const UserNews& /*news*/) {}

  // Any thread, without waiting.
  virtual RelayFigures figures() const { return {}; }
};

}  // namespace rtc::chat
