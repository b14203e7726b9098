// The kernel's side of a loop, small enough to have more than one back end (there is epoll; why not
// io_uring: docs/adr/0016): which descriptors are ready, and the writes of a whole turn in one
// call.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <sys/types.h>
#include <sys/uio.h>

namespace rtc::net {

struct Interest {
  bool read = false;
  bool write = false;
};

struct Ready {
  void* token = nullptr;
  bool readable = false;  // also set by a hang-up or an error: reading then tells which
  bool writable = false;
};

struct Write {
  int fd = -1;
  const iovec* parts = nullptr;
  std::uint32_t part_count = 0;
  ssize_t result = 0;  // out: bytes written, or the negated errno
};

class Poller {
 public:
  virtual ~Poller() = default;

  virtual void add(int fd, Interest interest, void* token) = 0;
  virtual void change(int fd, Interest interest, void* token) = 0;
  virtual void remove(int fd) = 0;
  // Waits at most `timeout_ms` (-1: for ever). What it returns is valid until the next call.
  virtual std::span<const Ready> wait(int timeout_ms) = 0;
  // Writes without blocking, every one; each gets its result.
  virtual void write(std::span<Write> writes) = 0;
};

std::unique_ptr<Poller> make_epoll_poller();

}  // namespace rtc::net
