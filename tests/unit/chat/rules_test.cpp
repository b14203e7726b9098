#include "chat/rules.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace rtc::chat {
namespace {

std::string utf8(char32_t c) {
  const auto byte = [](char32_t value) { return static_cast<char>(value); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | (c >> 6)), byte(0x80 | (c & 0x3F))};
  if (c < 0x10000) {
    return {byte(0xE0 | (c >> 12)), byte(0x80 | ((c >> 6) & 0x3F)), byte(0x80 | (c & 0x3F))};
  }
  return {byte(0xF0 | (c >> 18)), byte(0x80 | ((c >> 12) & 0x3F)), byte(0x80 | ((c >> 6) & 0x3F)),
          byte(0x80 | (c & 0x3F))};
}

// Unicode's White_Space, which the rule names, and what only looks so: zero width, fillers, the
// empty Braille cell.
const std::vector<char32_t>& blanks() {
  static const std::vector<char32_t> all{
      0x09,   0x0A,   0x0B,   0x0C,   0x0D,   0x20,   0x85,   0xA0,   0x1680, 0x2000, 0x2001,
      0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200A, 0x2028, 0x2029,
      0x202F, 0x205F, 0x3000, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x3164, 0x2800, 0x00AD};
  return all;
}

TEST(CheckText, ABlankMessageIsRefused) {
  std::string all;
  for (const char32_t blank : blanks()) {
    const auto checked = check_text(utf8(blank), 100);
    ASSERT_FALSE(checked) << std::hex << static_cast<std::uint32_t>(blank);
    EXPECT_EQ(checked.error().code, ErrorCode::invalid_message_format);
    EXPECT_TRUE(check_text(utf8(blank) + "x", 100))
        << std::hex << static_cast<std::uint32_t>(blank);
    EXPECT_TRUE(check_text("x" + utf8(blank), 100));
    all += utf8(blank);
  }
  EXPECT_FALSE(check_text(all, 1000));
  EXPECT_TRUE(check_text(all + "." + all, 1000));
}

TEST(CheckText, WhatShowsIsTaken) {
  for (const char* text : {"a", "0", ".", "가", "é", "\U0001F600", "ㄱ", "\x01", "\x7F"}) {
    EXPECT_TRUE(check_text(text, 100)) << text;
  }
}

TEST(CheckText, CountsBytes) {
  EXPECT_FALSE(check_text("", 10));
  EXPECT_TRUE(check_text(std::string(10, 'a'), 10));
  const auto longer = check_text(std::string(11, 'a'), 10);
  ASSERT_FALSE(longer);
  EXPECT_NE(longer.error().message.find("10 bytes"), std::string::npos);
  EXPECT_TRUE(check_text("가가가", 9));
  EXPECT_FALSE(check_text("가가가", 8));
}

TEST(CheckText, InvalidUtf8IsRefused) {
  for (const char* text :
       {"\xFF", "a\x80", "\xC3", "\xED\xA0\x80", "\xC0\xA0", "\xF4\x90\x80\x80"}) {
    const auto checked = check_text(text, 100);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::invalid_message_format);
  }
}

std::string cleaned(std::string_view name, std::uint32_t length_max = 60) {
  const auto result = clean_room_name(name, length_max);
  return result ? *result : "! " + result.error().message;
}
bool refused(std::string_view name, std::uint32_t length_max = 60) {
  const auto result = clean_room_name(name, length_max);
  if (result) return false;
  EXPECT_EQ(result.error().code, ErrorCode::invalid_parameter);
  EXPECT_TRUE(result.error().message.starts_with("name: ")) << result.error().message;
  return true;
}

TEST(CleanRoomName, TakesWhiteSpaceFromBothEnds) {
  EXPECT_EQ(cleaned("name"), "name");
  EXPECT_EQ(cleaned("  two  words "), "two  words");
  for (const char32_t blank : blanks()) {
    SCOPED_TRACE(static_cast<std::uint32_t>(blank));
    EXPECT_EQ(cleaned(utf8(blank) + "a b" + utf8(blank)), "a b");
    EXPECT_TRUE(refused(utf8(blank)));
    EXPECT_TRUE(refused(utf8(blank) + utf8(blank)));
  }
  EXPECT_EQ(cleaned("\xE3\x80\x80가나 다\xE3\x80\x80"), "가나 다");
  EXPECT_TRUE(refused(""));
}

TEST(CleanRoomName, CountsCharactersOfWhatIsLeft) {
  EXPECT_EQ(cleaned("가나다", 3), "가나다");
  EXPECT_TRUE(refused("가나다라", 3));
  EXPECT_EQ(cleaned("  가나다  ", 3), "가나다");
  EXPECT_EQ(cleaned("\U0001F600\U0001F600", 2), "\U0001F600\U0001F600");
  EXPECT_EQ(cleaned("a", 1), "a");
  EXPECT_TRUE(refused("a b", 2));
}

TEST(CleanRoomName, RefusesControlCharactersAndInvalidUtf8) {
  for (char32_t control = 1; control < 0xA0; ++control) {
    if (control >= 0x20 && control < 0x7F) continue;
    EXPECT_TRUE(refused("a" + utf8(control) + "b")) << static_cast<std::uint32_t>(control);
  }
  EXPECT_TRUE(refused(std::string_view("a\0b", 3)));
  EXPECT_TRUE(refused("a\xFF"));
}

TEST(CleanRoomName, RefusesWhatHidesOrTurnsItsNeighbours) {
  for (const auto& [first, last] : std::vector<std::pair<char32_t, char32_t>>{{0x202A, 0x202E},
                                                                              {0x2066, 0x2069},
                                                                              {0x200E, 0x200F},
                                                                              {0x061C, 0x061C},
                                                                              {0x2028, 0x2029},
                                                                              {0x200B, 0x200B},
                                                                              {0x2060, 0x2064},
                                                                              {0xFEFF, 0xFEFF},
                                                                              {0x00AD, 0x00AD},
                                                                              {0x3164, 0x3164},
                                                                              {0x115F, 0x1160},
                                                                              {0xFFA0, 0xFFA0},
                                                                              {0x180E, 0x180E},
                                                                              {0xFFF9, 0xFFFB},
                                                                              {0xE0001, 0xE0001},
                                                                              {0xE0020, 0xE007F}}) {
    for (char32_t c = first; c <= last; ++c) {
      EXPECT_TRUE(refused("a" + utf8(c) + "b")) << std::hex << static_cast<std::uint32_t>(c);
    }
  }
  EXPECT_TRUE(refused(utf8(0x202E) + "a"));
  EXPECT_TRUE(refused("a" + utf8(0x2069)));
  for (const char* good : {"\U0001F468\u200D\U0001F469\u200D\U0001F467", "\u0645\u06CC\u200C\u062E",
                           "\u2764\uFE0F", "\u05E9\u05DC\u05D5\u05DD", "a\u00A0b"}) {
    EXPECT_EQ(cleaned(good), good);
  }
}

TEST(CleanRoomTopic, IsOneLineAsANameIsOrNothing) {
  EXPECT_EQ(clean_room_topic("  이번 주의 책 🎈 ", 20).value(), "이번 주의 책 🎈");
  EXPECT_EQ(clean_room_topic("가나다", 3).value(), "가나다");
  EXPECT_EQ(clean_room_topic("", 3).value(), "");
  EXPECT_EQ(clean_room_topic(" \n ", 0).value(), "") << "blank: none";
  for (const std::string& refused : {std::string("가나다라"), std::string("a\nb"),
                                     "a" + utf8(0x202E) + "b", std::string("a\xFF")}) {
    const auto cleaned = clean_room_topic(refused, 3);
    ASSERT_FALSE(cleaned) << refused;
    EXPECT_EQ(cleaned.error().code, ErrorCode::invalid_parameter);
    EXPECT_TRUE(cleaned.error().message.starts_with("topic: ")) << cleaned.error().message;
  }
}

TEST(MayEnter, AnyoneAnOpenRoomTwoADirectOne) {
  const UserId a = UserId::random();
  const UserId b = UserId::random();
  const UserId stranger = UserId::random();
  Room open;
  EXPECT_TRUE(may_enter(open, stranger));
  Room direct;
  direct.kind = Room::Kind::direct;
  direct.creator = stranger;  // the members count, nobody else
  direct.members = {a, b};
  EXPECT_TRUE(may_enter(direct, a));
  EXPECT_TRUE(may_enter(direct, b));
  EXPECT_FALSE(may_enter(direct, stranger));
}

TEST(LobbyId, IsTheOriginals) {
  EXPECT_EQ(lobby_id().to_string(), "723a2a33-577b-4380-8116-a1aa8e5868d3");
}

}  // namespace
}  // namespace rtc::chat
