// RFC 6455 as a client needs it: the upgrade, masked frames out, unmasked frames in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace load::websocket {

enum class Opcode : std::uint8_t { more = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

struct Frame {
  Opcode opcode = Opcode::text;
  bool last = true;
  std::string_view payload;
  std::size_t size = 0;  // with its header
};
enum class Parsed { frame, need_more, bad };

std::string upgrade_request(std::string_view host, std::string_view path,
                            std::string_view subprotocol);
void append_frame(std::string& out, Opcode opcode, std::string_view payload, std::uint32_t mask);
// Takes the first frame of `bytes`; a masked or reserved one is bad.
Parsed parse_frame(std::string_view bytes, Frame& frame);

}  // namespace load::websocket
