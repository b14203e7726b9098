// Draws identities; reads Accept-Language.
#include "auth/nickname.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <optional>

#include "base/random.hpp"

namespace rtc::auth {
namespace {

constexpr std::uint32_t kNumberMax = 99;
constexpr std::uint32_t kNameTags = 1U << 24U;
constexpr int kQualityMax = 1000;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Splits off and returns what stands before the next `separator`.
std::string_view next_part(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trimmed(part);
}

// RFC 9110, section 12.4.2: "0" or "1" and up to three decimals, in thousandths.
std::optional<int> parse_quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int quality = (text[0] - '0') * kQualityMax;
  int unit = kQualityMax / 10;
  for (const char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return std::nullopt;
    quality += (c - '0') * unit;
    unit /= 10;
  }
  if (quality > kQualityMax) return std::nullopt;
  return quality;
}

struct Range {
  std::string_view primary;  // "ko" of "ko-KR"
  int quality = kQualityMax;
};

// Nothing for a range whose weight cannot be read.
std::optional<Range> parse_range(std::string_view text) {
  Range range;
  std::string_view tag = next_part(text, ';');
  range.primary = next_part(tag, '-');
  while (!text.empty()) {
    std::string_view parameter = next_part(text, ';');
    if (!same_ignoring_case(next_part(parameter, '='), "q")) continue;
    const auto quality = parse_quality(trimmed(parameter));
    if (!quality) return std::nullopt;
    range.quality = *quality;
  }
  return range;
}

// How much a language is wanted; `place` breaks ties: the range named first is preferred.
struct Wish {
  int quality = -1;  // -1: not named
  std::size_t place = 0;

  void add(const Range& range, std::size_t at) {
    if (range.quality > quality) *this = {range.quality, at};
  }
};

bool stronger(const Wish& a, const Wish& b) {
  return a.quality != b.quality ? a.quality > b.quality : a.place < b.place;
}

}  // namespace

Language preferred_language(std::string_view accept_language) {
  Wish korean;
  Wish english;
  Wish any;
  for (std::size_t place = 0; !accept_language.empty(); ++place) {
    const auto range = parse_range(next_part(accept_language, ','));
    if (!range) continue;
    if (same_ignoring_case(range->primary, "ko")) korean.add(*range, place);
    if (same_ignoring_case(range->primary, "en")) english.add(*range, place);
    if (range->primary == "*") any.add(*range, place);
  }
  // "*" stands for the languages that no other range names.
  if (korean.quality < 0) korean = any;
  if (english.quality < 0) english = any;
  // Korean is excluded, English is not: then English, asked for or not.
  if (korean.quality == 0 && english.quality != 0) return Language::english;
  return english.quality > 0 && stronger(english, korean) ? Language::english : Language::korean;
}

chat::Identity make_identity(Language language, std::string masked_address) {
  const auto list = words(language);
  const std::string_view word = list[random_below(static_cast<std::uint32_t>(list.size()))];
  return {UserId::random(), fmt::format("{}{}", word, 1 + random_below(kNumberMax)),
          fmt::format("#{:06X}", random_below(kNameTags)), std::move(masked_address)};
}

}  // namespace rtc::auth
