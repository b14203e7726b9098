// Where Redis is, how it is reached and who asks: the settings redis_url and those beside it.
//
//   redis://[[user]:password@]host[:port]
//   redis+sentinel://[[user]:password@]sentinel[:port][,sentinel[:port]…]/master
//   redis+cluster://[[user]:password@]node[:port][,node[:port]…]
//
// rediss://…, rediss+sentinel://… and rediss+cluster://… are the same over TLS, to the sentinels
// too.
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

// Behind the setting redis_prefix in the names of all keys. What is in the braces alone gives the
// hash slot in a Redis Cluster, so one of its nodes has all of them.
constexpr std::string_view kKeysTag = ":{people}:";

struct RedisAddress {
  // Redis alone; or, with a master, sentinels; or, with a cluster_key, some nodes of a cluster.
  std::vector<RedisHost> hosts;
  std::string master;       // the name that the sentinels know the primary by
  std::string cluster_key;  // the node of the cluster that has it is the one to go to
  RedisLogin login;
  RedisLogin sentinel_login;
  std::optional<RedisTlsFiles> tls;  // none: plain
};

// As they are written.
struct RedisSettings {
  std::string_view url{};
  std::string_view prefix{};
  std::string_view sentinel_login{};
  std::string_view ca_file{};
  std::string_view certificate_file{};
  std::string_view key_file{};
};

constexpr std::size_t kHostsMax = 16;  // sentinels, or nodes of a cluster

// User and password may be percent-encoded. Reads the files. The error names the setting and says
// what is wrong, without the password.
Result<RedisAddress> redis_address(const RedisSettings& settings);

}  // namespace rtc::relay
