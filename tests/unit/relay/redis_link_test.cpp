// RedisLink against servers that say what the test wants, with a clock of the test's own.
#include "relay/redis_link.hpp"

#include <arpa/inet.h>
#include <csignal>
#include <deque>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace rtc::relay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kTimeoutMs = 1000;

// Listens, takes one connection after the other, and answers each bulk of bytes that comes with the
// next of its answers; "" is none, and "-" ends the connection.
class FakeServer {
 public:
  FakeServer() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 8);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~FakeServer() {
    end();
    stop_listening();
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  RedisHost host() const { return {"127.0.0.1", port_}; }
  std::string port() const { return std::to_string(port_); }
  std::size_t connections() const { return connections_; }
  const std::vector<std::string>& heard() const { return heard_; }
  void will_answer(std::string text) { answers_.push_back(std::move(text)); }
  void send(std::string_view text) const { ::send(peer_, text.data(), text.size(), MSG_NOSIGNAL); }
  void end() {
    if (peer_ >= 0) ::close(std::exchange(peer_, -1));
  }
  void stop_listening() {
    if (listener_ >= 0) ::close(std::exchange(listener_, -1));
  }

  void work() {
    const int fd = listener_ < 0 ? -1 : ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd >= 0) {
      end();
      peer_ = fd;
      ++connections_;
    }
    std::array<char, 4096> bytes{};
    const ssize_t size = peer_ < 0 ? 0 : ::recv(peer_, bytes.data(), bytes.size(), 0);
    if (size <= 0) return;
    heard_.emplace_back(bytes.data(), static_cast<std::size_t>(size));
    if (answers_.empty()) return;
    const std::string answer = std::move(answers_.front());
    answers_.pop_front();
    if (answer == "-") {
      end();
    } else {
      send(answer);
    }
  }

 private:
  int listener_ = -1;
  int peer_ = -1;
  std::uint16_t port_ = 0;
  std::size_t connections_ = 0;
  std::deque<std::string> answers_;
  std::vector<std::string> heard_;
};

std::string address_of(const FakeServer& server) {
  return "*2\r\n$9\r\n127.0.0.1\r\n$" + std::to_string(server.port().size()) + "\r\n" +
         server.port() + "\r\n";
}

std::string moved_to(const std::string& where) {
  return "-MOVED 13144 " + where + "\r\n+PONG\r\n";
}

const std::string kOwner = ":0\r\n+PONG\r\n";
const std::string kPrimary = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n+PONG\r\n";
const std::string kReplica =
    "*5\r\n$5\r\nslave\r\n$9\r\n127.0.0.1\r\n:6379\r\n$9\r\nconnected\r\n:0\r\n+PONG\r\n";

class RedisLinkTest : public testing::Test {
 protected:
  RedisLinkTest() { ::signal(SIGPIPE, SIG_IGN); }

  // Goes on, and so does the clock: a millisecond a round.
  bool until(RedisLink& link, const std::function<bool()>& holds, std::uint64_t ms_max = 20'000) {
    for (const std::uint64_t end = now_ms_ + ms_max; now_ms_ < end; ++now_ms_) {
      pollfd polled{link.fd(), link.events(), 0};
      ::poll(&polled, 1, link.fd() < 0 ? 0 : 1);
      link.step(polled.revents, now_ms_,
                [&](const redisReply& reply) { answers_.emplace_back(text_of(reply)); });
      link.write();
      for (FakeServer* each : {&first_, &second_, &third_}) each->work();
      if (holds()) return true;
    }
    return false;
  }
  bool until_up(RedisLink& link) {
    return until(link, [&] { return link.up(); });
  }
  RedisAddress by_sentinels() const {
    RedisAddress address;
    address.hosts = {first_.host(), second_.host()};
    address.master = "chat";
    return address;
  }

  RedisAddress by_cluster() const {
    RedisAddress address;
    address.hosts = {first_.host(), second_.host()};
    address.cluster_key = "chat:{people}:";
    return address;
  }

  FakeServer first_;
  FakeServer second_;
  FakeServer third_;
  std::uint64_t now_ms_ = 1000;
  std::vector<std::string> answers_;
};

TEST_F(RedisLinkTest, LogsInAndHandsAnswersOn) {
  RedisAddress address;
  address.hosts = {first_.host()};
  address.login = {"chat", "p@ss"};
  first_.will_answer("+OK\r\n+PONG\r\n");
  RedisLink link(address, "test", kTimeoutMs);
  ASSERT_TRUE(until_up(link));
  EXPECT_THAT(first_.heard(), ElementsAre("*3\r\n$4\r\nAUTH\r\n$4\r\nchat\r\n$4\r\np@ss\r\n"
                                          "*1\r\n$4\r\nPING\r\n"));
  link.command({"GET", "a"});
  link.command({"GET", ""});
  EXPECT_EQ(link.unwritten(), 39U);
  first_.will_answer("$1\r\nx\r\n$2\r\n");
  ASSERT_TRUE(until(link, [&] { return !answers_.empty(); }));
  first_.send("yz\r\n");
  ASSERT_TRUE(until(link, [&] { return answers_.size() == 2; }));
  EXPECT_THAT(answers_, ElementsAre("x", "yz"));
  EXPECT_EQ(link.unwritten(), 0U);
}

TEST_F(RedisLinkTest, AsksForLifeAndGivesASilentConnectionUp) {
  RedisAddress address;
  address.hosts = {first_.host()};
  first_.will_answer("+PONG\r\n");
  RedisLink link(address, "test", kTimeoutMs);
  ASSERT_TRUE(until_up(link));
  const std::uint64_t up_ms = now_ms_;
  ASSERT_TRUE(until(link, [&] { return !link.up(); }));
  EXPECT_GE(now_ms_ - up_ms, kTimeoutMs);
  EXPECT_EQ(first_.heard().size(), 2U) << "one more PING, and no second one behind it";
  first_.will_answer("+PONG\r\n");
  ASSERT_TRUE(until_up(link));
  EXPECT_EQ(link.ups(), 2U);
}

TEST_F(RedisLinkTest, AHandshakeThatIsNotAnsweredEndsInTime) {
  RedisAddress address;
  address.hosts = {first_.host()};
  address.tls.emplace();
  RedisLink link(address, "test", kTimeoutMs);
  ASSERT_TRUE(until(link, [&] { return first_.heard().size() == 1; }));
  EXPECT_EQ(first_.heard().front().substr(0, 2), "\x16\x03") << "a ClientHello";
  const std::uint64_t begun_ms = now_ms_;
  ASSERT_TRUE(until(link, [&] { return link.fd() == -1; }));
  EXPECT_LE(now_ms_ - begun_ms, kTimeoutMs + 1);
  EXPECT_EQ(link.ups(), 0U);
  // The next one fails at once: this is no TLS.
  first_.will_answer("-ERR unknown command\r\n");
  ASSERT_TRUE(until(link, [&] { return first_.heard().size() == 2; }));
  ASSERT_TRUE(until(
      link, [&] { return link.fd() == -1; }, kTimeoutMs / 2));
}

// Nobody answers the first, and the second leads on.
TEST_F(RedisLinkTest, AsksTheSentinelsInTurnAndFollowsTheAnswer) {
  RedisAddress address = by_sentinels();
  address.login = {"", "of redis"};
  address.sentinel_login = {"watcher", "of sentinels"};
  first_.stop_listening();
  second_.will_answer("+OK\r\n" + address_of(third_));
  third_.will_answer("+OK\r\n" + kPrimary);
  RedisLink link(address, "test", kTimeoutMs);
  ASSERT_TRUE(until(
      link, [&] { return link.up(); }, RedisLink::kRetryMsMin / 2))
      << "without a pause between the two";
  EXPECT_THAT(second_.heard(),
              ElementsAre("*3\r\n$4\r\nAUTH\r\n$7\r\nwatcher\r\n$12\r\nof sentinels\r\n"
                          "*3\r\n$8\r\nSENTINEL\r\n$23\r\nget-master-addr-by-name\r\n"
                          "$4\r\nchat\r\n"));
  EXPECT_THAT(third_.heard(), ElementsAre("*2\r\n$4\r\nAUTH\r\n$8\r\nof redis\r\n"
                                          "*1\r\n$4\r\nROLE\r\n*1\r\n$4\r\nPING\r\n"));
}

TEST_F(RedisLinkTest, PausesWhenNoSentinelKnowsAndAsksAgain) {
  first_.will_answer("*-1\r\n");
  second_.will_answer("-ERR no\r\n");
  RedisLink link(by_sentinels(), "test", kTimeoutMs);
  ASSERT_TRUE(until(link, [&] { return first_.connections() + second_.connections() == 2; }));
  ASSERT_TRUE(until(link, [&] { return link.fd() == -1; }));
  EXPECT_FALSE(until(
      link, [&] { return first_.connections() == 2; }, RedisLink::kRetryMsMin / 2 - 1))
      << "a pause";
  first_.will_answer(address_of(third_));
  third_.will_answer(kPrimary);
  EXPECT_TRUE(until_up(link));
}

TEST_F(RedisLinkTest, AReplicaIsNotTakenAndAnotherSentinelIsAsked) {
  first_.will_answer(address_of(third_));
  third_.will_answer(kReplica);
  second_.will_answer(address_of(third_));
  third_.will_answer(kPrimary);
  RedisLink link(by_sentinels(), "test", kTimeoutMs);
  ASSERT_TRUE(until_up(link));
  EXPECT_EQ(link.ups(), 1U);
  EXPECT_EQ(first_.connections(), 1U);
  EXPECT_EQ(second_.connections(), 1U);
  EXPECT_EQ(third_.connections(), 2U);
}

TEST_F(RedisLinkTest, WhatIsNoSentinelIsPassedOver) {
  const std::string name(300, 'a');
  for (const std::string& answer :
       {std::string("+OK\r\n"), std::string(":1\r\n"), std::string("*0\r\n"), std::string("-"),
        std::string("*2\r\n$1\r\na\r\n$1\r\n0\r\n"), std::string("*2\r\n$0\r\n\r\n$1\r\n1\r\n"),
        std::string("*2\r\n$1\r\na\r\n$5\r\n65536\r\n"),
        "*2\r\n$300\r\n" + name + "\r\n$1\r\n1\r\n", std::string("rubbish\r\n")}) {
    const std::size_t before = second_.connections();
    first_.will_answer(answer);
    second_.will_answer(address_of(third_));
    third_.will_answer(kPrimary);
    RedisLink link(by_sentinels(), "test", kTimeoutMs);
    ASSERT_TRUE(until_up(link)) << answer;
    EXPECT_EQ(second_.connections(), before + 1) << answer;
  }
}

TEST_F(RedisLinkTest, WhatHasBecomeAReplicaIsLeft) {
  first_.will_answer(address_of(third_));
  third_.will_answer(kPrimary);
  RedisLink link(by_sentinels(), "test", kTimeoutMs);
  ASSERT_TRUE(until_up(link));
  link.command({"SET", "a", "b"});
  third_.will_answer("-READONLY You can't write against a read only replica.\r\n");
  ASSERT_TRUE(until(link, [&] { return !link.up(); }));
  EXPECT_TRUE(answers_.empty()) << "who asked is told by the lost connection";
  first_.will_answer(address_of(second_));
  second_.will_answer(kPrimary);
  ASSERT_TRUE(until_up(link));
  EXPECT_EQ(first_.connections(), 2U) << "the sentinel that knew, again";
}

TEST_F(RedisLinkTest, GoesWhereTheNodesOfAClusterSendIt) {
  RedisAddress address = by_cluster();
  address.login = {"chat", "word"};
  first_.stop_listening();
  second_.will_answer("+OK\r\n" + moved_to(third_.host().text()));
  third_.will_answer("+OK\r\n" + kOwner);
  RedisLink link(address, "test", kTimeoutMs);
  ASSERT_TRUE(until(
      link, [&] { return link.up(); }, RedisLink::kRetryMsMin / 2))
      << "without a pause";
  const std::string hello =
      "*3\r\n$4\r\nAUTH\r\n$4\r\nchat\r\n$4\r\nword\r\n"
      "*2\r\n$6\r\nEXISTS\r\n$14\r\nchat:{people}:\r\n*1\r\n$4\r\nPING\r\n";
  EXPECT_THAT(second_.heard(), ElementsAre(hello));
  EXPECT_THAT(third_.heard(), ElementsAre(hello));
}

TEST_F(RedisLinkTest, AMoveWithoutAHostIsToThePortOfTheSame) {
  first_.will_answer(moved_to(":" + third_.port()));
  third_.will_answer(kOwner);
  RedisLink link(by_cluster(), "test", kTimeoutMs);
  ASSERT_TRUE(until_up(link));
  EXPECT_EQ(third_.connections(), 1U);
}

TEST_F(RedisLinkTest, NodesThatSendItInACircleAreLeft) {
  for (unsigned n = 0; n < 2 * RedisLink::kMovesMax; ++n) {
    first_.will_answer(moved_to(third_.host().text()));
    third_.will_answer(moved_to(first_.host().text()));
  }
  RedisLink link(by_cluster(), "test", kTimeoutMs);
  ASSERT_TRUE(until(link, [&] { return link.fd() == -1; }));
  EXPECT_EQ(first_.connections() + third_.connections(), 1 + RedisLink::kMovesMax);
  EXPECT_EQ(link.ups(), 0U);
  second_.will_answer(kOwner);
  ASSERT_TRUE(until_up(link)) << "by the next one";
}

TEST_F(RedisLinkTest, AMoveThatSaysNothingIsNotFollowed) {
  for (const std::string& where : {std::string("nothing"), std::string("a:"), std::string("a:0"),
                                   std::string("a:65536"), std::string(300, 'a') + ":1"}) {
    const std::size_t before = second_.connections();
    first_.will_answer(moved_to(where));
    second_.will_answer(kOwner);
    RedisLink link(by_cluster(), "test", kTimeoutMs);
    ASSERT_TRUE(until_up(link)) << where;
    EXPECT_EQ(second_.connections(), before + 1) << where;
  }
}

TEST_F(RedisLinkTest, ANodeOfAClusterThatHasThePeopleNoMoreIsLeft) {
  for (const char* error : {"-MOVED 1 127.0.0.1:1\r\n", "-ASK 1 127.0.0.1:1\r\n",
                            "-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
                            "-CLUSTERDOWN The cluster is down\r\n"}) {
    answers_.clear();
    first_.will_answer(kOwner);
    RedisLink link(by_cluster(), "test", kTimeoutMs);
    ASSERT_TRUE(until_up(link));
    link.command({"SET", "a", "b"});
    first_.will_answer(error);
    ASSERT_TRUE(until(link, [&] { return !link.up(); })) << error;
    EXPECT_TRUE(answers_.empty());
    first_.will_answer(moved_to(third_.host().text()));
    third_.will_answer(kOwner);
    ASSERT_TRUE(until_up(link)) << error;
  }
}

// Who names one node of a cluster as if it were alone is told what to write.
TEST_F(RedisLinkTest, ANodeOfAClusterThatIsTakenForAloneIsLeftWithAHint) {
  RedisAddress address;
  address.hosts = {first_.host()};
  first_.will_answer("+PONG\r\n");
  RedisLink link(address, "test", kTimeoutMs);
  ASSERT_TRUE(until_up(link));
  link.command({"GET", "a"});
  first_.will_answer(moved_to("127.0.0.1:1"));
  testing::internal::CaptureStderr();
  ASSERT_TRUE(until(link, [&] { return !link.up(); }));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("redis+cluster"));
}

// Otherwise a Redis that takes the login and refuses what is asked is asked twenty times a second.
TEST_F(RedisLinkTest, PausesGrowWhileConnectionsDoNotLast) {
  RedisAddress address;
  address.hosts = {first_.host()};
  RedisLink link(address, "test", kTimeoutMs);
  std::vector<std::uint64_t> pauses;
  for (int round = 0; round < 8; ++round) {
    first_.will_answer("+PONG\r\n");
    const std::uint64_t from = now_ms_;
    ASSERT_TRUE(until_up(link));
    pauses.push_back(now_ms_ - from);
    link.fail("refused");
  }
  EXPECT_GE(pauses.back(), RedisLink::kRetryMsMax / 2);
  first_.will_answer("+PONG\r\n");
  ASSERT_TRUE(until_up(link));
  for (std::uint64_t n = 0; n < 8; ++n) first_.will_answer("+PONG\r\n");
  until(
      link, [] { return false; }, RedisLink::kRetryMsMax + 10);
  ASSERT_TRUE(link.up());
  link.fail("after a while");
  first_.will_answer("+PONG\r\n");
  const std::uint64_t from = now_ms_;
  ASSERT_TRUE(until_up(link));
  EXPECT_LE(now_ms_ - from, RedisLink::kRetryMsMin * 2);
}

TEST_F(RedisLinkTest, NeverLogsThePassword) {
  RedisAddress address;
  address.hosts = {first_.host()};
  address.login = {"chat", "topsecret"};
  first_.will_answer(
      "-ERR unknown command 'AUTH', with args beginning with: 'chat' 'topsecret'\r\n");
  RedisLink link(address, "test", kTimeoutMs);
  testing::internal::CaptureStderr();
  ASSERT_TRUE(until(link, [&] { return first_.heard().size() == 1; }));
  ASSERT_TRUE(until(link, [&] { return link.fd() == -1; }));
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("refuses the login"));
  EXPECT_THAT(log, Not(HasSubstr("topsecret")));
}

}  // namespace
}  // namespace rtc::relay
