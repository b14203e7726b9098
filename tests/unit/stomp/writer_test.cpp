#include "stomp/writer.hpp"

#include <gtest/gtest.h>
#include <random>

#include "unit/base/seed.hpp"
#include "unit/stomp/recorder.hpp"

namespace rtc::stomp {
namespace {

using namespace std::string_literals;
using rtc::test::pick;
using rtc::test::seed;

std::string escaped(std::string_view value, Version version) {
  std::string out;
  append_escaped(out, value, version);
  return out;
}

TEST(Writer, WritesFrames) {
  std::string out = "before";
  Writer(out, Command::receipt, Version::v1_2).header("receipt-id", "7").end();
  EXPECT_EQ(out, "beforeRECEIPT\nreceipt-id:7\n\n\0"s);

  out.clear();
  Writer(out, Command::message, Version::v1_2)
      .header("destination", "/sub/channel/1")
      .header("message-id", std::uint64_t{18446744073709551615U})
      .end("안녕");
  EXPECT_EQ(out,
            "MESSAGE\ndestination:/sub/channel/1\nmessage-id:18446744073709551615\n"
            "content-length:6\n\n안녕\0"s);
}

TEST(Writer, EscapesAsTheVersionAsks) {
  const std::string all = "a\nb\rc:d\\e\0f"s;
  EXPECT_EQ(escaped(all, Version::v1_0), "a b\rc:d\\e f");
  EXPECT_EQ(escaped(all, Version::v1_1), "a\\nb\rc\\cd\\\\e f");
  EXPECT_EQ(escaped(all, Version::v1_2), "a\\nb\\rc\\cd\\\\e f");
  EXPECT_EQ(escaped("", Version::v1_2), "");
  EXPECT_EQ(escaped("plain 글", Version::v1_2), "plain 글");

  const auto frame = [](Command command, Version version) {
    std::string out;
    Writer(out, command, version).header("n:\n", "v:\n\\").end();
    return out;
  };
  EXPECT_EQ(frame(Command::message, Version::v1_0), "MESSAGE\nn  :v: \\\n\n\0"s);
  EXPECT_EQ(frame(Command::message, Version::v1_1), "MESSAGE\nn\\c\\n:v\\c\\n\\\\\n\n\0"s);
  EXPECT_EQ(frame(Command::message, Version::v1_2), "MESSAGE\nn\\c\\n:v\\c\\n\\\\\n\n\0"s);
  for (const Command command : {Command::connect, Command::stomp, Command::connected}) {
    EXPECT_EQ(frame(command, Version::v1_2),
              std::string(to_string(command)) + "\nn  :v: \\\n\n\0"s);
  }
}

struct Sent {
  Command command;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

std::string random_text(std::mt19937_64& random, Version version, std::size_t size_min) {
  // What 1.0 and 1.1 cannot express or would trim is left out there.
  std::vector<std::string> parts = {"a", "Z", "0", "-", "/", "é", "한", "👋", "\\", "\\n"};
  if (version != Version::v1_0) parts.insert(parts.end(), {"\n", ":", " "});
  if (version == Version::v1_2) parts.emplace_back("\r");
  std::string text;
  for (std::size_t n = pick(random, size_min, 12); n > 0; --n) {
    text += parts[pick(random, 0, parts.size() - 1)];
  }
  return text;
}

Sent random_frame(std::mt19937_64& random, Version version) {
  Sent sent;
  do {
    sent.command = static_cast<Command>(pick(random, 0, static_cast<std::size_t>(Command::error)));
  } while (opens_session(sent.command));
  for (std::size_t n = pick(random, 0, 9); n > 0; --n) {
    sent.headers.emplace_back(random_text(random, version, 1), random_text(random, version, 0));
  }
  if (may_have_body(sent.command)) {
    sent.body.resize(pick(random, 0, pick(random, 0, 9) == 0 ? 5000 : 40));
    for (char& c : sent.body) c = static_cast<char>(random());
  }
  return sent;
}

TEST(Writer, WritesWhatTheParserReadsHoweverItIsCut) {
  constexpr ParserLimits kLimits{};
  std::mt19937_64 random(seed());
  for (int round = 0; round < 600; ++round) {
    const auto version = static_cast<Version>(round % 3);
    std::string input;
    test::Log expected;
    for (std::size_t n = pick(random, 1, 5); n > 0; --n) {
      const Sent sent = random_frame(random, version);
      std::vector<Header> headers;
      Writer writer(input, sent.command, version);
      for (const auto& [name, value] : sent.headers) {
        writer.header(name, value);
        headers.push_back({name, value});
      }
      writer.end(sent.body);
      const std::string length = std::to_string(sent.body.size());
      if (!sent.body.empty()) headers.push_back({"content-length", length});
      expected.push_back(test::describe({sent.command, headers, sent.body}));
      if (pick(random, 0, 3) == 0) {
        input += '\n';
        expected.emplace_back("beat");
      }
    }
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < input.size(); at += pieces.back().size()) {
      pieces.push_back(input.substr(at, pick(random, 1, 1 + input.size() / 3)));
    }
    ASSERT_EQ(test::parse(pieces, version, kLimits), expected) << "round " << round;
    ASSERT_EQ(test::parse({input}, version, kLimits), expected) << "round " << round;
  }
}

}  // namespace
}  // namespace rtc::stomp
