#include "stomp/parser.hpp"

#include <gtest/gtest.h>

#include "unit/stomp/recorder.hpp"

namespace rtc::stomp {
namespace {

using namespace std::string_literals;
using test::Log;
using test::parse;
using OptionalVersion = std::optional<Version>;

constexpr ParserLimits kLimits{};

// Whole, byte by byte, and cut in two at every place must all give `expected`.
void expect_events(const std::string& input, OptionalVersion version, const Log& expected,
                   const ParserLimits& limits = kLimits) {
  EXPECT_EQ(parse({input}, version, limits), expected);
  Log single;
  for (const char c : input) single.emplace_back(1, c);
  EXPECT_EQ(parse(single, version, limits), expected) << "byte by byte";
  for (std::size_t cut = 1; cut < input.size(); ++cut) {
    ASSERT_EQ(parse({input.substr(0, cut), input.substr(cut)}, version, limits), expected)
        << "cut at " << cut;
  }
}

const std::string kNoColon = "error: a header has no colon";
const std::string kNoName = "error: a header has no name";
const std::string kNoEnd = "error: a frame ends before the blank line after its headers";
const std::string kNoBody = "error: only SEND, MESSAGE and ERROR may have a body";
const std::string kNoNul = "error: no NUL follows the body that content-length counts";
const std::string kBadLength = "error: content-length is not a number";
const std::string kBadEscape = "error: a header holds an unknown escape";
const std::string kBareCr = "error: a header holds a CR that is not escaped";
const std::string kNotUtf8 = "error: a command or header is not valid UTF-8";
const std::string kUnknown = "error: unknown command";
const std::string kLoneCr = "error: a CR without LF between frames";
const std::string kLongBody = "too large: the body is too long";

struct Case {
  const char* name;
  std::string input;
  Log v1_0;
  OptionalVersion from = {};  // from this version on `later` holds instead
  Log later = {};
};

void check(const Case& c) {
  SCOPED_TRACE(c.name);
  for (const Version version : {Version::v1_0, Version::v1_1, Version::v1_2}) {
    SCOPED_TRACE(to_string(version));
    expect_events(c.input, version, c.from && version >= *c.from ? c.later : c.v1_0);
  }
}

TEST(Parser, IsSmall) {
  EXPECT_LE(sizeof(Parser), 128U);
}

TEST(Parser, CutsTheStreamIntoFrames) {
  const Case cases[] = {
      {"no header, no body", "SEND\n\n\0"s, {"SEND()"}},
      {"headers and body", "SEND\ndestination:/a\nx:y\n\nhi\0"s, {"SEND(destination=/a,x=y)hi"}},
      {"two frames", "SEND\n\na\0SEND\n\nb\0"s, {"SEND()a", "SEND()b"}},
      {"EOL after a frame", "SEND\n\na\0\n"s, {"SEND()a", "beat"}},
      {"EOLs around frames",
       "\n\nSEND\n\na\0\n\r\n\nSEND\n\nb\0"s,
       {"beat", "SEND()a", "beat", "SEND()b"}},
      {"heart-beat LF", "\n", {"beat"}},
      {"heart-beat CRLF", "\r\n", {"beat"}},
      {"half a CRLF", "\r", {}},
      {"CR without LF", "\rSEND\n\n\0"s, {kLoneCr}},
      {"CR CR LF", "\r\r\n", {kLoneCr}},
      {"LF CR then a frame", "\n\rSEND\n\n\0"s, {"beat", kLoneCr}},
      {"incomplete head", "SEND\ndestination:/a\n", {}},
      {"incomplete body", "SEND\n\nabc", {}},
      {"stray NUL", "\0"s, {kNoEnd}},
      {"NUL in the command", "SE\0ND\n\n\0"s, {kNoEnd}},
      {"NUL after the command", "SEND\n\0"s, {kNoEnd}},
      {"NUL in a header", "SEND\na:b\0\n\n\0"s, {kNoEnd}},
      {"LF in a body", "SEND\n\na\n\nb\0"s, {"SEND()a\n\nb"}},
      {"a body of LFs", "SEND\n\n\n\n\0"s, {"SEND()\n\n"}},
      {"a body that is no UTF-8", "SEND\n\n\xFF\xFE\0"s, {"SEND()\xFF\xFE"}},
      {"nothing after an error", "NOPE\n\n\0SEND\n\n\0\n"s, {kUnknown}},
      {"a frame, then an error", "SEND\n\n\0nope\n\n\0"s, {"SEND()", kUnknown}},
  };
  for (const Case& c : cases) check(c);
}

TEST(Parser, GivesWithAnErrorTheHeadersReadBefore) {
  const std::string whole = "BEGIN\nreceipt:a\\c\nx:\\q\nreceipt:b\n\n\0"s;
  for (const std::size_t cut : {whole.size(), std::size_t{1}}) {
    Parser parser;
    parser.set_version(Version::v1_2);
    Event event;
    for (std::size_t at = 0; event.kind != Event::Kind::error; at += cut) {
      ASSERT_LT(at, whole.size());
      std::string_view input = std::string_view(whole).substr(at, cut);
      event = parser.next(input, kLimits);
    }
    ASSERT_EQ(event.frame.headers.size(), 1U);
    EXPECT_EQ(event.frame.get("receipt"), "a:");
  }
}

TEST(Parser, KnowsTheCommands) {
  for (const char* name : {"CONNECT", "STOMP", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "NACK", "BEGIN",
                           "COMMIT", "ABORT", "DISCONNECT", "CONNECTED", "RECEIPT"}) {
    check({name, name + "\n\n\0"s, {name + "()"s}});
    check({name, name + "\n\nx\0"s, {name + "()x"s}, Version::v1_1, {kNoBody}});
    check({name, name + "\n\n\n\0"s, {name + "()\n"s}, Version::v1_1, {kNoBody}});
    expect_events(name + "\n\nx\0"s, {}, {kNoBody});
    check({name, name + "\ncontent-length:0\n\n\0"s, {name + "(content-length=0)"s}});
    check({name,
           name + "\ncontent-length:1\n\nx\0"s,
           {name + "(content-length=1)x"s},
           Version::v1_1,
           {kNoBody}});
  }
  for (const char* name : {"SEND", "MESSAGE", "ERROR"}) {
    check({name, name + "\n\nx\0"s, {name + "()x"s}});
  }
  for (const char* name : {"send", "SENDX", "SEN", " SEND", "SEND ", "GET / HTTP/1.1", "\\SEND"}) {
    check({name, name + "\n\n\0"s, {kUnknown}});
  }
  check({"not UTF-8", "SE\xFFND\n\n\0"s, {kNotUtf8}});
}

TEST(Parser, CountsBodies) {
  const Case cases[] = {
      {"NUL inside", "SEND\ncontent-length:3\n\na\0b\0"s, {"SEND(content-length=3)a\0b"s}},
      {"empty", "SEND\ncontent-length:0\n\n\0"s, {"SEND(content-length=0)"}},
      {"leading zeros", "SEND\ncontent-length:0002\n\nab\0"s, {"SEND(content-length=0002)ab"}},
      {"counts bytes, not characters",
       "SEND\ncontent-length:3\n\n안\0"s,
       {"SEND(content-length=3)안"}},
      {"too short", "SEND\ncontent-length:1\n\nab\0"s, {kNoNul}},
      {"too long waits", "SEND\ncontent-length:9\n\nab\0"s, {}},
      {"too long eats the next frame", "SEND\ncontent-length:3\n\nab\0SEND\n\n\0"s, {kNoNul}},
      {"negative", "SEND\ncontent-length:-1\n\n\0"s, {kBadLength}},
      {"signed", "SEND\ncontent-length:+1\n\na\0"s, {kBadLength}},
      {"empty value", "SEND\ncontent-length:\n\na\0"s, {kBadLength}},
      {"not a number", "SEND\ncontent-length:1x\n\na\0"s, {kBadLength}},
      {"hexadecimal", "SEND\ncontent-length:0x1\n\na\0"s, {kBadLength}},
      {"the first counts",
       "SEND\ncontent-length:1\ncontent-length:x\n\na\0"s,
       {"SEND(content-length=1,content-length=x)a"}},
      {"spaces",
       "SEND\ncontent-length: 1 \n\na\0"s,
       {"SEND(content-length=1)a"},
       Version::v1_1,
       {kBadLength}},
      {"over 64 bits", "SEND\ncontent-length:18446744073709551617\n\na\0"s, {kLongBody}},
      {"over the bound", "SEND\ncontent-length:262145\n", {kLongBody}},
      {"another name's case", "SEND\nContent-Length:9\n\na\0"s, {"SEND(Content-Length=9)a"}},
  };
  for (const Case& c : cases) check(c);
}

TEST(Parser, ReadsHeaders) {
  const Case cases[] = {
      {"empty value", "SEND\na:\n\n\0"s, {"SEND(a=)"}},
      {"colon in a value", "SEND\na:b:c\n\n\0"s, {"SEND(a=b:c)"}},
      {"repeated", "SEND\na:1\na:2\n\n\0"s, {"SEND(a=1,a=2)"}},
      {"Korean", "SEND\n이름:아리 1\n\n\0"s, {"SEND(이름=아리 1)"}},
      {"no colon", "SEND\nabc\n\n\0"s, {kNoColon}},
      {"no name", "SEND\n:b\n\n\0"s, {kNoName}},
      {"spaces for a name", "SEND\n  :b\n\n\0"s, {kNoName}, Version::v1_1, {"SEND(  =b)"}},
      {"not UTF-8", "SEND\na:\xC0\x80\n\n\0"s, {kNotUtf8}},
      {"UTF-8 cut by the line's end", "SEND\na:\xEC\x95\n\n\0"s, {kNotUtf8}},
      {"stray spaces", "SEND\n a : b \n\n\0"s, {"SEND(a=b)"}, Version::v1_1, {"SEND( a = b )"}},
      {"tabs are data", "SEND\na:\tb\n\n\0"s, {"SEND(a=\tb)"}},
      {"spaces for a line", "SEND\n \n\n\0"s, {kNoColon}},
  };
  for (const Case& c : cases) check(c);
}

TEST(Parser, Unescapes) {
  const Case cases[] = {
      {"LF", "SEND\na:b\\nc\n\n\0"s, {"SEND(a=b\\nc)"}, Version::v1_1, {"SEND(a=b\nc)"}},
      {"colon",
       "SEND\na\\cb:c\\cd\n\n\0"s,
       {"SEND(a\\cb=c\\cd)"},
       Version::v1_1,
       {"SEND(a:b=c:d)"}},
      {"backslash", "SEND\na:\\\\n\n\n\0"s, {"SEND(a=\\\\n)"}, Version::v1_1, {"SEND(a=\\n)"}},
      {"tab", "SEND\na:\\t\n\n\0"s, {"SEND(a=\\t)"}, Version::v1_1, {kBadEscape}},
      {"upper case", "SEND\na:\\N\n\n\0"s, {"SEND(a=\\N)"}, Version::v1_1, {kBadEscape}},
      {"at the value's end", "SEND\na:b\\\n\n\0"s, {"SEND(a=b\\)"}, Version::v1_1, {kBadEscape}},
      {"at the name's end", "SEND\na\\:b\n\n\0"s, {"SEND(a\\=b)"}, Version::v1_1, {kBadEscape}},
      {"CONNECT", "CONNECT\na:\\n\\t\n\n\0"s, {"CONNECT(a=\\n\\t)"}},
      {"STOMP", "STOMP\na:\\n\n\n\0"s, {"STOMP(a=\\n)"}},
      {"CONNECTED", "CONNECTED\na:\\n\n\n\0"s, {"CONNECTED(a=\\n)"}},
      {"several",
       "SEND\na:\\c\nb:x\nc:\\n\n\n\\c\0"s,
       {"SEND(a=\\c,b=x,c=\\n)\\c"},
       Version::v1_1,
       {"SEND(a=:,b=x,c=\n)\\c"}},
  };
  for (const Case& c : cases) check(c);

  expect_events("SEND\na:\\r\n\n\0"s, Version::v1_0, {"SEND(a=\\r)"});
  expect_events("SEND\na:\\r\n\n\0"s, Version::v1_1, {kBadEscape});
  expect_events("SEND\na:\\r\n\n\0"s, Version::v1_2, {"SEND(a=\r)"});
}

TEST(Parser, TakesCrOnlyWhereTheVersionDoes) {
  const Case cases[] = {
      {"everywhere", "SEND\r\na:b\r\n\r\nhi\0"s, {kUnknown}, Version::v1_2, {"SEND(a=b)hi"}},
      {"after a header", "SEND\na:b\r\n\n\0"s, {"SEND(a=b\r)"}, Version::v1_2, {"SEND(a=b)"}},
      {"blank line", "SEND\n\r\n\n\0"s, {kNoColon}, Version::v1_2, {"SEND()\n"}},
      {"in a value", "SEND\na:b\rc\n\n\0"s, {"SEND(a=b\rc)"}, Version::v1_2, {kBareCr}},
      {"two before LF", "SEND\na:b\r\r\n\n\0"s, {"SEND(a=b\r\r)"}, Version::v1_2, {kBareCr}},
      {"in CONNECT", "CONNECT\na:b\rc\n\n\0"s, {"CONNECT(a=b\rc)"}},
      {"in a body", "SEND\n\n\r\n\0"s, {"SEND()\r\n"}},
  };
  for (const Case& c : cases) check(c);
}

TEST(Parser, IsLenientBeforeAVersionIsKnown) {
  expect_events("CONNECT\r\naccept-version:1.1\r\npasscode: a\\t \r\n\r\n\0\r\n"s, {},
                {"CONNECT(accept-version=1.1,passcode= a\\t )", "beat"});
  // Who asks for no more than 1.0 may have blanks around names and values.
  expect_events("CONNECT\r\naccept-version:1.0\r\n passcode : a\\t \r\n\r\n\0\r\n"s, {},
                {"CONNECT(accept-version=1.0,passcode=a\\t)", "beat"});
  expect_events("CONNECT\nheart-beat: 0,0\ncontent-length: 0\n\n\0"s, {},
                {"CONNECT(heart-beat=0,0,content-length=0)"});
  expect_events("CONNECT\n :nameless but for a blank\n\n\0"s, {}, {kNoName});
  expect_events("SEND\na:\\n\rb\n\n\0"s, {}, {"SEND(a=\\n\rb)"});
}

TEST(Parser, FollowsAVersionSetBetweenFrames) {
  Parser parser;
  const std::string bytes = "CONNECT\r\n\r\n\0SEND\na:\\c\n\n\0"s;
  std::string_view input = bytes;
  EXPECT_EQ(parser.version(), Version::v1_2);
  EXPECT_EQ(test::describe(parser.next(input, kLimits).frame), "CONNECT()");
  parser.set_version(Version::v1_1);
  EXPECT_EQ(parser.version(), Version::v1_1);
  EXPECT_EQ(test::describe(parser.next(input, kLimits).frame), "SEND(a=:)");
  EXPECT_EQ(parser.next(input, kLimits).kind, Event::Kind::need_more);
}

TEST(Parser, ParsesAWholeFrameInPlace) {
  Parser parser;
  parser.set_version(Version::v1_2);
  const std::string bytes = "SEND\na:b\nc:\\c\n\nbody\0rest"s;
  std::string_view input = bytes;
  const Event event = parser.next(input, kLimits);
  ASSERT_EQ(event.kind, Event::Kind::frame);
  EXPECT_EQ(event.frame.headers[0].value.data(), bytes.data() + 7);
  EXPECT_EQ(event.frame.body.data(), bytes.data() + 15);
  EXPECT_EQ(event.frame.get("c"), ":");
  EXPECT_EQ(input, "rest");
}

const std::string kLongHead = "too large: the headers are too long";

TEST(Parser, HoldsTheBoundOnTheHead) {
  constexpr ParserLimits kSmall{.headers_max = 9, .header_bytes_max = 12, .body_bytes_max = 9};
  expect_events("SEND\nabc:d\n\n\0"s, {}, {"SEND(abc=d)"}, {9, 13, 9});
  expect_events("SEND\nabc:d\n\n\0"s, {}, {"SEND(abc=d)"}, kSmall);
  expect_events("SEND\nabc:de\n\n\0"s, {}, {kLongHead}, kSmall);
  expect_events("SEND\nabc:d\r\n\n\0"s, {}, {kLongHead}, kSmall);
  // An endless line fails with the first byte too many, not at its end.
  expect_events("SEND\nabcdefg", {}, {}, kSmall);
  expect_events("SEND\nabcdefgh", {}, {kLongHead}, kSmall);
  expect_events("XXXXXXXXXXXX", {}, {}, kSmall);
  expect_events("XXXXXXXXXXXXX", {}, {kLongHead}, kSmall);
  // Between frames nothing is counted, and every frame has the whole bound.
  expect_events(std::string(40, '\n') + "SEND\nabc:d\n\n\0SEND\nabc:d\n\n\0"s, {},
                {"beat", "SEND(abc=d)", "SEND(abc=d)"}, kSmall);
}

TEST(Parser, HoldsTheBoundOnHeaders) {
  constexpr ParserLimits kSmall{.headers_max = 3, .header_bytes_max = 99, .body_bytes_max = 9};
  expect_events("SEND\na:\nb:\n\n\0"s, {}, {"SEND(a=,b=)"}, kSmall);
  expect_events("SEND\na:\nb:\nc:\n\n\0"s, {}, {"SEND(a=,b=,c=)"}, kSmall);
  expect_events("SEND\na:\nb:\nc:\nd:\n\n\0"s, {}, {"too large: too many headers"}, kSmall);
}

TEST(Parser, HoldsTheBoundOnTheBody) {
  constexpr ParserLimits kSmall{.headers_max = 3, .header_bytes_max = 99, .body_bytes_max = 5};
  expect_events("SEND\n\n1234\0"s, {}, {"SEND()1234"}, kSmall);
  expect_events("SEND\n\n12345\0"s, {}, {"SEND()12345"}, kSmall);
  expect_events("SEND\n\n12345", {}, {}, kSmall);
  expect_events("SEND\n\n123456", {}, {kLongBody}, kSmall);
  expect_events("SEND\ncontent-length:4\n\n1234\0"s, {}, {"SEND(content-length=4)1234"}, kSmall);
  expect_events("SEND\ncontent-length:5\n\n12345\0"s, {}, {"SEND(content-length=5)12345"}, kSmall);
  expect_events("SEND\ncontent-length:6\n", {}, {kLongBody}, kSmall);
}

}  // namespace
}  // namespace rtc::stomp
