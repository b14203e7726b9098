// A connection on its way from one loop to another (Connection::detach). One thread at a time.
#pragma once

#include <string>
#include <unistd.h>
#include <utility>

#include "net/address.hpp"

namespace rtc::net {

// Its socket, what came and was not handled, what was to be sent and is not. The socket is closed
// unless somebody took it.
class DetachedConnection {
 public:
  DetachedConnection(int fd, const IpAddress& peer) : fd_(fd), peer_(peer) {}
  DetachedConnection(const DetachedConnection&) = delete;
  DetachedConnection& operator=(const DetachedConnection&) = delete;
  ~DetachedConnection() {
    if (fd_ >= 0) ::close(fd_);
  }

  int take_fd() { return std::exchange(fd_, -1); }
  const IpAddress& peer() const { return peer_; }

  std::string input;
  std::string output;

 private:
  int fd_;
  IpAddress peer_;
};

}  // namespace rtc::net
