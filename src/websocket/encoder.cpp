// Writing frames: the length in its shortest form, no mask.
#include "websocket/encoder.hpp"

#include <array>

namespace rtc::websocket {
namespace {

constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kRsv1 = 0x40;
constexpr std::size_t kReasonBytesMax = 123;

void write_big_endian(std::uint64_t value, std::size_t bytes, char* out) {
  for (std::size_t i = bytes; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xFF);
}

}  // namespace

std::size_t write_header(Opcode opcode, std::uint64_t payload_bytes, char* out, bool compressed) {
  out[0] = static_cast<char>(kFinal | (compressed ? kRsv1 : 0) | static_cast<std::uint8_t>(opcode));
  if (payload_bytes <= 125) {
    out[1] = static_cast<char>(payload_bytes);
    return 2;
  }
  if (payload_bytes <= 0xFFFF) {
    out[1] = 126;
    write_big_endian(payload_bytes, 2, out + 2);
    return 4;
  }
  out[1] = 127;
  write_big_endian(payload_bytes, 8, out + 2);
  return 10;
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload) {
  std::array<char, kHeaderBytesMax> header{};
  const std::size_t header_bytes = write_header(opcode, payload.size(), header.data());
  out.append(header.data(), header_bytes);
  out.append(payload);
}

void append_close(std::string& out, std::uint16_t code, std::string_view reason) {
  if (code == kCloseNoStatus) return append_frame(out, Opcode::close, {});
  if (reason.size() > kReasonBytesMax) {
    std::size_t end = kReasonBytesMax;
    while (end > 0 && (static_cast<std::uint8_t>(reason[end]) & 0xC0) == 0x80) --end;
    reason = reason.substr(0, end);
  }
  std::array<char, 2> code_bytes{};
  write_big_endian(code, code_bytes.size(), code_bytes.data());
  std::string payload(code_bytes.data(), code_bytes.size());
  payload.append(reason);
  append_frame(out, Opcode::close, payload);
}

}  // namespace rtc::websocket
