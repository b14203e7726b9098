#include "relay/redis_url.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace rtc::relay {
namespace {

constexpr std::uint16_t kRedisPort = 6379;
constexpr std::uint16_t kSentinelPort = 26379;

enum class Leads { to_one, to_sentinels, to_cluster };
struct Scheme {
  std::string_view text;
  bool tls;
  Leads leads;
};
constexpr std::array<Scheme, 6> kSchemes{{{"redis://", false, Leads::to_one},
                                          {"rediss://", true, Leads::to_one},
                                          {"redis+sentinel://", false, Leads::to_sentinels},
                                          {"rediss+sentinel://", true, Leads::to_sentinels},
                                          {"redis+cluster://", false, Leads::to_cluster},
                                          {"rediss+cluster://", true, Leads::to_cluster}}};

Error invalid(std::string_view setting, std::string_view what) {
  return {ErrorCode::invalid_parameter, std::string(setting) + ": " + std::string(what)};
}

Error invalid(std::string_view what) {
  return invalid("redis_url", what);
}

// False: a percent sign without two hex digits.
bool percent_decode(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, problem] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || problem != std::errc{} || end != digits.data() + 2) return false;
    out.push_back(static_cast<char>(byte));
    i += 2;
  }
  return true;
}

Result<RedisLogin> parse_login(std::string_view setting, std::string_view text) {
  const auto colon = text.find(':');
  if (colon == text.npos || colon + 1 == text.size()) {
    return invalid(setting, "expected [user]:password, in redis_url before the @");
  }
  RedisLogin login;
  if (!percent_decode(text.substr(0, colon), login.user) ||
      !percent_decode(text.substr(colon + 1), login.password)) {
    return invalid(setting, "user and password: a % needs two hex digits behind it");
  }
  return login;
}

Result<RedisHost> parse_host(std::string_view text, std::uint16_t default_port) {
  RedisHost host{{}, default_port};
  std::string_view port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == text.npos) return invalid("a ] is missing");
    host.name = text.substr(1, close - 1);
    port = text.substr(close + 1);
  } else {
    const auto colon = text.find(':');
    host.name = text.substr(0, colon);
    if (colon != text.npos) port = text.substr(colon);
  }
  if (host.name.empty()) return invalid("a host is missing");
  if (port.empty()) return host;
  if (port.front() != ':') return invalid("expected :port behind the ]");
  port.remove_prefix(1);
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), host.port);
  if (problem != std::errc{} || end != port.data() + port.size() || host.port == 0) {
    return invalid("the port must be a number from 1 to 65535");
  }
  return host;
}

Result<void> parse_hosts(std::string_view text, std::uint16_t default_port, RedisAddress& address) {
  for (std::string_view rest = text;;) {
    const auto comma = rest.find(',');
    auto host = parse_host(rest.substr(0, comma), default_port);
    if (!host) return host.error();
    address.hosts.push_back(std::move(*host));
    if (address.hosts.size() > kHostsMax) {
      return invalid("names more than " + std::to_string(kHostsMax) + " hosts");
    }
    if (comma == rest.npos) return {};
    rest.remove_prefix(comma + 1);
  }
}

Result<void> parse_sentinels(std::string_view text, RedisAddress& address) {
  const auto slash = text.find('/');
  if (slash == text.npos || slash + 1 == text.size() ||
      text.find('/', slash + 1) != std::string_view::npos) {
    return invalid("expected the sentinels, with commas between them, and /master behind them");
  }
  address.master = text.substr(slash + 1);
  return parse_hosts(text.substr(0, slash), kSentinelPort, address);
}

Result<void> parse_redis(std::string_view text, bool only_one, RedisAddress& address) {
  if (text.ends_with('/')) text.remove_suffix(1);
  if (text.find('/') != std::string_view::npos) {
    return invalid("expected nothing behind host and port");
  }
  if (only_one && text.find(',') != std::string_view::npos) {
    return invalid("expected one host; several are of a cluster (redis+cluster://)");
  }
  return parse_hosts(text, kRedisPort, address);
}

Result<void> parse_where(std::string_view text, Leads leads, std::string_view prefix,
                         RedisAddress& address) {
  if (leads == Leads::to_sentinels) return parse_sentinels(text, address);
  if (leads == Leads::to_cluster) address.cluster_key = std::string(prefix) + std::string(kKeysTag);
  return parse_redis(text, leads == Leads::to_one, address);
}

// They are only read with TLS: who gives one and connects without would not notice.
Result<void> take_files(const RedisSettings& settings, RedisAddress& address) {
  for (const auto& [name, file] : {std::pair{"redis_ca_file", settings.ca_file},
                                   std::pair{"redis_certificate_file", settings.certificate_file},
                                   std::pair{"redis_key_file", settings.key_file}}) {
    if (!file.empty() && !address.tls) {
      return invalid(name, "is for TLS; begin redis_url with rediss");
    }
  }
  if (settings.certificate_file.empty() != settings.key_file.empty()) {
    return invalid(settings.key_file.empty() ? "redis_key_file" : "redis_certificate_file",
                   "is missing; a certificate and its key are given together");
  }
  if (!address.tls) return {};
  address.tls->ca = settings.ca_file;
  address.tls->certificate = settings.certificate_file;
  address.tls->key = settings.key_file;
  return RedisTls::check(*address.tls);
}

}  // namespace

Result<RedisAddress> redis_address(const RedisSettings& settings) {
  std::string_view url = settings.url;
  const Scheme* scheme = nullptr;
  for (const Scheme& each : kSchemes) {
    if (url.starts_with(each.text)) scheme = &each;
  }
  if (scheme == nullptr) {
    return invalid(
        "expected redis://[[user]:password@]host[:port], "
        "redis+sentinel://[[user]:password@]sentinel[:port],…/master or "
        "redis+cluster://[[user]:password@]node[:port],…; with TLS rediss instead of redis");
  }
  url.remove_prefix(scheme->text.size());
  RedisAddress address;
  if (scheme->tls) address.tls.emplace();
  if (const auto at = url.rfind('@'); at != url.npos) {
    auto login = parse_login("redis_url", url.substr(0, at));
    if (!login) return login.error();
    address.login = std::move(*login);
    url.remove_prefix(at + 1);
  }
  const auto parsed = parse_where(url, scheme->leads, settings.prefix, address);
  if (!parsed) return parsed.error();
  if (!settings.sentinel_login.empty()) {
    if (scheme->leads != Leads::to_sentinels) {
      return invalid("redis_sentinel_login", "is for sentinels, and redis_url names none");
    }
    auto login = parse_login("redis_sentinel_login", settings.sentinel_login);
    if (!login) return login.error();
    address.sentinel_login = std::move(*login);
  }
  if (const auto files = take_files(settings, address); !files) return files.error();
  return address;
}

}  // namespace rtc::relay
