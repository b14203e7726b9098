#include "server/destinations.hpp"

#include <gtest/gtest.h>
#include <string>

#include "chat/room.hpp"

namespace rtc::server {
namespace {

TEST(ParseDestination, KnowsFiveKinds) {
  const auto room = parse_destination("/sub/channel/723a2a33-577b-4380-8116-a1aa8e5868d3");
  ASSERT_TRUE(room);
  EXPECT_EQ(room->kind, Destination::Kind::room);
  EXPECT_EQ(room->room, chat::lobby_id());
  const auto upper = parse_destination("/sub/channel/723A2A33-577B-4380-8116-A1AA8E5868D3");
  ASSERT_TRUE(upper);
  EXPECT_EQ(upper->room, chat::lobby_id());
  ASSERT_TRUE(parse_destination("/sub/channel/entry"));
  EXPECT_EQ(parse_destination("/sub/channel/entry")->kind, Destination::Kind::entry);
  ASSERT_TRUE(parse_destination("/user/queue/errors"));
  EXPECT_EQ(parse_destination("/user/queue/errors")->kind, Destination::Kind::errors);
  ASSERT_TRUE(parse_destination("/user/queue/rooms"));
  EXPECT_EQ(parse_destination("/user/queue/rooms")->kind, Destination::Kind::rooms);
  const auto presence =
      parse_destination("/sub/channel/723a2a33-577b-4380-8116-a1aa8e5868d3/presence");
  ASSERT_TRUE(presence);
  EXPECT_EQ(presence->kind, Destination::Kind::presence);
  EXPECT_EQ(presence->room, chat::lobby_id());
}

TEST(ParseDestination, IsUndoneByToString) {
  for (const std::string text :
       {"/sub/channel/723a2a33-577b-4380-8116-a1aa8e5868d3", "/sub/channel/entry",
        "/sub/channel/723a2a33-577b-4380-8116-a1aa8e5868d3/presence", "/user/queue/errors",
        "/user/queue/rooms"}) {
    EXPECT_EQ(to_string(*parse_destination(text)), text);
  }
}

TEST(ParseDestination, AndNothingElse) {
  const std::string room = "/sub/channel/723a2a33-577b-4380-8116-a1aa8e5868d3";
  for (const std::string& text : {std::string(),
                                  std::string("/"),
                                  std::string("/pub/chat"),
                                  std::string("/sub/channel/"),
                                  std::string("/sub/channel"),
                                  std::string("/sub/channel/entry/"),
                                  std::string("/sub/channel/ENTRY"),
                                  std::string("/user/queue/errors2"),
                                  std::string("/user/queue/rooms/"),
                                  std::string("/user/queue"),
                                  std::string("/sub/channel/*"),
                                  room + "/",
                                  room + " ",
                                  std::string("/sub/channel/presence"),
                                  std::string("/sub/channel//presence"),
                                  room + "/presence/",
                                  room + "/typing",
                                  std::string("/sub/channel/entry/presence"),
                                  " " + room,
                                  room.substr(1),
                                  room.substr(0, room.size() - 1),
                                  room + std::string(1, '\0')}) {
    EXPECT_FALSE(parse_destination(text)) << text;
  }
}

constexpr std::size_t kBytesMax = 40;

TEST(ParseBrokerDestination, KnowsTopicsPatternsQueuesAndUsers) {
  using Kind = Destination::Kind;
  for (const auto& [text, kind] : {std::pair{"/topic/a", Kind::topic},
                                   {"/topic/a.b/c d", Kind::topic},
                                   {"/topic/*", Kind::pattern},
                                   {"/topic/a.*.c", Kind::pattern},
                                   {"/topic/a/**", Kind::pattern},
                                   {"/topic/**", Kind::pattern},
                                   {"/queue/a", Kind::queue},
                                   {"/queue/a/b", Kind::queue},
                                   {"/user/queue/a", Kind::user}}) {
    const auto parsed = parse_broker_destination(text, kBytesMax);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->kind, kind) << text;
    EXPECT_EQ(to_string(*parsed), text);
  }
  for (const std::string& text :
       {std::string(), std::string("/topic"), std::string("/topic/"), std::string("/queue/"),
        std::string("/user/queue/"), std::string("/user/a"), std::string("topic/a"),
        std::string("/topic/a*"), std::string("/topic/**/a"), std::string("/topic/a.***"),
        std::string("/queue/*"), std::string("/queue/a.**"), std::string("/user/queue/*"),
        std::string("/topic/a\nb"), std::string("/topic/a\x7f"), std::string("/exchange/a"),
        "/topic/" + std::string(kBytesMax, 'a')}) {
    EXPECT_FALSE(parse_broker_destination(text, kBytesMax)) << text;
  }
}

TEST(ParseBrokerTarget, IsWhereOneMaySend) {
  const auto user = parse_broker_target("/user/0-1-2-ab/queue/a", kBytesMax);
  ASSERT_TRUE(user);
  EXPECT_EQ(user->kind, Destination::Kind::user);
  EXPECT_EQ(user->session, "0-1-2-ab");
  EXPECT_EQ(user->destination, "/user/queue/a");
  // The session does not count: where one may subscribe, one can be answered.
  const std::string longest = "/queue/" + std::string(kBytesMax - 12, 'n');
  ASSERT_TRUE(parse_broker_destination("/user" + longest, kBytesMax));
  EXPECT_TRUE(parse_broker_target("/user/0-1-2-" + std::string(32, 'a') + longest, kBytesMax));
  EXPECT_FALSE(parse_broker_target("/user/0-1-2-ab" + longest + "n", kBytesMax));
  EXPECT_FALSE(parse_broker_target("/user/" + std::string(129, 'a') + "/queue/a", kBytesMax));
  const auto topic = parse_broker_target("/topic/a", kBytesMax);
  ASSERT_TRUE(topic);
  EXPECT_EQ(topic->destination, "/topic/a");
  EXPECT_EQ(topic->session, "");
  for (const char* text :
       {"/topic/*", "/topic/a.**", "/queue/", "/user/queue/a", "/user/x", "/user/x/",
        "/user//queue/a", "/user/x/queue/errors", "/user/x/queue/rooms", "/user/x/queue/",
        "/user/x/topic/a", "/pub/chat", "/sub/channel/entry",
        "/user/x/queue/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    EXPECT_FALSE(parse_broker_target(text, kBytesMax)) << text;
  }
}

TEST(Matches, GoesLevelByLevel) {
  for (const auto& [pattern, topic, expected] : {std::tuple{"/topic/*", "/topic/a", true},
                                                 {"/topic/*", "/topic/a.b", false},
                                                 {"/topic/*", "/topic/a/b", false},
                                                 {"/topic/a.*", "/topic/a.b", true},
                                                 {"/topic/a.*", "/topic/a/b", false},
                                                 {"/topic/a.*", "/topic/a.", false},
                                                 {"/topic/a.*", "/topic/a", false},
                                                 {"/topic/*.c", "/topic/a.c", true},
                                                 {"/topic/*.c", "/topic/a.b", false},
                                                 {"/topic/*.c", "/topic/a.b.c", false},
                                                 {"/topic/a/**", "/topic/a/b.c/d", true},
                                                 {"/topic/a/**", "/topic/a", false},
                                                 {"/topic/a/**", "/topic/a/", false},
                                                 {"/topic/**", "/topic/a", true},
                                                 {"/topic/*/b/**", "/topic/a/b/c", true},
                                                 {"/topic/*/b/**", "/topic/a/c/c", false}}) {
    EXPECT_EQ(matches(pattern, topic), expected) << pattern << " " << topic;
  }
}

}  // namespace
}  // namespace rtc::server
