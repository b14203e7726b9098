#include "base/utf8.hpp"

#include <gtest/gtest.h>
#include <optional>
#include <random>
#include <string>

#include "unit/base/seed.hpp"

namespace rtc {
namespace {

using namespace std::string_literals;
using test::pick;
using test::seed;

// RFC 3629 as arithmetic, unlike the validator's table: decode, then judge the value.
bool is_utf8_by_value(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<std::uint8_t>(text[i]);
    const std::size_t size = first < 0x80   ? 1
                             : first < 0xC0 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF8 ? 4
                                            : 0;
    if (size == 0 || i + size > text.size()) return false;
    std::uint32_t value = size == 1 ? first : first & (0x7FU >> size);
    for (std::size_t k = 1; k < size; ++k) {
      const auto next = static_cast<std::uint8_t>(text[i + k]);
      if ((next & 0xC0) != 0x80) return false;
      value = value << 6 | (next & 0x3FU);
    }
    const std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < smallest[size] || value > 0x10FFFF) return false;
    if (value >= 0xD800 && value <= 0xDFFF) return false;
    i += size;
  }
  return true;
}

// The verdict of every cut in two, and byte by byte; nullopt when they differ.
std::optional<bool> verdict(const std::string& text) {
  const bool whole = is_utf8(text);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Utf8Validator validator;
    const bool valid = validator.feed(std::string_view(text).substr(0, cut)) &&
                       validator.feed(std::string_view(text).substr(cut)) && validator.complete();
    if (valid != whole) return std::nullopt;
  }
  Utf8Validator validator;
  for (const char& c : text) validator.feed({&c, 1});
  return validator.complete() == whole ? std::optional<bool>(whole) : std::nullopt;
}

TEST(Utf8, TakesWhatIsValid) {
  for (const std::string& text :
       {""s, "plain ASCII, longer than eight bytes"s, "\0"s, "é한👋"s, "안녕하세요 여러분"s,
        "\x7F\xC2\x80\xDF\xBF"s, "\xE0\xA0\x80\xEF\xBF\xBF"s, "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"s,
        "\xED\x9F\xBF\xEE\x80\x80"s,
        "12345678\xC3\xA9"
        "12345678\xED\x95\x9C"s}) {
    EXPECT_EQ(verdict(text), true) << text;
  }
}

TEST(Utf8, RefusesWhatIsNot) {
  for (const std::string& text : {"\x80"s,
                                  "\xBF"s,
                                  "\xC0\x80"s,
                                  "\xC1\xBF"s,
                                  "\xE0\x9F\xBF"s,
                                  "\xF0\x8F\xBF\xBF"s,
                                  "\xED\xA0\x80"s,
                                  "\xED\xBF\xBF"s,
                                  "\xF4\x90\x80\x80"s,
                                  "\xF5\x80\x80\x80"s,
                                  "\xFF"s,
                                  "\xFE"s,
                                  "\xC3"s,
                                  "\xE2\x82"s,
                                  "\xF0\x9F\x91"s,
                                  "\xC3("s,
                                  "\xE2(\xAC"s,
                                  "\xE2\x82("s,
                                  "12345678\xFF"s,
                                  "1234567\xC3"s,
                                  "\xE2\x82\xAC\xAC"s}) {
    EXPECT_EQ(verdict(text), false) << ::testing::PrintToString(text);
  }
}

TEST(Utf8, FailsAtTheFirstBadByteAndStaysFailed) {
  Utf8Validator validator;
  EXPECT_TRUE(validator.feed("ok \xED"));
  EXPECT_FALSE(validator.complete());
  EXPECT_FALSE(validator.feed("\xA0"));
  EXPECT_FALSE(validator.feed("fine"));
  EXPECT_FALSE(validator.complete());
  validator.reset();
  EXPECT_TRUE(validator.feed("fine"));
  EXPECT_TRUE(validator.complete());
}

TEST(Utf8, AgreesWithTheArithmeticOnRandomBytes) {
  std::mt19937_64 random(seed());
  const std::string parts[] = {"a",    "12345678", "é",    "한",   "👋",    "\x80", "\xE2", "\xED",
                               "\xF0", "\xF4",     "\xBF", "\xA0", "\x9F", "\x90", "\x8F", "\xC2"};
  int valid = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const std::size_t last = round % 2 == 0 ? 4 : std::size(parts) - 1;
    for (std::size_t n = pick(random, 0, 8); n > 0; --n) text += parts[pick(random, 0, last)];
    if (!text.empty() && pick(random, 0, 9) == 0) text.pop_back();
    ASSERT_EQ(verdict(text), is_utf8_by_value(text)) << ::testing::PrintToString(text);
    valid += is_utf8(text) ? 1 : 0;
  }
  EXPECT_GT(valid, 5000);
}

TEST(Utf8, IsTakenApartAndPutTogetherByCharacter) {
  const std::string text = "a\x7F\u0080\u07FF\u0800한\uFFFF\U00010000👋\U0010FFFF";
  std::vector<char32_t> characters;
  std::string again;
  for (std::string_view rest = text; !rest.empty();) {
    characters.push_back(take_character(rest));
    append_utf8(again, characters.back());
  }
  EXPECT_EQ(characters, (std::vector<char32_t>{'a', 0x7F, 0x80, 0x7FF, 0x800, 0xD55C, 0xFFFF,
                                               0x10000, 0x1F44B, 0x10FFFF}));
  EXPECT_EQ(again, text);
}

}  // namespace
}  // namespace rtc
