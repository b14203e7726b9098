// The token in an Authorization header, of HTTP and of STOMP's CONNECT alike.
#pragma once

#include <string_view>

namespace rtc::server {

// The token of `Bearer <token>` (the scheme in any case), or of a header that is the token alone;
// part of `header`. Empty when there is none, or the literal "null" that the original's client
// sends before it has one.
std::string_view bearer_token(std::string_view header);

}  // namespace rtc::server
