// A UUID as 16 bytes (RFC 4122), and the strong id types made of it.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rtc {

struct Uuid {
  static constexpr std::size_t kTextSize = 36;

  std::array<std::uint8_t, 16> bytes{};

  // A random UUID (version 4) from OpenSSL's generator; aborts when there is no randomness.
  static Uuid random();
  // The 36-character form with dashes, either case; nothing else.
  static std::optional<Uuid> parse(std::string_view text);

  std::string to_string() const;  // lower case, 36 characters
  void append_to(std::string& out) const;
  auto operator<=>(const Uuid&) const = default;
};

// An id that cannot be mistaken for another kind's. Tag is only a name.
template <class Tag>
struct UuidOf {
  Uuid value;

  static UuidOf random() { return {Uuid::random()}; }
  static std::optional<UuidOf> parse(std::string_view text) {
    const auto uuid = Uuid::parse(text);
    return uuid ? std::optional<UuidOf>{UuidOf{*uuid}} : std::nullopt;
  }
  std::string to_string() const { return value.to_string(); }
  void append_to(std::string& out) const { value.append_to(out); }
  auto operator<=>(const UuidOf&) const = default;
};

using RoomId = UuidOf<struct RoomTag>;
using UserId =
    UuidOf<struct UserTag>;  // the `jti` claim: one identity, kept when a token is renewed

// A message's number in its room: 1, 2, 3 …; 0 is "before the first". Below 2^53 on the wire.
using MessageId = std::uint64_t;

}  // namespace rtc

template <>
struct std::hash<rtc::Uuid> {
  std::size_t operator()(const rtc::Uuid& id) const noexcept {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::memcpy(&a, id.bytes.data(), sizeof a);
    std::memcpy(&b, id.bytes.data() + sizeof a, sizeof b);
    return static_cast<std::size_t>((a ^ (b * 0x9E3779B97F4A7C15ULL)) * 0xD6E8FEB86659FD93ULL);
  }
};

template <class Tag>
struct std::hash<rtc::UuidOf<Tag>> {
  std::size_t operator()(const rtc::UuidOf<Tag>& id) const noexcept {
    return std::hash<rtc::Uuid>{}(id.value);
  }
};
