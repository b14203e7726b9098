#include "base/uuid.hpp"

#include <gtest/gtest.h>
#include <set>
#include <type_traits>
#include <unordered_set>

namespace rtc {
namespace {

constexpr const char* kLobby = "723a2a33-577b-4380-8116-a1aa8e5868d3";

TEST(Uuid, GivesItsTextBack) {
  const auto id = Uuid::parse(kLobby);
  ASSERT_TRUE(id);
  EXPECT_EQ(id->to_string(), kLobby);
  EXPECT_EQ(id->bytes[0], 0x72);
  EXPECT_EQ(id->bytes[15], 0xD3);
  EXPECT_EQ(Uuid::parse("723A2A33-577B-4380-8116-A1AA8E5868D3"), id);
  EXPECT_EQ(Uuid{}.to_string(), "00000000-0000-0000-0000-000000000000");
}

TEST(Uuid, RefusesEveryOtherForm) {
  for (const char* text :
       {"", "723a2a33577b43808116a1aa8e5868d3", "723a2a33-577b-4380-8116-a1aa8e5868d",
        "723a2a33-577b-4380-8116-a1aa8e5868d33", "723a2a33_577b-4380-8116-a1aa8e5868d3",
        "723a2a3-3577b-4380-8116-a1aa8e5868d3", "723a2a33-577b-4380-8116-a1aa8e5868dg",
        "723a2a33-577b-4380-8116-a1aa8e5868-3", "{723a2a33-577b-4380-8116-a1aa8e5868}",
        " 23a2a33-577b-4380-8116-a1aa8e5868d3"}) {
    EXPECT_FALSE(Uuid::parse(text)) << text;
  }
}

TEST(Uuid, RandomOnesAreOfVersionFourAndDiffer) {
  std::set<Uuid> seen;
  for (int i = 0; i < 1000; ++i) {
    const Uuid id = Uuid::random();
    const std::string text = id.to_string();
    EXPECT_EQ(text[14], '4');
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
    EXPECT_EQ(Uuid::parse(text), id);
    EXPECT_TRUE(seen.insert(id).second);
  }
}

TEST(Uuid, OrdersAsItsText) {
  for (int i = 0; i < 100; ++i) {
    const Uuid a = Uuid::random();
    const Uuid b = Uuid::random();
    EXPECT_EQ(a < b, a.to_string() < b.to_string());
  }
}

TEST(Uuid, IdsOfAKindAreKeysAndNotOfAnother) {
  static_assert(!std::is_convertible_v<RoomId, UserId>);
  static_assert(!std::is_convertible_v<Uuid, RoomId>);
  std::unordered_set<RoomId> rooms;
  for (int i = 0; i < 1000; ++i) rooms.insert(RoomId::random());
  EXPECT_EQ(rooms.size(), 1000U);
  const auto lobby = RoomId::parse(kLobby);
  ASSERT_TRUE(lobby);
  EXPECT_FALSE(rooms.contains(*lobby));
  EXPECT_EQ(lobby->to_string(), kLobby);
  EXPECT_FALSE(RoomId::parse("lobby"));
}

}  // namespace
}  // namespace rtc
