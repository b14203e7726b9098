#include "net/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <netinet/in.h>
#include <sys/socket.h>

namespace rtc::net {
namespace {

constexpr std::array<std::uint8_t, 12> kV4Prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// One hop of X-Forwarded-For; some proxies write the port behind the address.
std::optional<IpAddress> parse_hop(std::string_view text) {
  if (auto address = IpAddress::parse(text)) return address;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view port = text.substr(colon + 1);
  const std::string_view host = text.substr(0, colon);
  const bool number =
      !port.empty() && port.size() <= 5 &&
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  // Without brackets, an IPv6 address and a port cannot be told apart.
  const bool told_apart = host.ends_with(']') || host.find(':') == std::string_view::npos;
  return number && told_apart ? IpAddress::parse(host) : std::nullopt;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const bool bracketed = text.size() >= 2 && text.front() == '[' && text.back() == ']';
  if (bracketed) text = text.substr(1, text.size() - 2);
  // inet_pton takes a C string: anything behind a NUL would go unseen.
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  IpAddress address;
  if (::inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
  if (bracketed) return std::nullopt;
  std::copy(kV4Prefix.begin(), kV4Prefix.end(), address.bytes.begin());
  if (::inet_pton(AF_INET, terminated.c_str(), address.bytes.data() + kV4Prefix.size()) == 1) {
    return address;
  }
  return std::nullopt;
}

IpAddress IpAddress::from(const sockaddr_storage& storage) {
  IpAddress address;
  if (storage.ss_family == AF_INET6) {
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr,
                address.bytes.size());
  } else if (storage.ss_family == AF_INET) {
    std::copy(kV4Prefix.begin(), kV4Prefix.end(), address.bytes.begin());
    std::memcpy(address.bytes.data() + kV4Prefix.size(),
                &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, 4);
  }
  return address;
}

bool IpAddress::is_v4() const {
  return std::equal(kV4Prefix.begin(), kV4Prefix.end(), bytes.begin());
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN] = {};
  if (is_v4()) {
    ::inet_ntop(AF_INET, bytes.data() + kV4Prefix.size(), text, sizeof text);
  } else {
    ::inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  }
  return text;
}

IpAddress IpAddress::masked(unsigned prefix_bits) const {
  IpAddress first = *this;
  for (std::size_t i = 0; i < first.bytes.size(); ++i) {
    const unsigned before = static_cast<unsigned>(i) * 8;
    if (prefix_bits >= before + 8) continue;
    const unsigned kept = prefix_bits > before ? prefix_bits - before : 0;
    first.bytes[i] = static_cast<std::uint8_t>(first.bytes[i] & (0xFF00U >> kept));
  }
  return first;
}

std::optional<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto base = IpAddress::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  Network network{*base, 128};
  if (slash == std::string_view::npos) return network;
  const std::string_view bits = text.substr(slash + 1);
  unsigned prefix = 0;
  const auto [end, problem] = std::from_chars(bits.data(), bits.data() + bits.size(), prefix);
  const bool v4 = base->is_v4();
  if (problem != std::errc{} || end != bits.data() + bits.size() || prefix > (v4 ? 32U : 128U)) {
    return std::nullopt;
  }
  network.prefix_bits = v4 ? prefix + 96 : prefix;
  return network;
}

bool Network::contains(const IpAddress& address) const {
  const std::size_t whole = prefix_bits / 8;
  if (!std::equal(base.bytes.begin(), base.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                  address.bytes.begin())) {
    return false;
  }
  const unsigned rest = prefix_bits % 8;
  if (rest == 0) return true;
  const unsigned shift = 8 - rest;
  return (base.bytes[whole] >> shift) == (address.bytes[whole] >> shift);
}

std::string Network::to_string() const {
  const bool v4 = prefix_bits >= 96 && base.is_v4();
  return base.to_string() + "/" + std::to_string(v4 ? prefix_bits - 96 : prefix_bits);
}

Result<std::vector<Network>> parse_networks(const std::vector<std::string>& texts) {
  std::vector<Network> networks;
  for (const std::string& text : texts) {
    const auto network = Network::parse(text);
    if (!network) {
      return Error{ErrorCode::invalid_parameter,
                   "'" + text + "' is neither an address nor a network such as 10.0.0.0/8"};
    }
    networks.push_back(*network);
  }
  return networks;
}

bool any_contains(const std::vector<Network>& networks, const IpAddress& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return network.contains(address); });
}

IpAddress client_address(const IpAddress& peer, std::string_view forwarded_for,
                         const std::vector<Network>& trusted_proxies) {
  IpAddress address = peer;
  while (any_contains(trusted_proxies, address) && !forwarded_for.empty()) {
    const auto comma = forwarded_for.rfind(',');
    const bool last = comma == std::string_view::npos;
    const auto hop = parse_hop(trimmed(last ? forwarded_for : forwarded_for.substr(comma + 1)));
    if (!hop) break;
    address = *hop;
    forwarded_for = last ? std::string_view{} : forwarded_for.substr(0, comma);
  }
  return address;
}

}  // namespace rtc::net
