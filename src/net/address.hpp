// IP addresses and networks, and where to listen. Any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

struct sockaddr_storage;

namespace rtc::net {

// An IPv4 address is kept in its IPv6 form (::ffff:a.b.c.d).
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  // Numeric forms only; brackets around IPv6 allowed.
  static std::optional<IpAddress> parse(std::string_view text);
  static IpAddress from(const sockaddr_storage& address);

  bool is_v4() const;
  std::string to_string() const;
  // Its first so many bits, the rest 0: the first address of its network.
  IpAddress masked(unsigned prefix_bits) const;
  auto operator<=>(const IpAddress&) const = default;
};

// "10.0.0.0/8", "::1/128", or a single address.
struct Network {
  IpAddress base;
  unsigned prefix_bits = 128;  // counted in the IPv6 form

  static std::optional<Network> parse(std::string_view text);
  bool contains(const IpAddress& address) const;
  std::string to_string() const;  // "10.0.0.0/8", also of a single address
};

// All networks of a setting; the error names the one that is malformed.
Result<std::vector<Network>> parse_networks(const std::vector<std::string>& texts);
bool any_contains(const std::vector<Network>& networks, const IpAddress& address);

// The address that a request really came from: `peer`, unless it is a trusted proxy; then the last
// hop of X-Forwarded-For (read from its end) that is no trusted proxy. Every value before it may be
// forged. A hop may have a port (1.2.3.4:80, [::1]:80). A malformed one ends the search at the last
// trusted one.
IpAddress client_address(const IpAddress& peer, std::string_view forwarded_for,
                         const std::vector<Network>& trusted_proxies);

}  // namespace rtc::net

template <>
struct std::hash<rtc::net::IpAddress> {
  std::size_t operator()(const rtc::net::IpAddress& address) const noexcept {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::memcpy(&a, address.bytes.data(), sizeof a);
    std::memcpy(&b, address.bytes.data() + sizeof a, sizeof b);
    return static_cast<std::size_t>((a ^ (b * 0x9E3779B97F4A7C15ULL)) * 0xD6E8FEB86659FD93ULL);
  }
};
