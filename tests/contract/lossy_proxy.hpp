// Stands between a client and a server on this machine, and loses or holds back what they say.
#pragma once

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <list>
#include <mutex>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace rtc::storage::test {

class LossyProxy {
 public:
  explicit LossyProxy(int server_port) : server_(address_of(server_port)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in own = address_of(0);
    socklen_t size = sizeof own;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&own), size) != 0 ||
        ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&own), &size) != 0) {
      throw std::runtime_error("the proxy cannot listen");
    }
    port_ = ntohs(own.sin_port);
    thread_ = std::thread([this] { work(); });
  }
  ~LossyProxy() {
    ends_ = true;
    thread_.join();
    for (Pair& pair : pairs_) pair.close();
    ::close(listener_);
  }
  LossyProxy(const LossyProxy&) = delete;
  LossyProxy& operator=(const LossyProxy&) = delete;

  int port() const { return port_; }
  // The next thing that a client says, or is told, is lost, and its connection ends.
  void lose_next_request() { lose_request_ = true; }
  void lose_next_answer() { lose_answer_ = true; }
  // What goes over the connections that are there is held back, ends of connections too; or over
  // those to come as well.
  void hold() {
    const std::scoped_lock lock(mutex_);
    for (Pair& pair : pairs_) pair.held = true;
  }
  void hold_all() {
    hold();
    holds_new_ = true;
  }
  void release() {
    const std::scoped_lock lock(mutex_);
    holds_new_ = false;
    for (Pair& pair : pairs_) pair.held = false;
  }

 private:
  struct Pair {
    int client = -1;
    int server = -1;
    bool held = false;
    void close() {
      if (client >= 0) ::close(client);
      if (server >= 0) ::close(server);
      client = server = -1;
    }
  };

  static sockaddr_in address_of(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  void accept_one() {
    Pair made;
    made.client = ::accept(listener_, nullptr, nullptr);
    made.server = ::socket(AF_INET, SOCK_STREAM, 0);
    made.held = holds_new_;
    if (::connect(made.server, reinterpret_cast<const sockaddr*>(&server_), sizeof server_) != 0) {
      made.close();
      return;
    }
    pairs_.push_back(made);
  }

  // Whether the connection goes on.
  bool forward(int from, int to, std::atomic<bool>& loses) {
    const ssize_t size = ::recv(from, buffer_.data(), buffer_.size(), 0);
    if (size <= 0 || loses.exchange(false)) return false;
    for (ssize_t sent = 0; sent < size;) {
      const ssize_t more =
          ::send(to, buffer_.data() + sent, static_cast<std::size_t>(size - sent), MSG_NOSIGNAL);
      if (more <= 0) return false;
      sent += more;
    }
    return true;
  }

  void work() {
    while (!ends_) {
      std::vector<pollfd> ready{{listener_, POLLIN, 0}};
      {
        const std::scoped_lock lock(mutex_);
        for (const Pair& pair : pairs_) {
          if (pair.held) continue;
          ready.push_back({pair.client, POLLIN, 0});
          ready.push_back({pair.server, POLLIN, 0});
        }
      }
      constexpr int kLookAgainMs = 5;
      if (::poll(ready.data(), ready.size(), kLookAgainMs) <= 0) continue;
      const std::scoped_lock lock(mutex_);
      const auto speaks = [&](int fd) {
        for (const pollfd& each : ready) {
          if (each.fd == fd && each.revents != 0) return true;
        }
        return false;
      };
      for (Pair& pair : pairs_) {
        if (pair.held) continue;
        bool goes_on = !speaks(pair.client) || forward(pair.client, pair.server, lose_request_);
        if (goes_on && speaks(pair.server)) {
          goes_on = forward(pair.server, pair.client, lose_answer_);
        }
        if (!goes_on) pair.close();
      }
      pairs_.remove_if([](const Pair& pair) { return pair.client < 0; });
      if (ready.front().revents != 0) accept_one();
    }
  }

  sockaddr_in server_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> ends_{false};
  std::atomic<bool> lose_request_{false};
  std::atomic<bool> lose_answer_{false};
  std::atomic<bool> holds_new_{false};
  std::mutex mutex_;
  std::list<Pair> pairs_;  // guarded by mutex_
  std::array<char, 65536> buffer_{};
  std::thread thread_;
};

}  // namespace rtc::storage::test
