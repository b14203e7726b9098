// Names of commands and versions, and the headers whose values have a form of their own.
#include "stomp/frame.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace rtc::stomp {
namespace {

// In the order of Command.
constexpr std::array<std::string_view, 15> kCommands = {
    "CONNECT", "STOMP", "SEND",       "SUBSCRIBE", "UNSUBSCRIBE", "ACK",     "NACK",  "BEGIN",
    "COMMIT",  "ABORT", "DISCONNECT", "CONNECTED", "MESSAGE",     "RECEIPT", "ERROR",
};
constexpr std::array<std::string_view, 3> kVersions = {"1.0", "1.1", "1.2"};

constexpr std::uint32_t kHeartBeatMsMax = 0x7FFFFFFF;

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<std::uint32_t> parse_ms(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    value =
        std::min<std::uint64_t>(value * 10 + static_cast<std::uint64_t>(c - '0'), kHeartBeatMsMax);
  }
  return static_cast<std::uint32_t>(value);
}

}  // namespace

std::string_view to_string(Version version) {
  return kVersions[static_cast<std::size_t>(version)];
}

std::optional<Version> negotiate(std::string_view accept_version) {
  if (accept_version.empty()) return Version::v1_0;
  std::optional<Version> best;
  while (true) {
    const std::size_t comma = accept_version.find(',');
    const auto* known =
        std::find(kVersions.begin(), kVersions.end(), trim(accept_version.substr(0, comma)));
    if (known != kVersions.end()) {
      const auto version = static_cast<Version>(known - kVersions.begin());
      if (!best || version > *best) best = version;
    }
    if (comma == std::string_view::npos) return best;
    accept_version.remove_prefix(comma + 1);
  }
}

std::string_view to_string(Command command) {
  return kCommands[static_cast<std::size_t>(command)];
}

std::optional<Command> parse_command(std::string_view name) {
  const auto* known = std::find(kCommands.begin(), kCommands.end(), name);
  if (known == kCommands.end()) return std::nullopt;
  return static_cast<Command>(known - kCommands.begin());
}

bool may_have_body(Command command) {
  return command == Command::send || command == Command::message || command == Command::error;
}

bool opens_session(Command command) {
  return command == Command::connect || command == Command::stomp || command == Command::connected;
}

std::optional<std::string_view> Frame::find(std::string_view name) const {
  for (const Header& header : headers) {
    if (header.name == name) return header.value;
  }
  return std::nullopt;
}

std::string_view Frame::get(std::string_view name) const {
  return find(name).value_or("");
}

std::optional<HeartBeat> parse_heart_beat(std::string_view value) {
  const std::size_t comma = value.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto sends_ms = parse_ms(value.substr(0, comma));
  const auto receives_ms = parse_ms(value.substr(comma + 1));
  if (!sends_ms || !receives_ms) return std::nullopt;
  return HeartBeat{*sends_ms, *receives_ms};
}

}  // namespace rtc::stomp
