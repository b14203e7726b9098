#include "relay/redis_url.hpp"

#include <charconv>

namespace rtc::relay {
namespace {

constexpr std::string_view kScheme = "redis://";

Error invalid(std::string_view what) {
  return {ErrorCode::invalid_parameter, "redis_url: " + std::string(what)};
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

}  // namespace

Result<RedisAddress> parse_redis_url(std::string_view url) {
  if (url.starts_with("rediss://")) {
    return invalid(
        "rediss:// needs TLS, which this program does not speak to Redis; lead it through a TLS "
        "tunnel (docs/operations.md)");
  }
  if (!url.starts_with(kScheme)) {
    return invalid("expected redis://[[user]:password@]host[:port]");
  }
  url.remove_prefix(kScheme.size());
  RedisAddress address;
  if (const auto at = url.rfind('@'); at != url.npos) {
    const std::string_view login = url.substr(0, at);
    const auto colon = login.find(':');
    if (colon == login.npos || colon + 1 == login.size()) {
      return invalid("before the @ expected [user]:password");
    }
    if (!percent_decode(login.substr(0, colon), address.user) ||
        !percent_decode(login.substr(colon + 1), address.password)) {
      return invalid("user and password: a % needs two hex digits behind it");
    }
    url.remove_prefix(at + 1);
  }
  if (url.ends_with('/')) url.remove_suffix(1);
  std::string_view port;
  if (url.starts_with('[')) {
    const auto close = url.find(']');
    if (close == url.npos) return invalid("a ] is missing");
    address.host = url.substr(1, close - 1);
    port = url.substr(close + 1);
  } else {
    const auto colon = url.find(':');
    address.host = url.substr(0, colon);
    if (colon != url.npos) port = url.substr(colon);
  }
  if (address.host.empty() || address.host.find('/') != std::string::npos) {
    return invalid("expected a host, and nothing behind host and port");
  }
  if (port.empty()) return address;
  if (port.front() != ':') return invalid("expected :port behind the ]");
  port.remove_prefix(1);
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (problem != std::errc{} || end != port.data() + port.size() || address.port == 0) {
    return invalid("the port must be a number from 1 to 65535");
  }
  return address;
}

}  // namespace rtc::relay
