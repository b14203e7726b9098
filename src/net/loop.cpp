#include "net/loop.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/eventfd.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/grow_gently.hpp"
#include "net/connection.hpp"
#include "net/post_together.hpp"

namespace rtc::net {
namespace {

// Parts of one gathered write: enough that the cost of the call disappears, and well under the
// kernel's 1,024.
constexpr std::size_t kPartsPerWrite = 64;
// Connections written by one Poller::write call.
constexpr std::size_t kWritesPerBatch = 256;

thread_local const Loop* current_loop = nullptr;
thread_local PostTogether* together = nullptr;

}  // namespace

// An eventfd that wakes the loop from other threads.
class Loop::Wakeup final : public Source {
 public:
  explicit Wakeup(Poller& poller) : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    poller.add(fd_, {.read = true}, static_cast<Source*>(this));
  }
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  ~Wakeup() { ::close(fd_); }

  void on_ready(bool /*readable*/, bool /*writable*/) override {
    std::uint64_t count = 0;
    while (::read(fd_, &count, sizeof count) < 0 && errno == EINTR) {
    }
  }
  void wake() const {
    const std::uint64_t one = 1;
    while (::write(fd_, &one, sizeof one) < 0 && errno == EINTR) {
    }
  }

 private:
  int fd_;
};

Loop::Loop(std::unique_ptr<Poller> poller, std::uint64_t slow_turn_ms)
    : poller_(std::move(poller)),
      slow_turn_us_(slow_turn_ms * 1000),
      now_ms_(monotonic_us() / 1000),
      timers_(now_ms_),
      read_buffer_(std::make_unique<char[]>(kReadBufferBytes)),
      write_parts_(kWritesPerBatch * kPartsPerWrite),
      wakeup_(std::make_unique<Wakeup>(*poller_)) {
  write_batch_.reserve(kWritesPerBatch);
}

Loop::~Loop() = default;

bool Loop::in_loop_thread() const {
  return current_loop == this;
}

void Loop::post(Task task) {
  bool first = false;
  {
    const std::scoped_lock lock(posted_mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (!first) return;  // a loop with posted tasks has been woken already, or will be
  if (together != nullptr) {
    together->to_wake_.push_back(this);
  } else {
    wake();
  }
}

void Loop::wake() const {
  wakeup_->wake();
}

PostTogether::PostTogether() {
  together = this;
}

PostTogether::~PostTogether() {
  together = nullptr;
  for (const Loop* loop : to_wake_) loop->wake();
}

void Loop::stop() {
  post([this] { stopping_ = true; });
}

// A function of its own in any build: bench/instructions.mjs knows the thread by it.
[[gnu::noinline]] void Loop::run() {
  current_loop = this;
  while (!stopping_) {
    // Connections that ended while writing are buried at once, in a turn of their own.
    const auto ready = poller_->wait(ended_.empty() ? timers_.sleep_ms(now_ms_) : 0);
    const std::uint64_t began_us = monotonic_us();
    const std::uint64_t writes = figures_.writes.load(std::memory_order_relaxed);
    now_ms_ = began_us / 1000;
    timers_.set_time(now_ms_);
    for (const Ready& event : ready) {
      static_cast<Source*>(event.token)->on_ready(event.readable, event.writable);
    }
    const std::size_t tasks = run_posted();
    timers_.advance(now_ms_);
    bury_ended();
    for (const auto& hook : turn_end_hooks_) hook();
    flush_writers();

    const std::uint64_t ended_us = monotonic_us();
    measure({began_us, ended_us, ready.size(), tasks,
             figures_.writes.load(std::memory_order_relaxed) - writes});
    now_ms_ = ended_us / 1000;  // the next sleep is counted from here
  }
  writers_.clear();
  for (const auto& connection : connections_) {
    connection->in_writers_ = false;
    connection->abort();
  }
  bury_ended();
  current_loop = nullptr;
}

void Loop::measure(const Turn& turn) {
  const std::uint64_t took_us = turn.ended_us - turn.began_us;
  figures_.turns.fetch_add(1, std::memory_order_relaxed);
  figures_.busy_us.fetch_add(took_us, std::memory_order_relaxed);
  figures_.turn_us.add(took_us);
  figures_.queued_bytes.store(outbox_storage_.bytes(), std::memory_order_relaxed);
  for (const std::uint64_t since_us : lags_since_us_) figures_.lag_us.add(turn.ended_us - since_us);
  lags_since_us_.clear();
  if (took_us > figures_.longest_turn_us.load(std::memory_order_relaxed)) {
    figures_.longest_turn_us.store(took_us, std::memory_order_relaxed);
  }
  if (took_us <= slow_turn_us_) return;
  figures_.slow_turns.fetch_add(1, std::memory_order_relaxed);
  if (const std::uint64_t count = slow_lines_.take(); count > 0) {
    log::warn("loop: a turn of {} ms: {} connections ready, {} tasks, {} writes ({} slow turns)",
              took_us / 1000, turn.ready, turn.tasks, turn.writes, count);
  }
}

std::size_t Loop::run_posted() {
  {
    const std::scoped_lock lock(posted_mutex_);
    running_.swap(posted_);
  }
  for (Task& task : running_) task();
  const std::size_t count = running_.size();
  running_.clear();
  return count;
}

void Loop::flush_writers() {
  std::size_t next = 0;
  std::uint64_t bytes = 0;
  std::uint64_t singles = 0;
  while (next < writers_.size()) {
    write_batch_.clear();
    writing_.clear();
    for (; next < writers_.size() && write_batch_.size() < kWritesPerBatch; ++next) {
      Connection* const writer = writers_[next];
      iovec* const parts = write_parts_.data() + write_batch_.size() * kPartsPerWrite;
      const std::size_t count = writer->gather({parts, kPartsPerWrite});
      if (count == 0) continue;
      // Most have one: those are counted together.
      if (count == 1) {
        ++singles;
      } else {
        figures_.write_segments.add(count);
      }
      write_batch_.push_back({writer->fd(), parts, static_cast<std::uint32_t>(count), 0});
      writing_.push_back(writer);
    }
    poller_->write(write_batch_);
    for (std::size_t i = 0; i < write_batch_.size(); ++i) {
      if (write_batch_[i].result > 0) bytes += static_cast<std::uint64_t>(write_batch_[i].result);
      // One with more left than a write carries wants to write again: appended to writers_.
      writing_[i]->on_written(write_batch_[i].result);
    }
    figures_.writes.fetch_add(write_batch_.size(), std::memory_order_relaxed);
  }
  figures_.write_segments.add(1, singles);
  figures_.bytes_written.fetch_add(bytes, std::memory_order_relaxed);
  writers_.clear();
}

void Loop::adopt(std::unique_ptr<Connection> connection) {
  connection->index_in_loop_ = static_cast<std::uint32_t>(connections_.size());
  poller_->add(connection->fd(), {.read = true}, static_cast<Source*>(connection.get()));
  grow_gently(connections_);
  connections_.push_back(std::move(connection));
}

void Loop::bury_ended() {
  // Telling a handler that its connection ended may end others, which are appended. One that still
  // stands among the writers waits for the next turn.
  std::vector<Connection*> waiting;
  for (std::size_t i = 0; i < ended_.size(); ++i) {
    Connection& connection = *ended_[i];
    if (connection.in_writers_) {
      waiting.push_back(&connection);
      continue;
    }
    connection.on_burial();
    const std::uint32_t index = connection.index_in_loop_;
    connections_.back()->index_in_loop_ = index;
    std::swap(connections_[index], connections_.back());
    connections_.pop_back();
  }
  ended_ = std::move(waiting);
  replaced_handlers_.clear();
}

void Loop::bury_later(std::unique_ptr<ConnectionHandler> handler) {
  replaced_handlers_.push_back(std::move(handler));
}

}  // namespace rtc::net
