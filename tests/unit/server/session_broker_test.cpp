// The broker's part of a session, with the loop in a thread of its own: who gets what was sent to
// topics, queues and users, ACK and NACK, transactions, bounds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/session.hpp"
#include "unit/server/session_world.hpp"

namespace rtc::server {
namespace {

using test::command_of;
using test::FakeTokens;
using test::header_of;
using test::Person;
using test::Texts;
using test::World;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class SessionBrokerTest : public test::SessionsTest {
 protected:
  SessionBrokerTest() { world_.config.broker = true; }
  Person& join(const std::string& version = "1.2", Framing framing = Framing::websocket) {
    world_.shard();
    if (!started_) world_.start();
    started_ = true;
    const auto begin = [&](Person& person) {
      person.connect(version);
      person.subscribe("errors", std::string(test::kErrors));
    };
    return enter(begin, framing);
  }
  void say(Person& person, const std::string& frame) {
    on([&] { person.say(frame); });
  }
  void subscribe(Person& person, const std::string& id, const std::string& destination,
                 const std::string& more = "") {
    on([&] { person.subscribe(id, destination, more); });
  }
  void send(Person& person, const std::string& destination, const std::string& body,
            const std::string& more = "") {
    say(person, "SEND\ndestination:" + destination + "\n" + more + "\n" + body);
  }
  static std::string body_of(const std::string& frame) {
    const auto begin = frame.find("\n\n") + 2;
    return frame.substr(begin, frame.size() - begin - 1);
  }
  // The bodies that came to that subscription, with "!" behind those given again.
  Texts bodies(Person& person, const std::string& id) {
    Texts found;
    on([&] {
      for (const std::string& frame : person.output.frames) {
        if (test::command_of(frame) != "MESSAGE" || header_of(frame, "subscription") != id)
          continue;
        found.push_back(body_of(frame) + (header_of(frame, "redelivered") == "true" ? "!" : ""));
      }
    });
    return found;
  }
  // Once so many came.
  Texts await(Person& person, const std::string& id, std::size_t count) {
    Texts found;
    world_.await([&] {
      found.clear();
      for (const std::string& frame : person.output.frames) {
        if (header_of(frame, "subscription") == id) found.push_back(frame);
      }
      return found.size() >= count;
    });
    return bodies(person, id);
  }
  // Of the newest message of that subscription.
  std::string header(Person& person, const std::string& id, const std::string& name) {
    std::string value;
    on([&] {
      for (const std::string& frame : person.output.frames) {
        if (header_of(frame, "subscription") == id) value = header_of(frame, name);
      }
    });
    return value;
  }
  std::string session_of(Person& person) {
    std::string value;
    on([&] { value = person.output.all("CONNECTED", "session").front(); });
    return value;
  }

  bool started_ = false;
};

TEST_F(SessionBrokerTest, IsOffByDefault) {
  EXPECT_FALSE(World().config.broker);
  world_.config.broker = false;
  Person& person = join();
  for (const char* frame :
       {"SEND\ndestination:/topic/a\n\nx", "SEND\ndestination:/queue/a\n\nx",
        "SEND\ndestination:/user/0-0-0-0/queue/a\n\nx", "SUBSCRIBE\nid:1\ndestination:/topic/a\n\n",
        "SUBSCRIBE\nid:1\ndestination:/queue/a\n\n", "ACK\nid:queue-1\n\n"}) {
    say(person, frame);
    EXPECT_THAT(last(person), HasSubstr("FORBIDDEN_ACTION")) << frame;
  }
  EXPECT_EQ(session_of(person), "0-0-0");
}

TEST_F(SessionBrokerTest, ATopicIsHeardByAllWithTheSendersHeadersAndTheServersOwn) {
  Person& sender = join();
  Person& old = join("1.0");
  Person& reader = join();
  Person& elsewhere = join();
  subscribe(old, "o", "/topic/a");
  subscribe(reader, "r", "/topic/a", "ack:client\n");
  subscribe(elsewhere, "e", "/topic/b");
  send(sender, "/topic/a", "{}",
       "content-type:application/json\nmine:a\\cb\nmessage-id:forged\nsubscription:forged\n"
       "ack:forged\nredelivered:true\nuser-name:forged\nsession:forged\ntoken:secret\n"
       "passcode:secret\n message-id:forged\nreceipt:1\n");
  EXPECT_THAT(await(reader, "r", 1), ElementsAre("{}"));
  EXPECT_THAT(await(old, "o", 1), ElementsAre("{}"));
  const std::string frame = last(reader);
  EXPECT_THAT(frame, Not(HasSubstr("forged")));
  EXPECT_THAT(frame, Not(HasSubstr("secret")));
  EXPECT_EQ(header_of(frame, "mine"), "a\\cb");
  EXPECT_EQ(header_of(last(old), "mine"), "a:b") << "1.0 has no escapes";
  EXPECT_EQ(header_of(frame, "content-type"), "application/json");
  EXPECT_EQ(header_of(frame, "destination"), "/topic/a");
  EXPECT_EQ(header_of(frame, "message-id"), "topic-1");
  EXPECT_EQ(header_of(frame, "ack"), "topic-1");
  EXPECT_EQ(header_of(last(old), "ack"), "") << "1.0 acknowledges by message-id";
  EXPECT_EQ(header_of(frame, "user-name"), FakeTokens::user('1').to_string());
  EXPECT_THAT(bodies(elsewhere, "e"), IsEmpty());
  EXPECT_EQ(header_of(last(sender), "receipt-id"), "1");

  for (const char* each : {"ACK\nid:topic-1\nreceipt:2\n\n", "NACK\nid:topic-1\nreceipt:2\n\n"}) {
    say(reader, each);
    EXPECT_EQ(header_of(last(reader), "receipt-id"), "2") << "taken, and nothing hangs on it";
  }
}

// Clients cut blanks off a header's name, Unicode's as well, and take the first of repeated ones.
TEST_F(SessionBrokerTest, NoSenderForgesAHeaderOfTheServers) {
  Person& sender = join();
  Person& old = join("1.0");
  Person& reader = join();
  subscribe(old, "o", "/topic/a");
  subscribe(reader, "r", "/topic/a");
  std::size_t count = 0;
  for (const std::string name :
       {"destination", "content-length", "receipt", "receipt-id", "transaction", "message-id",
        "subscription", "ack", "redelivered", "user-name", "session", "id", "message-key", "token",
        "login", "passcode", "Authorization", "heart-beat"}) {
    SCOPED_TRACE(name);
    std::string headers = "content-length:4\n" + name + ":forged\n";
    for (const char* const blank :
         {" ",      "\t",     "\\r",    "\\n",    "\\c",          "\x7F",   "\u0085", "\u00A0",
          "\u1680", "\u180E", "\u2000", "\u2001", "\u2002",       "\u2003", "\u2004", "\u2005",
          "\u2006", "\u2007", "\u2008", "\u2009", "\u200A",       "\u200B", "\u2028", "\u2029",
          "\u202F", "\u205F", "\u3000", "\uFEFF", "\uFEFF \u00A0"}) {
      headers += blank + name + ":forged\n";
      headers += name + blank + ":forged\n";
    }
    say(sender, "BEGIN\ntransaction:forged\n\n");
    send(sender, "/topic/a", "text", headers + "mine:" + name + "\n");
    say(sender, "COMMIT\ntransaction:forged\n\n");
    ++count;
    for (Person* const each : {&reader, &old}) {
      EXPECT_THAT(await(*each, each == &old ? "o" : "r", count), testing::SizeIs(count));
      const std::string frame = last(*each);
      EXPECT_THAT(frame, Not(HasSubstr("forged")));
      EXPECT_EQ(header_of(frame, "mine"), name);
      EXPECT_EQ(header_of(frame, "content-length"), "4");
      EXPECT_LT(frame.find("\ncontent-length:"), frame.find("\nmine:")) << "the first one counts";
    }
  }
  send(sender, "/topic/a", "text", "\u00A0:a\nn\u00A0b:c\n");
  await(reader, "r", count + 1);
  EXPECT_EQ(header_of(last(reader), "n\u00A0b"), "c") << "a blank within a name is a part of it";
  EXPECT_THAT(last(reader), Not(HasSubstr("\u00A0:a"))) << "blanks alone are no name";
}

TEST_F(SessionBrokerTest, WildcardsHearTheTopicsThatMatch) {
  world_.config.broker_patterns_max = 2;
  Person& person = join();
  subscribe(person, "one", "/topic/a.*");
  subscribe(person, "rest", "/topic/a.**");
  subscribe(person, "same", "/topic/a.*");
  subscribe(person, "more", "/topic/b.*");
  EXPECT_THAT(last(person), HasSubstr("SERVER_OVERLOAD")) << "a third pattern";
  send(person, "/topic/a.b", "1");
  send(person, "/topic/a.b.c", "2");
  send(person, "/topic/b.c", "3");
  send(person, "/topic/*", "4");
  EXPECT_THAT(await(person, "rest", 2), ElementsAre("1", "2"));
  EXPECT_THAT(bodies(person, "one"), ElementsAre("1"));
  EXPECT_THAT(bodies(person, "same"), ElementsAre("1"));
  EXPECT_EQ(header(person, "one", "destination"), "/topic/a.b");
  EXPECT_THAT(bodies(person, "errors"), testing::SizeIs(2)) << "nobody sends to a pattern";
}

TEST_F(SessionBrokerTest, WhatIsNoTextGoesInABinaryMessage) {
  Person& person = join();
  Person& sockjs = join("1.2", Framing::sockjs);
  subscribe(person, "p", "/topic/a");
  subscribe(sockjs, "s", "/topic/a");
  send(person, "/topic/a", "text");
  send(person, "/topic/a", "text", "content-type:application/vnd.a+json\n");
  EXPECT_THAT(await(person, "p", 2), ElementsAre("text", "text"));
  on([&] { EXPECT_EQ(person.output.binaries, 0); });
  send(person, "/topic/a", "a\xFF\xC3\xA4z");
  send(person, "/topic/a", "text", "content-type:application/octet-stream\n");
  EXPECT_EQ(await(person, "p", 4)[2], "a\xFF\xC3\xA4z");
  on([&] { EXPECT_EQ(person.output.binaries, 2); });
  std::size_t count = 4;
  for (const char* type :
       {"Text/Plain", "TEXT/PLAIN;charset=utf-8", "text/html", "Application/JSON",
        "application/XML", "Application/JavaScript", "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-Urlencoded"}) {
    send(person, "/topic/a", "text", "content-type:" + std::string(type) + "\n");
    await(person, "p", ++count);
    on([&] { EXPECT_EQ(person.output.binaries, 2) << type; });
    EXPECT_EQ(header(person, "p", "content-type"), type) << "as it was written";
  }
  EXPECT_EQ(await(sockjs, "s", 4)[2], "a\xEF\xBF\xBD\xC3\xA4z") << "SockJS has text only";
  EXPECT_EQ(header(sockjs, "s", "content-length"), "4");
}

TEST_F(SessionBrokerTest, AQueuesMessageGoesToOneAndBackOnNackOrLoss) {
  Person& sender = join();
  Person& first = join();
  send(sender, "/queue/q", "a");
  send(sender, "/queue/q", "b");
  subscribe(first, "f", "/queue/q", "ack:client-individual\n");
  EXPECT_THAT(await(first, "f", 2), ElementsAre("a", "b"));
  EXPECT_EQ(header(first, "f", "message-id"), "queue-2");
  EXPECT_EQ(header(first, "f", "ack"), "queue-2");
  Person& second = join("1.1");
  subscribe(second, "s", "/queue/q", "ack:client\n");
  say(first, "ACK\nid:queue-1\nreceipt:1\n\n");
  EXPECT_EQ(header_of(last(first), "receipt-id"), "1");
  say(first, "NACK\nid:queue-2\n\n");
  EXPECT_THAT(await(first, "f", 3), ElementsAre("a", "b", "b!")) << "it was his turn";
  say(first, "NACK\nid:queue-2\n\n");
  EXPECT_THAT(await(second, "s", 1), ElementsAre("b!"));
  say(first, "ACK\nid:queue-2\nreceipt:2\n\n");
  EXPECT_THAT(last(first), HasSubstr("INVALID_PARAMETER")) << "it is another's now";
  send(sender, "/queue/q", "c");
  EXPECT_THAT(await(first, "f", 4), ElementsAre("a", "b", "b!", "c"));
  say(first, "DISCONNECT\n\n");
  EXPECT_THAT(await(second, "s", 2), ElementsAre("b!", "c!"));
  say(second, "ACK\nsubscription:s\nmessage-id:queue-3\nreceipt:3\n\n");
  EXPECT_EQ(header_of(last(second), "receipt-id"), "3") << "with it all before it";
  say(second, "UNSUBSCRIBE\nid:s\n\n");
  Person& third = join();
  subscribe(third, "t", "/queue/q");
  send(sender, "/queue/q", "d");
  EXPECT_THAT(await(third, "t", 1), ElementsAre("d"));
}

TEST_F(SessionBrokerTest, ASlowConsumerWithoutAckDoesNotSwallowTheQueue) {
  world_.config.broker_prefetch_max = 3;
  Person& slow = join();
  subscribe(slow, "s", "/queue/q");
  on([&] { slow.output.queued = SessionBroker::kQueuedBytesMax; });
  for (const char* text : {"1", "2", "3", "4", "5"}) send(slow, "/queue/q", text);
  EXPECT_THAT(await(slow, "s", 3), ElementsAre("1", "2", "3"));
  Person& quick = join();
  subscribe(quick, "q", "/queue/q");
  EXPECT_THAT(await(quick, "q", 2), ElementsAre("4", "5"));
  on([&] {
    slow.output.queued = 0;
    slow.session.on_drained();
  });
  for (const char* text : {"6", "7"}) send(quick, "/queue/q", text);
  await(slow, "s", 4);
  EXPECT_THAT(await(quick, "q", 3), ElementsAre("4", "5", "6"));
  EXPECT_THAT(bodies(slow, "s"), ElementsAre("1", "2", "3", "7"));
}

TEST_F(SessionBrokerTest, AnUnknownAckIsRefusedAndOneWithoutAnIdIsTheEnd) {
  Person& person = join();
  for (const char* id :
       {"queue-7", "queue-", "queue-x", "", "7", "queue-99999999999999999999999"}) {
    say(person, std::string("ACK\nid:") + id + "\n\n");
    EXPECT_THAT(last(person), HasSubstr("INVALID_PARAMETER")) << id;
  }
  say(person, "ACK\nmessage-id:queue-1\n\n");
  on([&] { test::expect_failed(person, "INVALID_MESSAGE_FORMAT", 1002); });
}

TEST_F(SessionBrokerTest, In11AnAckNamesItsSubscription) {
  Person& person = join("1.1");
  subscribe(person, "q", "/queue/q", "ack:client-individual\n");
  subscribe(person, "other", "/queue/other", "ack:client-individual\n");
  subscribe(person, "t", "/topic/a");
  send(person, "/queue/q", "job");
  await(person, "q", 1);
  for (const char* command : {"ACK", "NACK"}) {
    for (const char* subscription : {"WRONG", "other", "t", ""}) {
      say(person, std::string(command) + "\nmessage-id:queue-1\nsubscription:" + subscription +
                      "\nreceipt:no\n\n");
      EXPECT_THAT(last(person), HasSubstr("INVALID_PARAMETER")) << subscription;
    }
  }
  say(person, "ACK\nmessage-id:topic-1\nsubscription:WRONG\n\n");
  EXPECT_THAT(last(person), HasSubstr("INVALID_PARAMETER")) << "though nothing hangs on it";
  say(person, "ACK\nmessage-id:topic-1\nsubscription:t\nreceipt:t\n\n");
  EXPECT_EQ(header_of(last(person), "receipt-id"), "t");
  say(person, "ACK\nmessage-id:queue-1\nsubscription:q\nreceipt:yes\n\n");
  EXPECT_EQ(header_of(last(person), "receipt-id"), "yes");
  say(person, "ACK\nmessage-id:queue-1\n\n");
  on([&] { test::expect_failed(person, "INVALID_MESSAGE_FORMAT", 1002); });
}

TEST_F(SessionBrokerTest, In10ThereIsNoNack) {
  Person& person = join("1.0");
  subscribe(person, "q", "/queue/q", "ack:client\n");
  send(person, "/queue/q", "job");
  await(person, "q", 1);
  say(person, "ACK\nmessage-id:queue-1\nsubscription:ignored\nreceipt:a\n\n");
  EXPECT_EQ(header_of(last(person), "receipt-id"), "a");
  say(person, "NACK\nmessage-id:queue-1\n\n");
  on([&] { test::expect_failed(person, "INVALID_MESSAGE_FORMAT", 1002); });
}

TEST_F(SessionBrokerTest, ATransactionIsThereWhollyOrNotAtAll) {
  world_.config.broker_queue_messages_max = 2;
  Person& person = join();
  subscribe(person, "t", "/topic/a");
  subscribe(person, "q", "/queue/other", "ack:client\n");
  say(person, "BEGIN\ntransaction:x\n\n");
  send(person, "/topic/a", "1", "transaction:x\nreceipt:r\n");
  EXPECT_EQ(header_of(last(person), "receipt-id"), "r") << "the transaction took it";
  for (const char* text : {"2", "3", "4"}) send(person, "/queue/q", text, "transaction:x\n");
  say(person, "COMMIT\ntransaction:x\nreceipt:c\n\n");
  EXPECT_THAT(last(person), HasSubstr("SERVER_OVERLOAD")) << "three are too many for the queue";

  send(person, "/queue/other", "held");
  await(person, "q", 1);
  say(person, "BEGIN\ntransaction:x\n\n");
  send(person, "/topic/a", "5", "transaction:x\n");
  say(person, "ACK\nid:queue-1\ntransaction:x\n\n");
  say(person, "ABORT\ntransaction:x\n\n");
  say(person, "BEGIN\ntransaction:x\n\n");
  send(person, "/topic/a", "6", "transaction:x\n");
  say(person, "ACK\nid:queue-1\ntransaction:x\n\n");
  send(person, "/topic/a", "before", "");
  say(person, "COMMIT\ntransaction:x\nreceipt:d\n\n");
  EXPECT_THAT(await(person, "t", 2), ElementsAre("before", "6"));
  say(person, "ACK\nid:queue-1\n\n");
  EXPECT_THAT(last(person), HasSubstr("INVALID_PARAMETER")) << "the COMMIT acknowledged it";
}

// What a COMMIT acknowledges must be held then: else nothing of it happens.
TEST_F(SessionBrokerTest, ACommitIsRefusedWholeWhenItsAckCannotBe) {
  Person& person = join();
  Person& other = join();
  subscribe(person, "t", "/topic/a");
  subscribe(person, "q", "/queue/q", "ack:client-individual\n");
  send(person, "/queue/q", "job");
  await(person, "q", 1);
  const auto begin = [&](const std::string& id, const std::string& settles) {
    say(person, "BEGIN\ntransaction:" + id + "\n\n");
    say(person, settles + "\nid:queue-1\ntransaction:" + id + "\n\n");
    send(person, "/topic/a", "result of " + id, "transaction:" + id + "\n");
  };
  const auto commit = [&](const std::string& id) {
    say(person, "COMMIT\ntransaction:" + id + "\nreceipt:c\n\n");
    return last(person);
  };
  const auto refused = testing::AllOf(HasSubstr("INVALID_PARAMETER"), HasSubstr("receipt-id:c"));
  const auto taken = [&] { return person.output.all("RECEIPT", "receipt-id").size(); };

  // The consumer left.
  begin("gone", "ACK");
  say(person, "UNSUBSCRIBE\nid:q\n\n");
  EXPECT_THAT(commit("gone"), refused);
  subscribe(other, "o", "/queue/q", "ack:client-individual\n");
  EXPECT_THAT(await(other, "o", 1), ElementsAre("job!"));
  say(other, "UNSUBSCRIBE\nid:o\n\n");

  // The message was given back, and another has it.
  subscribe(person, "q", "/queue/q", "ack:client-individual\n");
  await(person, "q", 2);
  subscribe(other, "o", "/queue/q", "ack:client-individual\n");
  begin("back", "ACK");
  say(person, "NACK\nid:queue-1\n\n");
  await(person, "q", 3);  // it was his turn
  say(person, "NACK\nid:queue-1\n\n");
  EXPECT_THAT(await(other, "o", 2), ElementsAre("job!", "job!"));
  EXPECT_THAT(commit("back"), refused);
  say(other, "UNSUBSCRIBE\nid:o\n\n");
  await(person, "q", 4);

  // Two transactions settle the same message: the first to be committed does.
  begin("one", "ACK");
  begin("two", "NACK");
  std::size_t receipts = 0;
  on([&] { receipts = taken(); });
  commit("one");
  on([&] { EXPECT_EQ(taken(), receipts + 1); });
  EXPECT_THAT(commit("two"), refused);

  // One transaction settles it twice.
  send(person, "/queue/q", "job");
  await(person, "q", 5);
  const std::string ack = "ACK\nid:" + header(person, "q", "ack") + "\ntransaction:twice\n\n";
  say(person, "BEGIN\ntransaction:twice\n\n");
  say(person, ack);
  say(person, ack);
  EXPECT_THAT(commit("twice"), refused);
  say(person, "ACK\nid:" + header(person, "q", "ack") + "\nreceipt:held\n\n");
  EXPECT_EQ(header_of(last(person), "receipt-id"), "held") << "it is held as before";

  send(person, "/topic/a", "end");
  EXPECT_THAT(await(person, "t", 2), ElementsAre("result of one", "end"));
}

TEST_F(SessionBrokerTest, CumulativeAcksOfOneTransactionFollowTheOrderOfTheMessages) {
  Person& person = join();
  subscribe(person, "q", "/queue/q", "ack:client\n");
  for (const char* text : {"1", "2", "3"}) send(person, "/queue/q", text);
  await(person, "q", 3);
  const auto commit = [&](const std::vector<std::string>& numbers) {
    say(person, "BEGIN\ntransaction:x\n\n");
    for (const auto& each : numbers) say(person, "ACK\nid:queue-" + each + "\ntransaction:x\n\n");
    say(person, "COMMIT\ntransaction:x\nreceipt:c\n\n");
    return last(person);
  };
  EXPECT_THAT(commit({"2", "1"}), HasSubstr("INVALID_PARAMETER")) << "the second has the first";
  EXPECT_EQ(command_of(commit({"1", "3"})), "RECEIPT");
}

TEST_F(SessionBrokerTest, ChatMessagesAndTheBrokersDoNotMix) {
  Person& person = join();
  subscribe(person, "t", "/topic/a");
  say(person, "BEGIN\ntransaction:x\n\n");
  send(person, "/topic/a", "1", "transaction:x\n");
  on([&] {
    world_.shard().cache_room(*world_.store.find(chat::lobby_id()).value());
    person.send(chat::lobby_id(), "2", "transaction:x\n");
  });
  EXPECT_THAT(last(person), HasSubstr("FORBIDDEN_ACTION"));
  say(person, "COMMIT\ntransaction:x\n\n");
  EXPECT_THAT(last(person), HasSubstr("FORBIDDEN_ACTION")) << "it is spoilt";
  send(person, "/topic/a", "3");
  EXPECT_THAT(await(person, "t", 1), ElementsAre("3"));
}

TEST_F(SessionBrokerTest, AReplyGoesToTheOneSessionThatAskedForIt) {
  Person& asking = join();
  Person& service = join();
  Person& other = join();
  for (Person* each : {&asking, &other}) subscribe(*each, "r", "/user/queue/replies");
  subscribe(service, "s", "/topic/ask");
  send(asking, "/topic/ask", "?", "reply-to:/user/queue/replies\n");
  await(service, "s", 1);
  const std::string reply_to = header(service, "s", "reply-to");
  EXPECT_EQ(reply_to, "/user/" + session_of(asking) + "/queue/replies");
  send(service, reply_to, "!");
  EXPECT_THAT(await(asking, "r", 1), ElementsAre("!"));
  EXPECT_EQ(header(asking, "r", "destination"), "/user/queue/replies");
  EXPECT_EQ(header(asking, "r", "message-id"), "user-2");

  // A guess, with everything but the secret right; and no session at all.
  std::string guess = session_of(asking);
  guess.back() = guess.back() == '0' ? '1' : '0';
  for (const std::string& session : {guess, std::string("0-99-0-x"), std::string("9-0-0-x"),
                                     std::string("x"), std::string("0-0")}) {
    send(service, "/user/" + session + "/queue/replies", "guessed", "receipt:1\n");
    EXPECT_EQ(header_of(last(service), "receipt-id"), "1") << "nobody learns who is there";
  }
  send(service, reply_to, "!!");
  EXPECT_THAT(await(asking, "r", 2), ElementsAre("!", "!!"));
  EXPECT_THAT(bodies(other, "r"), IsEmpty());
  // As long a name as one may subscribe to can be answered, too.
  const std::string longest = "/user/queue/" + std::string(256 - 12, 'n');
  subscribe(asking, "long", longest);
  send(asking, "/topic/ask", "?", "reply-to:" + longest + "\n");
  await(service, "s", 2);
  send(service, header(service, "s", "reply-to"), "!");
  EXPECT_THAT(await(asking, "long", 1), ElementsAre("!"));

  send(service, "/user/" + session_of(asking) + "/queue/errors", "forged");
  EXPECT_THAT(last(service), HasSubstr("FORBIDDEN_ACTION")) << "only the server tells errors";
}

TEST_F(SessionBrokerTest, AllThatATransactionKeepsCountsInItsBound) {
  world_.config.transaction_bytes_max = 10'000;
  Person& person = join();
  say(person, "BEGIN\ntransaction:x\n\n");
  say(person, "BEGIN\ntransaction:y\n\n");
  const std::string header = "h:" + std::string(4000, 'v') + "\n";
  for (const char* id : {"x", "y"}) {
    send(person, "/topic/a", "", header + "transaction:" + id + "\nreceipt:" + id + "\n");
    EXPECT_EQ(header_of(last(person), "receipt-id"), id);
    EXPECT_EQ(command_of(last(person)), "RECEIPT");
  }
  send(person, "/topic/a", "", header + "transaction:y\n");
  EXPECT_THAT(last(person), HasSubstr("FORBIDDEN_ACTION")) << "12,000 bytes of headers";
  say(person, "COMMIT\ntransaction:x\nreceipt:c\n\n");
  EXPECT_EQ(command_of(last(person)), "RECEIPT") << "the other one is not spoilt";
  say(person, "BEGIN\ntransaction:z\n\n");
  std::size_t taken = 0;
  while (taken < 30) {
    send(person, "/topic/a", "", "transaction:z\nreceipt:z\n");
    if (command_of(last(person)) != "RECEIPT") break;
    ++taken;
  }
  EXPECT_GT(taken, 5U);
  EXPECT_LT(taken, 20U) << "a message without a body is not free";
}

TEST_F(SessionBrokerTest, WhatIsKeptIsBounded) {
  world_.config.broker_queues_max = 2;
  world_.config.broker_queue_messages_max = 2;
  world_.config.broker_bytes_max = 8'000;
  Person& person = join();
  const auto overloaded = [&] { return last(person).find("SERVER_OVERLOAD") != std::string::npos; };
  send(person, "/queue/a", "1");
  send(person, "/queue/a", "2");
  send(person, "/queue/b", "1");
  EXPECT_FALSE(overloaded());
  send(person, "/queue/a", "3");
  EXPECT_TRUE(overloaded()) << "a queue of three";
  send(person, "/topic/t", "1", "receipt:1\n");
  EXPECT_FALSE(overloaded());
  send(person, "/queue/c", "1");
  EXPECT_TRUE(overloaded()) << "a third queue";
  send(person, "/queue/b", "2", "receipt:2\n");
  EXPECT_FALSE(overloaded());
  subscribe(person, "c", "/queue/c");
  EXPECT_TRUE(overloaded()) << "a third queue, by its consumer";
  subscribe(person, "a", "/queue/a");
  EXPECT_THAT(await(person, "a", 2), ElementsAre("1", "2"));
  say(person, "UNSUBSCRIBE\nid:a\nreceipt:3\n\n");
  send(person, "/queue/c", "1", "receipt:4\n");
  EXPECT_EQ(header_of(last(person), "receipt-id"), "4") << "an empty queue is none";
  send(person, "/topic/t", std::string(8'000, 'x'));
  EXPECT_TRUE(overloaded()) << "too many bytes";
}

}  // namespace
}  // namespace rtc::server
