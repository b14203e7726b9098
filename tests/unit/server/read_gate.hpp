// Holds a store's reads up, so that a test decides when they are answered.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>

#include "chat/store_queue.hpp"

namespace rtc::server::test {

// Stops the store's one reading thread between what was asked before a mark and what was asked
// after it, so that answers come when the test says so.
class ReadGate {
 public:
  explicit ReadGate(chat::StoreQueue& queue) : queue_(queue) {
    mark();
    wait_at(1);
  }
  ~ReadGate() {
    const std::scoped_lock lock(state_->mutex);
    state_->open = UINT64_MAX;
    state_->changed.notify_all();
  }
  ReadGate(const ReadGate&) = delete;
  ReadGate& operator=(const ReadGate&) = delete;

  void mark() {
    ASSERT_TRUE(queue_.read([state = state_, number = ++marks_] {
      std::unique_lock lock(state->mutex);
      state->reached = number;
      state->changed.notify_all();
      state->changed.wait(lock, [&] { return state->open >= number; });
    }));
  }
  std::uint64_t marks() const { return marks_; }
  std::uint64_t waiting() const { return marks_ - 1 - opened_; }
  // Returns when all that was asked before the next mark is answered.
  void let_through() {
    {
      const std::scoped_lock lock(state_->mutex);
      state_->open = ++opened_;
      state_->changed.notify_all();
    }
    wait_at(opened_ + 1);
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::uint64_t reached = 0;  // the mark at which the thread stands, or the last one it passed
    std::uint64_t open = 0;     // the last one that it may pass
  };
  void wait_at(std::uint64_t number) {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [&] { return state_->reached >= number; });
  }

  chat::StoreQueue& queue_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
  std::uint64_t marks_ = 0;
  std::uint64_t opened_ = 0;
};

}  // namespace rtc::server::test
