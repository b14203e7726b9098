// The port to other nodes: what one node has committed, all nodes deliver. Adapter:
// relay/local_relay (one node); one contract suite holds for all.
//
// A relay may lose messages, and readers then find the hole in the ids and ask the store; it never
// repeats, reorders within a room, or invents one.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "chat/message.hpp"

namespace rtc::chat {

using MessageBatch = std::shared_ptr<const std::vector<Message>>;

class Relay {
 public:
  // Called on a thread of the relay's, one call at a time; must not block.
  using OnMessages = std::function<void(const MessageBatch&)>;

  virtual ~Relay() = default;

  // Once, before the first publish().
  virtual void start(OnMessages on_messages) = 0;
  // Committed messages, of a room in the order of ids. Never waits. This node's own on_messages
  // gets them too. One thread at a time.
  virtual void publish(const MessageBatch& batch) = 0;
};

}  // namespace rtc::chat
