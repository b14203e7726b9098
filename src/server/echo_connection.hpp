// The conformance profile's WebSocket echo: every message comes back as one frame, compressed where
// the handshake agreed to it. Bare WebSocket, no token, no STOMP. The loop's thread only.
#pragma once

#include <string>

#include "net/connection.hpp"
#include "websocket/decoder.hpp"

namespace rtc::server {

class Shard;

class EchoConnection final : public net::ConnectionHandler {
 public:
  // What public suites send (Autobahn 9.*: 16 MiB, and 4 MiB in fragments of 64 bytes).
  static constexpr websocket::DecoderLimits kLimits{.message_bytes_max = 16 << 20,
                                                    .fragments_max = 1 << 17};
  // It reads no further while that much waits to be written.
  static constexpr std::size_t kQueuedBytesMax = 1 << 20;

  EchoConnection(Shard& shard, net::Connection& connection, websocket::Deflate deflate,
                 bool exempt);
  ~EchoConnection() override;

  std::size_t on_input(net::Connection& connection, std::span<char> bytes) override;
  void on_drained(net::Connection& connection) override;
  void on_closed(net::Connection& connection, net::CloseReason reason) override;

 private:
  void on_event(const websocket::Event& event);
  void send_message(websocket::Opcode opcode);

  Shard& shard_;
  net::Connection& connection_;
  websocket::Deflate deflate_;
  bool paused_ = false;
  websocket::Decoder decoder_;
  std::string message_;  // of which the end has not come
  bool exempt_;
};

}  // namespace rtc::server
