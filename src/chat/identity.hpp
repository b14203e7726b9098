// Who is talking: an anonymous identity, carried whole by its token; the server stores none.
#pragma once

#include <string>
#include <string_view>

#include "base/uuid.hpp"

namespace rtc::chat {

struct Identity {
  UserId id;             // claim `jti`; kept when the token is renewed
  std::string nickname;  // claim `randId`: a word and 1..99; 1 to 64 bytes of UTF-8
  std::string name_tag;  // claim `sub`: '#' and six upper-case hex digits
  std::string address;   // claim `aud[0]`: the masked address, see mask_address; 0 to 39 bytes
};

// What others may see of an address: the first two parts of IPv4 ("203.0"), the first two groups of
// IPv6 ("2001:db8"); an IPv4 address mapped into IPv6 is masked as IPv4. Takes the numeric form,
// without port or brackets; anything else gives "".
std::string mask_address(std::string_view numeric_address);

}  // namespace rtc::chat
