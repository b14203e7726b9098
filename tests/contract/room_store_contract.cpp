#include <gmock/gmock.h>

#include "contract/store_contract.hpp"

namespace rtc::chat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<RoomId> ids_of(const Result<std::vector<Room>>& rooms) {
  std::vector<RoomId> ids;
  for (const Room& room : rooms.value()) ids.push_back(room.id);
  return ids;
}

void expect_same(const Room& a, const Room& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.created_at_ms, b.created_at_ms);
  EXPECT_EQ(a.members, b.members);
  EXPECT_EQ(a.history, b.history);
  EXPECT_EQ(a.topic, b.topic);
  if (a.kind == Room::Kind::open) {
    EXPECT_EQ(a.creator, b.creator);
  }
}

template <class T>
void expect_bound(const Result<T>& result, const char* bound) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::too_many_requests);
  EXPECT_THAT(result.error().message, HasSubstr(bound));
}

TEST_P(RoomStoreContract, HasTheLobbyFromTheBeginning) {
  const auto lobby = rooms().find(lobby_id());
  ASSERT_TRUE(lobby.ok() && lobby->has_value());
  EXPECT_EQ((*lobby)->id.to_string(), "723a2a33-577b-4380-8116-a1aa8e5868d3");
  EXPECT_EQ((*lobby)->kind, Room::Kind::open);
  EXPECT_EQ((*lobby)->name, "Lobby");
  EXPECT_EQ((*lobby)->creator, UserId{});
  EXPECT_EQ((*lobby)->topic, "");
  EXPECT_THAT(ids_of(rooms().list_open({}, 10)), ElementsAre(lobby_id()));
}

TEST_P(RoomStoreContract, FindsWhatWasCreated) {
  const Room room = open_room("한국어 방 🎈 '\"");
  EXPECT_FALSE(rooms().find(room.id)->has_value());
  ASSERT_TRUE(rooms().create(room, kAmple));
  expect_same(rooms().find(room.id)->value(), room);
  EXPECT_FALSE(rooms().find(RoomId::random())->has_value());
}

TEST_P(RoomStoreContract, KeepsWhetherARoomHasHistory) {
  EXPECT_TRUE(rooms().find(lobby_id())->value().history);
  const Room stored = open_room("stored");
  Room live = open_room("live");
  live.history = false;
  ASSERT_TRUE(rooms().create(stored, kAmple));
  ASSERT_TRUE(rooms().create(live, kAmple));
  expect_same(rooms().find(stored.id)->value(), stored);
  expect_same(rooms().find(live.id)->value(), live);
  const auto listed = rooms().list_open({}, 10);
  ASSERT_EQ(listed->size(), 3U);
  EXPECT_TRUE(listed->at(1).history);
  EXPECT_FALSE(listed->at(2).history);
  const Room direct = direct_room(UserId::random(), UserId::random());
  EXPECT_TRUE(rooms().find_or_create_direct(direct, kAmple)->history);
}

TEST_P(RoomStoreContract, KeepsTheTopicOfARoom) {
  Room about = open_room("about");
  about.topic = "이번 주의 책 🎈 '\"; the rest";
  const Room nothing = open_room("nothing");
  ASSERT_TRUE(rooms().create(about, kAmple));
  ASSERT_TRUE(rooms().create(nothing, kAmple));
  expect_same(rooms().find(about.id)->value(), about);
  expect_same(rooms().find(nothing.id)->value(), nothing);
  const auto listed = rooms().list_open({}, 10);
  ASSERT_EQ(listed->size(), 3U);
  expect_same(listed->at(1), about);
  expect_same(listed->at(2), nothing);
  const Room direct = direct_room(UserId::random(), UserId::random());
  EXPECT_EQ(rooms().find_or_create_direct(direct, kAmple)->topic, "");
}

TEST_P(RoomStoreContract, ListsOpenRoomsOldestFirstInPages) {
  // Oldest by the order of making: a clock may go back.
  std::vector<RoomId> expected = {lobby_id()};
  for (int i = 0; i < 5; ++i) {
    Room room = open_room("room");
    room.created_at_ms -= i;
    ASSERT_TRUE(rooms().create(room, kAmple));
    expected.push_back(room.id);
    ASSERT_TRUE(
        rooms().find_or_create_direct(direct_room(UserId::random(), UserId::random()), kAmple));
  }
  EXPECT_EQ(ids_of(rooms().list_open({}, 100)), expected);
  EXPECT_THAT(ids_of(rooms().list_open({}, 1)), ElementsAre(lobby_id()));
  EXPECT_THAT(ids_of(rooms().list_open(lobby_id(), 2)), ElementsAre(expected[1], expected[2]));
  EXPECT_THAT(ids_of(rooms().list_open(expected[4], 2)), ElementsAre(expected[5]));
  EXPECT_THAT(ids_of(rooms().list_open(expected[5], 2)), IsEmpty());
}

TEST_P(RoomStoreContract, RefusesToListAfterARoomThatIsNotInTheList) {
  const UserId me = UserId::random();
  const Room mine = direct_room(me, UserId::random());
  const Room other = direct_room(UserId::random(), UserId::random());
  ASSERT_TRUE(rooms().find_or_create_direct(mine, kAmple));
  ASSERT_TRUE(rooms().find_or_create_direct(other, kAmple));
  for (const RoomId after : {RoomId::random(), mine.id}) {
    const auto listed = rooms().list_open(after, 10);
    ASSERT_FALSE(listed);
    EXPECT_EQ(listed.error().code, ErrorCode::not_found_chatroom);
  }
  for (const RoomId after : {RoomId::random(), lobby_id(), other.id}) {
    const auto listed = rooms().list_direct(me, after, 10);
    ASSERT_FALSE(listed);
    EXPECT_EQ(listed.error().code, ErrorCode::not_found_chatroom);
  }
  EXPECT_THAT(ids_of(rooms().list_direct(me, mine.id, 10)), IsEmpty());
}

TEST_P(RoomStoreContract, BoundsOpenRoomsInAll) {
  const RoomBounds two = {2, 100};
  ASSERT_TRUE(rooms().create(open_room("a"), two));
  ASSERT_TRUE(rooms().create(open_room("b"), two));
  const Room third = open_room("c");
  expect_bound(rooms().create(third, two), "rooms_max");
  EXPECT_FALSE(rooms().find(third.id)->has_value());
  EXPECT_EQ(rooms().list_open({}, 10)->size(), 3U);
  EXPECT_TRUE(rooms().create(third, RoomBounds{3, 100}));
  expect_bound(rooms().create(open_room("d"), RoomBounds{0, 100}), "rooms_max");
}

TEST_P(RoomStoreContract, BoundsOpenRoomsOfAnIdentity) {
  const RoomBounds two = {100, 2};
  const UserId me = UserId::random();
  ASSERT_TRUE(rooms().create(open_room("a", me), two));
  ASSERT_TRUE(rooms().create(open_room("b", me), two));
  expect_bound(rooms().create(open_room("c", me), two), "rooms_per_identity_max");
  EXPECT_TRUE(rooms().create(open_room("c"), two)) << "another identity's";
  expect_bound(rooms().create(open_room("d"), RoomBounds{100, 0}), "rooms_per_identity_max");
}

TEST_P(RoomStoreContract, CountsOpenAndDirectRoomsApart) {
  const RoomBounds one = {1, 1};
  const UserId me = UserId::random();
  EXPECT_TRUE(rooms().create(open_room("a", me), one));
  EXPECT_TRUE(rooms().find_or_create_direct(direct_room(me, UserId::random()), one));
}

TEST_P(RoomStoreContract, FindsTheSameDirectRoomWhicheverOfTheTwoAsks) {
  const UserId a = UserId::random();
  const UserId b = UserId::random();
  const Room asked_by_a = direct_room(a, b);
  const auto made = rooms().find_or_create_direct(asked_by_a, kAmple);
  ASSERT_TRUE(made);
  expect_same(*made, asked_by_a);
  EXPECT_LT(made->members[0], made->members[1]);

  const Room asked_by_b = direct_room(b, a);
  expect_same(rooms().find_or_create_direct(asked_by_b, kAmple).value(), asked_by_a);
  expect_same(rooms().find_or_create_direct(asked_by_a, kAmple).value(), asked_by_a);
  expect_same(rooms().find(asked_by_a.id)->value(), asked_by_a);
  EXPECT_FALSE(rooms().find(asked_by_b.id)->has_value());
}

TEST_P(RoomStoreContract, ListsDirectRoomsToTheirMembersOnly) {
  const UserId a = UserId::random();
  const UserId b = UserId::random();
  const UserId c = UserId::random();
  const Room ab = direct_room(a, b);
  const Room ca = direct_room(c, a);
  const Room bc = direct_room(b, c);
  const Room bd = direct_room(b, UserId::random());
  for (const auto& room : {ab, ca, bc, bd}) {
    ASSERT_TRUE(rooms().find_or_create_direct(room, kAmple));
  }
  EXPECT_THAT(ids_of(rooms().list_direct(a, {}, 10)), ElementsAre(ab.id, ca.id));
  EXPECT_THAT(ids_of(rooms().list_direct(b, {}, 10)), ElementsAre(ab.id, bc.id, bd.id));
  EXPECT_THAT(ids_of(rooms().list_direct(b, {}, 2)), ElementsAre(ab.id, bc.id));
  EXPECT_THAT(ids_of(rooms().list_direct(b, bc.id, 2)), ElementsAre(bd.id));
  EXPECT_THAT(ids_of(rooms().list_direct(UserId::random(), {}, 10)), IsEmpty());
  const auto listed = rooms().list_direct(c, {}, 1);
  ASSERT_EQ(listed->size(), 1U);
  expect_same(listed->front(), ca);
}

TEST_P(RoomStoreContract, BoundsDirectRooms) {
  const UserId a = UserId::random();
  const UserId b = UserId::random();
  const Room ab = direct_room(a, b);
  ASSERT_TRUE(rooms().find_or_create_direct(ab, RoomBounds{1, 1}));
  // One that is there is found beyond any bound.
  EXPECT_EQ(rooms().find_or_create_direct(direct_room(b, a), RoomBounds{0, 0})->id, ab.id);
  expect_bound(rooms().find_or_create_direct(direct_room(UserId::random(), UserId::random()),
                                             RoomBounds{1, 1}),
               "rooms_max");
  // Who asked for the room has it counted.
  const Room second = direct_room(a, UserId::random());
  expect_bound(rooms().find_or_create_direct(second, RoomBounds{100, 1}), "rooms_per_identity_max");
  EXPECT_FALSE(rooms().find(second.id)->has_value());
  // Others cannot use up what one may open: being asked counts for nothing.
  EXPECT_TRUE(rooms().find_or_create_direct(direct_room(UserId::random(), b), RoomBounds{100, 1}));
  EXPECT_TRUE(rooms().find_or_create_direct(direct_room(b, UserId::random()), RoomBounds{100, 1}));
}

}  // namespace
}  // namespace rtc::chat
