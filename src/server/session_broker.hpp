// The broker's part of a session (docs/wire.md, "Broker destinations"): SEND to it, what it takes
// part in, ACK and NACK. Only while the broker is open. The loop's thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/broker.hpp"
#include "server/replay.hpp"
#include "stomp/frame.hpp"

namespace rtc::server {

class Session;

class SessionBroker {
 public:
  // A consumer that asks for no ACK holds what was given to it until less than this waits for its
  // client: so a slow one does not swallow a queue.
  static constexpr std::size_t kQueuedBytesMax = 64 << 10;

  explicit SessionBroker(Session& session);

  // The session's name: nobody can guess it, whoever knows it may send to the session.
  const std::string& id() const { return id_; }

  void on_send(const stomp::Frame& frame);
  void on_acknowledge(const stomp::Frame& frame);  // ACK, NACK
  // Before the session joins a destination of the broker.
  Result<void> take_part(const SubscribeRequest& request, std::uint32_t subscription);
  // It left; what it held of a queue goes back.
  void leave(std::uint32_t subscription);
  void deliver(const Mail& mail);
  void on_drained();

 private:
  struct Consumer {
    ConsumerId id;
    std::uint32_t subscription;
    AckMode mode;
    std::uint64_t sent = 0;  // automatic: the last message sent and not settled; 0: none is
  };

  bool has_subscription(std::string_view id) const;
  // Of the message that waits for it, at the subscription of that id if one is given.
  std::optional<Acknowledgement> find(const stomp::Frame& frame, std::uint64_t number,
                                      const std::optional<std::string_view>& subscription);
  void settle_sent(Consumer& consumer);
  void refuse(const stomp::Frame& frame, const Error& error);

  Session& session_;
  std::string id_;
  std::vector<Consumer> consumers_;
};

}  // namespace rtc::server
