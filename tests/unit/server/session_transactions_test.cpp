// Transactions of a session: BEGIN, SEND, COMMIT, ABORT, their receipts and what refuses them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "server/session.hpp"
#include "unit/server/session_world.hpp"

namespace rtc::server {
namespace {

using test::lobby;
using test::Person;
using test::receipt;
using test::Texts;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SessionTransactionsTest : public test::SessionsTest {
 protected:
  // One who is connected and knows the lobby; with `listens` hears of errors too.
  Person& join(bool listens = true) {
    Person& person = enter([&](Person& each) {
      each.connect();
      if (listens) each.subscribe("err", std::string(test::kErrors));
      each.subscribe("room", lobby(), receipt("joined"));
    });
    world_.await([&] { return !person.output.all("RECEIPT", "receipt-id").empty(); });
    on([&] { person.output.frames.clear(); });
    return person;
  }
  // BEGIN, COMMIT or ABORT of `id`, on the loop.
  static void say(Person& person, const std::string& command, const std::string& id,
                  const std::string& more = "") {
    person.say(command + "\ntransaction:" + id + "\n" + more + "\n");
  }
  static void send(Person& person, const std::string& id, const std::string& text,
                   const std::string& more = "") {
    person.send(chat::lobby_id(), text, "transaction:" + id + "\n" + more);
  }
  Texts errors(const Person& person) {
    Texts found;
    on([&] {
      for (const std::string& frame : person.output.frames) {
        if (test::header_of(frame, "subscription") == "err") {
          found.push_back(test::header_of(frame, "receipt-id"));
        }
      }
    });
    return found;
  }
  // Waits until that receipt has come.
  void await_receipt(const Person& person, const std::string& name) {
    world_.await([&] {
      const Texts all = person.output.all("RECEIPT", "receipt-id");
      return std::find(all.begin(), all.end(), name) != all.end();
    });
  }
  Texts stored() {
    Texts texts;
    const auto messages = world_.store.page_after(chat::lobby_id(), 0, 10'000).value();
    for (const chat::Message& each : messages) {
      texts.push_back(each.text);
    }
    return texts;
  }
  std::uint64_t open() { return world_.shard().figures().transactions_open.load(); }
};

TEST_F(SessionTransactionsTest, CommitStoresAllInOrderAndSoEveryoneHearsIt) {
  world_.start();
  Person& sender = join();
  Person& reader = join();
  on([&] {
    say(sender, "BEGIN", "t", receipt("b"));
    for (const char* text : {"1", "2", "3"}) send(sender, "t", text, receipt(text));
    send(sender, "t", "4");
  });
  EXPECT_THAT(receipts(sender), ElementsAre("b", "1", "2", "3")) << "taken, not stored";
  EXPECT_EQ(open(), 1U);
  on([&] { sender.send(chat::lobby_id(), "outside", receipt("o")); });
  await_receipt(sender, "o");
  EXPECT_THAT(stored(), ElementsAre("outside"));
  const std::int64_t before_ms = unix_ms();
  on([&] { say(sender, "COMMIT", "t", receipt("c")); });
  await_receipt(sender, "c");
  EXPECT_THAT(stored(), ElementsAre("outside", "1", "2", "3", "4"));
  EXPECT_THAT(headers(sender, "RECEIPT", "ids"), ElementsAre("", "", "", "", "", "2,3,4,5"));
  EXPECT_THAT(headers(sender, "RECEIPT", "id"), ElementsAre("", "", "", "", "1", ""));
  world_.await([&] { return reader.output.all("MESSAGE", "id").size() == 5; });
  EXPECT_THAT(headers(reader, "MESSAGE", "id"), ElementsAre("1", "2", "3", "4", "5"));
  const auto messages = world_.store.page_after(chat::lobby_id(), 1, 10).value();
  for (const chat::Message& each : messages) {
    EXPECT_GE(each.created_at_ms, before_ms) << "said when it was committed";
  }
  EXPECT_EQ(open(), 0U);
}

TEST_F(SessionTransactionsTest, AbortStoresNothingAndEndsIt) {
  world_.start();
  Person& person = join();
  on([&] {
    say(person, "BEGIN", "t");
    send(person, "t", "never");
    say(person, "ABORT", "t", receipt("a"));
    say(person, "COMMIT", "t", receipt("c"));
    say(person, "BEGIN", "t", receipt("b"));
    send(person, "t", "said");
    say(person, "COMMIT", "t", receipt("d"));
  });
  await_receipt(person, "d");
  EXPECT_THAT(receipts(person), ElementsAre("a", "b", "d"));
  EXPECT_THAT(errors(person), ElementsAre("c"));
  EXPECT_THAT(stored(), ElementsAre("said"));
}

TEST_F(SessionTransactionsTest, ReceiptsKeepTheOrderOfRequests) {
  world_.start();
  Person& person = join();
  world_.hold_outcomes();
  on([&] {
    person.send(chat::lobby_id(), "a", receipt("1"));
    say(person, "BEGIN", "t", receipt("2"));
    send(person, "t", "b", receipt("3"));
    send(person, "t", "c");
    say(person, "COMMIT", "t", receipt("4"));
    say(person, "BEGIN", "empty", receipt("5"));
    say(person, "COMMIT", "empty", receipt("6"));
    say(person, "BEGIN", "silent");
    send(person, "silent", "d");
    say(person, "COMMIT", "silent");
    person.send(chat::lobby_id(), "e", receipt("7"));
  });
  world_.await_held(5);
  EXPECT_THAT(receipts(person), IsEmpty());
  world_.let_go(1);
  EXPECT_THAT(receipts(person), ElementsAre("1", "2", "3"));
  world_.let_go(1);
  EXPECT_THAT(receipts(person), ElementsAre("1", "2", "3")) << "c is not settled yet";
  world_.let_go(1);
  EXPECT_THAT(receipts(person), ElementsAre("1", "2", "3", "4", "5", "6"));
  world_.let_go(2);
  EXPECT_THAT(receipts(person), ElementsAre("1", "2", "3", "4", "5", "6", "7"));
  EXPECT_THAT(headers(person, "RECEIPT", "ids"), ElementsAre("", "", "", "2,3", "", "", ""));
}

TEST_F(SessionTransactionsTest, ACommitThatCouldNotBeStoredGetsOneError) {
  world_.start();
  Person& person = join();
  Person& deaf = join(false);
  world_.hold_outcomes();
  on([&] {
    person.send(chat::lobby_id(), "a", receipt("1"));
    say(person, "BEGIN", "t");
    for (const char* text : {"b", "c", "d"}) send(person, "t", text);
    say(person, "COMMIT", "t", receipt("2"));
    person.send(chat::lobby_id(), "e", receipt("3"));
  });
  const auto failure = [](chat::Outcome& outcome) {
    outcome.id = 0;
    outcome.error = {ErrorCode::internal_server_error, "not stored"};
  };
  world_.await_held(5);
  world_.let_go(1);
  world_.let_go(3, failure);
  world_.let_go(1);
  EXPECT_THAT(receipts(person), ElementsAre("1", "3"));
  EXPECT_THAT(errors(person), ElementsAre("2"));
  on([&] {
    say(deaf, "BEGIN", "t");
    send(deaf, "t", "f");
    send(deaf, "t", "g");
    say(deaf, "COMMIT", "t", receipt("4"));
  });
  world_.await_held(2);
  world_.let_go(2, failure);
  on([&] {
    test::expect_failed(deaf, "INTERNAL_SERVER_ERROR", 1008);
    EXPECT_EQ(test::header_of(deaf.output.last(), "receipt-id"), "4");
  });
}

TEST_F(SessionTransactionsTest, ARefusedSendSpoilsItsTransactionOnly) {
  chat::Room room;
  room.id = RoomId::random();
  room.kind = chat::Room::Kind::direct;
  room.creator = test::FakeTokens::user('8');
  room.members = {test::FakeTokens::user('8'), test::FakeTokens::user('9')};
  ASSERT_TRUE(world_.store.find_or_create_direct(room, {10, 10}));
  world_.start();
  Person& person = join();
  const std::string body =
      "\n{\"roomId\":\"" + chat::lobby_id().to_string() + "\",\"message\":\"hello\"}";
  const auto body_of = [](const RoomId& id) {
    return "\n{\"roomId\":\"" + id.to_string() + "\",\"message\":\"hello\"}";
  };
  const std::string to = "destination:/pub/chat\n";
  const std::vector<std::pair<std::string, std::string>> refused{
      {"destination:/elsewhere\n" + body, "FORBIDDEN_ACTION"},
      {"destination:" + lobby() + "\n" + body, "FORBIDDEN_ACTION"},
      {to + "token:user 2\n" + body, "UNAUTHORIZED_ACCESS"},
      {to + "message-key:" + std::string(65, 'k') + "\n" + body, "INVALID_MESSAGE_FORMAT"},
      {to + "\nno JSON", "INVALID_MESSAGE_FORMAT"},
      {to + "\n{\"roomId\":\"" + chat::lobby_id().to_string() + "\",\"message\":\" \"}",
       "INVALID_MESSAGE_FORMAT"},
      {to + body_of(RoomId::random()), "NOT_FOUND_CHATROOM"},
      {to + body_of(room.id), "FORBIDDEN_ACCESS"}};
  int number = 0;
  for (const auto& [frame, type] : refused) {
    const std::string n = std::to_string(++number);
    on([&, frame = frame] {
      person.output.frames.clear();
      say(person, "BEGIN", "bad");
      say(person, "BEGIN", "good");
      send(person, "good", n);
      send(person, "bad", "never");
      person.say("SEND\ntransaction:bad\nreceipt:r\n" + frame);
      send(person, "bad", "never", receipt("late"));
      say(person, "COMMIT", "bad", receipt("c"));
      send(person, "good", n + " too");
      say(person, "COMMIT", "good", receipt("g"));
    });
    await_receipt(person, "g");
    EXPECT_THAT(errors(person), ElementsAre("r", "late", "c")) << frame;
    on([&, type = type] {
      for (const std::string& each : person.output.frames) {
        if (test::header_of(each, "subscription") != "err") continue;
        EXPECT_THAT(each, HasSubstr("\"type\":\"" + type + "\""));
      }
    });
    EXPECT_EQ(stored().size(), 2U * static_cast<std::size_t>(number));
    EXPECT_EQ(stored().back(), n + " too");
  }
  EXPECT_EQ(open(), 0U);
}

TEST_F(SessionTransactionsTest, AbortEndsASpoiltOne) {
  world_.start();
  Person& person = join();
  on([&] {
    say(person, "BEGIN", "t");
    person.say("SEND\ntransaction:t\ndestination:/elsewhere\nreceipt:1\n\n");
    say(person, "ABORT", "t", receipt("2"));
    say(person, "BEGIN", "t", receipt("3"));
    say(person, "COMMIT", "t", receipt("4"));
  });
  EXPECT_THAT(errors(person), ElementsAre("1"));
  EXPECT_THAT(receipts(person), ElementsAre("2", "3", "4"));
}

TEST_F(SessionTransactionsTest, WhatIsNotOpenIsRefusedAndWhatIsIsNotBegunAgain) {
  world_.start();
  Person& person = join();
  on([&] {
    send(person, "x", "never", receipt("1"));
    send(person, "", "never", receipt("2"));
    say(person, "COMMIT", "x", receipt("3"));
    say(person, "ABORT", "x", receipt("4"));
    say(person, "BEGIN", "x");
    say(person, "BEGIN", "x", receipt("5"));
    send(person, "x", "said");
    say(person, "COMMIT", "x", receipt("6"));
  });
  await_receipt(person, "6");
  EXPECT_THAT(errors(person), ElementsAre("1", "2", "3", "4", "5"));
  on([&] {
    for (const std::string& each : person.output.frames) {
      if (test::header_of(each, "subscription") != "err") continue;
      EXPECT_THAT(each, HasSubstr("\"type\":\"INVALID_PARAMETER\""));
    }
  });
  EXPECT_THAT(stored(), ElementsAre("said"));
}

TEST_F(SessionTransactionsTest, TheHeaderIsNeededAndHasALongestLength) {
  world_.start();
  for (const char* command : {"BEGIN", "COMMIT", "ABORT"}) {
    for (const char* header : {"", "transaction:\n"}) {
      Person& person = join();
      on([&] {
        person.say(std::string(command) + "\n" + header + "receipt:r\n\n");
        test::expect_failed(person, "INVALID_MESSAGE_FORMAT", 1002);
        EXPECT_EQ(test::header_of(person.output.last(), "receipt-id"), "r");
      });
    }
  }
  const std::string most(Session::kIdBytesMax, 't');
  Person& person = join();
  on([&] {
    say(person, "BEGIN", most, receipt("1"));
    say(person, "COMMIT", most, receipt("2"));
    say(person, "BEGIN", most + "t", receipt("3"));
    test::expect_failed(person, "INVALID_MESSAGE_FORMAT", 1008);
  });
  EXPECT_THAT(receipts(person), ElementsAre("1", "2"));
}

TEST_F(SessionTransactionsTest, BoundsAreTheSettings) {
  world_.config.transactions_per_session_max = 2;
  world_.config.transaction_messages_max = 3;
  world_.config.transaction_bytes_max = 10;
  world_.start();
  Person& person = join();
  on([&] {
    say(person, "BEGIN", "a");
    say(person, "BEGIN", "b");
    say(person, "BEGIN", "c", receipt("too many open"));
    for (const char* text : {"1", "2", "3"}) send(person, "a", text);
    send(person, "a", "4", receipt("too many messages"));
    say(person, "COMMIT", "a", receipt("spoilt a"));
    send(person, "b", "1234567890");
    say(person, "BEGIN", "c");
    send(person, "c", "x", receipt("too many bytes"));
    say(person, "COMMIT", "c", receipt("spoilt c"));
    say(person, "COMMIT", "b", receipt("good"));
  });
  await_receipt(person, "good");
  EXPECT_THAT(errors(person), ElementsAre("too many open", "too many messages", "spoilt a",
                                          "too many bytes", "spoilt c"));
  on([&] {
    for (const std::string& each : person.output.frames) {
      if (test::header_of(each, "subscription") != "err") continue;
      EXPECT_THAT(each, HasSubstr("\"type\":\"FORBIDDEN_ACTION\""));
    }
  });
  EXPECT_THAT(stored(), ElementsAre("1234567890"));
}

TEST_F(SessionTransactionsTest, TheEndOfASessionDropsWhatIsOpen) {
  world_.start();
  Person& leaves = join();
  Person& fails = join();
  Person& vanishes = join();
  Person& stays = join();
  on([&] {
    for (Person* each : {&leaves, &fails, &vanishes, &stays}) {
      say(*each, "BEGIN", "t");
      say(*each, "BEGIN", "u");
      send(*each, "t", "never");
    }
  });
  EXPECT_EQ(open(), 8U);
  on([&] {
    leaves.say("DISCONNECT\nreceipt:bye\n\n");
    EXPECT_EQ(leaves.output.close_code, 1000);
    fails.say("NONSENSE\n\n");
  });
  EXPECT_EQ(open(), 4U);
  on([&] {
    std::erase_if(people_, [&](const auto& each) { return each.get() == &vanishes; });
    world_.shard().shut_down(false);
    EXPECT_EQ(stays.output.close_code, 1001);
  });
  EXPECT_EQ(open(), 0U);
  EXPECT_THAT(stored(), IsEmpty());
}

TEST_F(SessionTransactionsTest, DisconnectWaitsForACommit) {
  world_.start();
  Person& person = join();
  world_.hold_outcomes();
  on([&] {
    say(person, "BEGIN", "t");
    send(person, "t", "a");
    send(person, "t", "b");
    say(person, "COMMIT", "t", receipt("c"));
    person.say("DISCONNECT\nreceipt:bye\n\n");
  });
  world_.await_held(2);
  world_.let_go(1);
  on([&] { EXPECT_EQ(person.output.close_code, 0); });
  world_.let_go(1);
  EXPECT_THAT(receipts(person), ElementsAre("c", "bye"));
  on([&] { EXPECT_EQ(person.output.close_code, 1000); });
}

TEST_F(SessionTransactionsTest, ACommitThatTheStoreHasNoPlaceForIsRefusedWhole) {
  world_.config.store_queue_max = 2;
  world_.start();
  Person& person = join();
  on([&] {
    say(person, "BEGIN", "t");
    for (const char* text : {"a", "b", "c"}) send(person, "t", text);
    say(person, "COMMIT", "t", receipt("1"));
    say(person, "BEGIN", "t");
    for (const char* text : {"d", "e"}) send(person, "t", text);
    say(person, "COMMIT", "t", receipt("2"));
  });
  await_receipt(person, "2");
  EXPECT_THAT(errors(person), ElementsAre("1"));
  EXPECT_THAT(stored(), ElementsAre("d", "e"));
}

TEST_F(SessionTransactionsTest, AKnownMessageKeyIsAnsweredWithTheFirstOnesId) {
  world_.start();
  Person& person = join();
  on([&] {
    person.send(chat::lobby_id(), "a", "message-key:k1\n");
    for (const char* name : {"first", "again"}) {
      say(person, "BEGIN", "t");
      send(person, "t", "b", "message-key:k2\n");
      send(person, "t", "a", "message-key:k1\n");
      send(person, "t", "b", "message-key:k2\n");
      say(person, "COMMIT", "t", receipt(name));
    }
  });
  await_receipt(person, "again");
  EXPECT_THAT(headers(person, "RECEIPT", "ids"), ElementsAre("2,1,2", "2,1,2"));
  EXPECT_THAT(stored(), ElementsAre("a", "b"));
}

TEST_F(SessionTransactionsTest, EachOfItsMessagesCountsAsInFlight) {
  world_.config.sends_in_flight_max = 4;
  world_.start();
  Person& person = join();
  world_.hold_outcomes();
  on([&] {
    say(person, "BEGIN", "t");
    for (int i = 0; i < 6; ++i) send(person, "t", "x");
    EXPECT_FALSE(person.output.paused) << "they are not at the store";
    say(person, "COMMIT", "t", receipt("c"));
    EXPECT_TRUE(person.output.paused);
    person.send(chat::lobby_id(), "y", receipt("s"));
  });
  world_.await_held(6);
  world_.let_go(3);
  on([&] { EXPECT_TRUE(person.output.paused); });
  world_.let_go(3);
  on([&] { EXPECT_FALSE(person.output.paused); });
  world_.await_held(1);
  world_.let_go(1);
  EXPECT_THAT(receipts(person), ElementsAre("c", "s"));
}

}  // namespace
}  // namespace rtc::server
