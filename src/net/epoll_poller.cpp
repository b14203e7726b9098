// Level-triggered epoll.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

#include "net/poller.hpp"

namespace rtc::net {
namespace {

class EpollPoller final : public Poller {
 public:
  EpollPoller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  }
  EpollPoller(const EpollPoller&) = delete;
  EpollPoller& operator=(const EpollPoller&) = delete;
  ~EpollPoller() override { ::close(epoll_); }

  void add(int fd, Interest interest, void* token) override {
    control(EPOLL_CTL_ADD, fd, interest, token);
  }
  void change(int fd, Interest interest, void* token) override {
    control(EPOLL_CTL_MOD, fd, interest, token);
  }
  void remove(int fd) override { control(EPOLL_CTL_DEL, fd, {}, nullptr); }

  std::span<const Ready> wait(int timeout_ms) override {
    const int count =
        ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
    std::size_t n = 0;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events_[static_cast<std::size_t>(i)];
      const bool broken = (event.events & (EPOLLHUP | EPOLLERR)) != 0;
      ready_[n++] = {event.data.ptr, broken || (event.events & EPOLLIN) != 0,
                     (event.events & EPOLLOUT) != 0};
    }
    return {ready_.data(), n};  // a signal (EINTR) is a turn without events
  }

  void write(std::span<Write> writes) override {
    for (Write& write : writes) {
      do {
        write.result = send(write);
      } while (write.result < 0 && errno == EINTR);
      if (write.result < 0) write.result = -errno;
    }
  }

 private:
  static ssize_t send(const Write& write) {
    constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
    // As nearly always. The kernel has neither header nor array to copy in first.
    if (write.part_count == 1) {
      return ::send(write.fd, write.parts->iov_base, write.parts->iov_len, kFlags);
    }
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(write.parts);  // sendmsg only reads them
    message.msg_iovlen = write.part_count;
    return ::sendmsg(write.fd, &message, kFlags);
  }

  void control(int operation, int fd, Interest interest, void* token) const {
    epoll_event event{};
    if (interest.read) event.events |= EPOLLIN;
    if (interest.write) event.events |= EPOLLOUT;
    event.data.ptr = token;
    // Every descriptor given is open and known: anything else is a bug of ours.
    if (::epoll_ctl(epoll_, operation, fd, &event) != 0) std::abort();
  }

  int epoll_;
  std::array<epoll_event, 1024> events_{};
  std::array<Ready, 1024> ready_{};
};

}  // namespace

std::unique_ptr<Poller> make_epoll_poller() {
  return std::make_unique<EpollPoller>();
}

}  // namespace rtc::net
