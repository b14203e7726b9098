// Which extensions a connection speaks (RFC 6455, section 9.1): permessage-deflate or none.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "websocket/deflate.hpp"

namespace rtc::websocket {

struct ExtensionAnswer {
  std::string header{};  // Sec-WebSocket-Extensions of the answer; empty: none
  Deflate deflate = Deflate::off;
};

// Takes the first offer of permessage-deflate that can be honoured (RFC 7692, section 7.1). Always
// answers with both no_context_takeover parameters, which a server may do unasked (7.1.1). An offer
// with a parameter that is unknown, given twice or out of range is passed over, also one that asks
// us to look back 256 bytes only, which zlib cannot. What a client promises of its own window is
// taken up; ours is as small as it asks.
// `offers`: the header as received, several of them joined by commas. nullopt when it is malformed.
std::optional<ExtensionAnswer> agree_extensions(std::string_view offers);

}  // namespace rtc::websocket
