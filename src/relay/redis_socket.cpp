#include "relay/redis_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace rtc::relay {
namespace {

bool would_wait() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

std::string RedisHost::text() const {
  const bool brackets = name.find(':') != name.npos;
  return brackets ? fmt::format("[{}]:{}", name, port) : fmt::format("{}:{}", name, port);
}

bool RedisSocket::open(const RedisHost& host, const RedisTlsFiles* tls) {
  close();
  host_ = host.name;
  tls_files_ = tls;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int problem =
      ::getaddrinfo(host.name.c_str(), std::to_string(host.port).c_str(), &hints, &found);
  if (problem != 0) {
    error_ = problem == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(problem);
    return false;
  }
  for (const addrinfo* each = found; each != nullptr && addresses_.size() < kAddressesMax;
       each = each->ai_next) {
    Address& address = addresses_.emplace_back();
    address.size = std::min<socklen_t>(each->ai_addrlen, sizeof address.bytes);
    std::memcpy(&address.bytes, each->ai_addr, address.size);
  }
  ::freeaddrinfo(found);
  std::reverse(addresses_.begin(), addresses_.end());
  return connect_next();
}

bool RedisSocket::connect_next() {
  while (!addresses_.empty()) {
    const Address address = addresses_.back();
    addresses_.pop_back();
    fd_ = ::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    // Commands are gathered before they are written.
    if (fd_ >= 0) ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto* const plain = reinterpret_cast<const sockaddr*>(&address.bytes);
    if (fd_ >= 0 && (::connect(fd_, plain, address.size) == 0 || errno == EINPROGRESS)) {
      state_ = State::connecting;
      return true;
    }
    error_ = std::strerror(errno);
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  state_ = State::closed;
  return false;
}

void RedisSocket::close() {
  tls_.reset();
  addresses_.clear();
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  state_ = State::closed;
}

short RedisSocket::events(bool has_bytes_to_write) const {
  switch (state_) {
    case State::connecting:
      return POLLOUT;
    case State::shaking_hands:
      return awaited_;
    default:
      return has_bytes_to_write ? POLLIN | POLLOUT : POLLIN;
  }
}

bool RedisSocket::proceed() {
  if (state_ == State::connecting) {
    int problem = 0;
    socklen_t size = sizeof problem;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &problem, &size);
    if (problem != 0) {
      error_ = std::strerror(problem);
      ::close(std::exchange(fd_, -1));
      return connect_next();
    }
    if (tls_files_ == nullptr) {
      state_ = State::ready;
      return true;
    }
    auto begun = RedisTls::begin(*tls_files_, host_, fd_);
    if (!begun) {
      error_ = begun.error().message;
      return false;
    }
    tls_ = std::move(*begun);
    state_ = State::shaking_hands;
  }
  return state_ != State::shaking_hands || shake_hands();
}

bool RedisSocket::shake_hands() {
  switch (tls_->handshake()) {
    case RedisTls::Progress::done:
      state_ = State::ready;
      return true;
    case RedisTls::Progress::read:
      awaited_ = POLLIN;
      return true;
    case RedisTls::Progress::write:
      awaited_ = POLLOUT;
      return true;
    case RedisTls::Progress::failed:
      break;
  }
  error_ = tls_->error();
  return false;
}

std::optional<std::size_t> RedisSocket::read(std::span<char> into) {
  if (tls_ != nullptr) {
    const auto size = tls_->read(into);
    if (!size) error_ = tls_->error();
    return size;
  }
  const ssize_t size = ::recv(fd_, into.data(), into.size(), 0);
  if (size > 0) return static_cast<std::size_t>(size);
  if (size < 0 && would_wait()) return 0;
  error_ = size == 0 ? "the connection was closed" : std::strerror(errno);
  return std::nullopt;
}

std::optional<std::size_t> RedisSocket::write(std::string_view bytes) {
  if (tls_ != nullptr) {
    const auto size = tls_->write(bytes);
    if (!size) error_ = tls_->error();
    return size;
  }
  const ssize_t size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (size >= 0) return static_cast<std::size_t>(size);
  if (would_wait()) return 0;
  error_ = std::strerror(errno);
  return std::nullopt;
}

}  // namespace rtc::relay
