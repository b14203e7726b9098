// What the WebSocket tests share: frames as a client masks them, and a decoder's events written
// down so that two runs over the same bytes can be compared however the bytes were cut.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "websocket/decoder.hpp"
#include "websocket/encoder.hpp"

namespace rtc::websocket::test {

using MaskKey = std::array<std::uint8_t, 4>;
inline constexpr MaskKey kMask{0x37, 0xFA, 0x21, 0x3D};  // RFC 6455, section 5.7

struct FrameShape {
  bool final = true;
  std::uint8_t rsv = 0;  // 0-7
  bool masked = true;
  MaskKey key = kMask;
};

inline std::string client_frame(std::uint8_t opcode, std::string_view payload,
                                const FrameShape& shape = {}) {
  std::array<char, kHeaderBytesMax> header{};
  const std::size_t size = write_header(Opcode::text, payload.size(), header.data());
  header[0] = static_cast<char>((shape.final ? 0x80 : 0) | shape.rsv << 4 | opcode);
  if (shape.masked) header[1] = static_cast<char>(static_cast<std::uint8_t>(header[1]) | 0x80);
  std::string frame(header.data(), size);
  if (!shape.masked) return frame.append(payload);
  frame.append(shape.key.begin(), shape.key.end());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    frame.push_back(static_cast<char>(payload[i] ^ shape.key[i % 4]));
  }
  return frame;
}

inline std::string client_frame(Opcode opcode, std::string_view payload,
                                const FrameShape& shape = {}) {
  return client_frame(static_cast<std::uint8_t>(opcode), payload, shape);
}

inline std::string close_payload(std::uint16_t code, std::string_view reason = {}) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  return payload.append(reason);
}

// Feeds pieces and writes each finished thing as one line: "text:…", "binary:…", "ping:…",
// "pong:…", "close 1000:…", "error 1002".
class Recorder {
 public:
  explicit Recorder(const DecoderLimits& limits, Inflater* inflater = nullptr)
      : decoder_(limits, inflater) {}

  void feed(std::string bytes) {
    std::span<char> input(bytes);
    while (true) {
      const Event event = decoder_.next(input);
      if (event.kind == Event::Kind::need_more) break;
      record(event);
    }
    if (!input.empty()) log_.push_back("input left over");
  }
  const std::vector<std::string>& log() const { return log_; }
  std::string_view reason() const { return reason_; }

 private:
  void record(const Event& event) {
    const std::string payload(event.payload.begin(), event.payload.end());
    switch (event.kind) {
      case Event::Kind::need_more:
        break;
      case Event::Kind::data:
        if (event.message_begin != !open_) log_.push_back("message_begin is wrong");
        open_ = true;
        message_ += payload;
        if (!event.message_end) break;
        log_.push_back((event.opcode == Opcode::text ? "text:" : "binary:") + message_);
        message_.clear();
        open_ = false;
        break;
      case Event::Kind::ping:
        log_.push_back("ping:" + payload);
        break;
      case Event::Kind::pong:
        log_.push_back("pong:" + payload);
        break;
      case Event::Kind::close:
        log_.push_back("close " + std::to_string(event.code) + ":" + payload);
        break;
      case Event::Kind::error:
        log_.push_back("error " + std::to_string(event.code));
        reason_ = event.reason;
        break;
    }
  }

  Decoder decoder_;
  bool open_ = false;
  std::string message_;
  std::vector<std::string> log_;
  std::string_view reason_;
};

inline std::vector<std::string> decode(const std::vector<std::string>& pieces,
                                       const DecoderLimits& limits, Inflater* inflater = nullptr) {
  Recorder recorder(limits, inflater);
  for (const std::string& piece : pieces) recorder.feed(piece);
  return recorder.log();
}

}  // namespace rtc::websocket::test
