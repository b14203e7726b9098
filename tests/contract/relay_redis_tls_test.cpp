// RedisRelay over TLS against a real redis-server, and what is said when TLS does not come about.
#include <gmock/gmock.h>
#include <poll.h>

#include "contract/certificates.hpp"
#include "contract/redis_server.hpp"
#include "contract/relay_contract.hpp"
#include "contract/relay_node.hpp"
#include "relay/redis_relay.hpp"

namespace rtc::chat {
namespace {

using relay::RedisHost;
using relay::RedisRelay;
using relay::RedisSocket;
using relay::RedisTlsFiles;
using relay::test::Certificates;
using relay::test::RedisServer;
using test::batch;
using test::Node;
using test::up_to;
using testing::HasSubstr;

// A Redis with a tls-port beside the plain one, which is for asking it.
class TlsRedis {
 public:
  explicit TlsRedis(const std::string& names = "IP:127.0.0.1,DNS:localhost",
                    const std::string& asks_clients = "no")
      : certificates_(names),
        port_(RedisServer::free_port()),
        server_({"--tls-port", std::to_string(port_), "--tls-cert-file",
                 certificates_.certificate(), "--tls-key-file", certificates_.key(),
                 "--tls-ca-cert-file", certificates_.ca(), "--tls-auth-clients", asks_clients}) {
    ::signal(SIGPIPE, SIG_IGN);
  }

  const Certificates& certificates() const { return certificates_; }
  const RedisServer& server() const { return server_; }
  std::uint16_t port() const { return port_; }
  relay::RedisOptions options() const {
    relay::RedisOptions options;
    options.address.hosts = {{"127.0.0.1", port_}};
    options.address.tls = certificates_.files();
    options.prefix = "test";
    options.timeout_ms = 20'000;
    options.secret = "0123456789abcdef0123456789abcdef";
    options.epoch = "epoch";
    return options;
  }

 private:
  Certificates certificates_;
  std::uint16_t port_;
  RedisServer server_;
};

class TlsRelayUnderTest final : public RelayUnderTest {
 public:
  Relay& relay() override { return relay_; }

 private:
  TlsRedis redis_;
  RedisRelay relay_{redis_.options()};
};

std::unique_ptr<RelayUnderTest> make_tls_relay() {
  return std::make_unique<TlsRelayUnderTest>();
}

INSTANTIATE_TEST_SUITE_P(RedisOverTls, RelayContract, testing::Values(&make_tls_relay));

// Two nodes, of which one follows a room.
class RedisRelayOverTls : public testing::Test {
 protected:
  RedisRelayOverTls() {
    there_.relay().follow(room_);
    there_.wait_for_doubts(1);
  }

  std::unique_ptr<Relay> relay() const { return std::make_unique<RedisRelay>(redis_.options()); }

  const TlsRedis redis_;
  const RoomId room_ = RoomId::random();
  Node here_{relay()};
  Node there_{relay()};
};

// Longer than sockets hold, so written and read in many pieces, on both sides.
TEST_F(RedisRelayOverTls, BringsLongMessagesWhole) {
  here_.relay().publish(batch(room_, 1, 12, std::string(1 << 20, 'x')));
  here_.relay().publish(batch(room_, 13, 1000));
  there_.wait_for_ids(1012);
  EXPECT_EQ(there_.ids(), up_to(1012));
  EXPECT_EQ(there_.relay().figures().refused, 0U);
}

TEST_F(RedisRelayOverTls, ComesBackWhenItsConnectionsWereCut) {
  here_.wait_until_connected();
  for (const char* type : {"normal", "pubsub"}) {
    EXPECT_NE(redis_.server().ask({"CLIENT", "KILL", "TYPE", type, "SKIPME", "yes"}), "");
  }
  there_.wait_for_doubts(2);
  here_.wait_until_connected();
  here_.relay().publish(batch(room_, 1));
  there_.wait_for_id(1);
}

// What becomes of a connection to there, which is written to so late: "" when Redis answers, else
// why it does not.
std::string outcome(const RedisHost& host, const RedisTlsFiles& files,
                    std::chrono::milliseconds late = {}) {
  ::signal(SIGPIPE, SIG_IGN);
  RedisSocket socket;
  if (!socket.open(host, &files)) return socket.error();
  std::array<char, RedisSocket::kReadBytesMin> answer{};
  bool asked = false;
  const auto deadline = std::chrono::steady_clock::now() + Node::kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    pollfd polled{socket.fd(), socket.events(false), 0};
    ::poll(&polled, 1, 100);
    if (polled.revents == 0) continue;
    if (!socket.ready()) {
      if (!socket.proceed()) return socket.error();
    } else if (const auto size = socket.read(answer); !size) {
      return socket.error();
    } else if (*size > 0) {
      return "";
    }
    // Whether Redis takes this side's certificate shows with its first answer, or has shown
    // already.
    if (socket.ready() && !std::exchange(asked, true)) {
      std::this_thread::sleep_for(late);
      if (!socket.write("PING\r\n")) return socket.error();
    }
  }
  return "nothing came";
}

TEST(RedisTls, TakesACertificateForTheNameOrTheAddressThatWasAskedFor) {
  const TlsRedis redis;
  const RedisTlsFiles files = redis.certificates().files();
  EXPECT_EQ(outcome({"127.0.0.1", redis.port()}, files), "");
  EXPECT_EQ(outcome({"localhost", redis.port()}, files), "");
}

TEST(RedisTls, SaysWhatToDoAboutACertificate) {
  const TlsRedis redis("DNS:redis.example");
  const RedisTlsFiles files = redis.certificates().files();
  EXPECT_THAT(outcome({"127.0.0.1", redis.port()}, files),
              AllOf(HasSubstr("is not for 127.0.0.1"), HasSubstr("redis_url")));
  EXPECT_THAT(outcome({"localhost", redis.port()}, files),
              AllOf(HasSubstr("is not for localhost"), HasSubstr("redis_url")));
  const Certificates others;
  EXPECT_THAT(outcome({"localhost", redis.port()}, others.files()),
              AllOf(HasSubstr("not trusted"), HasSubstr("redis_ca_file")));
  EXPECT_THAT(outcome({"localhost", redis.port()}, {}),
              AllOf(HasSubstr("not trusted"), HasSubstr("redis_ca_file")));
}

TEST(RedisTls, ShowsACertificateToARedisThatAsksForOne) {
  const TlsRedis redis("IP:127.0.0.1", "yes");
  const Certificates& certificates = redis.certificates();
  EXPECT_THAT(outcome({"127.0.0.1", redis.port()}, certificates.files()),
              HasSubstr("redis_certificate_file"));
  EXPECT_THAT(
      outcome({"127.0.0.1", redis.port()}, certificates.files(), std::chrono::milliseconds(300)),
      HasSubstr("redis_certificate_file"));
  EXPECT_EQ(outcome({"127.0.0.1", redis.port()}, certificates.own_files()), "");
}

TEST(RedisTls, NamesTheSettingOfAFileThatCannotBeUsed) {
  const Certificates certificates;
  const Certificates others;
  const auto error = [](const RedisTlsFiles& files) {
    const auto checked = relay::RedisTls::check(files);
    return checked ? "" : checked.error().message;
  };
  EXPECT_EQ(error(certificates.own_files()), "");
  EXPECT_EQ(error({}), "");
  EXPECT_THAT(error({"/nowhere/ca.pem", "", ""}),
              AllOf(HasSubstr("redis_ca_file: /nowhere/ca.pem"), HasSubstr("No such file")));
  EXPECT_THAT(error({certificates.key(), "", ""}), HasSubstr("redis_ca_file"));
  EXPECT_THAT(error({"", certificates.key(), certificates.key()}),
              HasSubstr("redis_certificate_file"));
  EXPECT_THAT(error({"", certificates.certificate(), "/nowhere/key"}), HasSubstr("redis_key_file"));
  EXPECT_THAT(error({"", certificates.certificate(), others.key()}), HasSubstr("redis_key_file"));
}

}  // namespace
}  // namespace rtc::chat
