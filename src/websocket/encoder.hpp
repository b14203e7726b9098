// WebSocket frames out, from us to a client: never masked, never fragmented (RFC 6455,
// section 5.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "websocket/decoder.hpp"

namespace rtc::websocket {

inline constexpr std::size_t kHeaderBytesMax = 10;

// Writes the header of a final frame of `payload_bytes` to `out` (room for kHeaderBytesMax);
// returns its length: 2, 4 or 10. `compressed`: the payload is (RFC 7692, section 6: RSV1).
std::size_t write_header(Opcode opcode, std::uint64_t payload_bytes, char* out,
                         bool compressed = false);

// Appends a whole frame to `out`.
void append_frame(std::string& out, Opcode opcode, std::string_view payload);

// Appends a Close frame. kCloseNoStatus gives an empty payload; `reason` is cut to 123 bytes at a
// character's boundary.
void append_close(std::string& out, std::uint16_t code, std::string_view reason);

}  // namespace rtc::websocket
