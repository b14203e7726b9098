// A stream of bytes to a host, plain or over TLS, that never waits but for the host's address: its
// owner polls fd(). One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <vector>

#include "relay/redis_tls.hpp"

namespace rtc::relay {

struct RedisHost {
  std::string name;  // or an address; IPv6 without brackets
  std::uint16_t port = 0;

  std::string text() const;  // "host:port", for the log
};

class RedisSocket {
 public:
  static constexpr std::size_t kAddressesMax = 8;  // of a host, tried one after the other

  RedisSocket() = default;
  ~RedisSocket() { close(); }
  RedisSocket(const RedisSocket&) = delete;
  RedisSocket& operator=(const RedisSocket&) = delete;

  // Begins to connect; `tls`, null for none, is kept until close(). Looks the name up, which may
  // take as long as the system's resolver does. False: error() says why.
  bool open(const RedisHost& host, const RedisTlsFiles* tls);
  void close();

  int fd() const { return fd_; }  // -1: closed
  // What to poll for.
  short events(bool has_bytes_to_write) const;
  // After poll() said something, until it is ready. False: it failed, and error() says why.
  bool proceed();
  bool ready() const { return state_ == State::ready; }
  bool shakes_hands() const { return state_ == State::shaking_hands; }

  // Once ready: how many bytes; 0: none now. Nothing: the connection is gone; error() says why.
  static constexpr std::size_t kReadBytesMin = RedisTls::kRecordBytes;  // `into` must hold them
  std::optional<std::size_t> read(std::span<char> into);
  std::optional<std::size_t> write(std::string_view bytes);

  const std::string& error() const { return error_; }

 private:
  enum class State { closed, connecting, shaking_hands, ready };
  struct Address {
    sockaddr_storage bytes{};
    socklen_t size = 0;
  };

  bool connect_next();
  bool shake_hands();

  std::string host_;
  const RedisTlsFiles* tls_files_ = nullptr;
  std::vector<Address> addresses_;  // still to be tried, the next one last
  int fd_ = -1;
  State state_ = State::closed;
  std::unique_ptr<RedisTls> tls_;
  short awaited_ = 0;  // by the handshake
  std::string error_;
};

}  // namespace rtc::relay
