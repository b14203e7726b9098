#include "stamp.hpp"

#include <cstring>

namespace load {
namespace {

constexpr std::string_view kMark = "~#";
constexpr std::size_t kDigits = 8;
constexpr std::uint64_t kEightDigits = 100'000'000;

void write_digits(std::uint64_t value, char* out) {
  for (std::size_t i = kDigits; i-- > 0; value /= 10) out[i] = static_cast<char>('0' + value % 10);
}

// Eight digits at once, pairs then fours then all: the client reads millions of stamps a second.
bool read_digits(const char* text, std::uint64_t& value) {
  std::uint64_t word = 0;
  std::memcpy(&word, text, sizeof word);
  constexpr std::uint64_t kHigh = 0xF0F0F0F0F0F0F0F0;
  constexpr std::uint64_t kZeros = 0x3030303030303030;
  constexpr std::uint64_t kSixes = 0x0606060606060606;
  if ((word & kHigh) != kZeros || ((word + kSixes) & kHigh) != kZeros) return false;
  word = (word & 0x0F0F0F0F0F0F0F0F) * 2561 >> 8;
  word = (word & 0x00FF00FF00FF00FF) * 6553601 >> 16;
  value = (word & 0x0000FFFF0000FFFF) * 42949672960001 >> 32;
  return true;
}

}  // namespace

void write_stamp(const Stamp& stamp, char* out) {
  std::memcpy(out, kMark.data(), kMark.size());
  out += kMark.size();
  const auto time = static_cast<std::uint64_t>(stamp.time_ns);
  write_digits(stamp.publisher, out);
  write_digits(stamp.sequence, out + kDigits);
  write_digits(time / kEightDigits, out + 2 * kDigits);
  write_digits(time % kEightDigits, out + 3 * kDigits);
}

std::optional<Stamp> read_stamp(std::string_view text) {
  if (text.size() < kStampBytes || !text.starts_with(kMark)) return std::nullopt;
  const char* const digits = text.data() + kMark.size();
  std::uint64_t publisher = 0;
  std::uint64_t sequence = 0;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  if (!read_digits(digits, publisher) || !read_digits(digits + kDigits, sequence) ||
      !read_digits(digits + 2 * kDigits, high) || !read_digits(digits + 3 * kDigits, low)) {
    return std::nullopt;
  }
  return Stamp{static_cast<std::uint32_t>(publisher), static_cast<std::uint32_t>(sequence),
               static_cast<std::int64_t>(high * kEightDigits + low)};
}

std::size_t find_stamp(std::string_view text, std::size_t hint) {
  if (hint < text.size() && text.substr(hint).starts_with(kMark)) return hint;
  return text.find(kMark);
}

}  // namespace load
