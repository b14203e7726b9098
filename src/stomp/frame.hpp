// A STOMP frame (1.0, 1.1, 1.2): its command, headers and body, as views of the parser's bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace rtc::stomp {

enum class Version : std::uint8_t { v1_0, v1_1, v1_2 };

// "1.0", "1.1", "1.2".
std::string_view to_string(Version version);
// The highest version that both sides know, out of an accept-version header such as "1.1,1.0";
// an absent (empty) header means 1.0 (STOMP 1.2, "Protocol Negotiation"). None in common: nullopt.
std::optional<Version> negotiate(std::string_view accept_version);

enum class Command : std::uint8_t {
  connect,
  stomp,
  send,
  subscribe,
  unsubscribe,
  ack,
  nack,
  begin,
  commit,
  abort,
  disconnect,
  // From servers; the parser takes them too, so that one parser serves clients and tests.
  connected,
  message,
  receipt,
  error,
};

std::string_view to_string(Command command);
// In upper case, as on the wire; nullopt when unknown.
std::optional<Command> parse_command(std::string_view name);
// Whether frames of that command may have a body (STOMP 1.2, "Body"). In 1.0 all may: it says only
// that SUBSCRIBE's is ignored.
bool may_have_body(Command command);
// CONNECT, STOMP and CONNECTED: their headers are never escaped, whatever the version.
bool opens_session(Command command);

struct Header {
  std::string_view name;
  std::string_view value;
};
using Headers = std::span<const Header>;

struct Frame {
  Command command = Command::send;
  Headers headers;  // in order of arrival, unescaped as the version asks
  std::string_view body;

  // The first header of that name (STOMP 1.2, "Repeated Header Entries"); nullopt when absent.
  std::optional<std::string_view> find(std::string_view name) const;
  // The same, or empty when absent.
  std::string_view get(std::string_view name) const;
};

// heart-beat: <cx>,<cy> in milliseconds; nullopt when malformed. Values above 2^31-1 are clamped.
struct HeartBeat {
  std::uint32_t sends_ms = 0;     // the sender guarantees one at least so often; 0 = cannot
  std::uint32_t receives_ms = 0;  // the sender would like one so often; 0 = does not want any
};
std::optional<HeartBeat> parse_heart_beat(std::string_view value);

}  // namespace rtc::stomp
