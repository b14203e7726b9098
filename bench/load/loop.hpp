// The client's one event loop: level-triggered epoll, one read buffer for all sessions, and what a
// turn has written leaves in one send per session at its end.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace load {

class Session;

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void add(int fd, Session& session);
  void watch(int fd, Session& session, bool readable, bool writable);
  // The session flushes at the end of this turn. It must live until then.
  void want_flush(Session& session) { writers_.push_back(&session); }
  std::span<char> read_buffer() { return buffer_; }

  // Serves what is ready, after waiting for it up to `wait_ns`.
  void turn(std::int64_t wait_ns);

 private:
  void flush();

  int epoll_;
  std::vector<char> buffer_;
  std::vector<Session*> writers_;
};

}  // namespace load
