#include "websocket/decoder.hpp"

#include <gtest/gtest.h>
#include <random>

#include "unit/base/seed.hpp"
#include "unit/websocket/client_frames.hpp"

namespace rtc::websocket {
namespace {

using rtc::test::pick;
using rtc::test::seed;
using test::client_frame;
using test::close_payload;
using test::decode;
using test::FrameShape;
using Log = std::vector<std::string>;

constexpr DecoderLimits kLimits{};
constexpr FrameShape kFragment{.final = false};

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text.push_back(static_cast<char>(value));
  return text;
}

// Whole, byte by byte, and cut in two at every place must all give `expected`.
void expect_events(const std::string& input, const Log& expected,
                   const DecoderLimits& limits = kLimits) {
  EXPECT_EQ(decode({input}, limits), expected);
  std::vector<std::string> single;
  for (const char c : input) single.emplace_back(1, c);
  EXPECT_EQ(decode(single, limits), expected) << "byte by byte";
  for (std::size_t cut = 1; cut < input.size(); ++cut) {
    ASSERT_EQ(decode({input.substr(0, cut), input.substr(cut)}, limits), expected)
        << "cut at " << cut;
  }
}

struct Case {
  const char* name;
  std::string input;
  Log expected;
};

TEST(Decoder, IsSmall) {
  EXPECT_LE(sizeof(Decoder), 112U);
}

TEST(Decoder, TakesTheExamplesOfTheRfc) {
  // Section 5.7; those that a server sends are tested with the encoder.
  expect_events(bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}),
                {"text:Hello"});
  expect_events(bytes({0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}),
                {"pong:Hello"});
}

TEST(Decoder, TakesWhatIsWellFormed) {
  const std::string full(125, 'p');
  const Case cases[] = {
      {"empty text", client_frame(Opcode::text, ""), {"text:"}},
      {"binary",
       client_frame(Opcode::binary, bytes({0, 0xFF, 0xC0})),
       {"binary:" + bytes({0, 0xFF, 0xC0})}},
      {"two messages",
       client_frame(Opcode::text, "a") + client_frame(Opcode::text, "bc"),
       {"text:a", "text:bc"}},
      {"Korean", client_frame(Opcode::text, "안녕하세요 👋"), {"text:안녕하세요 👋"}},
      {"fragments",
       client_frame(Opcode::text, "Hel", kFragment) +
           client_frame(Opcode::continuation, "lo", kFragment) +
           client_frame(Opcode::continuation, "!"),
       {"text:Hello!"}},
      {"empty fragments around",
       client_frame(Opcode::text, "", kFragment) +
           client_frame(Opcode::continuation, "x", kFragment) +
           client_frame(Opcode::continuation, "", kFragment) +
           client_frame(Opcode::continuation, ""),
       {"text:x"}},
      {"a character over two fragments",
       client_frame(Opcode::text, "\xEC\x95", kFragment) +
           client_frame(Opcode::continuation, "\x88"),
       {"text:안"}},
      {"control frames between fragments",
       client_frame(Opcode::binary, "1", kFragment) + client_frame(Opcode::ping, "are you there") +
           client_frame(Opcode::pong, "") + client_frame(Opcode::continuation, "2"),
       {"ping:are you there", "pong:", "binary:12"}},
      {"ping of 125 bytes", client_frame(Opcode::ping, full), {"ping:" + full}},
      {"two pings",
       client_frame(Opcode::ping, "1") + client_frame(Opcode::ping, "22"),
       {"ping:1", "ping:22"}},
      {"close without a code", client_frame(Opcode::close, ""), {"close 1005:"}},
      {"close with a reason",
       client_frame(Opcode::close, close_payload(1000, "끝")),
       {"close 1000:끝"}},
      {"nothing after close",
       client_frame(Opcode::close, close_payload(1001)) + client_frame(Opcode::text, "x"),
       {"close 1001:"}},
      {"close inside a message",
       client_frame(Opcode::text, "x", kFragment) + client_frame(Opcode::close, ""),
       {"close 1005:"}},
      {"16-bit length",
       client_frame(Opcode::text, std::string(126, 'x')),
       {"text:" + std::string(126, 'x')}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    expect_events(c.input, c.expected);
  }
}

TEST(Decoder, RefusesWhatIsMalformed) {
  const std::string hello = client_frame(Opcode::text, "hello");
  const std::string begun = client_frame(Opcode::text, "a", kFragment);
  const Case cases[] = {
      {"RSV1", client_frame(Opcode::text, "x", {.rsv = 4}), {"error 1002"}},
      {"RSV2", client_frame(Opcode::text, "x", {.rsv = 2}), {"error 1002"}},
      {"RSV3", client_frame(Opcode::ping, "x", {.rsv = 1}), {"error 1002"}},
      {"RSV in the first byte alone", bytes({0xC1}), {"error 1002"}},
      {"unmasked", client_frame(Opcode::text, "x", {.masked = false}), {"error 1002"}},
      {"unmasked, seen at the second byte", bytes({0x81, 0x05}), {"error 1002"}},
      {"fragmented ping", client_frame(Opcode::ping, "x", kFragment), {"error 1002"}},
      {"fragmented close", client_frame(Opcode::close, "", kFragment), {"error 1002"}},
      {"ping of 126 bytes", client_frame(Opcode::ping, std::string(126, 'x')), {"error 1002"}},
      {"ping with a 64-bit length", bytes({0x89, 0xFF}), {"error 1002"}},
      {"125 in 16 bits", bytes({0x81, 0xFE, 0, 125, 1, 2, 3, 4}), {"error 1002"}},
      {"0 in 16 bits", bytes({0x81, 0xFE, 0, 0, 1, 2, 3, 4}), {"error 1002"}},
      {"65535 in 64 bits",
       bytes({0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 1, 2, 3, 4}),
       {"error 1002"}},
      {"highest bit of the length",
       bytes({0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4}),
       {"error 1002"}},
      {"continuation without a start", client_frame(Opcode::continuation, "x"), {"error 1002"}},
      {"continuation after a whole message",
       hello + client_frame(Opcode::continuation, "x"),
       {"text:hello", "error 1002"}},
      {"a new message inside one", begun + hello, {"error 1002"}},
      {"close with half a code", client_frame(Opcode::close, "\x03"), {"error 1002"}},
      {"bad UTF-8", client_frame(Opcode::text, "ab\xC0\x80"), {"error 1007"}},
      {"surrogate", client_frame(Opcode::text, "\xED\xA0\x80"), {"error 1007"}},
      {"bad UTF-8 in a long text",
       client_frame(Opcode::text, std::string(40, 'x') + "\xFF"),
       {"error 1007"}},
      {"incomplete at the end", client_frame(Opcode::text, "ab\xEC\x95"), {"error 1007"}},
      {"incomplete at the end of fragments",
       begun + client_frame(Opcode::continuation, "\xEC"),
       {"error 1007"}},
      {"incomplete before an empty last fragment",
       client_frame(Opcode::text, "\xEC", kFragment) + client_frame(Opcode::continuation, ""),
       {"error 1007"}},
      {"close reason not UTF-8",
       client_frame(Opcode::close, close_payload(1000, "\xFF")),
       {"error 1007"}},
      {"close reason incomplete",
       client_frame(Opcode::close, close_payload(1000, "\xEC\x95")),
       {"error 1007"}},
      {"nothing after an error", bytes({0xC1, 0x80, 0, 0, 0, 0}) + hello, {"error 1002"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    expect_events(c.input, c.expected);
  }
}

TEST(Decoder, RefusesReservedOpcodes) {
  for (const int opcode : {3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF}) {
    expect_events(client_frame(static_cast<std::uint8_t>(opcode), "x"), {"error 1002"});
  }
}

TEST(Decoder, JudgesCloseCodes) {
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
                         3000, 3999, 4000, 4999}) {
    expect_events(client_frame(Opcode::close, close_payload(static_cast<std::uint16_t>(code))),
                  {"close " + std::to_string(code) + ":"});
  }
  for (const int code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    expect_events(client_frame(Opcode::close, close_payload(static_cast<std::uint16_t>(code))),
                  {"error 1002"});
  }
}

TEST(Decoder, HoldsTheBoundOnAMessage) {
  constexpr DecoderLimits kSmall{.message_bytes_max = 10, .fragments_max = 4};
  expect_events(client_frame(Opcode::text, std::string(9, 'x')), {"text:xxxxxxxxx"}, kSmall);
  expect_events(client_frame(Opcode::text, std::string(10, 'x')), {"text:xxxxxxxxxx"}, kSmall);
  expect_events(client_frame(Opcode::text, std::string(11, 'x')), {"error 1009"}, kSmall);

  const std::string six = client_frame(Opcode::text, "123456", kFragment);
  for (const auto& [rest, expected] :
       {std::pair{"789", "text:123456789"}, {"7890", "text:1234567890"}, {"78901", "error 1009"}}) {
    expect_events(six + client_frame(Opcode::continuation, rest), {expected}, kSmall);
  }
  // The bound is each message's own.
  expect_events(client_frame(Opcode::text, "1234567890") + client_frame(Opcode::text, "1234567890"),
                {"text:1234567890", "text:1234567890"}, kSmall);
}

TEST(Decoder, JudgesTheSizeFromTheHeader) {
  constexpr DecoderLimits kSmall{.message_bytes_max = 70'000, .fragments_max = 4};
  expect_events(bytes({0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0x11, 0x71, 1, 2, 3, 4}), {"error 1009"},
                kSmall);
  expect_events(bytes({0x82, 0xFF, 0, 0, 0, 0, 0, 1, 0x11, 0x70, 1, 2, 3, 4}), {}, kSmall);
  expect_events(bytes({0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4}),
                {"error 1009"});
}

TEST(Decoder, HoldsTheBoundOnFragments) {
  constexpr DecoderLimits kSmall{.message_bytes_max = 100, .fragments_max = 3};
  for (int fragments = 2; fragments <= 4; ++fragments) {
    std::string input = client_frame(Opcode::text, "x", kFragment);
    for (int i = 2; i < fragments; ++i) {
      input += client_frame(Opcode::ping, "") + client_frame(Opcode::continuation, "", kFragment);
    }
    input += client_frame(Opcode::continuation, "");
    Log expected(static_cast<std::size_t>(fragments - 2), "ping:");
    expected.emplace_back(fragments <= 3 ? "text:x" : "error 1008");
    expect_events(input, expected, kSmall);
  }
}

TEST(Decoder, ReportsEachStretchWhereItLies) {
  Decoder decoder(kLimits);
  std::string frame = client_frame(Opcode::text, "Hello");
  std::span<char> input(frame.data(), 8);
  Event event = decoder.next(input);
  EXPECT_EQ(event.kind, Event::Kind::data);
  EXPECT_TRUE(event.message_begin);
  EXPECT_FALSE(event.message_end);
  EXPECT_EQ(event.payload.data(), frame.data() + 6);
  EXPECT_EQ(event.payload.size(), 2U);
  EXPECT_EQ(decoder.next(input).kind, Event::Kind::need_more);

  input = std::span<char>(frame).subspan(8);
  event = decoder.next(input);
  EXPECT_FALSE(event.message_begin);
  EXPECT_TRUE(event.message_end);
  EXPECT_EQ(event.payload.data(), frame.data() + 8);
  EXPECT_EQ(frame.substr(6), "Hello");
}

TEST(Decoder, GivesARandomConversationBackHoweverItIsCut) {
  std::mt19937_64 random(seed());
  for (int round = 0; round < 200; ++round) {
    std::string input;
    Log expected;
    for (std::size_t n = pick(random, 1, 6); n > 0; --n) {
      const std::size_t sizes[] = {0, 1, 7, 8, 9, 125, 126, 300, 65535, 65536};
      std::string message(sizes[pick(random, 0, round % 20 == 0 ? 9 : 7)], '\0');
      for (char& c : message) c = static_cast<char>(random());
      expected.push_back("binary:" + message);
      Opcode opcode = Opcode::binary;
      std::size_t at = 0;
      while (true) {
        const std::size_t size = pick(random, 0, message.size() - at);
        const bool final = at + size == message.size();
        FrameShape shape{.final = final};
        for (std::uint8_t& byte : shape.key) byte = static_cast<std::uint8_t>(random());
        input += client_frame(opcode, message.substr(at, size), shape);
        if (final) break;
        at += size;
        opcode = Opcode::continuation;
        if (pick(random, 0, 3) == 0) {
          input += client_frame(Opcode::ping, "?");
          expected.insert(expected.end() - 1, "ping:?");
        }
      }
    }
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < input.size();) {
      const std::size_t size = pick(random, 1, 1 + input.size() / 4);
      pieces.push_back(input.substr(at, size));
      at += size;
    }
    ASSERT_EQ(decode(pieces, kLimits), expected) << "round " << round;
    ASSERT_EQ(decode({input}, kLimits), expected) << "round " << round;
  }
}

}  // namespace
}  // namespace rtc::websocket
