// The server's half of the opening handshake (RFC 6455, section 4.2), on header values that the
// HTTP parser found.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "websocket/extensions.hpp"

namespace rtc::websocket {

// Header values as received; empty when absent. Lists may hold several comma-separated tokens.
struct UpgradeRequest {
  std::string_view method;
  unsigned http_version = 11;  // 10, 11
  std::string_view upgrade;
  std::string_view connection;
  std::string_view key;         // Sec-WebSocket-Key
  std::string_view version;     // Sec-WebSocket-Version
  std::string_view protocol;    // Sec-WebSocket-Protocol
  std::string_view extensions;  // Sec-WebSocket-Extensions; left empty to agree to none
};

// What to answer with 101.
struct UpgradeAnswer {
  std::string accept;  // Sec-WebSocket-Accept
  std::string_view
      protocol;  // the chosen subprotocol, one of those offered to choose from; or empty
  ExtensionAnswer extensions{};
};

// Whether the request asks for WebSocket at all (an Upgrade header naming it).
bool wants_websocket(std::string_view upgrade_header);

// Refused requests: method_not_allowed (not GET); invalid_parameter with a message that names the
// header at fault. A version other than 13, or none, is `wrong_version`: answer 426 with
// Sec-WebSocket-Version: 13. `supported` is in our order of preference.
struct Refusal {
  Error error;
  bool wrong_version = false;
};
// True and fills `answer`, or false and fills `refusal`. Accepted without a protocol when the
// client names none that is supported (RFC 6455, section 4.2.2: the client then decides).
bool accept_upgrade(const UpgradeRequest& request, std::span<const std::string_view> supported,
                    UpgradeAnswer& answer, Refusal& refusal);

// base64(SHA-1(key + GUID)); exposed for tests.
std::string accept_key(std::string_view key);

}  // namespace rtc::websocket
