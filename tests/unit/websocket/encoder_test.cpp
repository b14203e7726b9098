#include "websocket/encoder.hpp"

#include <gtest/gtest.h>

#include "base/utf8.hpp"

namespace rtc::websocket {
namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text.push_back(static_cast<char>(value));
  return text;
}

std::string frame(Opcode opcode, std::string_view payload) {
  std::string out = "before ";
  append_frame(out, opcode, payload);
  EXPECT_EQ(out.substr(0, 7), "before ");
  return out.substr(7);
}

std::string close(std::uint16_t code, std::string_view reason) {
  std::string out;
  append_close(out, code, reason);
  return out;
}

TEST(Encoder, WritesTheExamplesOfTheRfc) {
  EXPECT_EQ(frame(Opcode::text, "Hello"), bytes({0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}));
  EXPECT_EQ(frame(Opcode::ping, "Hello"), bytes({0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}));
  EXPECT_EQ(frame(Opcode::binary, std::string(256, 'x')).substr(0, 4),
            bytes({0x82, 0x7E, 0x01, 0x00}));
  EXPECT_EQ(frame(Opcode::binary, std::string(65536, 'x')).substr(0, 10),
            bytes({0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0}));
}

TEST(Encoder, TakesTheShortestLength) {
  for (const auto& [payload, header] :
       {std::pair{0U, 2U}, {125U, 2U}, {126U, 4U}, {65535U, 4U}, {65536U, 10U}}) {
    const std::string written = frame(Opcode::text, std::string(payload, 'x'));
    EXPECT_EQ(written.size(), header + payload);
    EXPECT_EQ(written.substr(header), std::string(payload, 'x'));
  }
  char header[kHeaderBytesMax];
  EXPECT_EQ(write_header(Opcode::binary, 0x0102030405060708, header), 10U);
  EXPECT_EQ(std::string(header, 10), bytes({0x82, 127, 1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(Encoder, WritesCloses) {
  EXPECT_EQ(close(kCloseNoStatus, "ignored"), bytes({0x88, 0}));
  EXPECT_EQ(close(kCloseNormal, ""), bytes({0x88, 2, 0x03, 0xE8}));
  EXPECT_EQ(close(kCloseProtocolError, "no"), bytes({0x88, 4, 0x03, 0xEA, 'n', 'o'}));
}

TEST(Encoder, CutsACloseReasonAtACharactersBoundary) {
  EXPECT_EQ(close(kCloseNormal, std::string(123, 'x')).size(), 127U);
  EXPECT_EQ(close(kCloseNormal, std::string(124, 'x')).size(), 127U);
  for (int lead = 0; lead < 4; ++lead) {
    std::string reason(static_cast<std::size_t>(lead), 'x');
    for (int i = 0; i < 50; ++i) reason += "한";
    const std::string written = close(kCloseNormal, reason);
    EXPECT_LE(written.size(), 127U);
    EXPECT_GE(written.size(), 125U);
    EXPECT_TRUE(is_utf8(written.substr(4))) << lead;
  }
}

}  // namespace
}  // namespace rtc::websocket
