// The bodies of SEND, against Boost.JSON's own values.
#include "server/send_body.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

namespace rtc::server {
namespace {

namespace json = boost::json;

const std::string kRoom = "00000000-0000-4000-8000-00000000000a";

std::string error_of(std::string_view body) {
  const auto parsed = parse_chat_body(body);
  return parsed ? "none" : parsed.error().message;
}

TEST(ChatBody, HasRoomAndText) {
  const auto body = parse_chat_body(R"( {"roomId":")" + kRoom + R"(","message":"hi"} )");
  ASSERT_TRUE(body);
  EXPECT_EQ(body->room.to_string(), kRoom);
  EXPECT_EQ(body->text, "hi");
}

TEST(ChatBody, TakesEscapesInValuesAndNames) {
  const auto body =
      parse_chat_body(R"({"message":"a\n\u0000\uD83D\uDE00\"","\u0072oomId":")" + kRoom + "\"}");
  ASSERT_TRUE(body);
  EXPECT_EQ(body->text, std::string("a\n\0\U0001F600\"", 8));
}

TEST(ChatBody, LooksAtTheOutermostObjectOnly) {
  const std::string room = "\"roomId\":\"" + kRoom + "\"";
  EXPECT_EQ(
      parse_chat_body("{" + room + R"(,"x":{"message":"no"},"message":"yes","y":["no"]})")->text,
      "yes");
  EXPECT_EQ(error_of("{" + room + R"(,"x":{"message":"no"}})"),
            R"(the body must be {"roomId":"<uuid>","message":"<text>"})");
  EXPECT_EQ(error_of("{" + room + R"(,"message":["no"]})"),
            R"(the body must be {"roomId":"<uuid>","message":"<text>"})");
}

TEST(ChatBody, OfANameThatComesTwiceTheLastCounts) {
  const std::string room = "{\"roomId\":\"" + kRoom + "\"";
  EXPECT_EQ(parse_chat_body(room + R"(,"message":"a","message":"b"})")->text, "b");
  EXPECT_NE(error_of(room + R"(,"message":"a","message":1})"), "none");
}

TEST(ChatBody, SaysWhatIsWrong) {
  EXPECT_EQ(error_of("[]"), R"(the body must be {"roomId":"<uuid>","message":"<text>"})");
  EXPECT_EQ(error_of("\"roomId\""), R"(the body must be {"roomId":"<uuid>","message":"<text>"})");
  EXPECT_EQ(error_of(R"({"roomId":"x","message":""})"), "roomId: not a UUID");
  for (const char* broken : {"", "{", "{}{}", "{\"a\":}", "{\"a\":\"\xFF\"}", "{\"a\":\"\n\"}",
                             "[[[[[[[[[]]]]]]]]]", "{\"a\":\"\\uD800\"}"}) {
    EXPECT_TRUE(error_of(broken).starts_with("the body is not JSON: ")) << broken;
  }
}

TEST(TypingBody, HasRoomAndWhether) {
  const auto body = parse_typing_body(R"({"roomId":")" + kRoom + R"(","typing":true})");
  ASSERT_TRUE(body);
  EXPECT_TRUE(body->typing);
  EXPECT_FALSE(parse_typing_body(R"({"roomId":")" + kRoom + R"(","typing":"true"})"));
  EXPECT_FALSE(parse_typing_body(R"({"typing":true})"));
}

// Random pieces of JSON put together, right and wrong: the same verdict and the same values as
// Boost.JSON's parser into values gives.
TEST(ChatBody, AgreesWithAParserIntoValues) {
  const std::vector<std::string> pieces = {"{",
                                           "}",
                                           "[",
                                           "]",
                                           ",",
                                           ":",
                                           " ",
                                           "\"roomId\"",
                                           "\"message\"",
                                           "\"\\u006dessage\"",
                                           "\"a\"",
                                           "\"" + kRoom + "\"",
                                           "1",
                                           "-2.5e3",
                                           "true",
                                           "null",
                                           "\"x\\n\"",
                                           "\"\\uD83D\\uDE00\"",
                                           "\"",
                                           "\"roomId\":\"" + kRoom + "\"",
                                           "\"message\":\"hello\"",
                                           "\"m\":{\"message\":\"no\"}"};
  std::mt19937 random(7);
  int right = 0;
  for (int round = 0; round < 300'000; ++round) {
    std::string body = "{";
    const int count = static_cast<int>(random() % 8);
    for (int i = 0; i < count; ++i) {
      if (i > 0 && random() % 4 != 0) body += ',';
      body += pieces[random() % pieces.size()];
    }
    if (random() % 4 != 0) body += '}';

    json::error_code problem;
    json::parse_options options;
    options.max_depth = 8;
    const json::value value = json::parse(body, problem, {}, options);
    const auto* const room = problem ? nullptr : value.as_object().if_contains("roomId");
    const auto* const text = problem ? nullptr : value.as_object().if_contains("message");
    const bool expected = room != nullptr && text != nullptr && text->is_string() &&
                          room->is_string() && room->as_string() == kRoom;
    const auto parsed = parse_chat_body(body);
    ASSERT_EQ(parsed.ok(), expected) << body;
    if (problem) {
      ASSERT_TRUE(parsed.error().message.starts_with("the body is not JSON")) << body;
    }
    if (!expected) continue;
    ++right;
    ASSERT_EQ(parsed->text, std::string_view(text->as_string())) << body;
  }
  EXPECT_GT(right, 50);
}

}  // namespace
}  // namespace rtc::server
