// RedisRelay against a real redis-server: the contract, and what is between two nodes.
#include "contract/redis_server.hpp"
#include "contract/relay_contract.hpp"
#include "contract/relay_node.hpp"
#include "relay/redis_relay.hpp"

namespace rtc::chat {
namespace {

using relay::RedisOptions;
using relay::RedisRelay;
using relay::test::RedisServer;
using test::batch;
using test::Node;
using test::up_to;

const std::string kSecret = "0123456789abcdef0123456789abcdef";

RedisOptions options_for(const RedisServer& server) {
  RedisOptions options;
  options.address = server.address();
  options.prefix = "test";
  options.timeout_ms = 30'000;  // so that a busy machine is not taken for a lost Redis
  options.secret = kSecret;
  options.epoch = "epoch";
  return options;
}

class RedisRelayUnderTest final : public RelayUnderTest {
 public:
  Relay& relay() override { return relay_; }

 private:
  RedisServer server_;
  RedisRelay relay_{options_for(server_)};
};

std::unique_ptr<RelayUnderTest> make_redis_relay() {
  return std::make_unique<RedisRelayUnderTest>();
}

INSTANTIATE_TEST_SUITE_P(Redis, RelayContract, testing::Values(&make_redis_relay));

std::unique_ptr<Relay> relay_with(const RedisOptions& options) {
  return std::make_unique<RedisRelay>(options);
}
std::unique_ptr<Relay> relay_to(const RedisServer& server) {
  return relay_with(options_for(server));
}

class RedisRelayTest : public testing::Test {
 protected:
  RedisRelayTest() { ::signal(SIGPIPE, SIG_IGN); }

  RedisServer server_;
  RoomId room_ = RoomId::random();
};

TEST_F(RedisRelayTest, BringsTheRoomsThatANodeFollows) {
  Node here(relay_to(server_));
  Node there(relay_to(server_));
  const RoomId other = RoomId::random();
  there.relay().follow(room_);
  there.wait_for_doubts(1);
  here.relay().publish(batch(other, 1000));
  here.relay().publish(batch(room_, 1, 100));
  here.relay().publish(batch(room_, 101, 900));
  there.wait_for_ids(1000);
  EXPECT_EQ(there.ids(), up_to(1000));
  EXPECT_EQ(here.ids().size(), 1001U) << "its own, once";
  EXPECT_EQ(there.relay().figures().received, 1000U);
  here.wait_for_figures([](const RelayFigures& f) { return f.waiting_bytes == 0; });
  EXPECT_EQ(here.relay().figures().published, 1001U);
}

TEST_F(RedisRelayTest, IgnoresItsOwnWhenItFollowsThem) {
  Node here(relay_to(server_));
  Node there(relay_to(server_));
  here.relay().follow(room_);
  here.wait_for_doubts(1);
  here.relay().publish(batch(room_, 1));
  there.relay().publish(batch(room_, 2));
  here.wait_for_ids(2);
  EXPECT_EQ(here.ids(), up_to(2));
  EXPECT_EQ(here.relay().figures().refused, 0U);
}

TEST_F(RedisRelayTest, FollowsAsOftenAsAskedTo) {
  Node here(relay_to(server_));
  Node there(relay_to(server_));
  const std::string channel = "test:room:" + room_.to_string();
  there.relay().follow(room_);
  there.relay().follow(room_);
  there.relay().unfollow(room_);
  there.wait_for_doubts(1);
  EXPECT_EQ(server_.ask({"PUBLISH", channel, ""}), "1") << "nodes that hear it";
  there.relay().unfollow(room_);
  const auto deadline = std::chrono::steady_clock::now() + Node::kPatience;
  while (server_.ask({"PUBLISH", channel, ""}) != "0") {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
}

TEST_F(RedisRelayTest, SendsLongMessagesWhole) {
  Node here(relay_to(server_));
  Node there(relay_to(server_));
  there.relay().follow(room_);
  there.wait_for_doubts(1);
  here.relay().publish(batch(room_, 1, 12, std::string(1 << 20, 'x')));
  there.wait_for_ids(12);
  EXPECT_EQ(there.ids(), up_to(12));
}

TEST_F(RedisRelayTest, DropsAndCountsWhatIsForgedOrBroken) {
  Node here(relay_to(server_));
  RedisOptions other_secret = options_for(server_);
  other_secret.secret = "another secret, of another cluster";
  Node forger(relay_with(other_secret));
  here.relay().follow(room_);
  here.wait_for_doubts(1);
  const std::string channel = "test:room:" + room_.to_string();
  EXPECT_EQ(server_.ask({"PUBLISH", channel, "rubbish"}), "1");
  EXPECT_EQ(server_.ask({"PUBLISH", channel, ""}), "1");
  EXPECT_EQ(server_.ask({"PUBLISH", channel, std::string(5 << 20, '\1')}), "1");
  forger.relay().publish(batch(room_, 1));
  here.wait_for_figures([](const RelayFigures& figures) { return figures.refused >= 4; });
  EXPECT_TRUE(here.ids().empty());
}

TEST_F(RedisRelayTest, BringsWhatIsStoredNowhereToTheOthersAlone) {
  Node here(relay_to(server_));
  Node there(relay_to(server_));
  EXPECT_TRUE(here.relay().carries_live());
  for (Node* each : {&here, &there}) each->relay().follow(room_);
  here.wait_for_doubts(1);
  there.wait_for_doubts(1);
  here.relay().publish_live(batch(RoomId::random(), 1000));
  for (MessageId id = 1; id <= 500; ++id) here.relay().publish_live(batch(room_, id));
  here.relay().publish_live(batch(room_, 501, 24, std::string(100 << 10, 'x')));
  there.wait_for_live(524);
  EXPECT_EQ(there.live(), up_to(524));
  EXPECT_GE(there.pieces().back(), 24U) << "2.4 MiB, in one piece";
  EXPECT_TRUE(here.live().empty());
  EXPECT_TRUE(there.ids().empty()) << "not among those that are stored";
}

TEST_F(RedisRelayTest, TellsNewsToAllOthers) {
  Node here(relay_to(server_));
  Node there(relay_to(server_));
  Node third(relay_to(server_));
  // Every connected node hears them, and nothing says when it does.
  const auto deadline = std::chrono::steady_clock::now() + Node::kPatience;
  while (server_.ask({"PUBLISH", "test:news", ""}) != "3") {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
  const UserId whom = UserId::random();
  for (int n = 1; n <= 50; ++n) here.relay().tell({whom, std::to_string(n)});
  there.wait_for_news("50");
  third.wait_for_news("50");
  EXPECT_EQ(there.news().size(), 50U);
  EXPECT_EQ(there.news().front(), "1");
  EXPECT_TRUE(here.news().empty());
}

// Redis takes messages and dies before it answers: they go again, and are not told again.
TEST_F(RedisRelayTest, WhatIsStoredNowhereComesOnceThoughItIsSentAgain) {
  Node here(relay_to(server_));
  Node there(relay_to(server_));
  there.relay().follow(room_);
  there.wait_for_doubts(1);
  here.wait_until_connected();
  MessageId id = 0;
  for (int round = 0; round < 5; ++round) {
    for (int n = 0; n < 200; ++n) here.relay().publish_live(batch(room_, ++id));
    EXPECT_EQ(server_.ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}).empty(), false);
  }
  // Its own connection is there again when this has come.
  here.relay().publish_live(batch(room_, ++id));
  there.wait_for_live_id(id);
  EXPECT_EQ(there.live(), up_to(id));
  EXPECT_GT(here.relay().figures().reconnects, 0U);
}

TEST_F(RedisRelayTest, ComesBackWhenRedisDoesAndSendsWhatWaited) {
  Node here(relay_to(server_));
  Node there(relay_to(server_));
  there.relay().follow(room_);
  there.wait_for_doubts(1);
  server_.kill();
  here.wait_until_lost();
  there.wait_until_lost();
  here.relay().publish(batch(room_, 1, 10));
  EXPECT_EQ(here.ids(), up_to(10)) << "its own at once, whatever becomes of Redis";
  there.relay().follow(RoomId::random());
  server_.start();
  there.wait_for_doubts(3);
  here.wait_until_connected();
  here.relay().publish(batch(room_, 11));
  // What waited may have gone before the other was back; then it is lost, as a relay may.
  there.wait_for_id(11);
  EXPECT_GT(there.relay().figures().reconnects, 0U);
}

TEST_F(RedisRelayTest, NeverWaitsAndDropsBeyondItsBound) {
  RedisOptions options = options_for(server_);
  options.queue_bytes_max = 64 << 10;
  options.timeout_ms = 60'000;
  Node here(relay_with(options));
  here.wait_until_connected();
  server_.signal(SIGSTOP);
  for (MessageId id = 1; id <= 1000; ++id) {
    here.relay().publish(batch(room_, id, 1, std::string(1024, 'x')));
    ASSERT_LE(here.relay().figures().waiting_bytes, options.queue_bytes_max);
  }
  EXPECT_EQ(here.ids(), up_to(1000));
  EXPECT_GT(here.relay().figures().dropped, 900U);
  server_.signal(SIGCONT);
  here.wait_for_figures([](const RelayFigures& figures) { return figures.waiting_bytes == 0; });
  const RelayFigures figures = here.relay().figures();
  EXPECT_EQ(figures.published + figures.dropped, 1000U);
}

TEST_F(RedisRelayTest, ASilentRedisIsALostConnection) {
  RedisOptions options = options_for(server_);
  options.timeout_ms = 200;
  Node here(relay_with(options));
  here.relay().follow(room_);
  here.wait_for_doubts(1);
  server_.signal(SIGSTOP);
  here.wait_until_lost();
  server_.signal(SIGCONT);
  // One of the two connections may have had its answer just in time.
  here.wait_for_figures(
      [](const RelayFigures& figures) { return figures.connected && figures.reconnects > 0; });
}

TEST(RedisRelayLogin, TakesAUserAndAPassword) {
  ::signal(SIGPIPE, SIG_IGN);
  RedisServer server({"--user", "default", "off", "--user", "chat", "on", ">p@ss", "&test:*",
                      "+ping", "+publish", "+subscribe", "+unsubscribe", "+auth"});
  const RoomId room = RoomId::random();
  RedisOptions options = options_for(server);
  options.address.login = {"chat", "p@ss"};
  Node here(relay_with(options));
  Node there(relay_with(options));
  there.relay().follow(room);
  there.wait_for_doubts(1);
  here.relay().publish(batch(room, 1));
  there.wait_for_ids(1);
}

TEST(RedisRelayLogin, IsNotConnectedWithAnotherPassword) {
  ::signal(SIGPIPE, SIG_IGN);
  RedisServer server({"--requirepass", "secret"});
  RedisOptions options = options_for(server);
  options.address.login.password = "other";
  Node wrong(relay_with(options));
  options.address.login.password = "secret";
  Node right(relay_with(options));
  right.wait_until_connected();
  wrong.relay().publish(batch(RoomId::random(), 1));
  EXPECT_EQ(wrong.ids().size(), 1U);
  EXPECT_FALSE(wrong.relay().figures().connected);
}

}  // namespace
}  // namespace rtc::chat
