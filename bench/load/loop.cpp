#include "loop.hpp"

#include <algorithm>
#include <array>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.hpp"
#include "options.hpp"

namespace load {
namespace {

constexpr std::size_t kReadBytes = 256 << 10;
constexpr std::size_t kEventsMax = 256;

}  // namespace

Loop::Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), buffer_(kReadBytes) {
  if (epoll_ < 0) throw CannotRun("epoll_create1 failed");
}
Loop::~Loop() {
  ::close(epoll_);
}

void Loop::add(int fd, Endpoint& endpoint) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &endpoint;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) throw CannotRun("epoll_ctl failed");
}

void Loop::watch(int fd, Endpoint& endpoint, bool readable, bool writable) {
  epoll_event event{};
  event.events = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U);
  event.data.ptr = &endpoint;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void Loop::turn(std::int64_t wait_ns) {
  flush();  // what was written between the turns
  wait_ns = std::max<std::int64_t>(wait_ns, 0);
  const timespec wait{wait_ns / kSecond, wait_ns % kSecond};
  std::array<epoll_event, kEventsMax> events{};
  const int count = ::epoll_pwait2(epoll_, events.data(), kEventsMax, &wait, nullptr);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    auto& endpoint = *static_cast<Endpoint*>(event.data.ptr);
    if ((event.events & EPOLLOUT) != 0) endpoint.flush();
    if ((event.events & ~static_cast<unsigned>(EPOLLOUT)) != 0) endpoint.on_readable();
  }
  flush();
}

void Loop::flush() {
  for (std::size_t i = 0; i < writers_.size(); ++i) writers_[i]->flush();
  writers_.clear();
}

}  // namespace load
