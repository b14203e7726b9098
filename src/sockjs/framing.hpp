// SockJS 0.3.3 framing: strings in, strings out, no socket. What the transports over HTTP put
// around a frame is in transport.hpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace rtc::sockjs {

inline constexpr std::string_view kOpenFrame = "o";
inline constexpr std::string_view kHeartBeatFrame = "h";

// Appends `a["<message>"]`, the message escaped as JSON. Characters that JavaScript engines of the
// original's age mishandle in JSON (U+2028, U+2029, surrogates, U+FFF0-U+FFFF and the others of the
// SockJS protocol's list) are written as \uXXXX. `message` must be valid UTF-8.
void append_array_frame(std::string& out, std::string_view message);

// Appends `text` as it stands between the quotes of an array frame's string.
void append_escaped(std::string& out, std::string_view text);

// Appends `c[<code>,"<reason>"]`.
void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason);

// What a client sends: a JSON array of strings, or one JSON string.
// An empty payload is no message (SockJS ignores it). Anything else: invalid_message_format.
Result<std::vector<std::string>> parse_messages(std::string_view payload);

// parse_messages() for the payloads of one session in turn. A client that cuts a long text by
// UTF-16 units (stompjs 2.3.3 does, at 16,384) may cut a surrogate pair in two; JSON then writes
// the halves as lone escapes, one at the end of a message, the other at the beginning of the next.
// Here they are joined again; a half that stays alone becomes U+FFFD.
class MessageReader {
 public:
  Result<std::vector<std::string>> read(std::string_view payload);

 private:
  std::string high_half_;  // the escape that ended the message before, such as "\ud83d"; or ""
};

// The body of `/info`: {"websocket":…,"origins":["*:*"],"cookie_needed":…,"entropy":…}.
std::string info_body(bool websocket, bool cookie_needed, std::uint32_t entropy);

// A path below a SockJS end point's base, such as `/000/abc123/websocket`.
struct SessionPath {
  std::string_view server;
  std::string_view session;
  std::string_view transport;
};
// nullopt when `rest` (what follows the base, beginning with '/') has not three non-empty segments
// or server or session hold a dot (SockJS protocol 0.3.3, "Session URLs").
std::optional<SessionPath> parse_session_path(std::string_view rest);

}  // namespace rtc::sockjs
