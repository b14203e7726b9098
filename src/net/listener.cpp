#include "net/listener.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.hpp"

namespace rtc::net {
namespace {

constexpr int kBacklog = 4096;

Error malformed(std::string_view setting, const std::string& text) {
  return {ErrorCode::invalid_parameter,
          std::string(setting) + ": '" + text +
              "' is not HOST:PORT or [IPv6]:PORT, such as 127.0.0.1:8080"};
}

std::string describe(const sockaddr* address) {
  sockaddr_storage storage{};
  const bool v6 = address->sa_family == AF_INET6;
  std::memcpy(&storage, address, v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
  const auto port = v6 ? reinterpret_cast<const sockaddr_in6&>(storage).sin6_port
                       : reinterpret_cast<const sockaddr_in&>(storage).sin_port;
  const std::string host = IpAddress::from(storage).to_string();
  return fmt::format("{}:{}", v6 ? "[" + host + "]" : host, ntohs(port));
}

int bound_socket(const ListenAddress& address, bool shared) {
  const auto* to = reinterpret_cast<const sockaddr*>(address.socket_address.data());
  const int fd = ::socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (to->sa_family == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (shared) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (::bind(fd, to, static_cast<socklen_t>(address.socket_address.size())) != 0 ||
      ::listen(fd, kBacklog) != 0) {
    const int problem = errno;
    ::close(fd);
    errno = problem;
    return -1;
  }
  return fd;
}

Error cannot_listen(const ListenAddress& address) {
  const int problem = errno;
  if (problem == EADDRNOTAVAIL || problem == EAFNOSUPPORT) {
    return {ErrorCode::not_found,
            fmt::format("{}: this machine has no address {}", address.setting, address.text)};
  }
  std::string advice;
  if (problem == EADDRINUSE) {
    advice = ": another program listens there; stop it or choose another address";
  } else if (problem == EACCES) {
    advice = ": ports below 1024 need more rights; choose another address";
  }
  return {ErrorCode::invalid_parameter,
          fmt::format("{}: cannot listen on {} ({}){}", address.setting, address.text,
                      std::strerror(problem), advice)};
}

}  // namespace

Result<std::vector<ListenAddress>> resolve_listen(const std::vector<std::string>& texts,
                                                  std::string_view setting) {
  std::vector<ListenAddress> addresses;
  for (const std::string& text : texts) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) return malformed(setting, text);
    std::string host = text.substr(0, colon);
    const std::string port = text.substr(colon + 1);
    if (host.front() == '[' && host.back() == ']') {
      host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string::npos) {
      return malformed(setting, text);
    }
    const bool number =
        !port.empty() && port.size() <= 5 &&
        std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!number || std::stoi(port) < 1 || std::stoi(port) > 65535) return malformed(setting, text);

    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* found = nullptr;
    const int problem = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
    if (problem != 0) {
      return Error{ErrorCode::invalid_parameter,
                   fmt::format("{}: '{}': {}", setting, text, ::gai_strerror(problem))};
    }
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(each->ai_addr);
      ListenAddress address{{bytes, bytes + each->ai_addrlen}, describe(each->ai_addr), setting};
      const auto same = [&](const ListenAddress& other) { return other.text == address.text; };
      if (std::none_of(addresses.begin(), addresses.end(), same)) {
        addresses.push_back(std::move(address));
      }
    }
    ::freeaddrinfo(found);
  }
  return addresses;
}

Result<ListenSockets> open_listen_sockets(const ListenAddress& address, std::size_t count) {
  // With SO_REUSEPORT a second server would silently take half of the connections; a socket
  // without it shows whether the address is free.
  const int probe = bound_socket(address, false);
  if (probe < 0) return cannot_listen(address);
  ::close(probe);
  ListenSockets sockets;
  for (std::size_t i = 0; i < count; ++i) {
    const int fd = bound_socket(address, true);
    if (fd < 0) {
      const Error error = cannot_listen(address);
      for (const int open : sockets.fds) ::close(open);
      return error;
    }
    sockets.fds.push_back(fd);
  }
  return sockets;
}

Listener::Listener(Loop& loop, int fd, std::uint32_t accepts_per_turn_max, OnAccept on_accept)
    : loop_(loop),
      fd_(fd),
      accepts_per_turn_max_(accepts_per_turn_max),
      on_accept_(std::move(on_accept)) {
  loop_.poller().add(fd_, {.read = true}, static_cast<Source*>(this));
}

Listener::~Listener() {
  loop_.poller().remove(fd_);
  ::close(fd_);
}

void Listener::on_ready(bool /*readable*/, bool /*writable*/) {
  for (std::uint32_t i = 0; i < accepts_per_turn_max_; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int fd =
        ::accept4(fd_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      on_accept_(fd, IpAddress::from(peer));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // Out of descriptors or memory: those waiting stay in the backlog; try again in a while
      // instead of spinning.
      log::warn("accept: {}; pausing for {} ms", std::strerror(errno), kPauseMs);
      loop_.poller().change(fd_, {}, static_cast<Source*>(this));
      loop_.timers().arm(*this, kPauseMs);
      return;
    }
    // The peer is gone already (ECONNABORTED and the like): the next one.
  }
}

void Listener::on_timer() {
  loop_.poller().change(fd_, {.read = true}, static_cast<Source*>(this));
}

}  // namespace rtc::net
