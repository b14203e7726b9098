// What the payloads of this folder are made of: numbers (little-endian), ids and short texts, and
// a signature by a key that only the nodes of one store have. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/uuid.hpp"

namespace rtc::relay {

template <class Number>
void put(std::string& out, Number value) {
  for (std::size_t i = 0; i < sizeof value; ++i) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i)));
  }
}
void put_bytes(std::string& out, std::span<const std::uint8_t> bytes);
// With a byte of length before it: at most 255 bytes, as chat::SharedIdentity keeps them.
void put_short(std::string& out, std::string_view text);

// Takes from the front. What is not there any more is zero or empty, and failed() says so.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class Number>
  Number number() {
    std::uint64_t value = 0;
    const std::string_view bytes = take(sizeof(Number));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    }
    return static_cast<Number>(value);
  }
  std::string_view take(std::size_t size);
  std::string short_text();
  Uuid uuid();
  bool failed() const { return failed_; }
  // All was there, and nothing else.
  bool whole() const { return !failed_ && rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

// HMAC-SHA256 cut to 16 bytes (RFC 2104, section 5), by a key of its own for each use.
class Seal {
 public:
  static constexpr std::size_t kBytes = 16;
  using Mac = std::array<std::uint8_t, kBytes>;

  // `use`: what is signed; `secret`: the tokens'; `epoch`: the store's, so that what comes from
  // another store is refused.
  Seal(std::string_view use, std::string_view secret, std::string_view epoch);

  Mac mac(std::string_view bytes) const;
  // In a time that says nothing of where they differ.
  bool is_mac(std::string_view mac, std::string_view bytes) const;

 private:
  std::array<std::uint8_t, 32> key_;
};

}  // namespace rtc::relay
