#include "net/listener.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include "unit/net/sockets.hpp"

namespace rtc::net {
namespace {

using test::Awaited;
using test::LoopThread;
using test::Socket;
using testing::HasSubstr;

Socket bound(bool listening) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(socket.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  if (listening) {
    EXPECT_EQ(::listen(socket.fd(), 1), 0);
  }
  return socket;
}

sockaddr_in name_of(const Socket& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  EXPECT_EQ(::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  return address;
}

ListenAddress resolved(const std::string& text) {
  const auto addresses = resolve_listen({text}, "listen");
  EXPECT_TRUE(addresses && addresses->size() == 1) << text;
  return addresses->front();
}

// An address of a port that was free a moment ago, listened on.
std::pair<ListenAddress, ListenSockets> listen_somewhere(std::size_t count) {
  while (true) {
    const std::uint16_t port = ntohs(name_of(bound(false)).sin_port);
    const ListenAddress address = resolved("127.0.0.1:" + std::to_string(port));
    const auto sockets = open_listen_sockets(address, count);
    if (sockets) return {address, *sockets};
  }
}

Socket connected_to(const ListenAddress& address) {
  Socket client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(client.fd(), reinterpret_cast<const sockaddr*>(address.socket_address.data()),
                      static_cast<socklen_t>(address.socket_address.size())),
            0);
  return client;
}

TEST(ResolveListen, TakesHostAndPort) {
  EXPECT_EQ(resolved("127.0.0.1:8080").text, "127.0.0.1:8080");
  EXPECT_EQ(resolved("0.0.0.0:65535").text, "0.0.0.0:65535");
  EXPECT_EQ(resolved("[::1]:1").text, "[::1]:1");
  const auto twice = resolve_listen({"127.0.0.1:80", "127.0.0.1:80", "127.0.0.1:81"}, "listen");
  ASSERT_TRUE(twice);
  EXPECT_EQ(twice->size(), 2U) << "an address given twice is one";
  const auto name = resolve_listen({"localhost:8080"}, "listen");
  ASSERT_TRUE(name) << name.error().message;
  for (const ListenAddress& each : *name) {
    EXPECT_TRUE(each.text == "127.0.0.1:8080" || each.text == "[::1]:8080") << each.text;
  }
}

TEST(ResolveListen, NamesTheMalformedOne) {
  for (const std::string text :
       {"", "127.0.0.1", ":8080", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536",
        "127.0.0.1:123456", "127.0.0.1:http", "127.0.0.1:-1", "127.0.0.1:+80", "127.0.0.1: 80",
        "::1:8080", "[::1]", "[::1:8080", "::1]:8080", "[]:8080"}) {
    const auto addresses = resolve_listen({"127.0.0.1:80", text}, "listen");
    ASSERT_FALSE(addresses) << text;
    EXPECT_EQ(addresses.error().code, ErrorCode::invalid_parameter) << text;
    EXPECT_THAT(addresses.error().message, HasSubstr("'" + text + "'"));
  }
}

TEST(OpenListenSockets, APortInUseIsRefusedAndNamed) {
  const Socket other = bound(true);
  const std::string text = "127.0.0.1:" + std::to_string(ntohs(name_of(other).sin_port));
  const auto sockets = open_listen_sockets(resolved(text), 2);
  ASSERT_FALSE(sockets);
  EXPECT_EQ(sockets.error().code, ErrorCode::invalid_parameter);
  EXPECT_THAT(sockets.error().message, HasSubstr(text));
}

// SO_REUSEPORT is for the loops of one server: a second one must not get half of the first's
// people.
TEST(OpenListenSockets, ASecondServerIsRefused) {
  const auto [address, first] = listen_somewhere(3);
  EXPECT_EQ(first.fds.size(), 3U);
  const auto second = open_listen_sockets(address, 3);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr(address.text));
  for (const int fd : first.fds) ::close(fd);
  const auto third = open_listen_sockets(address, 1);
  ASSERT_TRUE(third) << "a server that ended leaves its port: " << third.error().message;
  ::close(third->fds.front());
}

TEST(OpenListenSockets, AnAddressThatIsNotHereIsNotFound) {
  // RFC 5737: given to nobody.
  const auto sockets = open_listen_sockets(resolved("192.0.2.1:8080"), 1);
  ASSERT_FALSE(sockets);
  EXPECT_EQ(sockets.error().code, ErrorCode::not_found);
  EXPECT_THAT(sockets.error().message, HasSubstr("192.0.2.1:8080"));
}

TEST(Listener, HandsOverNonBlockingSocketsWithTheirPeers) {
  const auto [address, sockets] = listen_somewhere(1);
  LoopThread thread;
  std::unique_ptr<Listener> listener;
  Awaited<std::pair<int, std::string>> accepted;
  thread.run([&, &fds = sockets.fds] {
    listener = std::make_unique<Listener>(thread.loop(), fds.front(), 8,
                                          [&](int fd, const IpAddress& peer) {
                                            accepted.set({fd, peer.to_string()});
                                          });
  });
  const Socket client = connected_to(address);
  const auto [fd, peer] = accepted.get();
  EXPECT_EQ(peer, "127.0.0.1");
  EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  int no_delay = 0;
  socklen_t size = sizeof no_delay;
  ::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
  EXPECT_NE(no_delay, 0);
  ::close(fd);
  thread.run([&] { listener.reset(); });
  thread.stop();
}

TEST(Listener, TheSocketsOfOneAddressShareItsConnections) {
  constexpr std::size_t kClients = 200;
  const auto [address, sockets] = listen_somewhere(2);
  LoopThread thread;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::size_t count[2] = {};
  std::vector<int> accepted;
  Awaited<bool> all;
  thread.run([&, &fds = sockets.fds] {
    for (std::size_t i = 0; i < 2; ++i) {
      listeners.push_back(
          std::make_unique<Listener>(thread.loop(), fds[i], 3, [&, i](int fd, const IpAddress&) {
            accepted.push_back(fd);
            ++count[i];
            if (accepted.size() == kClients) all.set(true);
          }));
    }
  });
  std::vector<Socket> clients;
  for (std::size_t i = 0; i < kClients; ++i) clients.push_back(connected_to(address));
  EXPECT_TRUE(all.get());
  // By hash: all 200 at one of two sockets has a chance of 2^-199.
  EXPECT_GT(count[0], 0U);
  EXPECT_GT(count[1], 0U);
  for (const int fd : accepted) ::close(fd);
  thread.run([&] { listeners.clear(); });
  thread.stop();
}

TEST(Listener, AcceptsNoMoreThanItsBoundInOneTurn) {
  constexpr std::size_t kClients = 10;
  const auto [address, sockets] = listen_somewhere(1);
  std::vector<Socket> clients;
  for (std::size_t i = 0; i < kClients; ++i) clients.push_back(connected_to(address));
  Loop loop(make_epoll_poller());
  std::vector<std::size_t> per_turn{0};
  std::size_t accepted = 0;
  Listener listener(loop, sockets.fds.front(), 4, [&](int fd, const IpAddress&) {
    ::close(fd);
    ++per_turn.back();
    if (++accepted == kClients) loop.stop();
  });
  loop.add_turn_end([&] { per_turn.push_back(0); });
  loop.run();
  EXPECT_EQ(accepted, kClients);
  for (const std::size_t each : per_turn) EXPECT_LE(each, 4U);
}

}  // namespace
}  // namespace rtc::net
