// The client's one event loop: level-triggered epoll, one read buffer for all endpoints, and what a
// turn has written leaves in one send per endpoint at its end.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace load {

// Who owns a socket. Called from within a turn, perhaps once more after it closed the socket.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual void on_readable() = 0;
  virtual void flush() = 0;
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void add(int fd, Endpoint& endpoint);
  void watch(int fd, Endpoint& endpoint, bool readable, bool writable);
  // It flushes at the end of this turn, and must live until then.
  void want_flush(Endpoint& endpoint) { writers_.push_back(&endpoint); }
  std::span<char> read_buffer() { return buffer_; }

  // Serves what is ready, after waiting for it up to `wait_ns`.
  void turn(std::int64_t wait_ns);

 private:
  void flush();

  int epoll_;
  std::vector<char> buffer_;
  std::vector<Endpoint*> writers_;
};

}  // namespace load
