#include "sockjs/framing.hpp"

#include <gtest/gtest.h>
#include <random>

#include "base/utf8.hpp"
#include "unit/base/seed.hpp"

namespace rtc::sockjs {
namespace {

using namespace std::string_literals;
using rtc::test::pick;
using rtc::test::seed;

std::string array_frame(std::string_view message) {
  std::string out = "before ";
  append_array_frame(out, message);
  EXPECT_EQ(out.substr(0, 7), "before ");
  return out.substr(7);
}

std::string utf8(std::uint32_t c) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | c >> 6), byte(0x80 | (c & 0x3F))};
  if (c < 0x10000) {
    return {byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F))};
  }
  return {byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 0x3F)), byte(0x80 | (c >> 6 & 0x3F)),
          byte(0x80 | (c & 0x3F))};
}

TEST(SockjsFraming, EscapesMessages) {
  const std::pair<std::string, std::string> cases[] = {
      {"", R"(a[""])"},
      {"plain", R"(a["plain"])"},
      {"안녕하세요 é", R"(a["안녕하세요 é"])"},
      {"say \"hi\" \\o/", R"(a["say \"hi\" \\o/"])"},
      {"a\nb\rc\td", R"(a["a\nb\rc\td"])"},
      {"\0\x01\x1F\x20\x7F"s, "a[\"\\u0000\\u0001\\u001f \x7F\"]"},
      {"\b\f", R"(a["\u0008\u000c"])"},
      {"👋", R"(a["\ud83d\udc4b"])"},
      {"\xF0\x90\x80\x80", R"(a["\ud800\udc00"])"},
      {"\xF4\x8F\xBF\xBF", R"(a["\udbff\udfff"])"},
      {"\u2028\u2029", R"(a["\u2028\u2029"])"},
      {"x\uFFFFy", R"(a["x\uffffy"])"},
      {"€…‘", "a[\"€…‘\"]"},
      {"\uFEFF\uFF01", "a[\"\uFEFF\uFF01\"]"},
      {"SEND\n\n\0"s, R"(a["SEND\n\n\u0000"])"},
  };
  for (const auto& [message, frame] : cases) EXPECT_EQ(array_frame(message), frame);
}

// What a client sends that cuts "가👋나" by UTF-16 units, at every place.
TEST(SockjsFraming, JoinsSurrogatePairsCutBetweenMessages) {
  const auto read_all = [](std::initializer_list<std::string_view> payloads) {
    MessageReader reader;
    std::string text;
    for (const std::string_view payload : payloads) {
      const auto messages = reader.read(payload);
      EXPECT_TRUE(messages.ok()) << payload;
      for (const std::string& message : *messages) text += message;
    }
    return text;
  };
  EXPECT_EQ(read_all({R"(["가\ud83d"])", R"(["\udc4b나"])"}), "가👋나");
  EXPECT_EQ(read_all({R"("가\uD83D")", R"("\uDC4B나")"}), "가👋나");
  EXPECT_EQ(read_all({R"(["\ud83d"])", R"(["\udc4b"])"}), "👋");
  EXPECT_EQ(read_all({R"(["x","\ud83d"])", R"(["\udc4b","y"])"}), "x👋y");
  EXPECT_EQ(read_all({R"(["\ud83d"])", R"(["\udc4b\ud83d"])", R"(["\udc4b"])"}), "👋👋");
  EXPECT_EQ(read_all({R"(["\ud83d"])", "", R"(["\udc4b"])"}), "👋") << "an empty one is none";
  EXPECT_EQ(read_all({R"(["a\ud83d"])", R"(["b"])"}), "a\uFFFDb");
  EXPECT_EQ(read_all({R"(["a\ud83d"])", R"(["\ud83d"])", R"(["\udc4b"])"}), "a\uFFFD👋");
  EXPECT_EQ(read_all({R"(["a\\ud83d"])", R"(["b"])"}), "a\\ud83db") << "an escaped backslash";
  EXPECT_EQ(read_all({R"(["\ud83d\udc4b"])", R"(["b"])"}), "👋b");
  EXPECT_EQ(read_all({R"(["\ud83d"])", "[]", R"(["\udc4b"])"}), "👋") << "nor is an empty array";
  EXPECT_EQ(read_all({R"([ "\ud83d" ] )", R"( [ "\udc4b" ])"}), "👋") << "blanks around";
  EXPECT_EQ(read_all({R"(["a\ud83d"])", R"([ "b"])"}), "a\uFFFDb");
  MessageReader reader;
  EXPECT_FALSE(reader.read(R"(["a\udc4b"])").ok()) << "a low half that follows nothing";
}

// The protocol's list, over every character there is.
TEST(SockjsFraming, EscapesExactlyTheProtocolsList) {
  for (std::uint32_t c = 0; c <= 0x10FFFF; c += c < 0x11000 ? 1 : 97) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    const bool escaped = c < 0x20 || c == '"' || c == '\\' || (c >= 0x200C && c <= 0x200F) ||
                         (c >= 0x2028 && c <= 0x202F) || (c >= 0x2060 && c <= 0x206F) ||
                         c >= 0xFFF0;
    const std::string frame = array_frame(utf8(c));
    ASSERT_EQ(frame.find('\\') != std::string::npos, escaped) << std::hex << c;
    if (!escaped) {
      ASSERT_EQ(frame, "a[\"" + utf8(c) + "\"]");
    }
  }
}

TEST(SockjsFraming, StaysWithinATextThatIsNotUtf8) {
  for (const char* cut : {"\xE2", "\xE2\x80", "\xEF\xBF", "\xF0\x9F\x91"}) {
    EXPECT_EQ(array_frame(cut), "a[\""s + cut + "\"]");
  }
}

TEST(SockjsFraming, WritesTheOtherFrames) {
  std::string out;
  append_close_frame(out, 3000, "Go away!");
  EXPECT_EQ(out, R"(c[3000,"Go away!"])");
  out.clear();
  append_close_frame(out, 2010, "\"");
  EXPECT_EQ(out, R"(c[2010,"\""])");
  EXPECT_EQ(kOpenFrame, "o");
  EXPECT_EQ(info_body(true, false, 4294967295),
            R"({"websocket":true,"origins":["*:*"],"cookie_needed":false,"entropy":4294967295})");
  EXPECT_EQ(info_body(false, true, 0),
            R"({"websocket":false,"origins":["*:*"],"cookie_needed":true,"entropy":0})");
}

TEST(SockjsFraming, ReadsMessages) {
  using Messages = std::vector<std::string>;
  const std::pair<std::string, Messages> cases[] = {
      {"", {}},
      {"[]", {}},
      {R"([""])", {""}},
      {R"(["a"])", {"a"}},
      {R"(["a","b"])", {"a", "b"}},
      {R"("one")", {"one"}},
      {" [ \"a\" , \"b\" ] \n", {"a", "b"}},
      {R"(["SEND\n\n\u0000"])", {"SEND\n\n\0"s}},
      {R"(["\ud83d\udc4b 안녕 \u00e9"])", {"👋 안녕 é"}},
  };
  for (const auto& [payload, messages] : cases) {
    const auto result = parse_messages(payload);
    ASSERT_TRUE(result.ok()) << payload;
    EXPECT_EQ(*result, messages) << payload;
  }
}

TEST(SockjsFraming, RefusesWhatIsNoMessage) {
  const std::string cases[] = {
      " ",
      "[",
      "]",
      "[\"a\"",
      "[\"a\",]",
      "[\"a\"]]",
      "[1]",
      "[null]",
      "[true]",
      "[[\"a\"]]",
      "[{}]",
      "{}",
      "1",
      "null",
      "x",
      "\"",
      "\"a",
      "'a'",
      "[\"a\" 1",
      "[\"\\x\"]",
      "[\"\n\"]",
      "[\"\xFF\"]",
      "[\"\\ud800\"]",
      "[\"a\"] x",
      "\0"s,
      "[\"a\",1]",
      "{\"a\":\"b\"}",
      "[\"\\udc4b\"]",
      std::string(100'000, '['),
      "[\"\xED\xA0\x80\"]",
  };
  for (const std::string& payload : cases) {
    const auto result = parse_messages(payload);
    ASSERT_FALSE(result.ok()) << payload.substr(0, 40);
    EXPECT_EQ(result.error().code, ErrorCode::invalid_message_format);
  }
}

TEST(SockjsFraming, ReadsWhatItWrites) {
  std::mt19937_64 random(seed());
  for (int round = 0; round < 2000; ++round) {
    std::string message;
    for (std::size_t n = pick(random, 0, 30); n > 0; --n) {
      const std::size_t highest[] = {0x7F, 0x7F, 0x7FF, 0x3000, 0xFFFF, 0x10FFFF};
      const auto c = static_cast<std::uint32_t>(pick(random, 0, highest[pick(random, 0, 5)]));
      if (c < 0xD800 || c > 0xDFFF) message += utf8(c);
    }
    const std::string frame = array_frame(message);
    ASSERT_TRUE(is_utf8(frame));
    const auto result = parse_messages(std::string_view(frame).substr(1));
    ASSERT_TRUE(result.ok()) << frame;
    ASSERT_EQ(*result, std::vector<std::string>{message}) << frame;
  }
}

TEST(SockjsFraming, ReadsSessionPaths) {
  const auto path = parse_session_path("/000/abc-1_2/websocket");
  ASSERT_TRUE(path);
  EXPECT_EQ(path->server, "000");
  EXPECT_EQ(path->session, "abc-1_2");
  EXPECT_EQ(path->transport, "websocket");
  EXPECT_TRUE(parse_session_path("/_/_/xhr_streaming"));
  EXPECT_EQ(parse_session_path("/a/b/htmlfile.html")->transport, "htmlfile.html");
  for (const char* rest : {"",           "/",        "//",        "///",        "/a",
                           "/a/b",       "/a/b/",    "/a/b/xhr/", "/a/b/xhr/c", "//xhr",
                           "///xhr",     "//b/xhr",  "/a//xhr",   "/a./a/xhr",  "/a/a./xhr",
                           "/./././xhr", "/././xhr", "a/b/xhr",   "/info",      "/iframe.html",
                           "/websocket"}) {
    EXPECT_FALSE(parse_session_path(rest)) << rest;
  }
}

}  // namespace
}  // namespace rtc::sockjs
