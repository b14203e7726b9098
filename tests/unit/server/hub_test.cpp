// The hub, over real sessions: who gets what, as which bytes. In random order: hub_model_test.cpp.
#include "server/hub.hpp"

#include <gtest/gtest.h>

#include "unit/server/session_world.hpp"

namespace rtc::server {
namespace {

using test::header_of;
using test::Person;
using test::World;

chat::Room make_room(std::uint8_t number) {
  chat::Room room;
  room.id.value.bytes[15] = number;
  room.name = "room";
  return room;
}

chat::Message message(const RoomId& room, MessageId id) {
  chat::Message made;
  made.room = room;
  made.id = id;
  made.text = "text " + std::to_string(id);
  return made;
}

std::string destination_of(const RoomId& room) {
  return "/sub/channel/" + room.to_string();
}

class HubTest : public testing::Test {
 protected:
  RoomId room(std::uint8_t number) {
    const chat::Room made = make_room(number);
    world_.shard().cache_room(made);
    return made.id;
  }
  Hub& hub() { return world_.shard().hub(); }
  void deliver(const chat::Message& message) {
    hub().deliver(std::make_shared<const std::vector<chat::Message>>(1, message), 0);
  }

  World world_;
};

TEST_F(HubTest, MessagesCarryTheSubscribersOwnHeaders) {
  const RoomId a = room(1);
  Person stomp10(world_);
  Person stomp12(world_);
  Person sockjs(world_, Framing::sockjs);
  stomp10.connect("1.0");
  stomp12.connect("1.2");
  sockjs.connect("1.1");
  stomp10.say("SUBSCRIBE\ndestination:" + destination_of(a) + "\n\n");
  stomp12.subscribe("mine", destination_of(a));
  sockjs.subscribe("a\\cb", destination_of(a));
  deliver(message(a, 7));
  EXPECT_TRUE(stomp12.output.all("MESSAGE", "subscription").empty()) << "not before the turn's end";
  hub().flush();
  for (Person* each : {&stomp10, &stomp12, &sockjs}) {
    const std::string frame = each->output.last();
    EXPECT_EQ(header_of(frame, "destination"), destination_of(a));
    EXPECT_EQ(header_of(frame, "message-id"), a.to_string() + "-7");
    EXPECT_EQ(header_of(frame, "content-type"), "application/json");
    EXPECT_NE(frame.find("\"message\":\"text 7\""), std::string::npos);
    EXPECT_EQ(frame.back(), '\0');
  }
  EXPECT_EQ(stomp10.output.last().find("subscription:"), std::string::npos);
  EXPECT_EQ(header_of(stomp12.output.last(), "subscription"), "mine");
  EXPECT_EQ(header_of(sockjs.output.last(), "subscription"), "a\\cb");
  EXPECT_EQ(hub().deliveries(), 3U);
}

TEST_F(HubTest, WhatIsForOnePersonGoesToHisSessionsOnly) {
  Person first(world_);
  Person again(world_);
  Person other(world_);
  for (Person* each : {&first, &again}) {
    each->say("CONNECT\naccept-version:1.2\nAuthorization:Bearer user a\n\n");
  }
  other.connect();
  for (Person* each : {&first, &again, &other}) each->subscribe("rooms", "/user/queue/rooms");
  const RoomId key{test::FakeTokens::user('a').value};
  hub().deliver({Destination::Kind::rooms, key, R"({"roomId":"x"})"});
  hub().flush();
  for (Person* each : {&first, &again}) {
    const std::string frame = each->output.last();
    EXPECT_EQ(header_of(frame, "destination"), "/user/queue/rooms");
    EXPECT_EQ(header_of(frame, "subscription"), "rooms");
    EXPECT_NE(frame.find(R"({"roomId":"x"})"), std::string::npos);
  }
  EXPECT_TRUE(other.output.all("MESSAGE", "subscription").empty());
  first.say("UNSUBSCRIBE\nid:rooms\n\n");
  again.say("UNSUBSCRIBE\nid:rooms\n\n");
  hub().deliver({Destination::Kind::rooms, key, "{}"});
  hub().flush();
  EXPECT_EQ(first.output.all("MESSAGE", "subscription").size(), 1U);
}

TEST_F(HubTest, CountsHowManyMessagesATurnHandsToEachSubscriber) {
  const RoomId a = room(1);
  Person ann(world_);
  Person ben(world_);
  for (Person* each : {&ann, &ben}) {
    each->connect();
    each->subscribe("s", destination_of(a));
  }
  for (MessageId id = 1; id <= 3; ++id) deliver(message(a, id));
  EXPECT_EQ(hub().handed_out().sum(), 0U);
  hub().flush();
  EXPECT_EQ(hub().handed_out().count_of(2), 2U) << "three to each, so up to four";
  deliver(message(a, 4));
  Person cho(world_);
  cho.connect();
  cho.subscribe("s", destination_of(a));  // not for him
  deliver(message(a, 5));
  hub().flush();
  hub().flush();
  EXPECT_EQ(hub().handed_out().count_of(0), 2U + 3U);
  EXPECT_EQ(hub().handed_out().count_of(1), 0U);
  EXPECT_EQ(hub().handed_out().sum(), 2 * 3 + 2 + 3U);
  EXPECT_EQ(hub().handed_out().sum(), hub().deliveries());
}

TEST_F(HubTest, TwoSubscriptionsOfOneSessionBothGetIt) {
  const RoomId a = room(1);
  Person person(world_);
  person.connect();
  person.subscribe("one", destination_of(a));
  person.subscribe("two", destination_of(a));
  deliver(message(a, 1));
  hub().flush();
  auto subscriptions = person.output.all("MESSAGE", "subscription");
  std::sort(subscriptions.begin(), subscriptions.end());
  EXPECT_EQ(subscriptions, (std::vector<std::string>{"one", "two"}));
}

TEST_F(HubTest, TheLeaverGetsWhatCameBeforeAndTheNewcomerDoesNot) {
  const RoomId a = room(1);
  Person leaver(world_);
  Person newcomer(world_);
  leaver.connect();
  newcomer.connect();
  leaver.subscribe("s", destination_of(a));
  deliver(message(a, 1));
  newcomer.subscribe("s", destination_of(a));
  deliver(message(a, 2));
  leaver.say("UNSUBSCRIBE\nid:s\n\n");
  deliver(message(a, 3));
  hub().flush();
  const std::string prefix = a.to_string() + "-";
  EXPECT_EQ(leaver.output.all("MESSAGE", "message-id"),
            (std::vector<std::string>{prefix + "1", prefix + "2"}));
  EXPECT_EQ(newcomer.output.all("MESSAGE", "message-id"),
            (std::vector<std::string>{prefix + "2", prefix + "3"}));
}

TEST_F(HubTest, CountsGoToTheEntryTopicOnly) {
  Person person(world_);
  Person other(world_);
  person.connect();
  other.connect();
  EXPECT_FALSE(hub().has_entry_subscribers());
  person.subscribe("e", "/sub/channel/entry");
  EXPECT_TRUE(hub().has_entry_subscribers());
  EXPECT_TRUE(person.output.last().ends_with("\n\n2" + std::string(1, '\0'))) << "at once";
  EXPECT_EQ(header_of(person.output.last(), "content-type"), "text/plain");
  other.subscribe("r", destination_of(room(1)));
  hub().deliver_count(42);
  hub().flush();
  EXPECT_TRUE(person.output.last().ends_with("\n\n42" + std::string(1, '\0')));
  EXPECT_TRUE(other.output.all("MESSAGE", "destination").empty());
  person.say("UNSUBSCRIBE\nid:e\n\n");
  EXPECT_FALSE(hub().has_entry_subscribers());
}

}  // namespace
}  // namespace rtc::server
