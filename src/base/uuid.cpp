#include "base/uuid.hpp"

#include "base/random.hpp"

namespace rtc {
namespace {

constexpr std::uint8_t kNoDigit = 0xFF;

// By character: what a hexadecimal digit is worth.
constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::uint8_t i = 0; i < 10; ++i) values[std::size_t{'0'} + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i) {
    const auto value = static_cast<std::uint8_t>(10 + i);
    values[std::size_t{'a'} + i] = values[std::size_t{'A'} + i] = value;
  }
  return values;
}();

// Where the two digits of each byte begin in the text.
constexpr std::array<std::uint8_t, 16> kPlaces = {0,  2,  4,  6,  9,  11, 14, 16,
                                                  19, 21, 24, 26, 28, 30, 32, 34};
constexpr std::array<std::size_t, 4> kDashes = {8, 13, 18, 23};

}  // namespace

Uuid Uuid::random() {
  Uuid id;
  fill_random(id.bytes);
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | 0x40);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
  return id;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  for (const std::size_t dash : kDashes) {
    if (text[dash] != '-') return std::nullopt;
  }
  Uuid id;
  unsigned seen = 0;  // all digits' values, one over another: one that is none sets the high bits
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    const unsigned high = kValues[static_cast<std::uint8_t>(text[kPlaces[i]])];
    const unsigned low = kValues[static_cast<std::uint8_t>(text[kPlaces[i] + std::size_t{1}])];
    seen |= high | low;
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  if (seen > 0x0F) return std::nullopt;
  return id;
}

std::string Uuid::to_string() const {
  std::string text;
  append_to(text);
  return text;
}

void Uuid::append_to(std::string& out) const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::array<char, kTextSize> text;
  for (const std::size_t dash : kDashes) text[dash] = '-';
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text[kPlaces[i]] = kDigits[bytes[i] >> 4];
    text[kPlaces[i] + std::size_t{1}] = kDigits[bytes[i] & 0x0F];
  }
  out.append(text.data(), text.size());
}

}  // namespace rtc
