// How a STOMP frame becomes the bytes of a transport: a WebSocket text message, a SockJS array
// frame in one, an element of such a frame that is put together later, or itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/bytes.hpp"
#include "websocket/deflate.hpp"

namespace rtc::server {

enum class Framing : std::uint8_t {
  websocket,
  sockjs,       // `a["…"]` as a WebSocket message
  sockjs_http,  // `"…",`: what waits for a SockJS transport over HTTP, to be sent as one `a[…]`
  bare,         // over TCP
};
inline constexpr std::size_t kFramings = 4;

// Appends `stomp` (one frame, or a heart-beat's EOL) as one whole message of that framing.
void append_framed(std::string& out, Framing framing, std::string_view stomp);

// The same in two parts, for frames whose bodies are alike: a frame's bytes are its head and the
// common tail. `body` is the frame's whole body; its NUL is added.
std::string framed_tail(Framing framing, std::string_view body);
// `stomp_head`: the frame up to its body; `tail_bytes`: the size of what framed_tail() gave, or,
// `compressed`, of what Deflater::append_end() made of it. `binary`: no text, in a binary message
// where the framing knows such.
void append_framed_head(std::string& out, Framing framing, std::string_view stomp_head,
                        std::size_t tail_bytes, bool compressed = false, bool binary = false);

// What framed_tail() gave, perhaps compressed.
struct FramedTail {
  net::Bytes bytes;  // empty: not made yet
  bool compressed = false;
};
// A loop's way to compress tails: once a message, whatever number of subscribers. Its thread only.
struct SharedDeflate {
  websocket::Deflater& deflater;
  std::size_t bytes_min;  // a shorter body is sent as it is

  // How a message with such a body goes to a client that agreed on `agreed`.
  websocket::Deflate of(std::size_t body_bytes, websocket::Deflate agreed) const {
    return body_bytes >= bytes_min ? agreed : websocket::Deflate::off;
  }
  FramedTail tail(std::string_view plain, websocket::Deflate deflate) const;
};

}  // namespace rtc::server
