// What the tests over real sockets share: a loop in a thread of its own, pairs of connected TCP
// sockets, and blocking reads and writes at the client's end.
#pragma once

#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <future>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "net/connection.hpp"
#include "net/loop.hpp"

namespace rtc::net::test {

// Long enough for any machine; only a failing test waits for it.
inline constexpr int kPatienceMs = 60'000;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {
    const timeval patience{kPatienceMs / 1000, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() { close(); }

  int fd() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void send_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  void end_output() const { ::shutdown(fd_, SHUT_WR); }
  // A close that the peer sees as a reset.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

  // The next `size` bytes; fewer when the peer ended before.
  std::string read(std::size_t size) const {
    std::string bytes;
    char buffer[65536];
    while (bytes.size() < size) {
      const ssize_t count = ::recv(fd_, buffer, std::min(sizeof buffer, size - bytes.size()), 0);
      if (count <= 0) break;
      bytes.append(buffer, static_cast<std::size_t>(count));
    }
    return bytes;
  }
  std::string read_to_end() const { return read(SIZE_MAX); }

 private:
  int fd_;
};

struct SocketPair {
  Socket client;
  int server;  // non-blocking; for a Connection, which owns it
};

// Two ends of one TCP connection over 127.0.0.1, with small buffers: a peer that does not read is
// felt soon.
inline SocketPair connected_pair() {
  const int small = 16 << 10;
  const Socket listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ::setsockopt(listener.fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener.fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener.fd(), 1), 0);
  EXPECT_EQ(::getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  Socket client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ::setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  EXPECT_EQ(::connect(client.fd(), reinterpret_cast<sockaddr*>(&address), size), 0);
  const int server = ::accept4(listener.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  EXPECT_GE(server, 0);
  return {std::move(client), server};
}

// A handler of functions; what is not given does what a plain sink would.
class TestHandler final : public ConnectionHandler {
 public:
  std::function<std::size_t(Connection&, std::span<char>)> input;
  std::function<void(Connection&)> input_end;
  std::function<void(Connection&)> drained;
  std::function<void(Connection&, CloseReason)> closed;
  std::function<void(std::shared_ptr<DetachedConnection>)> detached;

  std::size_t on_input(Connection& connection, std::span<char> bytes) override {
    return input ? input(connection, bytes) : bytes.size();
  }
  void on_input_end(Connection& connection) override {
    if (input_end) {
      input_end(connection);
    } else {
      ConnectionHandler::on_input_end(connection);
    }
  }
  void on_drained(Connection& connection) override {
    if (drained) drained(connection);
  }
  void on_detached(std::shared_ptr<DetachedConnection> connection) override {
    if (detached) detached(std::move(connection));
  }
  void on_closed(Connection& connection, CloseReason reason) override {
    if (closed) closed(connection, reason);
  }
};

// A value that the loop's thread sets and the test waits for.
template <class T>
class Awaited {
 public:
  void set(T value) {
    const std::scoped_lock lock(mutex_);
    EXPECT_FALSE(value_) << "set twice";
    value_ = std::move(value);
    changed_.notify_all();
  }
  bool is_set() {
    const std::scoped_lock lock(mutex_);
    return value_.has_value();
  }
  T get() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::milliseconds(kPatienceMs),
                                  [this] { return value_.has_value(); }));
    return value_.value_or(T{});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> value_;
};

// Returns once that thread of this process sleeps, as a loop with nothing to do.
inline void await_sleep(pid_t tid) {
  const std::string file = "/proc/self/task/" + std::to_string(tid) + "/stat";
  for (std::string stat; stat.find(") S ") == std::string::npos;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::getline(std::ifstream(file), stat);
  }
}

class LoopThread {
 public:
  LoopThread() : loop_(make_epoll_poller()), thread_([this] { loop_.run(); }) {}
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  ~LoopThread() { stop(); }

  Loop& loop() { return loop_; }
  void stop() {
    if (!thread_.joinable()) return;
    loop_.stop();
    thread_.join();
  }

  // Runs `action` on the loop's thread and waits for it.
  void run(std::function<void()> action) {
    Awaited<bool> done;
    loop_.post([&] {
      action();
      done.set(true);
    });
    done.get();
  }
  // Returns once the turn that was running has ended: what it queued is written.
  void finish_turn() {
    run([] {});
    run([] {});
  }

  // Only for the loop's thread.
  Connection& adopt(int fd, std::unique_ptr<ConnectionHandler> handler,
                    const ConnectionBounds& bounds) {
    loop_.set_bounds(bounds);
    auto connection =
        std::make_unique<Connection>(loop_, fd, *IpAddress::parse("127.0.0.1"), std::move(handler));
    Connection& adopted = *connection;
    loop_.adopt(std::move(connection));
    return adopted;
  }

 private:
  Loop loop_;
  std::thread thread_;
};

}  // namespace rtc::net::test
