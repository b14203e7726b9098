// Sessions over a transport that is a list of frames, and stores in memory.
#include "server/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/server/session_world.hpp"

namespace rtc::server {
namespace {

using test::command_of;
using test::expect_failed;
using test::header_of;
using test::kErrors;
using test::lobby;
using test::Person;
using test::World;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The test's thread is the loop's: no store is needed.
class SessionTest : public testing::Test {
 protected:
  SessionTest() {
    chat::Room room;
    room.id = chat::lobby_id();
    world_.shard().cache_room(room);
  }
  // Lets `ms` pass for timers, of which the session believes nothing: its clock stands.
  void ring(std::uint64_t ms) {
    net::Loop& loop = world_.shard().loop();
    passed_ms_ += ms;
    loop.timers().advance(loop.now_ms() + passed_ms_);
  }

  World world_;
  std::uint64_t passed_ms_ = 0;
};

TEST_F(SessionTest, ConnectedTellsWhatWasAgreed) {
  for (const auto& [accepted, version] : {std::pair{"1.0", "1.0"},
                                          {"1.1", "1.1"},
                                          {"1.2", "1.2"},
                                          {"1.0,1.1", "1.1"},
                                          {"2.0,1.2,1.1", "1.2"}}) {
    Person person(world_);
    person.connect(accepted);
    ASSERT_EQ(person.output.frames.size(), 1U);
    EXPECT_EQ(command_of(person.output.last()), "CONNECTED");
    EXPECT_EQ(header_of(person.output.last(), "version"), version);
    EXPECT_EQ(header_of(person.output.last(), "heart-beat"), "25000,25000");
    EXPECT_EQ(header_of(person.output.last(), "user-name"),
              test::FakeTokens::user('1').to_string());
    EXPECT_NE(header_of(person.output.last(), "session"), "");
    EXPECT_EQ(header_of(person.output.last(), "message-bytes-max"), "65536");
  }
  Person old(world_);
  old.say("CONNECT\nAuthorization:user 1\n\n");
  EXPECT_EQ(header_of(old.output.last(), "version"), "1.0") << "nothing said: 1.0, and bare tokens";
  Person stomp(world_);
  stomp.say("STOMP\naccept-version:1.2\nAuthorization:Bearer user 1\n\n");
  EXPECT_EQ(command_of(stomp.output.last()), "CONNECTED");
}

TEST_F(SessionTest, ConnectWithoutAGoodTokenFails) {
  const auto refused = [&](const std::string& headers, std::string_view type) {
    Person person(world_);
    person.say("CONNECT\naccept-version:1.2\n" + headers + "\n");
    expect_failed(person, type, 1008);
  };
  refused("", "NO_TOKEN");
  refused("Authorization:\n", "NO_TOKEN");
  refused("Authorization:Bearer null\n", "NO_TOKEN");
  refused("Authorization:Bearer nonsense\n", "INVALID_TOKEN");
  refused("Authorization:Bearer expired\n", "EXPIRED_TOKEN");
  refused("Authorization:Bearer user 1\nheart-beat:x\n", "INVALID_PARAMETER");
  Person future(world_);
  future.connect("9.9");
  expect_failed(future, "INVALID_PARAMETER", 1008);
  EXPECT_EQ(header_of(future.output.last(), "version"), "1.0,1.1,1.2");
  EXPECT_EQ(world_.shard().services().totals.sessions.load(), 0U);
}

TEST_F(SessionTest, NothingComesBeforeConnectAndConnectOnce) {
  for (const char* command : {"SEND", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "NACK", "BEGIN", "COMMIT",
                              "ABORT", "DISCONNECT", "CONNECTED", "MESSAGE", "RECEIPT", "ERROR"}) {
    Person person(world_);
    person.say(std::string(command) + "\nid:1\ndestination:/pub/chat\nreceipt:r\n\n");
    expect_failed(person, "UNAUTHORIZED_ACCESS", 1008);
    EXPECT_EQ(header_of(person.output.last(), "receipt-id"), "r") << command;
    const std::size_t count = person.output.frames.size();
    person.connect();
    EXPECT_EQ(person.output.frames.size(), count) << "it has ended";
  }
  Person twice(world_);
  twice.connect();
  twice.connect();
  expect_failed(twice, "FORBIDDEN_ACTION", 1008);
}

TEST_F(SessionTest, SessionsThatAreConnectedAreCountedOnce) {
  const auto& count = world_.shard().services().totals.sessions;
  {
    Person one(world_);
    EXPECT_EQ(count.load(), 0U);
    one.connect();
    Person two(world_);
    two.connect();
    EXPECT_EQ(count.load(), 2U);
    two.say("DISCONNECT\n\n");
    EXPECT_EQ(count.load(), 1U);
    EXPECT_EQ(two.output.close_code, 1000);
  }
  EXPECT_EQ(count.load(), 0U);
}

TEST_F(SessionTest, AServersCommandsAndUnknownOnesEndIt) {
  for (const char* command : {"CONNECTED", "MESSAGE", "RECEIPT", "ERROR", "NONSENSE"}) {
    Person person(world_);
    person.connect();
    person.say(std::string(command) + "\n\n");
    expect_failed(person, "INVALID_MESSAGE_FORMAT", 1002);
  }
}

TEST_F(SessionTest, WhatIsNotOfferedIsRefusedWithoutAnEndToThoseWhoListen) {
  for (const char* frame :
       {"ACK\nid:1\n", "NACK\nid:1\n", "SEND\ndestination:/elsewhere\n",
        "SEND\ndestination:/sub/channel/entry\n", "SUBSCRIBE\nid:x\ndestination:/elsewhere\n"}) {
    Person listener(world_);
    listener.connect();
    listener.subscribe("err", std::string(kErrors));
    listener.say(std::string(frame) + "receipt:r1\n\n");
    EXPECT_EQ(listener.output.close_code, 0) << frame;
    const std::string told = listener.output.last();
    EXPECT_EQ(command_of(told), "MESSAGE") << frame;
    EXPECT_EQ(header_of(told, "subscription"), "err");
    EXPECT_EQ(header_of(told, "destination"), kErrors);
    EXPECT_EQ(header_of(told, "receipt-id"), "r1");
    EXPECT_THAT(told, HasSubstr("\"type\":\"FORBIDDEN_ACTION\""));

    Person deaf(world_);
    deaf.connect();
    deaf.say(std::string(frame) + "receipt:r1\n\n");
    expect_failed(deaf, "FORBIDDEN_ACTION", 1008);
    EXPECT_EQ(header_of(deaf.output.last(), "receipt-id"), "r1");
  }
}

TEST_F(SessionTest, BadBodiesAreRefused) {
  Person person(world_);
  person.connect();
  person.subscribe("err", std::string(kErrors));
  const std::string good_room = "\"roomId\":\"" + chat::lobby_id().to_string() + "\"";
  for (const std::string& body :
       {std::string(), std::string("text"), std::string("[]"), std::string("{}"),
        "{" + good_room + "}", "{" + good_room + ",\"message\":5}",
        "{" + good_room + ",\"message\":\"\"}", "{" + good_room + ",\"message\":\" \"}",
        std::string("{\"roomId\":\"x\",\"message\":\"a\"}"),
        "{" + good_room + ",\"message\":\"\xFF\"}", "{" + good_room + ",\"message\":\"a\"",
        "{" + good_room + ",\"message\":\"a\",\"x\":" + std::string(20, '[') +
            std::string(20, ']') + "}",
        "{" + good_room + ",\"message\":\"" + std::string(65'537, 'a') + "\"}"}) {
    const std::size_t before = person.output.frames.size();
    person.say("SEND\ndestination:/pub/chat\n\n" + body);
    ASSERT_EQ(person.output.frames.size(), before + 1) << body.substr(0, 80);
    EXPECT_THAT(person.output.last(), HasSubstr("\"type\":\"INVALID_MESSAGE_FORMAT\""));
  }
  EXPECT_EQ(person.output.close_code, 0);
}

TEST_F(SessionTest, IdsAndReceiptsHaveALongestLength) {
  const std::string most(Session::kIdBytesMax, 'i');
  Person good(world_);
  good.connect();
  good.subscribe(most, lobby(), "receipt:" + most + "\n");
  EXPECT_EQ(header_of(good.output.last(), "receipt-id"), most);
  Person id(world_);
  id.connect();
  id.subscribe(most + "i", lobby());
  expect_failed(id, "INVALID_MESSAGE_FORMAT", 1008);
  Person receipt(world_);
  receipt.connect();
  receipt.subscribe("i", lobby(), "receipt:" + most + "i\n");
  expect_failed(receipt, "INVALID_MESSAGE_FORMAT", 1008);
}

TEST_F(SessionTest, SubscriptionsAreKeptApartAndBounded) {
  world_.config.subscriptions_per_session_max = 3;
  Person person(world_);
  person.connect();
  person.subscribe("err", std::string(kErrors));
  person.subscribe("a", lobby(), "receipt:1\n");
  person.subscribe("a", lobby(), "receipt:2\n");
  EXPECT_THAT(person.output.last(), HasSubstr("\"type\":\"INVALID_PARAMETER\""))
      << "the id is taken";
  person.subscribe("b", lobby(), "receipt:3\n");
  person.subscribe("c", lobby(), "receipt:4\n");
  EXPECT_THAT(person.output.last(), HasSubstr("\"type\":\"FORBIDDEN_ACTION\""));
  person.say("UNSUBSCRIBE\nid:a\nreceipt:5\n\n");
  person.subscribe("c", lobby(), "receipt:6\n");
  EXPECT_THAT(person.output.all("RECEIPT", "receipt-id"), ElementsAre("1", "3", "5", "6"));
  person.say("UNSUBSCRIBE\nid:a\nreceipt:7\n\n");
  EXPECT_THAT(person.output.last(), HasSubstr("\"type\":\"INVALID_PARAMETER\""));
  EXPECT_EQ(header_of(person.output.last(), "receipt-id"), "7");

  Person nameless(world_);
  nameless.connect();
  nameless.say("SUBSCRIBE\ndestination:" + lobby() + "\n\n");
  expect_failed(nameless, "INVALID_MESSAGE_FORMAT", 1002);
  Person old(world_);
  old.connect("1.0");
  old.say("SUBSCRIBE\ndestination:" + lobby() + "\nreceipt:1\n\n");
  old.say("UNSUBSCRIBE\ndestination:" + lobby() + "\nreceipt:2\n\n");
  EXPECT_THAT(old.output.all("RECEIPT", "receipt-id"), ElementsAre("1", "2"));
}

TEST_F(SessionTest, OnlySubscriptionsThatNeedNoAckAreOffered) {
  Person person(world_);
  person.connect();
  person.subscribe("err", std::string(kErrors));
  person.subscribe("a", lobby(), "ack:auto\nreceipt:1\n");
  EXPECT_THAT(person.output.all("RECEIPT", "receipt-id"), ElementsAre("1"));
  for (const std::string mode : {"client", "client-individual", "nonsense", ""}) {
    person.subscribe("b", lobby(), "ack:" + mode + "\nreceipt:2\n");
    EXPECT_THAT(person.output.last(), HasSubstr("\"type\":\"INVALID_PARAMETER\"")) << mode;
  }
}

// The client says what it can send and wants to get; the server's own interval is 25 s.
TEST_F(SessionTest, HeartBeatsAreWhatBothSidesAgreedOn) {
  struct Row {
    const char* header;
    std::uint64_t beat_after_ms;  // at the latest; 0: never
    std::uint64_t ping_after_ms;
    std::uint64_t gone_after_ms;  // of silence
  };
  for (const Row& row : {Row{"", 0, 30'000, 60'000},
                         {"heart-beat:0,0\n", 0, 30'000, 60'000},
                         {"heart-beat:10000,10000\n", 25'000, 50'000, 100'000},
                         {"heart-beat:24999,30000\n", 30'000, 50'000, 100'000},
                         // What is longer than the server's own is not waited for without asking.
                         {"heart-beat:40000,30000\n", 30'000, 50'000, 100'000},
                         {"heart-beat:1000000000,0\n", 0, 50'000, 100'000},
                         {"heart-beat:1073741824,0\n", 0, 50'000, 100'000},
                         {"heart-beat:1073741825,0\n", 0, 50'000, 100'000},
                         {"heart-beat:2147483647,0\n", 0, 50'000, 100'000},
                         {"heart-beat:2147483648,0\n", 0, 50'000, 100'000},
                         {"heart-beat:99999999999999999999,0\n", 0, 50'000, 100'000},
                         {"heart-beat:0,10000\n", 25'000, 30'000, 60'000},
                         {"heart-beat:10000,0\n", 0, 50'000, 100'000}}) {
    SCOPED_TRACE(row.header);
    const std::uint64_t now = world_.shard().loop().now_ms();
    // Only the transport's times move: the loop's stands.
    const auto quiet = [&](std::uint64_t unread_ms, std::uint64_t unwritten_ms) {
      auto person = std::make_unique<Person>(world_);
      person->connect("1.2", row.header);
      person->output.frames.clear();
      person->output.read_ms = now - unread_ms;
      person->output.write_ms = now - unwritten_ms;
      ring(100'000);
      return person;
    };
    EXPECT_THAT(quiet(1000, 1000)->output.frames, IsEmpty());
    if (row.beat_after_ms > 0) {
      EXPECT_THAT(quiet(1000, row.beat_after_ms)->output.frames, ElementsAre("\n"));
      EXPECT_THAT(quiet(1000, row.beat_after_ms / 2)->output.frames, IsEmpty());
    } else {
      EXPECT_THAT(quiet(1000, 90'000)->output.frames, IsEmpty());
    }
    EXPECT_EQ(quiet(1000, 1000)->output.pings, 0);
    EXPECT_EQ(quiet(row.ping_after_ms, 1000)->output.pings, 1);
    if (row.beat_after_ms > 0) {
      EXPECT_EQ(quiet(row.ping_after_ms, row.beat_after_ms)->output.pings, 1)
          << "a heart-beat of ours is no sign of life of the peer";
    }
    EXPECT_EQ(quiet(row.gone_after_ms, 1000)->output.close_code, 0);
    const auto gone = quiet(row.gone_after_ms + 1, 1000);
    expect_failed(*gone, "CONNECTION_TIMEOUT", 1008);
  }
}

TEST_F(SessionTest, WithoutPingsALateHeartBeatIsTheEnd) {
  world_.config.heart_beat_pings = false;
  const std::uint64_t now = world_.shard().loop().now_ms();
  const auto quiet = [&](const char* header, std::uint64_t unread_ms) {
    auto person = std::make_unique<Person>(world_);
    person->connect("1.2", header);
    person->output.read_ms = now - unread_ms;
    ring(100'000);
    return person;
  };
  const auto late = quiet("heart-beat:10000,10000\n", 50'000);
  EXPECT_EQ(late->output.close_code, 0);
  EXPECT_EQ(late->output.pings, 0);
  expect_failed(*quiet("heart-beat:10000,10000\n", 50'001), "CONNECTION_TIMEOUT", 1008);
  EXPECT_EQ(quiet("heart-beat:0,0\n", 30'000)->output.pings, 1) << "he promised none";
  EXPECT_EQ(quiet("heart-beat:1000000000,0\n", 50'000)->output.pings, 1) << "too long a promise";
  EXPECT_EQ(quiet("heart-beat:1000000000,0\n", 100'000)->output.close_code, 0);
}

TEST_F(SessionTest, TheServersLongPingIntervalHoldsForThoseWhoPromiseLongBeats) {
  world_.config.ping_interval_ms = 90'000;
  const std::uint64_t now = world_.shard().loop().now_ms();
  for (const auto& [header, ping_after_ms] :
       {std::pair<const char*, std::uint64_t>{"heart-beat:10000,0\n", 50'000},
        {"heart-beat:1000000000,0\n", 90'000}}) {
    for (const bool late : {false, true}) {
      Person person(world_);
      person.connect("1.2", header);
      person.output.read_ms = now - ping_after_ms + (late ? 0 : 1000);
      ring(100'000);
      EXPECT_EQ(person.output.pings, late ? 1 : 0) << header;
    }
  }
}

// Over TCP: nothing can be asked, so the promise is waited for, however long it is.
TEST_F(SessionTest, APromiseThatCannotBeAskedAboutIsWaitedFor) {
  const std::uint64_t now = world_.shard().loop().now_ms();
  const auto quiet = [&](const char* header, std::uint64_t unread_ms) {
    Person person(world_);
    person.output.pingable = false;
    person.connect("1.2", header);
    person.output.read_ms = now - unread_ms;
    ring(200'000);
    return person.output.close_code;
  };
  EXPECT_EQ(quiet("heart-beat:10000,0\n", 100'000), 0);
  EXPECT_EQ(quiet("heart-beat:10000,0\n", 100'001), 1008);
  EXPECT_EQ(quiet("heart-beat:40000,0\n", 160'000), 0);
  EXPECT_EQ(quiet("heart-beat:40000,0\n", 160'001), 1008);
  for (const char* const header :
       {"heart-beat:0,0\n", "heart-beat:1073741825,0\n", "heart-beat:2147483647,0\n"}) {
    EXPECT_EQ(quiet(header, 300'000), 0) << header;
  }
}

TEST_F(SessionTest, OneWhoNeverConnectsIsEnded) {
  Person person(world_);
  ring(world_.config.connect_timeout_ms - 100);
  EXPECT_EQ(person.output.close_code, 0);
  ring(200);
  expect_failed(person, "CONNECTION_TIMEOUT", 1008);
}

TEST_F(SessionTest, AnySplitOfTheBytesIsTheSame) {
  const std::string text =
      std::string("CONNECT\naccept-version:1.2\nAuthorization:Bearer user 1\n\n") + '\0' +
      "\n\nSUBSCRIBE\nid:a\ndestination:" + lobby() + "\nreceipt:1\n\n" + '\0' +
      "DISCONNECT\nreceipt:2\n\n" + '\0';
  for (std::size_t size = 1; size < text.size(); size += 7) {
    Person person(world_);
    for (std::size_t at = 0; at < text.size(); at += size) {
      person.session.on_bytes(std::string_view(text).substr(at, size));
    }
    EXPECT_THAT(person.output.all("RECEIPT", "receipt-id"), ElementsAre("1", "2"));
    EXPECT_EQ(person.output.close_code, 1000);
  }
}

}  // namespace
}  // namespace rtc::server
