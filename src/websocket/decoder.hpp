// WebSocket frames in, from a client to us (RFC 6455, section 5): bytes in, events out, no socket.
//
// The decoder hands on each stretch of payload as it comes, unmasked in place, so an idle or slow
// sender costs no buffer. What it keeps between calls is a part of a frame header and, on the heap
// for as long as it is incomplete, of a control frame's payload (at most 125 bytes) and of a
// compressed message (at most message_bytes_max): that one is inflated in one go when it is whole,
// because the inflater is the loop's.
//
// One connection owns it; its loop's thread only.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "websocket/deflate.hpp"

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

// Both are judged from a frame's header, before its payload comes.
struct DecoderLimits {
  // Payload of one message over all its fragments, and again what it inflates to; more is error
  // 1009.
  std::uint64_t message_bytes_max = 1 << 20;
  // Frames one message may come in, control frames between them not counted; more is error 1008.
  std::uint32_t fragments_max = 1024;
};

struct Event {
  enum class Kind {
    need_more,  // all bytes are used up
    data,       // a stretch of a message's payload; may be empty when it only ends the message
    ping,       // payload ≤ 125 bytes, to be echoed in a Pong
    pong,
    close,  // the peer's Close; `code` is kCloseNoStatus when it carried none
    error,  // the peer broke the protocol or a limit: send Close(code, reason), then end
  };
  Kind kind = Kind::need_more;
  Opcode opcode = Opcode::text;  // data: text or binary, of the whole message
  bool message_begin = false;    // data: the first stretch of its message
  bool message_end = false;      // data: the last stretch of its message
  bool compressed = false;       // data: it was inflated, so does not lie in the input
  std::span<char> payload;       // data, ping, pong; close: the reason. Valid until the next call
  std::uint16_t code = 0;        // close, error
  std::string_view reason;       // error: a literal in English
};

class Decoder {
 public:
  // Keeps pointers to `limits` and, where the handshake agreed on permessage-deflate, `inflater`;
  // connections share both, and they must outlive it.
  explicit Decoder(const DecoderLimits& limits, Inflater* inflater = nullptr)
      : limits_(&limits), inflater_(inflater) {}
  explicit Decoder(const DecoderLimits&&, Inflater* = nullptr) = delete;

  // Takes bytes from the front of `input` and returns one event; call again until need_more.
  // Payload bytes are unmasked where they lie in `input`. Text is checked as UTF-8 over all
  // fragments (error 1007, as early as the first bad byte), also a Close's reason; a compressed
  // message that is none is error 1007 too. After error or close every further call returns
  // need_more and swallows its input.
  Event next(std::span<char>& input);

  // A compressed message is being handed on: call next() until this is false before any other
  // decoder of the same inflater, and before the input goes away.
  bool inflating() const { return state_ == State::inflating; }

  // It knows nothing of the stream but what a fresh one would: no byte of a message or frame was
  // taken that its end did not follow, and nothing failed. What next() gave stays valid.
  bool between_messages() const {
    return state_ == State::header && header_have_ == 0 && fragments_ == 0;
  }

 private:
  enum class State : std::uint8_t { header, data, control, inflating, ended };
  static constexpr std::size_t kHeaderBytesMax = 14;
  static constexpr std::size_t kControlBytesMax = 125;

  Opcode opcode() const { return static_cast<Opcode>(header_[0] & 0x0F); }
  bool final_frame() const { return (header_[0] & 0x80) != 0; }
  std::size_t header_bytes() const;

  // These three give a Close code, or 0 when all is well; `reason` then stays as it was.
  std::uint16_t take_header(std::span<char>& input, std::string_view& reason);
  std::uint16_t check_start(std::string_view& reason) const;
  std::uint16_t begin_payload(std::string_view& reason);

  std::span<char> take_payload(std::span<char>& input);
  Event take_data(std::span<char>& input);
  void collect(std::span<char>& input);
  Event take_inflated();
  Event data_event(std::span<char> payload, bool message_end);
  Event take_control(std::span<char>& input);
  Event close_event(std::span<char> payload);
  Event fail(std::uint16_t code, std::string_view reason);
  void end_frame();

  const DecoderLimits* limits_;
  Inflater* inflater_;
  std::uint64_t payload_left_ = 0;  // of the frame
  // Claimed by the headers of the message's frames so far; inflated so far.
  std::uint64_t message_bytes_ = 0;
  std::unique_ptr<std::string> compressed_;                      // one that came in pieces
  std::unique_ptr<std::array<char, kControlBytesMax>> control_;  // one that came in pieces
  std::uint32_t fragments_ = 0;         // frames of the message so far; 0 between messages
  std::array<std::uint8_t, 4> mask_{};  // turned so that [0] is for the next payload byte
  std::array<std::uint8_t, kHeaderBytesMax> header_{};  // kept until the frame's end
  std::uint8_t header_have_ = 0;
  State state_ = State::header;
  Utf8Validator utf8_;
  Opcode message_opcode_ = Opcode::text;
  bool message_begun_ = false;       // its first stretch was handed on
  bool message_compressed_ = false;  // RSV1 of its first frame
};

}  // namespace rtc::websocket
