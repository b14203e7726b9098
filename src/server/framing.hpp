// How a STOMP frame becomes the bytes of a transport: a WebSocket text message, or a SockJS array
// frame in one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rtc::server {

enum class Framing : std::uint8_t { websocket, sockjs };

// Appends `stomp` (one frame, or a heart-beat's EOL) as one whole WebSocket message.
void append_framed(std::string& out, Framing framing, std::string_view stomp);

}  // namespace rtc::server
