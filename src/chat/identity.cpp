// Masking of addresses.
#include "chat/identity.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <fmt/format.h>

namespace rtc::chat {

std::string mask_address(std::string_view numeric_address) {
  // inet_pton takes a C string: anything behind a NUL would go unseen.
  if (numeric_address.size() >= INET6_ADDRSTRLEN) return "";
  if (numeric_address.find('\0') != std::string_view::npos) return "";
  const std::string text(numeric_address);

  std::array<std::uint8_t, 4> v4{};
  if (inet_pton(AF_INET, text.c_str(), v4.data()) == 1) return fmt::format("{}.{}", v4[0], v4[1]);

  std::array<std::uint8_t, 16> v6{};
  if (inet_pton(AF_INET6, text.c_str(), v6.data()) != 1) return "";
  // RFC 4291, section 2.5.5.2: ::ffff:a.b.c.d
  static constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0,    0,
                                                           0, 0, 0, 0, 0xFF, 0xFF};
  if (std::equal(kMapped.begin(), kMapped.end(), v6.begin())) {
    return fmt::format("{}.{}", v6[12], v6[13]);
  }
  return fmt::format("{:x}:{:x}", v6[0] * 256 + v6[1], v6[2] * 256 + v6[3]);
}

}  // namespace rtc::chat
