// What a session needs of its transport: WebSocket, SockJS over HTTP, or TCP.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/address.hpp"
#include "net/bytes.hpp"
#include "server/framing.hpp"
#include "websocket/deflate.hpp"

namespace rtc::server {

// The transport below a session, which owns the session.
class SessionOutput {
 public:
  virtual Framing framing() const = 0;
  // Whose rates count: the peer, or who is behind a trusted proxy.
  virtual const net::IpAddress& client() const = 0;
  // Whether rooms' messages may come compressed.
  virtual websocket::Deflate deflate() const { return websocket::Deflate::off; }
  virtual void send(const net::Bytes& framed) = 0;
  virtual void send(std::string_view framed) = 0;
  virtual bool can_ping() const { return true; }
  virtual void ping() = 0;  // asks the peer for a sign of life, where the transport can
  virtual void pause_input() = 0;
  virtual void resume_input() = 0;
  // Ends the transport after what was sent, with that close code (RFC 6455, section 7.4).
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
  virtual std::size_t queued_bytes() const = 0;  // sent and not yet taken by the peer's socket
  virtual std::uint64_t last_read_ms() const = 0;
  virtual std::uint64_t last_write_ms() const = 0;

 protected:
  ~SessionOutput() = default;
};

}  // namespace rtc::server
