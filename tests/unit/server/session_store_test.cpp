// Sessions with the loop in a thread of its own and the store behind it: receipts, pauses, rooms.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.hpp"
#include "server/session.hpp"
#include "unit/server/session_world.hpp"

namespace rtc::server {
namespace {

using test::kErrors;
using test::lobby;
using test::Person;
using test::Texts;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SessionStoreTest : public test::SessionsTest {
 protected:
  Person& join(const std::string& more = "") {
    return enter([&](Person& person) { person.connect("1.2", more); });
  }
  std::size_t stored() {
    return world_.store.page_after(chat::lobby_id(), 0, 10'000).value().size();
  }
};

TEST_F(SessionStoreTest, AReceiptComesAfterTheCommitAndEveryoneHearsTheMessage) {
  world_.start();
  Person& sender = join();
  Person& reader = join();
  on([&] { reader.subscribe("r", lobby(), "receipt:joined\n"); });
  world_.await([&] { return !reader.output.all("RECEIPT", "receipt-id").empty(); });
  on([&] { sender.send(chat::lobby_id(), "hello", "receipt:1\n"); });
  world_.await([&] { return !sender.output.all("RECEIPT", "receipt-id").empty(); });
  EXPECT_EQ(stored(), 1U);
  world_.await([&] { return !reader.output.all("MESSAGE", "message-id").empty(); });
  on([&] {
    EXPECT_THAT(reader.output.last(), HasSubstr("\"message\":\"hello\""));
    EXPECT_THAT(reader.output.last(),
                HasSubstr("\"senderId\":\"" + test::FakeTokens::user('1').to_string() + "\""));
    EXPECT_THAT(reader.output.last(), HasSubstr("\"randId\":\"nick\""));
  });
}

TEST_F(SessionStoreTest, ReceiptsComeInTheOrderOfTheirFrames) {
  world_.hold_outcomes();
  world_.start();
  Person& person = join();
  on([&] {
    person.subscribe("s", lobby(), "receipt:0\n");
    person.send(chat::lobby_id(), "a", "receipt:1\n");
    person.send(chat::lobby_id(), "b");
    person.subscribe("t", lobby(), "receipt:2\n");
    person.send(chat::lobby_id(), "c", "receipt:3\n");
    person.say("UNSUBSCRIBE\nid:t\nreceipt:4\n\n");
  });
  world_.await_held(3);
  EXPECT_THAT(receipts(person), ElementsAre("0"));
  world_.let_go(1);
  EXPECT_THAT(receipts(person), ElementsAre("0", "1")) << "b, without a receipt, is not stored yet";
  world_.let_go(1);
  EXPECT_THAT(receipts(person), ElementsAre("0", "1", "2"));
  world_.let_go(1);
  EXPECT_THAT(receipts(person), ElementsAre("0", "1", "2", "3", "4"));
}

TEST_F(SessionStoreTest, WhatCouldNotBeStoredGetsAnErrorAndNoReceipt) {
  world_.hold_outcomes();
  world_.start();
  Person& person = join();
  Person& deaf = join();
  on([&] {
    person.subscribe("err", std::string(kErrors));
    for (const char* number : {"1", "2", "3"}) {
      person.send(chat::lobby_id(), number, "receipt:" + std::string(number) + "\n");
    }
  });
  world_.await_held(3);
  const auto failure = [](chat::Outcome& outcome) {
    outcome.id = 0;
    outcome.error = {ErrorCode::internal_server_error, "not stored"};
  };
  world_.let_go(1);
  world_.let_go(1, failure);
  world_.let_go(1);
  EXPECT_THAT(receipts(person), ElementsAre("1", "3"));
  on([&] {
    EXPECT_THAT(person.output.all("MESSAGE", "receipt-id"), ElementsAre("2"));
    EXPECT_EQ(person.output.close_code, 0);
    deaf.send(chat::lobby_id(), "4", "receipt:4\n");
  });
  world_.await_held(1);
  world_.let_go(1, failure);
  on([&] {
    test::expect_failed(deaf, "INTERNAL_SERVER_ERROR", 1008);
    EXPECT_EQ(test::header_of(deaf.output.last(), "receipt-id"), "4");
  });
}

TEST_F(SessionStoreTest, AFailingStoreIsToldAndNobodySeesWhatItDidNotTake) {
  log::set_level(log::Level::off);
  world_.start();
  Person& sender = join();
  Person& reader = join();
  const auto answers = [&](std::size_t count) {
    world_.await([&] {
      return sender.output.all("RECEIPT", "receipt-id").size() +
                 sender.output.all("MESSAGE", "subscription").size() ==
             count;
    });
  };
  on([&] {
    reader.subscribe("r", lobby());
    sender.subscribe("err", std::string(kErrors));
    sender.send(chat::lobby_id(), "a", "receipt:1\n");
  });
  answers(1);
  world_.store.set_failing(true);
  on([&] {
    sender.send(chat::lobby_id(), "b", "receipt:2\n");
    sender.subscribe("x", lobby(), "receipt:3\n");  // needs no store: its receipt waits, no more
    sender.send(RoomId::random(), "nowhere", "receipt:4\n");
  });
  answers(4);
  EXPECT_THAT(receipts(sender), ElementsAre("1", "3"));
  on([&] {
    EXPECT_THAT(sender.output.all("MESSAGE", "receipt-id"),
                testing::UnorderedElementsAre("2", "4"));
    std::string told;
    for (const std::string& frame : sender.output.frames) told += frame;
    EXPECT_THAT(told, HasSubstr("the message could not be stored; send it again in a while"));
    EXPECT_THAT(told, HasSubstr("the room could not be looked up; try again in a while"));
    EXPECT_THAT(told, HasSubstr("INTERNAL_SERVER_ERROR"));
    EXPECT_THAT(told, testing::Not(HasSubstr("disk")));
    reader.subscribe("err", std::string(kErrors));
    reader.subscribe("missed", lobby(), "since:0\n");
  });
  world_.await([&] { return reader.output.last().find("SERVER_OVERLOAD") != std::string::npos; });

  world_.store.set_failing(false);
  on([&] { sender.send(chat::lobby_id(), "c", "receipt:5\n"); });
  world_.await([&] { return sender.output.all("RECEIPT", "receipt-id").size() == 3; });
  EXPECT_THAT(receipts(sender), ElementsAre("1", "3", "5"));
  world_.await([&] { return reader.output.all("MESSAGE", "id").size() >= 3; });
  on([&] {
    Texts ids;
    for (const std::string& id : reader.output.all("MESSAGE", "id")) {
      if (!id.empty()) ids.push_back(id);
    }
    EXPECT_THAT(ids, ElementsAre("1", "2")) << "b took no id";
    EXPECT_EQ(sender.output.close_code, 0);
  });
  log::set_level(log::Level::info);
}

TEST_F(SessionStoreTest, AnEndedResumptionIsNamedAndCostsNoOtherSubscription) {
  log::set_level(log::Level::off);
  const chat::Room other{RoomId::random(), chat::Room::Kind::open, "other", 0, {}, {}};
  ASSERT_TRUE(world_.store.create(other, {10, 10}));
  const std::string destination = "/sub/channel/" + other.id.to_string();
  world_.start();
  Person& reader = join();
  Person& deaf = join();
  on([&] {
    reader.subscribe("err", std::string(kErrors));
    reader.subscribe("one", lobby(), "since:0\nreceipt:1\n");
    reader.subscribe("two", destination, "receipt:2\n");
    deaf.subscribe("live", destination, "receipt:1\n");
  });
  world_.await([&] {
    return reader.output.all("RECEIPT", "receipt-id").size() == 2 &&
           deaf.output.all("RECEIPT", "receipt-id").size() == 1;
  });
  on([&] { reader.say("UNSUBSCRIBE\nid:two\n\n"); });  // the room is known to the loop now
  world_.store.reads_fail = true;
  on([&] {
    reader.subscribe("t:wo", destination, "since:0\n");
    deaf.subscribe("three", destination, "since:0\n");
  });
  world_.await([&] {
    return deaf.output.close_code != 0 &&
           reader.output.all("MESSAGE", "ended-subscription") == Texts{"t\\cwo"};
  });
  on([&] {
    EXPECT_EQ(test::header_of(reader.output.last(), "ended-destination"), destination);
    EXPECT_EQ(test::header_of(reader.output.last(), "subscription"), "err");
    EXPECT_THAT(reader.output.last(), HasSubstr("SERVER_OVERLOAD"));
    test::expect_failed(deaf, "SERVER_OVERLOAD", 1008);
    EXPECT_EQ(test::header_of(deaf.output.last(), "ended-subscription"), "three");
    EXPECT_EQ(test::header_of(deaf.output.last(), "ended-destination"), destination);
  });

  world_.store.reads_fail = false;
  on([&] {
    reader.send(chat::lobby_id(), "heard by one");
    reader.send(other.id, "heard by t:wo, again");
    reader.subscribe("t:wo", destination, "since:0\n");  // its id is free
  });
  world_.await([&] {
    Texts heard = reader.output.all("MESSAGE", "subscription");
    return std::count(heard.begin(), heard.end(), "one") == 1 &&
           std::count(heard.begin(), heard.end(), "t\\cwo") == 1;
  });
  log::set_level(log::Level::info);
}

TEST_F(SessionStoreTest, DisconnectWaitsForWhatWasSent) {
  world_.hold_outcomes();
  world_.start();
  Person& person = join();
  on([&] {
    person.send(chat::lobby_id(), "a", "receipt:1\n");
    person.send(chat::lobby_id(), "b", "receipt:2\n");
    person.say("DISCONNECT\nreceipt:bye\n\n");
    person.send(chat::lobby_id(), "too late", "receipt:3\n");
  });
  world_.await_held(2);
  EXPECT_THAT(receipts(person), IsEmpty());
  world_.let_go(1);
  on([&] { EXPECT_EQ(person.output.close_code, 0); });
  world_.let_go(1);
  EXPECT_THAT(receipts(person), ElementsAre("1", "2", "bye"));
  on([&] { EXPECT_EQ(person.output.close_code, 1000); });
  EXPECT_EQ(stored(), 2U);
}

TEST_F(SessionStoreTest, ShuttingDownWaitsForWhatWasSentToo) {
  world_.hold_outcomes();
  world_.start();
  Person& busy = join();
  Person& idle = join();
  on([&] { busy.send(chat::lobby_id(), "a", "receipt:1\n"); });
  world_.await_held(1);
  on([&] {
    world_.shard().shut_down(false);
    EXPECT_EQ(idle.output.close_code, 1001);
    EXPECT_EQ(busy.output.close_code, 0);
    busy.send(chat::lobby_id(), "too late", "receipt:2\n");
  });
  world_.let_go(1);
  EXPECT_THAT(receipts(busy), ElementsAre("1"));
  on([&] { EXPECT_EQ(busy.output.close_code, 1001); });
  EXPECT_EQ(stored(), 1U);
}

TEST_F(SessionStoreTest, ShuttingDownAtOnceWaitsForNothingAndAcknowledgesNothing) {
  world_.hold_outcomes();
  world_.start();
  Person& busy = join();
  Person& leaving = join();
  on([&] {
    busy.send(chat::lobby_id(), "a", "receipt:1\n");
    leaving.send(chat::lobby_id(), "b", "receipt:2\n");
    leaving.say("DISCONNECT\nreceipt:bye\n\n");
  });
  world_.await_held(2);
  on([&] {
    world_.shard().shut_down(false);
    world_.shard().shut_down(true);
    EXPECT_EQ(busy.output.close_code, 1001);
    EXPECT_EQ(leaving.output.close_code, 1001) << "it never heard that its end was in order";
  });
  world_.let_go(2);
  EXPECT_THAT(receipts(busy), IsEmpty());
  EXPECT_THAT(receipts(leaving), IsEmpty());
}

TEST_F(SessionStoreTest, InputPausesWhileTooManySendsWaitAndKeepsItsOrder) {
  world_.config.sends_in_flight_max = 4;
  world_.hold_outcomes();
  world_.start();
  Person& person = join();
  const auto send = [&](int first, int last) {
    std::string bytes;
    for (int i = first; i <= last; ++i) {
      const std::string number = std::to_string(i);
      bytes += "SEND\ndestination:/pub/chat\nreceipt:" + number + "\n\n{\"roomId\":\"" +
               chat::lobby_id().to_string() + "\",\"message\":\"" + number + "\"}" + '\0';
    }
    person.session.on_bytes(bytes);
  };
  // The first looks the room up; the rest waits for that.
  on([&] {
    send(1, 9);
    EXPECT_TRUE(person.output.paused);
  });
  world_.await_held(4);
  on([&] {
    EXPECT_TRUE(person.output.paused);
    send(10, 12);  // what the transport had in hand
  });
  on([&] {});
  EXPECT_EQ(stored(), 4U) << "no more than may be in flight";
  world_.let_go(1);
  on([&] { EXPECT_TRUE(person.output.paused) << "half of them first"; });
  world_.let_go(3);
  for (int left = 8; left > 0;) {
    const int count = left >= 2 ? 2 : 1;
    world_.await_held(static_cast<std::size_t>(count));
    world_.let_go(static_cast<std::size_t>(count));
    left -= count;
  }
  on([&] {
    EXPECT_FALSE(person.output.paused);
    EXPECT_EQ(person.output.close_code, 0);
  });
  Texts expected;
  for (int i = 1; i <= 12; ++i) expected.push_back(std::to_string(i));
  EXPECT_EQ(receipts(person), expected);
  const auto messages = world_.store.page_after(chat::lobby_id(), 0, 100).value();
  ASSERT_EQ(messages.size(), 12U);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(messages[i].text, expected[i]);
}

TEST_F(SessionStoreTest, InputWaitsWhileARoomIsLookedUp) {
  world_.start();
  Person& person = join();
  const RoomId unknown = RoomId::random();
  on([&] {
    person.subscribe("err", std::string(kErrors));
    std::string bytes = "SUBSCRIBE\nid:a\ndestination:/sub/channel/" + unknown.to_string() +
                        "\nreceipt:1\n\n" + '\0' + "SUBSCRIBE\nid:b\ndestination:" + lobby() +
                        "\nreceipt:2\n\n" + '\0' + "DISCONNECT\nreceipt:3\n\n" + '\0';
    person.session.on_bytes(bytes);
    EXPECT_TRUE(person.output.paused);
  });
  world_.await([&] { return person.output.close_code != 0; });
  EXPECT_THAT(receipts(person), ElementsAre("2", "3"));
  on([&] {
    EXPECT_THAT(person.output.all("MESSAGE", "receipt-id"), ElementsAre("1"));
    EXPECT_EQ(person.output.close_code, 1000);
  });
}

TEST_F(SessionStoreTest, ARoomThatIsLookedUpForSomebodyWhoLeftIsNobodys) {
  world_.start();
  Person& person = join();
  on([&] {
    person.subscribe("a", lobby());
    people_.clear();
  });
  Person& next = join();  // most likely in the place of the one who left
  on([&] { next.subscribe("b", lobby(), "receipt:1\n"); });
  world_.await([&] { return !next.output.all("RECEIPT", "receipt-id").empty(); });
  on([&] { EXPECT_EQ(next.output.frames.size(), 2U) << "CONNECTED and its own receipt"; });
}

TEST_F(SessionStoreTest, ADirectRoomIsItsMembersOnly) {
  chat::Room room;
  room.id = RoomId::random();
  room.kind = chat::Room::Kind::direct;
  room.creator = test::FakeTokens::user('8');
  room.members = {test::FakeTokens::user('8'), test::FakeTokens::user('9')};
  ASSERT_TRUE(world_.store.find_or_create_direct(room, {10, 10}));
  world_.start();
  Person& stranger = join();
  on([&] {
    stranger.subscribe("err", std::string(kErrors));
    stranger.subscribe("a", "/sub/channel/" + room.id.to_string(), "receipt:1\n");
    stranger.send(room.id, "hello", "receipt:2\n");
  });
  world_.await([&] { return stranger.output.all("MESSAGE", "receipt-id").size() == 2; });
  on([&] {
    EXPECT_THAT(stranger.output.last(), HasSubstr("\"type\":\"FORBIDDEN_ACCESS\""));
    EXPECT_THAT(stranger.output.all("RECEIPT", "receipt-id"), IsEmpty());
  });
}

TEST_F(SessionStoreTest, AnotherUsersTokenInASendIsRefused) {
  world_.start();
  Person& person = join();
  on([&] {
    person.subscribe("err", std::string(kErrors));
    person.send(chat::lobby_id(), "a", "token:user 2\nreceipt:1\n");
    person.send(chat::lobby_id(), "b", "token:nonsense\nreceipt:2\n");
    EXPECT_THAT(person.output.last(), HasSubstr("\"type\":\"UNAUTHORIZED_ACCESS\""));
    person.send(chat::lobby_id(), "c", "token:user 1\nreceipt:3\n");
    person.send(chat::lobby_id(), "d", "token:renewed user 1\nreceipt:4\n");
  });
  world_.await([&] { return person.output.all("RECEIPT", "receipt-id").size() == 2; });
  EXPECT_THAT(receipts(person), ElementsAre("3", "4"));
}

TEST_F(SessionStoreTest, AFullStoreIsToldAsOverload) {
  world_.config.store_queue_max = 1;
  world_.start();
  Person& person = join();
  on([&] { person.subscribe("s", lobby(), "receipt:0\n"); });
  world_.await([&] { return person.output.all("RECEIPT", "receipt-id").size() == 1; });
  on([&] {
    person.subscribe("err", std::string(kErrors));
    // Within one turn: what is submitted goes to the store at its end.
    person.send(chat::lobby_id(), "a", "receipt:1\n");
    person.send(chat::lobby_id(), "b", "receipt:2\n");
    EXPECT_THAT(person.output.last(), HasSubstr("\"type\":\"SERVER_OVERLOAD\""));
    EXPECT_EQ(test::header_of(person.output.last(), "receipt-id"), "2");
  });
  world_.await([&] { return person.output.all("RECEIPT", "receipt-id").size() == 2; });
}

}  // namespace
}  // namespace rtc::server
