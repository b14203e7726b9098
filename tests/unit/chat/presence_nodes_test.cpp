// Presence where nodes share their people.
#include <algorithm>
#include <array>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>

#include "chat/presence.hpp"
#include "unit/base/seed.hpp"

namespace rtc::chat {
namespace {

UserId user_id(std::size_t number) {
  UserId id;
  id.value.bytes[0] = static_cast<std::uint8_t>(number);
  return id;
}
SharedIdentity identity(std::size_t number) {
  return SharedIdentity({user_id(number), "nick" + std::to_string(number), "#ABCDEF", "203.0"});
}
Person person(std::size_t number) {
  return {user_id(number), "nick" + std::to_string(number), "#ABCDEF"};
}
RoomId room_id(std::size_t number) {
  RoomId id;
  id.value.bytes[0] = static_cast<std::uint8_t>(number);
  return id;
}
std::vector<UserId> ids(const std::vector<Person>& people) {
  std::vector<UserId> all;
  for (const Person& each : people) all.push_back(each.id);
  return all;
}

const RoomId kRoom = room_id(1);
constexpr PresenceBounds kBounds{
    .names_max = 4, .typing_max = 2, .typing_lifetime_ms = 1000, .waiting_max = 5};

class PresenceNodesTest : public testing::Test {
 protected:
  PresenceNodesTest() {
    presence_.share();
    presence_.keep_changes();
  }
  // The one change that is to be told now.
  PresenceChange change(std::uint64_t now_ms = 0) {
    auto changes = presence_.take_changes(now_ms);
    EXPECT_EQ(changes.size(), 1U);
    return changes.empty() ? PresenceChange{} : changes.front();
  }

  Presence presence_{kBounds};
};

TEST_F(PresenceNodesTest, HandsOnHowItStandsWithWhoChanged) {
  presence_.enter(kRoom, identity(1));
  presence_.enter(kRoom, identity(1));
  presence_.enter(kRoom, identity(2));
  presence_.leave(kRoom, user_id(2));
  EXPECT_EQ(presence_.waiting(), 2U);
  const auto own = presence_.take_own(100);
  ASSERT_TRUE(own);
  ASSERT_EQ(own->size(), 1U);
  EXPECT_EQ(own->front().room, kRoom);
  EXPECT_EQ(own->front().here, std::vector{person(1)});
  EXPECT_EQ(own->front().gone, std::vector{user_id(2)});
  EXPECT_FALSE(own->front().empty);
  EXPECT_EQ(presence_.waiting(), 0U);
  EXPECT_TRUE(presence_.take_own(100)->empty());

  presence_.leave(kRoom, user_id(1));
  EXPECT_TRUE(presence_.take_own(100)->empty()) << "his other session is there";
  presence_.leave(kRoom, user_id(1));
  const auto gone = presence_.take_own(100);
  EXPECT_EQ(gone->at(0).gone, std::vector{user_id(1)});
  EXPECT_TRUE(gone->at(0).empty);
}

TEST_F(PresenceNodesTest, BeyondWaitingMaxAllHaveToBeToldAgain) {
  for (std::size_t n = 1; n <= kBounds.waiting_max; ++n) presence_.enter(kRoom, identity(n));
  EXPECT_EQ(presence_.waiting(), kBounds.waiting_max);
  presence_.enter(kRoom, identity(100));
  EXPECT_EQ(presence_.waiting(), 0U);
  presence_.enter(kRoom, identity(101));
  EXPECT_FALSE(presence_.take_own(100));
  EXPECT_FALSE(presence_.take_own(100)) << "until keep_changes()";
  EXPECT_EQ(presence_.keep_changes(), std::vector{kRoom});
  EXPECT_TRUE(presence_.take_own(100)->empty());
  presence_.leave(kRoom, user_id(101));
  EXPECT_EQ(presence_.take_own(100)->size(), 1U);
}

TEST_F(PresenceNodesTest, KeepsNothingWhileNobodyTakesIt) {
  presence_.keep_no_changes();
  for (std::size_t n = 1; n <= 2 * kBounds.waiting_max; ++n) presence_.enter(kRoom, identity(n));
  EXPECT_EQ(presence_.waiting(), 0U);
  EXPECT_TRUE(presence_.take_own(100)->empty());
}

TEST_F(PresenceNodesTest, TakesRoomsUntilThereAreEnough) {
  for (std::size_t room = 1; room <= 2; ++room) {
    presence_.enter(room_id(room), identity(1));
    presence_.enter(room_id(room), identity(2));
  }
  EXPECT_EQ(presence_.take_own(1)->size(), 1U) << "whole, though it has two";
  EXPECT_EQ(presence_.take_own(1)->size(), 1U);
  EXPECT_TRUE(presence_.take_own(1)->empty());
}

TEST_F(PresenceNodesTest, TellsItsOwnUntilItKnowsOfAll) {
  presence_.enter(kRoom, identity(1));
  EXPECT_EQ(presence_.watch(kRoom).people, 1U);
  EXPECT_EQ(presence_.take_watched(), (std::vector<std::pair<RoomId, bool>>{{kRoom, true}}));
  presence_.enter(kRoom, identity(2));
  EXPECT_EQ(change().people, 2U);

  presence_.tell({kRoom, 7, {}, {}, {}, true});
  const PresenceChange first = change();
  EXPECT_EQ(first.people, 7U);
  EXPECT_FALSE(first.complete) << "who the others are, only the roster tells";
  EXPECT_EQ(presence_.watch(kRoom).people, 7U);

  presence_.enter(kRoom, identity(3));
  EXPECT_TRUE(presence_.take_changes(0).empty()) << "it comes back with what others tell";
  presence_.tell({kRoom, 7, {person(3)}, {user_id(9)}, {}, true});
  const PresenceChange next = change();
  EXPECT_EQ(next.people, 7U);
  EXPECT_EQ(next.joined, std::vector{person(3)});
  EXPECT_EQ(next.left, std::vector{user_id(9)});
  EXPECT_TRUE(next.complete);
  EXPECT_TRUE(presence_.take_changes(0).empty());

  presence_.forget_others();
  const PresenceChange own = change();
  EXPECT_EQ(own.people, 3U);
  EXPECT_FALSE(own.complete);
  presence_.leave(kRoom, user_id(3));
  EXPECT_EQ(change().left, std::vector{user_id(3)}) << "its own again";
}

TEST_F(PresenceNodesTest, PutsTogetherWhatCameSinceTheLastChange) {
  presence_.watch(kRoom);
  presence_.tell({kRoom, 1, {}, {}, {}, false});
  change();
  presence_.tell({kRoom, 2, {person(1), person(2)}, {}, {}, true});
  presence_.tell({kRoom, 1, {}, {user_id(1)}, {}, true});
  const PresenceChange both = change();
  EXPECT_EQ(both.people, 1U);
  EXPECT_EQ(ids(both.joined), std::vector{user_id(2)});
  EXPECT_EQ(both.left, std::vector{user_id(1)});

  presence_.tell({kRoom, 5, {person(1), person(3), person(4)}, {}, {}, true});
  presence_.tell({kRoom, 7, {person(5), person(6)}, {}, {}, true});
  const PresenceChange many = change();
  EXPECT_EQ(many.people, 7U);
  EXPECT_FALSE(many.complete) << "more than names_max";
  EXPECT_TRUE(many.joined.empty());
}

TEST_F(PresenceNodesTest, KeepsNothingOfRoomsThatNobodyWatches) {
  presence_.tell({kRoom, 7, {}, {}, {}, true});
  presence_.tell_typing(kRoom, 1, {person(1)});
  EXPECT_TRUE(presence_.take_changes(0).empty());
  EXPECT_EQ(presence_.watch(kRoom).people, 0U);
  presence_.tell({kRoom, 7, {}, {}, {}, true});
  presence_.tell_typing(kRoom, 1, {person(1)});
  presence_.unwatch(kRoom);
  EXPECT_EQ(presence_.take_watched().size(), 2U);
  EXPECT_EQ(presence_.rooms(), 0U);
  const PresenceChange again = presence_.watch(kRoom);
  EXPECT_EQ(again.people, 0U);
  EXPECT_TRUE(again.typing.empty());
  presence_.forget_others();
  EXPECT_TRUE(presence_.take_changes(0).empty());
}

TEST_F(PresenceNodesTest, HandsOnWhoTypes) {
  presence_.enter(kRoom, identity(1));
  const auto handed_on = [&] {
    const auto typing = presence_.take_own_typing();
    EXPECT_EQ(typing.size(), 1U);
    return typing.empty() ? std::vector<UserId>() : ids(typing.front().people);
  };
  presence_.set_typing(kRoom, user_id(1), true, 0);
  EXPECT_EQ(handed_on(), std::vector{user_id(1)});
  EXPECT_TRUE(presence_.take_own_typing().empty());
  presence_.set_typing(kRoom, user_id(1), true, 500);
  EXPECT_EQ(handed_on(), std::vector{user_id(1)}) << "he goes on, so the others must as well";
  presence_.take_changes(1500);
  EXPECT_TRUE(handed_on().empty());
  presence_.set_typing(kRoom, user_id(1), true, 2000);
  handed_on();
  presence_.leave(kRoom, user_id(1));
  EXPECT_TRUE(handed_on().empty()) << "of a room that is empty, too";
}

TEST_F(PresenceNodesTest, TellsWhoTypesElsewhere) {
  presence_.watch(kRoom);
  presence_.enter(kRoom, identity(1));
  presence_.tell({kRoom, 3, {}, {}, {}, true});
  change();
  presence_.tell_typing(kRoom, 7, {person(1), person(2)});
  EXPECT_EQ(ids(change().typing), (std::vector{user_id(1), user_id(2)}));
  presence_.tell_typing(kRoom, 7, {person(1), person(2)});
  EXPECT_TRUE(presence_.take_changes(900).empty()) << "no news, a later end";
  EXPECT_TRUE(presence_.take_changes(1500).empty());
  presence_.set_typing(kRoom, user_id(1), true, 1500);
  EXPECT_EQ(ids(change(1500).typing), (std::vector{user_id(1), user_id(2)})) << "once";
  presence_.tell_typing(kRoom, 8, {person(3)});
  EXPECT_EQ(change(1500).typing.size(), kBounds.typing_max);
  EXPECT_EQ(presence_.watch(kRoom).people, 3U);
  EXPECT_EQ(ids(change(1900).typing), (std::vector{user_id(1), user_id(3)})) << "2 ended";
  presence_.tell_typing(kRoom, 8, {});
  const PresenceChange last = change(1901);
  EXPECT_EQ(ids(last.typing), std::vector{user_id(1)});
  EXPECT_EQ(last.people, 3U);
  EXPECT_TRUE(last.complete);
}

// Nodes with comings and goings, and what they share kept as Redis would, with delays, losses and
// times in which nothing is known: who applies what his node tells to a roster has, once all has
// come through, the people of all nodes.
class SharedWorld {
 public:
  static constexpr std::size_t kNodes = 3;
  static constexpr std::size_t kRooms = 2;
  static constexpr std::size_t kUsers = 6;

  SharedWorld() {
    for (auto& node : nodes_) {
      node.presence.share();
      node.presence.keep_changes();
    }
  }
  void act() {
    Node& node = nodes_[below(kNodes)];
    const std::size_t room = 1 + below(kRooms);
    const std::size_t user = 1 + below(kUsers);
    int& subscriptions = node.subscriptions[{room, user}];
    switch (below(8)) {
      case 0:
      case 1:
        node.presence.enter(room_id(room), identity(user));
        ++subscriptions;
        break;
      case 2:
      case 3:
        if (subscriptions == 0) break;
        node.presence.leave(room_id(room), user_id(user));
        --subscriptions;
        break;
      case 4:
        if (!node.watched.contains(room)) {
          node.presence.watch(room_id(room));
          node.watched[room] = roster(node, room);
          node.news[room].complete = false;
        } else if (below(4) == 0) {
          node.presence.unwatch(room_id(room));
          node.watched.erase(room);
        }
        break;
      case 5:
        hand_on(node);
        break;
      case 6:
        hear(node);
        break;
      default:
        if (below(20) > 0) break;
        node.presence.forget_others();
        node.known = false;
        for (auto& [id, news] : node.news) news.complete = false;
    }
  }
  // All comes through.
  void settle() {
    for (Node& node : nodes_) hand_on(node);
    for (Node& node : nodes_) hear(node);
  }
  void check() {
    for (Node& node : nodes_) {
      for (const auto& [room, people] : node.watched) ASSERT_EQ(people, truth(room));
    }
  }

 private:
  struct News {
    std::map<UserId, bool> changed;  // true: here
    bool complete = false;
  };
  struct Node {
    Presence presence{PresenceBounds{.names_max = 4, .waiting_max = 3}};
    std::map<std::pair<std::size_t, std::size_t>, int> subscriptions;  // room, user
    std::map<std::size_t, std::set<UserId>> watched;                   // what a listener believes
    std::map<std::size_t, News> news;                                  // not heard yet
    std::map<std::size_t, std::set<UserId>> registered;
    bool known = false;
  };

  std::size_t below(std::size_t bound) { return rtc::test::pick(random_, 0, bound - 1); }
  std::set<UserId> truth(std::size_t room) const {
    std::set<UserId> people;
    for (const Node& node : nodes_) {
      for (const auto& [key, count] : node.subscriptions) {
        if (key.first == room && count > 0) people.insert(user_id(key.second));
      }
    }
    return people;
  }
  std::set<UserId> registered(std::size_t room) {
    std::set<UserId> people;
    for (Node& node : nodes_)
      people.insert(node.registered[room].begin(), node.registered[room].end());
    return people;
  }
  std::set<UserId> roster(Node& node, std::size_t room) {
    if (node.known) return registered(room);
    const auto page = ids(node.presence.page(room_id(room), std::nullopt, 100).page);
    return {page.begin(), page.end()};
  }
  void change(std::size_t room, const std::function<void()>& action) {
    const auto before = registered(room);
    action();
    const auto after = registered(room);
    std::vector<UserId> changed;
    std::set_symmetric_difference(before.begin(), before.end(), after.begin(), after.end(),
                                  std::back_inserter(changed));
    for (Node& each : nodes_) {
      for (const UserId& id : changed) each.news[room].changed[id] = after.contains(id);
      if (!changed.empty() && below(10) == 0) each.news[room].complete = false;
    }
  }
  void hand_on(Node& node) {
    auto own = node.presence.take_own(1 + below(3));
    if (!own) {
      // From the beginning, as of a new session.
      own.emplace();
      std::set<std::size_t> rooms;
      for (const RoomId& id : node.presence.keep_changes()) rooms.insert(id.value.bytes[0]);
      for (std::size_t room = 1; room <= kRooms; ++room) {
        change(room, [&] {
          const auto page = ids(node.presence.page(room_id(room), std::nullopt, 100).page);
          EXPECT_EQ(rooms.contains(room), !page.empty());
          node.registered[room] = {page.begin(), page.end()};
        });
      }
    }
    while (!own->empty()) {
      for (const OwnPeople& each : *own) {
        const std::size_t room = each.room.value.bytes[0];
        change(room, [&] {
          auto& there = node.registered[room];
          for (const Person& person : each.here) there.insert(person.id);
          for (const UserId& id : each.gone) there.erase(id);
          EXPECT_TRUE(!each.empty || there.empty());
        });
      }
      own = node.presence.take_own(1 + below(3));
      ASSERT_TRUE(own);
    }
  }
  void hear(Node& node) {
    for (std::size_t room = 1; room <= kRooms; ++room) {
      News& news = node.news[room];
      PresenceChange told{room_id(room), registered(room).size(), {}, {}, {}, news.complete};
      if (news.complete && news.changed.empty()) continue;
      if (news.complete) {
        for (const auto& [id, here] : news.changed) {
          if (here) {
            told.joined.push_back(person(id.value.bytes[0]));
          } else {
            told.left.push_back(id);
          }
        }
      }
      news = {{}, true};
      node.presence.tell(told);
    }
    node.known = true;
    for (const PresenceChange& change : node.presence.take_changes(0)) {
      const std::size_t room = change.room.value.bytes[0];
      ASSERT_TRUE(node.watched.contains(room));
      auto& people = node.watched[room];
      for (const Person& each : change.joined) people.insert(each.id);
      for (const UserId& id : change.left) people.erase(id);
      if (!change.complete) people = registered(room);
      ASSERT_EQ(change.people, people.size());
    }
  }

  std::mt19937_64 random_{rtc::test::seed()};
  std::array<Node, kNodes> nodes_;
};

TEST(PresenceNodes, RandomlyAgreeWithAModel) {
  SharedWorld world;
  for (int round = 0; round < 2000; ++round) {
    for (int step = 0; step < 10; ++step) world.act();
    world.settle();
    world.check();
    if (testing::Test::HasFatalFailure()) FAIL() << "round " << round;
  }
}

}  // namespace
}  // namespace rtc::chat
