#include "stomp/frame.hpp"

#include <gtest/gtest.h>

namespace rtc::stomp {
namespace {

TEST(Frame, FindsTheFirstOfARepeatedHeader) {
  const Header headers[] = {{"a", "1"}, {"a", "2"}, {"empty", ""}};
  Frame frame;
  frame.headers = headers;
  EXPECT_EQ(frame.find("a"), "1");
  EXPECT_EQ(frame.get("a"), "1");
  EXPECT_EQ(frame.find("empty"), "");
  EXPECT_EQ(frame.find("A"), std::nullopt);
  EXPECT_EQ(frame.get("absent"), "");
}

TEST(Frame, NamesCommands) {
  for (int i = 0; i <= static_cast<int>(Command::error); ++i) {
    const auto command = static_cast<Command>(i);
    EXPECT_EQ(parse_command(to_string(command)), command);
  }
  EXPECT_EQ(to_string(Command::connect), "CONNECT");
  EXPECT_EQ(to_string(Command::unsubscribe), "UNSUBSCRIBE");
  EXPECT_EQ(to_string(Command::disconnect), "DISCONNECT");
  EXPECT_EQ(to_string(Command::error), "ERROR");
  EXPECT_EQ(parse_command("send"), std::nullopt);
  EXPECT_EQ(parse_command(""), std::nullopt);
}

TEST(Frame, NegotiatesTheHighestCommonVersion) {
  const std::pair<const char*, std::optional<Version>> cases[] = {
      {"", Version::v1_0},         {"1.0", Version::v1_0},     {"1.1", Version::v1_1},
      {"1.2", Version::v1_2},      {"1.1,1.0", Version::v1_1}, {"1.0,1.1,1.2", Version::v1_2},
      {"1.2, 1.1", Version::v1_2}, {" 1.1 ", Version::v1_1},   {"1.0,1.3", Version::v1_0},
      {"2.0", std::nullopt},       {",", std::nullopt},        {"1.1.1", std::nullopt},
      {"1.10,1.20", std::nullopt}, {",1.1,", Version::v1_1},   {"v1.2", std::nullopt},
  };
  for (const auto& [header, version] : cases) EXPECT_EQ(negotiate(header), version) << header;
  EXPECT_EQ(to_string(Version::v1_0), "1.0");
  EXPECT_EQ(to_string(Version::v1_1), "1.1");
  EXPECT_EQ(to_string(Version::v1_2), "1.2");
}

TEST(Frame, ReadsHeartBeats) {
  const auto expect = [](const char* value, std::uint32_t sends_ms, std::uint32_t receives_ms) {
    const auto heart_beat = parse_heart_beat(value);
    ASSERT_TRUE(heart_beat) << value;
    EXPECT_EQ(heart_beat->sends_ms, sends_ms) << value;
    EXPECT_EQ(heart_beat->receives_ms, receives_ms) << value;
  };
  expect("0,0", 0, 0);
  expect("10000,25000", 10000, 25000);
  expect("2147483646,2147483647", 2147483646, 2147483647);
  expect("2147483648,99999999999999999999999", 2147483647, 2147483647);
  for (const char* value : {"", ",", "1", "1,", ",1", "1,2,3", "-1,0", "a,b", "1.5,0", "1, 2"}) {
    EXPECT_FALSE(parse_heart_beat(value)) << value;
  }
}

}  // namespace
}  // namespace rtc::stomp
