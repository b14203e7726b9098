// A fixed number of things that threads borrow, each for one use. Any thread.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace rtc::storage {

template <class T>
class Pool {
 public:
  // At least one, none of them null.
  explicit Pool(std::vector<std::unique_ptr<T>> all) : idle_(std::move(all)) {}

  // Runs `use` with one of its own; waits for one when all are out.
  template <class Function>
  auto with(Function use) {
    const Loan loan(*this);
    return use(*loan.item);
  }

 private:
  struct Loan {
    explicit Loan(Pool& from) : pool(from), item(from.borrow()) {}
    ~Loan() { pool.give_back(std::move(item)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    Pool& pool;
    std::unique_ptr<T> item;
  };

  std::unique_ptr<T> borrow() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !idle_.empty(); });
    auto item = std::move(idle_.back());
    idle_.pop_back();
    return item;
  }
  void give_back(std::unique_ptr<T> item) {
    {
      const std::lock_guard lock(mutex_);
      idle_.push_back(std::move(item));
    }
    returned_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<T>> idle_;  // under mutex_; room for all is there from the beginning
};

}  // namespace rtc::storage
