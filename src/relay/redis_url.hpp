// Where Redis is and who asks: redis://[[user]:password@]host[:port]
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace rtc::relay {

struct RedisAddress {
  std::string host;  // a name or an address; IPv6 without brackets
  std::uint16_t port = 6379;
  std::string user;      // "": Redis' default user
  std::string password;  // "": none is sent
};

// User and password may be percent-encoded. The error says what is wrong, without the password.
Result<RedisAddress> parse_redis_url(std::string_view url);

}  // namespace rtc::relay
