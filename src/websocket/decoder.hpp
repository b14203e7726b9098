// WebSocket frames in, from a client to us (RFC 6455, section 5): bytes in, events out, no socket.
//
// The decoder never collects a message: it hands on each stretch of payload as it comes, unmasked in
// place, so an idle or slow sender costs no buffer. What it keeps between calls is a part of a frame
// header and of a control frame's payload (at most 125 bytes).
//
// One connection owns it; its loop's thread only.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/utf8.hpp"

namespace rtc::websocket {

enum class Opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xA,
};

// Close codes (RFC 6455, section 7.4.1).
inline constexpr std::uint16_t kCloseNormal = 1000;
inline constexpr std::uint16_t kCloseGoingAway = 1001;
inline constexpr std::uint16_t kCloseProtocolError = 1002;
inline constexpr std::uint16_t kCloseUnsupportedData = 1003;
inline constexpr std::uint16_t kCloseNoStatus = 1005;  // never on the wire: a Close without a code
inline constexpr std::uint16_t kCloseInvalidPayload = 1007;
inline constexpr std::uint16_t kClosePolicyViolation = 1008;
inline constexpr std::uint16_t kCloseMessageTooBig = 1009;
inline constexpr std::uint16_t kCloseInternalError = 1011;
inline constexpr std::uint16_t kCloseTryAgainLater = 1013;

struct DecoderLimits {
  std::uint64_t message_bytes_max = 1 << 20;  // payload of one message over all its fragments
  std::uint32_t fragments_max = 1024;         // frames one message may come in
};

struct Event {
  enum class Kind {
    need_more,  // all bytes are used up
    data,       // a stretch of a message's payload; may be empty when it only ends the message
    ping,       // payload ≤ 125 bytes, to be echoed in a Pong
    pong,
    close,      // the peer's Close; `code` is kCloseNoStatus when it carried none
    error,      // the peer broke the protocol or a limit: send Close(code, reason), then end
  };
  Kind kind = Kind::need_more;
  Opcode opcode = Opcode::text;   // data: text or binary, of the whole message
  bool message_begin = false;     // data: the first stretch of its message
  bool message_end = false;       // data: the last stretch of its message
  std::span<char> payload;        // data, ping, pong; close: the reason. Valid until the next call
  std::uint16_t code = 0;         // close, error
  std::string_view reason;        // error: a literal in English
};

class Decoder {
 public:
  explicit Decoder(const DecoderLimits& limits) : limits_(limits) {}

  // Takes bytes from the front of `input` and returns one event; call again until need_more.
  // Payload bytes are unmasked where they lie in `input`. Text is checked as UTF-8 over all
  // fragments (error 1007, as early as the first bad byte), also a Close's reason. After error or
  // close every further call returns need_more and swallows its input.
  Event next(std::span<char>& input);

 private:
  // To be completed with the implementation; keep it small, every connection has one.
  DecoderLimits limits_;
};

}  // namespace rtc::websocket
