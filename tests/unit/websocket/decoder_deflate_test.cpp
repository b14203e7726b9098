// The decoder where permessage-deflate was agreed on.
#include <gtest/gtest.h>
#include <random>

#include "unit/base/seed.hpp"
#include "unit/websocket/client_frames.hpp"
#include "websocket/decoder.hpp"

namespace rtc::websocket {
namespace {

using rtc::test::pick;
using rtc::test::seed;
using test::client_frame;
using test::decode;
using test::FrameShape;
using Log = std::vector<std::string>;

constexpr DecoderLimits kLimits{};
constexpr FrameShape kCompressed{.rsv = 4};
constexpr FrameShape kFirst{.final = false, .rsv = 4};
constexpr FrameShape kMiddle{.final = false};

std::string deflated(std::string_view text) {
  Deflater deflater;
  std::string payload;
  deflater.append_end(payload, text, Deflate::full_window);
  return payload;
}

// Whole, byte by byte, and cut in two at every place must all give `expected`.
void expect_events(const std::string& input, const Log& expected,
                   const DecoderLimits& limits = kLimits) {
  Inflater inflater;
  EXPECT_EQ(decode({input}, limits, &inflater), expected);
  Log single;
  for (const char c : input) single.emplace_back(1, c);
  EXPECT_EQ(decode(single, limits, &inflater), expected) << "byte by byte";
  for (std::size_t cut = 1; cut < input.size(); ++cut) {
    ASSERT_EQ(decode({input.substr(0, cut), input.substr(cut)}, limits, &inflater), expected)
        << "cut at " << cut;
  }
}

TEST(DecoderDeflate, TakesCompressedAndPlainMessages) {
  const std::string text = "안녕하세요 👋 안녕하세요 👋";
  const std::string payload = deflated(text);
  const std::string_view view = payload;
  expect_events(client_frame(Opcode::text, payload, kCompressed) +
                    client_frame(Opcode::text, text) +
                    client_frame(Opcode::binary, payload, kCompressed),
                {"text:" + text, "text:" + text, "binary:" + text});
  expect_events(
      client_frame(Opcode::text, view.substr(0, 1), kFirst) + client_frame(Opcode::ping, "?") +
          client_frame(Opcode::continuation, "", kMiddle) +
          client_frame(Opcode::continuation, view.substr(1, 5), kMiddle) +
          client_frame(Opcode::continuation, view.substr(6)) + client_frame(Opcode::text, "plain"),
      {"ping:?", "text:" + text, "text:plain"});
  expect_events(client_frame(Opcode::text, "", kFirst) +
                    client_frame(Opcode::continuation, payload, kMiddle) +
                    client_frame(Opcode::continuation, ""),
                {"text:" + text});
  expect_events(client_frame(Opcode::text, std::string(1, '\0'), kCompressed), {"text:"});
}

// Its receiver counts what was inflated, also when that is one stretch in the call that began it.
TEST(DecoderDeflate, TellsWhatWasInflated) {
  Inflater inflater;
  Decoder decoder(kLimits, &inflater);
  std::string stream = client_frame(Opcode::text, deflated("short"), kCompressed) +
                       client_frame(Opcode::text, "plain") +
                       client_frame(Opcode::text, deflated(std::string(40'000, 'x')), kCompressed);
  std::span<char> input(stream);
  std::vector<bool> compressed;
  for (Event event = decoder.next(input); event.kind == Event::Kind::data;
       event = decoder.next(input)) {
    compressed.push_back(event.compressed);
  }
  EXPECT_EQ(compressed, (std::vector{true, false, true, true}));
}

TEST(DecoderDeflate, RefusesReservedBitsWhereTheyMayNotBe) {
  const std::string payload = deflated("hello");
  const Log refused{"error 1002"};
  expect_events(client_frame(Opcode::ping, "x", {.rsv = 4}), refused);
  expect_events(client_frame(Opcode::close, "", {.rsv = 4}), refused);
  expect_events(client_frame(Opcode::text, payload, {.rsv = 6}), refused);
  expect_events(client_frame(Opcode::text, payload, {.rsv = 1}), refused);
  expect_events(client_frame(Opcode::text, payload, kFirst) +
                    client_frame(Opcode::continuation, "", {.rsv = 4}),
                refused);
  EXPECT_EQ(decode({client_frame(Opcode::text, payload, kCompressed)}, kLimits), refused)
      << "not agreed on";
}

TEST(DecoderDeflate, RefusesWhatIsNoDeflateOrNoText) {
  const Log refused{"error 1007"};
  expect_events(client_frame(Opcode::text, "", kCompressed), refused);
  expect_events(client_frame(Opcode::text, "\x07 no block", kCompressed), refused);
  const std::string payload = deflated("hello hello hello");
  expect_events(client_frame(Opcode::text, std::string_view(payload).substr(0, payload.size() - 2),
                             kCompressed),
                refused);
  expect_events(client_frame(Opcode::text, deflated("half a character \xEC\x95"), kCompressed),
                refused);
  expect_events(client_frame(Opcode::text, deflated("\xFF"), kCompressed) +
                    client_frame(Opcode::text, "nothing follows"),
                refused);
}

TEST(DecoderDeflate, BoundsWhatAMessageInflatesTo) {
  constexpr DecoderLimits kSmall{.message_bytes_max = 100'000};
  Inflater inflater;
  const std::string exact(100'000, 'x');
  EXPECT_EQ(decode({client_frame(Opcode::text, deflated(exact), kCompressed)}, kSmall, &inflater),
            Log{"text:" + exact});
  EXPECT_EQ(
      decode({client_frame(Opcode::text, deflated(exact + "x"), kCompressed)}, kSmall, &inflater),
      Log{"error 1009"});
  const std::string bomb = deflated(std::string(60 << 20, '\0'));
  ASSERT_LT(bomb.size(), 100'000U * 4);
  constexpr DecoderLimits kDefault{};
  EXPECT_EQ(decode({client_frame(Opcode::binary, bomb, kCompressed)}, kDefault, &inflater),
            Log{"error 1009"});
  EXPECT_EQ(inflater.figures().refused, 2U);
  EXPECT_LE(inflater.figures().plain_bytes,
            200'001 + kDefault.message_bytes_max + Inflater::kStretchBytesMax);
  EXPECT_EQ(decode({client_frame(Opcode::text, "\xFF\xFF", kCompressed)}, kDefault, &inflater),
            Log{"error 1007"});
  EXPECT_EQ(inflater.figures().refused, 3U) << "what is corrupt counts as well";
  // What comes compressed is bounded too.
  EXPECT_EQ(decode({client_frame(Opcode::binary, bomb, kFirst)},
                   DecoderLimits{.message_bytes_max = bomb.size() - 1}, &inflater),
            Log{"error 1009"});
}

TEST(DecoderDeflate, RandomMessagesHoweverTheyAreCut) {
  std::mt19937_64 random(seed());
  Inflater inflater;
  for (int round = 0; round < 100; ++round) {
    std::string stream;
    Log expected;
    for (int i = 0; i < 5; ++i) {
      const std::string text(pick(random, 0, 100'000), static_cast<char>('a' + i));
      const bool compressed = pick(random, 0, 2) > 0;
      const std::string payload = compressed ? deflated(text) : text;
      std::size_t at = 0;
      bool final = false;
      for (int frame = 0; !final; ++frame) {
        const std::size_t size = pick(random, 0, payload.size() - at);
        at += size;
        final = at == payload.size();
        const bool marked = compressed && frame == 0;
        stream += client_frame(frame == 0 ? Opcode::binary : Opcode::continuation,
                               std::string_view(payload).substr(at - size, size),
                               {.final = final, .rsv = static_cast<std::uint8_t>(marked ? 4 : 0)});
      }
      expected.push_back("binary:" + text);
    }
    Log pieces;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = pick(random, 1, stream.size() - at);
      pieces.push_back(stream.substr(at, size));
      at += size;
    }
    ASSERT_EQ(decode(pieces, kLimits, &inflater), expected) << "seed " << seed();
  }
}

}  // namespace
}  // namespace rtc::websocket
