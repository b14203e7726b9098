// An event loop: one thread that owns its connections, its timers and one read buffer.
//
// A turn: wait; hand each ready connection its bytes; run what other threads posted; fire timers;
// bury the connections that ended; call the turn-end hooks (the hub hands out what it encoded);
// write all that has something to write, one gathered write a connection. So the longer a turn, the
// more each write carries: under load the loop becomes cheaper by itself.
//
// Everything but post() and stop() is for the loop's own thread (the one in run()), or for before
// run() and after it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <sys/uio.h>
#include <vector>

#include "base/log.hpp"
#include "net/loop_figures.hpp"
#include "net/outbox.hpp"
#include "net/poller.hpp"
#include "net/timer_wheel.hpp"

namespace rtc::net {

class Connection;
class ConnectionHandler;

// What every connection of a loop is held to.
struct ConnectionBounds {
  std::size_t outbox_bytes_max = 1 << 20;
  std::uint64_t outbox_time_ms_max = 30'000;  // stream: since it was empty; response: since a write
  std::uint64_t close_timeout_ms = 5000;
};

// Anything with a descriptor that the loop watches.
class Source {
 public:
  virtual void on_ready(bool readable, bool writable) = 0;

 protected:
  ~Source() = default;
};

class Loop {
 public:
  using Task = std::function<void()>;
  static constexpr std::size_t kReadBufferBytes = 64 << 10;

  static constexpr std::uint64_t kSlowTurnMs = 100;

  // Turns over `slow_turn_ms` are counted, and logged with what they did.
  explicit Loop(std::unique_ptr<Poller> poller, std::uint64_t slow_turn_ms = kSlowTurnMs);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // Turns until stop(); then buries every connection.
  void run();

  // Any thread. Tasks run in the order posted, on the loop's thread. The callers bound how many
  // they post.
  void post(Task task);
  void stop();

  bool in_loop_thread() const;
  std::uint64_t now_ms() const { return now_ms_; }  // monotonic, as of this turn's beginning
  TimerWheel& timers() { return timers_; }
  const ConnectionBounds& bounds() const { return bounds_; }
  void set_bounds(const ConnectionBounds& bounds) { bounds_ = bounds; }
  Poller& poller() { return *poller_; }
  Outbox::Storage& outbox_storage() { return outbox_storage_; }
  std::span<char> read_buffer() { return {read_buffer_.get(), kReadBufferBytes}; }
  LoopFigures& figures() { return figures_; }

  // Called before the writes of every turn, in the order added; for as long as the loop lives.
  void add_turn_end(std::function<void()> hook) { turn_end_hooks_.push_back(std::move(hook)); }

  // Something that began at `since_us` (monotonic_us()) is over when this turn's writes are: the
  // time between them counts as LoopFigures::lag_us.
  void note_lag(std::uint64_t since_us) { lags_since_us_.push_back(since_us); }

  // Takes `connection` in, under a handler that it already has.
  void adopt(std::unique_ptr<Connection> connection);
  std::size_t connection_count() const { return connections_.size(); }
  const std::vector<std::unique_ptr<Connection>>& connections() const { return connections_; }

  // For Connection: write at this turn's end; bury at this turn's end.
  void want_write(Connection& connection) { writers_.push_back(&connection); }
  void want_burial(Connection& connection) { ended_.push_back(&connection); }
  void bury_later(std::unique_ptr<ConnectionHandler> handler);

 private:
  class Wakeup;
  friend class PostTogether;

  void wake() const;
  std::size_t run_posted();  // how many
  void flush_writers();
  void bury_ended();
  struct Turn {
    std::uint64_t began_us;
    std::uint64_t ended_us;
    std::size_t ready;  // connections
    std::size_t tasks;
    std::uint64_t writes;
  };
  void measure(const Turn& turn);

  std::unique_ptr<Poller> poller_;
  ConnectionBounds bounds_;
  std::uint64_t slow_turn_us_;
  std::uint64_t now_ms_;
  TimerWheel timers_;
  Outbox::Storage outbox_storage_;
  std::unique_ptr<char[]> read_buffer_;
  LoopFigures figures_;
  log::Throttle slow_lines_;
  std::vector<std::function<void()>> turn_end_hooks_;
  std::vector<std::uint64_t> lags_since_us_;  // of this turn

  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> writers_;
  std::vector<Connection*> ended_;
  std::vector<std::unique_ptr<ConnectionHandler>> replaced_handlers_;
  std::vector<Write> write_batch_;
  std::vector<Connection*> writing_;  // the owners of write_batch_
  std::vector<iovec> write_parts_;

  std::unique_ptr<Wakeup> wakeup_;
  std::mutex posted_mutex_;
  std::vector<Task> posted_;  // guarded by posted_mutex_
  std::vector<Task> running_;
  bool stopping_ = false;
};

}  // namespace rtc::net
