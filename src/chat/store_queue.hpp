// Runs the stores on threads of their own: one that writes (many messages a commit), some that
// read.
//
// Event loops hand work in and never wait; answers come back through callbacks on these threads.
// What is committed, and how each submission ended, is told from the writing thread, in the order
// of commits. Live drafts come here only in one unit with some that are stored: they are given to
// the fan-out once those are.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "chat/fanout.hpp"
#include "chat/message_store.hpp"
#include "chat/relay.hpp"
#include "chat/room_store.hpp"
#include "chat/store_health.hpp"

namespace rtc::chat {

// Where an answer goes; opaque here.
struct ReplyTo {
  std::uint32_t loop = 0;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  std::uint32_t request = 0;
};

struct Submission {
  Draft draft;
  ReplyTo reply;
  // The next submission belongs to the same unit: they lie in one commit and are stored all or
  // none, whatever becomes of the others in that commit.
  bool more = false;
};

// How one submission ended.
struct Outcome {
  ReplyTo reply;
  // 0: neither stored nor, if it is live, given to readers, because of `error`; a retry's is the
  // first try's.
  MessageId id = 0;
  Error error;

  bool stored() const { return id != 0; }
};

struct StoreQueueBounds {
  std::size_t messages_max = 65536;           // accepted and not yet committed
  std::size_t batch_max = 1024;               // messages of one commit; one unit always fits
  std::size_t batch_bytes_max = 1 << 20;      // about: texts of one commit; one unit always fits
  std::size_t reads_max = 4096;               // reads that wait
  unsigned readers = 2;                       // reading threads
  std::int64_t key_lifetime_ms = 86'400'000;  // how long a message-key is remembered, at least
};

// Read by any thread (metrics).
struct StoreFigures {
  std::atomic<std::uint64_t> messages{0};
  std::atomic<std::uint64_t> repeats{0};  // retries of messages stored before
  std::atomic<std::uint64_t> commits{0};
  std::atomic<std::uint64_t> failures{0};  // messages whose commit failed
  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::uint64_t> refused{0};  // messages and reads turned away by a bound
};

class StoreQueue {
 public:
  // Of each commit: the messages that are stored now, and how its submissions ended.
  using OnCommit = std::function<void(const MessageBatch&, std::vector<Outcome>)>;
  using Job = std::function<void()>;

  // The store and the fan-out outlive the queue. Threads start at once.
  StoreQueue(MessageStore& messages, Fanout& fanout, const StoreQueueBounds& bounds,
             OnCommit on_commit);
  ~StoreQueue();  // drain() first, or what waits is lost
  StoreQueue(const StoreQueue&) = delete;
  StoreQueue& operator=(const StoreQueue&) = delete;

  // Any thread. Places for so many messages, to be filled by submit(); false, and no place is
  // taken, beyond messages_max.
  bool reserve(std::size_t count = 1);
  // Any thread. Takes the submissions, each under a place reserved before, units whole; leaves
  // `batch` empty. Every one gets exactly one Outcome, those of one caller in order, those of one
  // unit in one call.
  void submit(std::vector<Submission>& batch);
  // Any thread. Runs `job` on a reading thread, or between two commits on the writing one; false
  // (and the job is dropped) beyond reads_max.
  bool read(Job job);
  bool write(Job job);

  // Commits and answers all that was taken, then ends the threads. No call may come after it.
  void drain();

  const StoreFigures& figures() const { return figures_; }
  StoreHealth& health() { return health_; }  // jobs report their own failures to it
  std::size_t messages_waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  void write_loop();
  void read_loop();
  void commit(std::vector<Submission>& batch);
  void forget_old_keys();
  std::vector<MessageId> publish_live(std::span<Submission> batch);  // those that are live
  // Commits batch[from, to), whole units, as one batch; outcomes and messages are appended.
  void append(std::vector<Submission>& batch, std::size_t from, std::size_t to,
              std::vector<Outcome>& outcomes, std::vector<Message>& committed);

  MessageStore& store_;
  Fanout& fanout_;
  StoreQueueBounds bounds_;
  OnCommit on_commit_;
  StoreFigures figures_;
  StoreHealth health_;
  std::chrono::steady_clock::time_point next_forgetting_{};  // of the writing thread
  std::atomic<std::size_t> waiting_{0};

  std::mutex write_mutex_;
  std::condition_variable write_ready_;
  std::vector<Submission> submitted_;  // guarded by write_mutex_, as the next two
  std::vector<Job> write_jobs_;
  bool write_ends_ = false;

  std::mutex read_mutex_;
  std::condition_variable read_ready_;
  std::deque<Job> read_jobs_;  // guarded by read_mutex_, as the next
  bool read_ends_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace rtc::chat
