#include "chat/store_queue.hpp"

#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/thread_name.hpp"

namespace rtc::chat {
namespace {

// Where the unit that begins at `from` ends.
std::size_t unit_end(const std::vector<Submission>& batch, std::size_t from) {
  while (batch[from].more) ++from;
  return from + 1;
}

// Whether append() failed for one draft's sake, so that the others are worth another try.
bool is_of_one_room(ErrorCode code) {
  return code == ErrorCode::not_found_chatroom || code == ErrorCode::forbidden_action;
}

}  // namespace

StoreQueue::StoreQueue(MessageStore& messages, Fanout& fanout, const StoreQueueBounds& bounds,
                       OnCommit on_commit)
    : store_(messages), fanout_(fanout), bounds_(bounds), on_commit_(std::move(on_commit)) {
  threads_.emplace_back([this] {
    name_this_thread("store-write");
    write_loop();
  });
  for (unsigned i = 0; i < bounds_.readers; ++i) {
    threads_.emplace_back([this, i] {
      name_this_thread("store-read-" + std::to_string(i));
      read_loop();
    });
  }
}

StoreQueue::~StoreQueue() {
  drain();
}

bool StoreQueue::reserve(std::size_t count) {
  const std::size_t before = waiting_.fetch_add(count, std::memory_order_relaxed);
  if (before + count <= bounds_.messages_max) return true;
  waiting_.fetch_sub(count, std::memory_order_relaxed);
  figures_.refused.fetch_add(count, std::memory_order_relaxed);
  return false;
}

void StoreQueue::submit(std::vector<Submission>& batch) {
  {
    const std::scoped_lock lock(write_mutex_);
    std::move(batch.begin(), batch.end(), std::back_inserter(submitted_));
  }
  batch.clear();
  write_ready_.notify_one();
}

bool StoreQueue::write(Job job) {
  {
    const std::scoped_lock lock(write_mutex_);
    if (write_jobs_.size() >= bounds_.reads_max) {
      figures_.refused.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    write_jobs_.push_back(std::move(job));
  }
  write_ready_.notify_one();
  return true;
}

bool StoreQueue::read(Job job) {
  {
    const std::scoped_lock lock(read_mutex_);
    if (read_jobs_.size() >= bounds_.reads_max) {
      figures_.refused.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    read_jobs_.push_back(std::move(job));
  }
  read_ready_.notify_one();
  return true;
}

void StoreQueue::drain() {
  {
    const std::scoped_lock lock(write_mutex_, read_mutex_);
    write_ends_ = true;
    read_ends_ = true;
  }
  write_ready_.notify_all();
  read_ready_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

// A function of its own in any build: bench/instructions.mjs knows the thread by it.
[[gnu::noinline]] void StoreQueue::write_loop() {
  std::vector<Submission> taken;
  std::vector<Job> jobs;
  while (true) {
    {
      std::unique_lock lock(write_mutex_);
      write_ready_.wait(
          lock, [this] { return write_ends_ || !submitted_.empty() || !write_jobs_.empty(); });
      if (submitted_.empty() && write_jobs_.empty()) return;
      // Whatever came while the last commit ran goes into the next: the batch sizes itself.
      taken.swap(submitted_);
      jobs.swap(write_jobs_);
    }
    for (Job& job : jobs) job();
    jobs.clear();
    if (!taken.empty()) {
      commit(taken);
      forget_old_keys();
    }
    taken.clear();
  }
}

// A function of its own in any build: bench/instructions.mjs knows the thread by it.
[[gnu::noinline]] void StoreQueue::read_loop() {
  while (true) {
    Job job;
    {
      std::unique_lock lock(read_mutex_);
      read_ready_.wait(lock, [this] { return read_ends_ || !read_jobs_.empty(); });
      if (read_jobs_.empty()) return;
      job = std::move(read_jobs_.front());
      read_jobs_.pop_front();
    }
    job();
    figures_.reads.fetch_add(1, std::memory_order_relaxed);
  }
}

// A few at a time, between commits, so that no commit waits for long.
void StoreQueue::forget_old_keys() {
  constexpr std::uint32_t kAtOnce = 1000;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_forgetting_) return;
  const auto forgotten = store_.forget_keys(unix_ms() - bounds_.key_lifetime_ms, kAtOnce);
  if (!forgotten) log::warn("store: old message keys not removed: {}", forgotten.error().message);
  const bool more = forgotten && *forgotten == kAtOnce;
  next_forgetting_ = now + (more ? std::chrono::seconds(0) : std::chrono::seconds(60));
}

void StoreQueue::commit(std::vector<Submission>& batch) {
  std::size_t from = 0;
  while (from < batch.size()) {
    std::size_t to = from;
    std::size_t bytes = 0;
    while (to < batch.size()) {
      const std::size_t end = unit_end(batch, to);
      std::size_t more = 0;
      for (std::size_t i = to; i < end; ++i) more += batch[i].draft.text.size();
      const bool fits = end - from <= bounds_.batch_max && bytes + more <= bounds_.batch_bytes_max;
      if (to > from && !fits) break;
      bytes += more;
      to = end;
    }

    std::vector<Outcome> outcomes;
    auto committed = std::make_shared<std::vector<Message>>();
    append(batch, from, to, outcomes, *committed);
    waiting_.fetch_sub(to - from, std::memory_order_relaxed);
    on_commit_(committed, std::move(outcomes));
    from = to;
  }
}

std::vector<MessageId> StoreQueue::publish_live(std::span<Submission> batch) {
  std::vector<Draft> live;
  for (Submission& each : batch) {
    if (each.draft.live) live.push_back(std::move(each.draft));
  }
  if (live.empty()) return {};
  return fanout_.publish_live(live);
}

void StoreQueue::append(std::vector<Submission>& batch, std::size_t from, std::size_t to,
                        std::vector<Outcome>& outcomes, std::vector<Message>& committed) {
  const std::span<Submission> part = std::span(batch).subspan(from, to - from);
  std::vector<Draft> drafts;  // those to be stored
  drafts.reserve(part.size());
  for (Submission& each : part) {
    if (!each.draft.live) drafts.push_back(std::move(each.draft));
  }
  const auto stored = store_.append(drafts);
  if (stored) {
    figures_.commits.fetch_add(1, std::memory_order_relaxed);
    health_.commit_worked();
    const std::vector<MessageId> live_ids = publish_live(part);
    std::size_t next = 0;
    std::size_t next_live = 0;
    for (const Submission& each : part) {
      if (each.draft.live) {
        outcomes.push_back({each.reply, live_ids[next_live++], {}});
        continue;
      }
      const auto [id, repeated] = (*stored)[next];
      Draft& draft = drafts[next++];
      outcomes.push_back({each.reply, id, {}});
      if (repeated) {
        figures_.repeats.fetch_add(1, std::memory_order_relaxed);
        continue;
      }
      figures_.messages.fetch_add(1, std::memory_order_relaxed);
      committed.push_back(
          {draft.room, id, std::move(draft.sender), std::move(draft.text), draft.created_at_ms});
    }
    return;
  }
  if (unit_end(batch, from) < to && is_of_one_room(stored.error().code)) {
    // One draft for a room that is not there, or full, must not cost the others.
    std::size_t next = 0;
    for (Submission& each : part) {
      if (!each.draft.live) each.draft = std::move(drafts[next++]);
    }
    for (std::size_t i = from; i < to; i = unit_end(batch, i)) {
      append(batch, i, unit_end(batch, i), outcomes, committed);
    }
    return;
  }
  const bool of_one_room = is_of_one_room(stored.error().code);
  if (!of_one_room) health_.commit_failed(to - from, stored.error());
  figures_.failures.fetch_add(to - from, std::memory_order_relaxed);
  for (const Submission& each : part) {
    const std::string reason = of_one_room
                                   ? stored.error().message
                                   : "the message could not be stored; send it again in a while";
    outcomes.push_back({each.reply, 0, {stored.error().code, reason}});
  }
}

}  // namespace rtc::chat
