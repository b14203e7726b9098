#include "server/framing.hpp"

#include "sockjs/framing.hpp"
#include "websocket/encoder.hpp"

namespace rtc::server {

void append_framed(std::string& out, Framing framing, std::string_view stomp) {
  if (framing == Framing::websocket) {
    websocket::append_frame(out, websocket::Opcode::text, stomp);
    return;
  }
  std::string array;
  sockjs::append_array_frame(array, stomp);
  websocket::append_frame(out, websocket::Opcode::text, array);
}

}  // namespace rtc::server
