// Sessions of one of several nodes: what others commit comes through the order of ids.
#include <gmock/gmock.h>

#include "unit/server/session_world.hpp"

namespace rtc::server {
namespace {

using test::Person;
using test::SessionsTest;
using test::Texts;
using testing::ElementsAre;
using testing::IsEmpty;

class SessionNodesTest : public SessionsTest {
 protected:
  SessionNodesTest() {
    world_.several_nodes = true;
    world_.start();
  }
  // By another node; what the relay brings of it is to be said.
  void commit(std::size_t count) {
    const std::vector<chat::Draft> drafts(count, chat::Draft{chat::lobby_id(), {}, "text", 0, ""});
    ASSERT_TRUE(world_.store.append(drafts));
  }
  void relayed(MessageId id) {
    world_.order().take(std::make_shared<const std::vector<chat::Message>>(
        1, chat::Message{chat::lobby_id(), id, {}, "text", 0}));
  }
  Person& listener(const std::string& more = "") {
    Person& person = enter([&](Person& self) {
      self.connect();
      self.subscribe("s", test::lobby(), test::receipt("subscribed") + more);
    });
    world_.await([&] { return !person.output.all("RECEIPT", "receipt-id").empty(); });
    return person;
  }
  Texts heard(const Person& person, std::size_t count) {
    world_.await([&] { return person.output.all("MESSAGE", "message-id").size() >= count; });
    return headers(person, "MESSAGE", "message-id");
  }
};

TEST_F(SessionNodesTest, HearsWhatOtherNodesCommitOnceItsSubscribeIsReceipted) {
  commit(3);
  Person& person = listener();
  commit(1);
  relayed(4);
  const Texts ids = heard(person, 1);
  EXPECT_EQ(ids.size(), 1U);
  EXPECT_NE(ids[0].find('4'), std::string::npos) << ids[0];
}

TEST_F(SessionNodesTest, WhatTheRelayLostIsReadInOrder) {
  Person& person = listener();
  commit(3);
  relayed(3);
  relayed(2);
  world_.order().tick(1'000);
  world_.order().tick(2'000);
  const Texts ids = heard(person, 3);
  ASSERT_EQ(ids.size(), 3U);
  EXPECT_LT(ids[0], ids[1]);
  EXPECT_LT(ids[1], ids[2]);
}

TEST_F(SessionNodesTest, ItsOwnMessagesComeBetweenThoseOfOthers) {
  Person& person = listener();
  commit(1);
  on([&] { person.send(chat::lobby_id(), "own", test::receipt("sent")); });
  world_.await([&] { return person.output.all("RECEIPT", "receipt-id").size() == 2; });
  EXPECT_THAT(headers(person, "MESSAGE", "message-id"), IsEmpty()) << "1 is missing";
  relayed(1);
  EXPECT_EQ(heard(person, 2).size(), 2U);
}

TEST_F(SessionNodesTest, ResumesFromTheStoreAndGoesOnWithWhatOthersCommit) {
  commit(5);
  Person& person = listener("since:2\n");
  EXPECT_EQ(heard(person, 3).size(), 3U);
  commit(1);
  relayed(6);
  EXPECT_EQ(heard(person, 4).size(), 4U);
}

TEST_F(SessionNodesTest, ARoomThatCannotBeReadIsNotSubscribedTo) {
  Person& person = enter([&](Person& self) {
    self.connect();
    self.subscribe("errors", std::string(test::kErrors));
    world_.shard().cache_room({chat::lobby_id(), chat::Room::Kind::open, "Lobby", 0, {}, {}});
    world_.store.reads_fail = true;
    self.subscribe("s", test::lobby(), test::receipt("no"));
  });
  world_.await([&] { return !person.output.all("MESSAGE", "destination").empty(); });
  EXPECT_NE(last(person).find("SERVER_OVERLOAD"), std::string::npos) << last(person);
  EXPECT_THAT(receipts(person), IsEmpty());
  on([&] {
    world_.store.reads_fail = false;
    person.subscribe("s", test::lobby(), test::receipt("yes"));
  });
  world_.await([&] { return !person.output.all("RECEIPT", "receipt-id").empty(); });
  EXPECT_THAT(receipts(person), ElementsAre("yes"));
}

TEST_F(SessionNodesTest, GivesItsPlaceBack) {
  world_.order().tick(1'000);
  Person& first = listener();
  Person& second = listener();
  world_.order().tick(100'000);
  EXPECT_EQ(world_.order().figures().rooms, 1U);
  on([&] {
    first.say("UNSUBSCRIBE\nid:s\n\n");
    second.say("DISCONNECT\n\n");
  });
  std::uint64_t now_ms = 200'000;
  world_.await([&] {
    world_.order().tick(now_ms += chat::RoomOrder::kLingerMs);
    return world_.order().figures().rooms == 0;
  });
}

}  // namespace
}  // namespace rtc::server
