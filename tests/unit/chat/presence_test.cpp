#include "chat/presence.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>

#include "unit/base/seed.hpp"

namespace rtc::chat {
namespace {

UserId user_id(std::uint32_t number) {
  UserId id;
  for (std::size_t i = 0; i < 4; ++i) {
    id.value.bytes[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return id;
}
SharedIdentity identity(std::uint32_t number) {
  return SharedIdentity({user_id(number), "nick" + std::to_string(number), "#ABCDEF", "203.0"});
}
RoomId room_id(std::uint8_t number) {
  RoomId id;
  id.value.bytes[0] = number;
  return id;
}
std::vector<UserId> ids(const std::vector<Person>& people) {
  std::vector<UserId> all;
  for (const Person& person : people) all.push_back(person.id);
  return all;
}

const RoomId kRoom = room_id(1);
constexpr PresenceBounds kBounds{.names_max = 4, .typing_max = 2, .typing_lifetime_ms = 1000};

TEST(Presence, CountsPeopleNotSubscriptions) {
  Presence presence(kBounds);
  presence.enter(kRoom, identity(1));
  presence.enter(kRoom, identity(1));
  presence.enter(kRoom, identity(2));
  EXPECT_EQ(presence.people(kRoom), 2U);
  presence.leave(kRoom, user_id(1));
  EXPECT_EQ(presence.people(kRoom), 2U);
  presence.leave(kRoom, user_id(1));
  EXPECT_EQ(presence.people(kRoom), 1U);
  EXPECT_EQ(presence.people(room_id(2)), 0U);
}

TEST(Presence, AWatcherIsToldHowItStandsAndThenWhatChanged) {
  Presence presence(kBounds);
  presence.enter(kRoom, identity(1));
  const PresenceChange now = presence.watch(kRoom);
  EXPECT_EQ(now.people, 1U);
  EXPECT_FALSE(now.complete) << "the roster has the names";
  EXPECT_TRUE(presence.take_changes(0).empty()) << "nothing since";

  presence.enter(kRoom, identity(2));
  presence.leave(kRoom, user_id(1));
  const auto changes = presence.take_changes(0);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].room, kRoom);
  EXPECT_EQ(changes[0].people, 1U);
  EXPECT_TRUE(changes[0].complete);
  EXPECT_EQ(changes[0].joined, (std::vector<Person>{{user_id(2), "nick2", "#ABCDEF"}}));
  EXPECT_EQ(changes[0].left, std::vector{user_id(1)});
  EXPECT_TRUE(presence.take_changes(0).empty());
}

TEST(Presence, ComingAndGoingAtOnceIsOneChange) {
  Presence presence(kBounds);
  presence.enter(kRoom, identity(1));
  presence.watch(kRoom);
  // A reload of the page: who reads the roster in between may have seen him gone.
  presence.leave(kRoom, user_id(1));
  presence.enter(kRoom, identity(1));
  const auto changes = presence.take_changes(0);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(ids(changes[0].joined), std::vector{user_id(1)});
  EXPECT_TRUE(changes[0].left.empty());
}

TEST(Presence, BeyondNamesMaxOnlyTheNumberIsTold) {
  Presence presence(kBounds);
  presence.watch(kRoom);
  for (std::uint32_t n = 1; n <= 4; ++n) presence.enter(kRoom, identity(n));
  EXPECT_TRUE(presence.take_changes(0).at(0).complete);
  for (std::uint32_t n = 5; n <= 9; ++n) presence.enter(kRoom, identity(n));
  const auto changes = presence.take_changes(0);
  EXPECT_EQ(changes.at(0).people, 9U);
  EXPECT_FALSE(changes.at(0).complete);
  EXPECT_TRUE(changes.at(0).joined.empty());
  presence.leave(kRoom, user_id(9));
  EXPECT_TRUE(presence.take_changes(0).at(0).complete) << "the next change names again";
}

TEST(Presence, RoomsThatNobodyWatchesTellNothing) {
  Presence presence(kBounds);
  presence.enter(kRoom, identity(1));
  EXPECT_TRUE(presence.take_changes(0).empty());
  presence.watch(kRoom);
  presence.enter(kRoom, identity(2));
  presence.unwatch(kRoom);
  EXPECT_TRUE(presence.take_changes(0).empty());
  presence.watch(kRoom);
  EXPECT_TRUE(presence.take_changes(0).empty()) << "what was before is in the first answer";
}

TEST(Presence, TheRosterIsPagedById) {
  Presence presence(kBounds);
  for (std::uint32_t n = 9; n >= 1; --n) presence.enter(kRoom, identity(n));
  std::vector<UserId> seen;
  std::optional<UserId> after;
  for (auto page = presence.page(kRoom, after, 4); !page.page.empty();
       page = presence.page(kRoom, after, 4)) {
    EXPECT_EQ(page.people, 9U);
    for (const Person& person : page.page) seen.push_back(person.id);
    after = seen.back();
  }
  ASSERT_EQ(seen.size(), 9U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_TRUE(presence.page(room_id(2), std::nullopt, 4).page.empty());
}

TEST(Presence, TypingEndsByItselfByWordAndByLeaving) {
  Presence presence(kBounds);
  presence.watch(kRoom);
  EXPECT_FALSE(presence.set_typing(kRoom, user_id(1), true, 0)) << "not in the room";
  for (std::uint32_t n = 1; n <= 3; ++n) presence.enter(kRoom, identity(n));
  presence.take_changes(0);

  EXPECT_TRUE(presence.set_typing(kRoom, user_id(1), true, 0));
  EXPECT_TRUE(presence.set_typing(kRoom, user_id(2), true, 500));
  EXPECT_TRUE(presence.set_typing(kRoom, user_id(3), true, 500)) << "beyond typing_max: unnamed";
  EXPECT_EQ(ids(presence.take_changes(600).at(0).typing), (std::vector{user_id(1), user_id(2)}));
  EXPECT_TRUE(presence.take_changes(999).empty());
  EXPECT_TRUE(presence.set_typing(kRoom, user_id(2), true, 999)) << "again: no news, a later end";
  EXPECT_EQ(ids(presence.take_changes(1000).at(0).typing), std::vector{user_id(2)});
  EXPECT_TRUE(presence.take_changes(1998).empty());
  EXPECT_TRUE(presence.take_changes(1999).at(0).typing.empty());

  presence.set_typing(kRoom, user_id(1), true, 2000);
  EXPECT_EQ(presence.take_changes(2000).at(0).typing.size(), 1U);
  EXPECT_EQ(presence.watch(kRoom).typing.size(), 1U) << "who comes now is told as well";
  presence.set_typing(kRoom, user_id(1), false, 2001);
  EXPECT_TRUE(presence.take_changes(2001).at(0).typing.empty());
  presence.set_typing(kRoom, user_id(1), false, 2002);
  EXPECT_TRUE(presence.take_changes(2002).empty()) << "that is no news";

  presence.set_typing(kRoom, user_id(1), true, 3000);
  presence.take_changes(3000);
  presence.leave(kRoom, user_id(1));
  EXPECT_TRUE(presence.take_changes(3001).at(0).typing.empty());
}

// The bytes of a storm go with the seconds it takes, not with the people in it.
TEST(Presence, AStormOfTenThousandIsAFewBoundedChanges) {
  Presence presence(kBounds);
  presence.watch(kRoom);
  std::size_t changes = 0;
  std::size_t names = 0;
  for (std::uint32_t n = 1; n <= 10'000; ++n) {
    presence.enter(kRoom, identity(n));
    if (n % 2000 != 0) continue;  // five intervals
    for (const auto& change : presence.take_changes(n)) {
      ++changes;
      names += change.joined.size();
    }
  }
  EXPECT_EQ(changes, 5U);
  EXPECT_LE(names, 5 * kBounds.names_max);
  EXPECT_EQ(presence.people(kRoom), 10'000U);
}

// Random comings and goings against a simple model: who applies the changes to the roster of any
// moment after his watch() has the people of the room, and nothing is kept of empty rooms.
TEST(Presence, RandomlyAgreesWithAModel) {
  std::mt19937_64 random(rtc::test::seed());
  const auto below = [&](std::uint32_t bound) {
    return static_cast<std::uint32_t>(rtc::test::pick(random, 0, bound - 1));
  };
  Presence presence(kBounds);
  std::map<std::pair<std::uint8_t, std::uint32_t>, int> model;  // room, user: subscriptions
  std::map<std::uint8_t, std::set<UserId>> known;               // what a listener believes
  for (int step = 0; step < 20'000; ++step) {
    const auto room = static_cast<std::uint8_t>(1 + below(3));
    const std::uint32_t user = 1 + below(12);
    int& subscriptions = model[{room, user}];
    switch (below(5)) {
      case 0:
      case 1:
        presence.enter(room_id(room), identity(user));
        ++subscriptions;
        break;
      case 2:
      case 3:
        if (subscriptions == 0) break;
        presence.leave(room_id(room), user_id(user));
        --subscriptions;
        break;
      default:
        if (!known.contains(room)) {
          presence.watch(room_id(room));
          const auto roster = ids(presence.page(room_id(room), std::nullopt, 100).page);
          known[room] = {roster.begin(), roster.end()};
        } else if (below(4) == 0) {
          presence.unwatch(room_id(room));
          known.erase(room);
        }
    }
    if (below(6) != 0) continue;
    for (const auto& change : presence.take_changes(0)) {
      const std::uint8_t changed = change.room.value.bytes[0];
      ASSERT_TRUE(known.contains(changed));
      auto& people = known[changed];
      for (const Person& person : change.joined) people.insert(person.id);
      for (const UserId& id : change.left) people.erase(id);
      if (!change.complete) {
        const auto roster = ids(presence.page(change.room, std::nullopt, 100).page);
        people = {roster.begin(), roster.end()};
      }
      ASSERT_EQ(change.people, people.size());
    }
    for (const auto& [number, people] : known) {
      std::set<UserId> there;
      for (const auto& [key, count] : model) {
        if (key.first == number && count > 0) there.insert(user_id(key.second));
      }
      ASSERT_EQ(people, there) << "step " << step;
    }
  }
  for (const auto& [key, count] : model) {
    for (int i = 0; i < count; ++i) presence.leave(room_id(key.first), user_id(key.second));
  }
  for (const auto& [number, people] : known) presence.unwatch(room_id(number));
  EXPECT_EQ(presence.rooms(), 0U);
  EXPECT_TRUE(presence.take_changes(0).empty());
}

}  // namespace
}  // namespace rtc::chat
