// Where Redis is, how it is reached and who asks: the settings redis_url and those beside it.
//
//   redis://[[user]:password@]host[:port]
//   redis+sentinel://[[user]:password@]sentinel[:port][,sentinel[:port]…]/master
//
// rediss://… and rediss+sentinel://… are the same over TLS, to the sentinels too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "relay/redis_socket.hpp"

namespace rtc::relay {

struct RedisLogin {
  std::string user;      // "": Redis' default user
  std::string password;  // "": none is sent
};

struct RedisAddress {
  std::vector<RedisHost> hosts;  // Redis alone; or, with a master, sentinels
  std::string master;            // the name that the sentinels know the primary by
  RedisLogin login;
  RedisLogin sentinel_login;
  std::optional<RedisTlsFiles> tls;  // none: plain
};

// As they are written.
struct RedisSettings {
  std::string_view url{};
  std::string_view sentinel_login{};
  std::string_view ca_file{};
  std::string_view certificate_file{};
  std::string_view key_file{};
};

constexpr std::size_t kSentinelsMax = 16;

// User and password may be percent-encoded. Reads the files. The error names the setting and says
// what is wrong, without the password.
Result<RedisAddress> redis_address(const RedisSettings& settings);

}  // namespace rtc::relay
