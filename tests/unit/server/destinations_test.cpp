#include "server/destinations.hpp"

#include <gtest/gtest.h>
#include <string>

#include "chat/room.hpp"

namespace rtc::server {
namespace {

TEST(ParseDestination, KnowsFourKinds) {
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
  const auto presence =
      parse_destination("/sub/channel/723a2a33-577b-4380-8116-a1aa8e5868d3/presence");
  ASSERT_TRUE(presence);
  EXPECT_EQ(presence->kind, Destination::Kind::presence);
  EXPECT_EQ(presence->room, chat::lobby_id());
}

TEST(ParseDestination, IsUndoneByToString) {
  for (const std::string text :
       {"/sub/channel/723a2a33-577b-4380-8116-a1aa8e5868d3", "/sub/channel/entry",
        "/sub/channel/723a2a33-577b-4380-8116-a1aa8e5868d3/presence", "/user/queue/errors"}) {
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

}  // namespace
}  // namespace rtc::server
