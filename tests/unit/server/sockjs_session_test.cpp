// SockJS sessions by real requests over real sockets; what they carry is the conformance profile's
// echo, or a STOMP session.
#include "server/sockjs_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/net/sockets.hpp"
#include "unit/server/session_world.hpp"

namespace rtc::server {
namespace {

using net::test::connected_pair;
using net::test::Socket;
using net::test::SocketPair;
using test::World;
using testing::EndsWith;
using testing::StartsWith;

constexpr std::uint64_t kHourMs = 3'600'000;
// Of the end points of the profile and of the chat.
const std::string kEcho = "/echo/0/s";
const std::string kClose = "/close/0/s";
const std::string kStomp = "/connect/0/s";

class SockJsSessionTest : public testing::Test {
 protected:
  SockJsSessionTest() {
    world_.config.conformance = true;
    world_.config.connections_max = 1000;  // by default as many as there are descriptors
    // Nothing happens by itself.
    world_.config.sockjs_heart_beat_interval_ms = kHourMs;
    world_.config.sockjs_disconnect_delay_ms = kHourMs;
  }
  ~SockJsSessionTest() override { world_.stop(); }

  // A request of HTTP/1.0, so that its answer ends with the connection.
  Socket ask(const std::string& path, const std::string& body = "") {
    if (!started_) {
      started_ = true;
      world_.start();
    }
    SocketPair pair = connected_pair();
    world_.on_loop([&] { world_.shard().accept(pair.server, address_); });
    pair.client.send_all("POST " + path + " HTTP/1.0\r\nContent-Length: " +
                         std::to_string(body.size()) + "\r\n\r\n" + body);
    return std::move(pair.client);
  }
  static std::string body_of(const Socket& socket) {
    const std::string answer = socket.read_to_end();
    return answer.substr(std::min(answer.find("\r\n\r\n") + 4, answer.size()));
  }
  static std::string status_of(const Socket& socket) {
    return socket.read_to_end().substr(std::string_view("HTTP/1.0 ").size(), 3);
  }
  std::string poll(const std::string& session = kEcho) { return body_of(ask(session + "/xhr")); }
  std::string send(const std::string& message, const std::string& session = kEcho) {
    return status_of(ask(session + "/xhr_send", payload(message)));
  }
  static std::string payload(const std::string& message) {
    return boost::json::serialize(boost::json::array{boost::json::string(message)});
  }
  // A streamed answer, its open frame read.
  Socket stream(const std::string& session = kEcho) {
    Socket socket = ask(session + "/xhr_streaming");
    EXPECT_THAT(read_until(socket, "\no\n"), EndsWith("\no\n"));
    return socket;
  }
  static std::string read_until(const Socket& socket, std::string_view end) {
    std::string text;
    while (!text.ends_with(end)) {
      const std::string next = socket.read(1);
      if (next.empty()) break;
      text += next;
    }
    return text;
  }
  // Waits until the session is as `holds` says; it must be there.
  void await(const std::function<bool(const SockJsSession&)>& holds,
             const std::string& session = kEcho) {
    SockJsService service;
    const std::string base = session.substr(0, session.find('/', 1));
    service.base = base;
    const std::string key = SockJsSessions::key(service, "s", address_);
    world_.await([&] {
      const SockJsSession* const found = world_.shard().sockjs().find(key);
      EXPECT_NE(found, nullptr);
      return found == nullptr || holds(*found);
    });
  }
  std::uint64_t sessions() { return world_.shard().services().totals.sockjs_sessions.load(); }

  World world_;
  net::IpAddress address_ = *net::IpAddress::parse("127.0.0.1");
  bool started_ = false;
};

TEST_F(SockJsSessionTest, OpensAndThenTellsWhatWaits) {
  EXPECT_EQ(send("nobody is there"), "404");
  EXPECT_EQ(poll(), "o\n");
  EXPECT_EQ(send("a"), "204");
  EXPECT_EQ(send("b"), "204");
  EXPECT_EQ(poll(), "a[\"a\",\"b\"]\n") << "in one frame";
  const Socket waiting = ask(kEcho + "/xhr");
  EXPECT_EQ(send("c"), "204");
  EXPECT_EQ(body_of(waiting), "a[\"c\"]\n");
  EXPECT_EQ(sessions(), 1U);
}

TEST_F(SockJsSessionTest, RefusesWhatIsNoPayload) {
  EXPECT_EQ(poll(), "o\n");
  for (const char* broken : {"", "[\"a\"", "{}", "[1]"}) {
    EXPECT_EQ(status_of(ask(kEcho + "/xhr_send", broken)), "500") << broken;
  }
  EXPECT_EQ(send("a"), "204") << "the session goes on";
  EXPECT_EQ(poll(), "a[\"a\"]\n");
}

TEST_F(SockJsSessionTest, HasOneReceiverAtATime) {
  const Socket first = stream();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(poll(), "c[2010,\"Another connection still open\"]\n");
    EXPECT_THAT(body_of(ask(kEcho + "/xhr_streaming")),
                EndsWith("\nc[2010,\"Another connection still open\"]\n"));
  }
  EXPECT_EQ(send("a"), "204");
  EXPECT_EQ(read_until(first, "\n"), "a[\"a\"]\n") << "the first goes on";
}

TEST_F(SockJsSessionTest, AStreamedAnswerEndsAtItsLimitAndNothingIsLost) {
  const Socket streamed = stream();  // 4,096 bytes in the profile
  const std::string text(1000, 'x');
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(send(text), "204");
    EXPECT_EQ(read_until(streamed, "\n"), "a[\"" + text + "\"]\n") << i;
  }
  EXPECT_EQ(streamed.read_to_end(), "");
  EXPECT_EQ(send("later"), "204");
  EXPECT_EQ(poll(), "a[\"later\"]\n");
}

TEST_F(SockJsSessionTest, GoesWhenNobodyReceives) {
  world_.config.sockjs_disconnect_delay_ms = 1;
  EXPECT_EQ(poll(), "o\n");
  world_.await([&] { return sessions() == 0; });
  EXPECT_EQ(send("a"), "404");
}

TEST_F(SockJsSessionTest, StaysWhileSomebodyReceives) {
  world_.config.sockjs_disconnect_delay_ms = 1;
  world_.config.sockjs_heart_beat_interval_ms = 1;
  world_.config.sockjs_response_bytes_max = 1 << 30;
  Socket streamed = stream(kStomp);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(read_until(streamed, "\n"), "h\n");
  EXPECT_EQ(sessions(), 1U);
  streamed.close();
  world_.await([&] { return sessions() == 0; });
}

TEST_F(SockJsSessionTest, WhatWaitsIsBounded) {
  world_.config.outbox_bytes_max = 64 << 10;
  EXPECT_EQ(poll(), "o\n");
  const std::string text(40'000, 'x');
  EXPECT_EQ(send(text), "204");
  EXPECT_EQ(world_.shard().figures().slow_consumers, 0U);
  EXPECT_EQ(send(text), "204");
  await([](const SockJsSession& session) { return session.has_ended(); });
  EXPECT_EQ(world_.shard().figures().slow_consumers, 1U);
  EXPECT_EQ(poll(), "c[3000,\"you read too slowly\"]\n") << "what waited is forgotten";
}

TEST_F(SockJsSessionTest, TellsItsEndToWhoeverAsks) {
  EXPECT_EQ(poll(kClose), "o\n");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(poll(kClose), "c[3000,\"Go away!\"]\n");
  EXPECT_THAT(body_of(ask(kClose + "/xhr_streaming")), EndsWith("\nc[3000,\"Go away!\"]\n"));
  EXPECT_EQ(send("a", kClose), "404");
}

TEST_F(SockJsSessionTest, EndsWhenItsReceiverVanishes) {
  {
    const Socket streamed = stream();
    EXPECT_EQ(send("a"), "204");
    EXPECT_EQ(read_until(streamed, "\n"), "a[\"a\"]\n");
  }
  await([](const SockJsSession& session) { return session.has_ended(); });
  EXPECT_EQ(send("b"), "404");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(poll(), "c[1002,\"Connection interrupted\"]\n");
}

TEST_F(SockJsSessionTest, AnswersASenderWhenMoreCanBeTaken) {
  world_.config.sends_in_flight_max = 1;
  world_.hold_outcomes();
  EXPECT_EQ(poll(kStomp), "o\n");
  const std::string nul(1, '\0');
  EXPECT_EQ(send("CONNECT\naccept-version:1.2\nAuthorization:Bearer user 1\n\n" + nul, kStomp),
            "204");
  EXPECT_THAT(poll(kStomp), StartsWith("a[\"CONNECTED"));
  const std::string frame = "SEND\ndestination:/pub/chat\nreceipt:r\n\n{\"roomId\":\"" +
                            chat::lobby_id().to_string() + "\",\"message\":\"hello\"}" + nul;
  const Socket held = ask(kStomp + "/xhr_send", payload(frame));
  world_.await_held(1);
  await([](const SockJsSession& session) { return session.is_full(); }, kStomp);
  EXPECT_EQ(send(frame, kStomp), "503");
  world_.let_go(1);
  EXPECT_EQ(status_of(held), "204");
  EXPECT_THAT(poll(kStomp), StartsWith("a[\"RECEIPT\\nreceipt-id:r"));
  await([](const SockJsSession& session) { return !session.is_full(); }, kStomp);
}

}  // namespace
}  // namespace rtc::server
