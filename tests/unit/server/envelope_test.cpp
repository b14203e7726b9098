#include "server/envelope.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace rtc::server {
namespace {

namespace json = boost::json;

json::object parsed(const std::string& text) {
  json::error_code problem;
  const json::value value = json::parse(text, problem);
  EXPECT_FALSE(problem) << text;
  return value.is_object() ? value.as_object() : json::object{};
}

TEST(Envelope, OfSuccessAndOfError) {
  EXPECT_EQ(success_envelope("CHAT_MESSAGE"),
            R"({"response":null,"error":null,"type":"CHAT_MESSAGE","success":true})");
  EXPECT_EQ(success_envelope("X", R"({"a":1})"),
            R"({"response":{"a":1},"error":null,"type":"X","success":true})");
  EXPECT_EQ(error_envelope({ErrorCode::not_found_chatroom, "no \"such\" room"}),
            R"({"response":null,"error":{"message":"no \"such\" room","cause":null},)"
            R"("type":"NOT_FOUND_CHATROOM","success":false})");
}

TEST(JsonString, EscapesWhatMustBe) {
  EXPECT_EQ(json_string(""), R"("")");
  EXPECT_EQ(json_string("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(json_string("\n\r\t\b\f"), R"("\n\r\t\b\f")");
  EXPECT_EQ(json_string("가 \U0001F600"), "\"가 \U0001F600\"");
  for (char c = 0; c < 0x20; ++c) {
    const std::string text(1, c);
    const std::string written = json_string(text);
    for (const char each : written) EXPECT_GE(static_cast<unsigned char>(each), 0x20);
    EXPECT_EQ(json::parse(written).as_string(), json::string_view(text.data(), 1));
  }
}

// Wherever in a string it stands, whatever surrounds it.
TEST(JsonString, EscapesInEveryPlace) {
  for (const char escaped : {'"', '\\', '\n', '\0', '\x1F'}) {
    for (std::size_t size = 1; size < 40; ++size) {
      for (std::size_t at = 0; at < size; ++at) {
        for (const char around : {'x', '\x20', '\x7F', '!', '#', '['}) {
          std::string text(size, around);
          text[at] = escaped;
          ASSERT_EQ(json_string(text), json::serialize(json::string_view(text)));
        }
      }
    }
  }
}

chat::Message message() {
  chat::Message made;
  made.id = 7;
  made.sender = chat::SharedIdentity(
      {*UserId::parse("00000000-0000-4000-8000-00000000000a"), "다람쥐\"42", "#0A1B2C", "203.0"});
  made.text = "two\nlines";
  made.created_at_ms = 1'700'000'000'123;
  return made;
}

std::string message_json(const chat::Message& message) {
  std::string out;
  append_message_json(out, message);
  return out;
}

TEST(MessageJson, HasTheWiresSevenFields) {
  EXPECT_EQ(message_json(message()),
            R"({"id":7,"message":"two\nlines","randId":"다람쥐\"42","nameTag":"#0A1B2C",)"
            R"("createdAt":"2023-11-14T22:13:20.123Z","ipAddress":"203.0",)"
            R"("senderId":"00000000-0000-4000-8000-00000000000a"})");
}

TEST(MessageJson, WritesLargeIdsExactly) {
  chat::Message large = message();
  for (const MessageId id : {MessageId{1} << 53, (MessageId{1} << 53) - 1, MessageId{1} << 31}) {
    large.id = id;
    EXPECT_EQ(parsed(message_json(large)).at("id").to_number<std::uint64_t>(), id);
    EXPECT_TRUE(message_json(large).starts_with("{\"id\":" + std::to_string(id) + ","));
  }
}

TEST(MessageJson, OfALongTextIsWhole) {
  chat::Message large = message();
  large.text = std::string(65'536, '\x01');  // six bytes each as JSON
  EXPECT_EQ(parsed(message_json(large)).at("message").as_string().size(), 65'536U);
}

TEST(MessagesJson, IsAnArrayInOrder) {
  EXPECT_EQ(messages_json({}, 1000), "[]");
  const std::string one = message_json(message());
  EXPECT_EQ(messages_json({message(), message()}, 10'000), "[" + one + "," + one + "]");
}

TEST(MessagesJson, HoldsAsManyAsItsBoundLets) {
  const std::string one = message_json(message());
  const std::vector three{message(), message(), message()};
  const std::size_t two_fit = 2 * one.size() + 3;
  EXPECT_EQ(messages_json(three, two_fit), "[" + one + "," + one + "]");
  EXPECT_EQ(messages_json(three, two_fit - 1), "[" + one + "]");
  EXPECT_EQ(messages_json(three, 1), "[" + one + "]") << "at least one, or nobody could page on";
}

TEST(RoomJson, HasIdNameTopicTimeAndWhetherItHasHistory) {
  chat::Room room;
  room.id = chat::lobby_id();
  room.name = "a \"name\"";
  room.topic = "a \"topic\"";
  const std::string text = room_json(room);
  EXPECT_EQ(text, R"({"roomId":"723a2a33-577b-4380-8116-a1aa8e5868d3","name":"a \"name\"",)"
                  R"("topic":"a \"topic\"","createdAt":"1970-01-01T00:00:00.000Z",)"
                  R"("history":true})");
  EXPECT_EQ(rooms_json({room, room}), "[" + text + "," + text + "]");
  room.history = false;
  EXPECT_NE(room_json(room).find(R"("history":false)"), std::string::npos);
  const UserId a = UserId::random();
  const UserId b = UserId::random();
  EXPECT_EQ(direct_room_json(a, b, room.id),
            R"({"senderId":")" + a.to_string() + R"(","receiverId":")" + b.to_string() +
                R"(","roomId":"723a2a33-577b-4380-8116-a1aa8e5868d3"})");
  EXPECT_EQ(opened_json({a, "a \"name\"", "#ABCDEF", "203.0"}, room.id),
            R"({"roomId":"723a2a33-577b-4380-8116-a1aa8e5868d3","senderId":")" + a.to_string() +
                R"(","randId":"a \"name\"","nameTag":"#ABCDEF"})");
}

TEST(IsoTime, IsUtcWithMilliseconds) {
  EXPECT_EQ(iso_time(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso_time(1'700'000'000'007), "2023-11-14T22:13:20.007Z");
  EXPECT_EQ(iso_time(951'782'400'000), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(iso_time(253'402'300'799'999), "9999-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace rtc::server
