// A node under test: its relay, and what that told it.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "chat/relay.hpp"

namespace rtc::chat::test {

inline MessageBatch batch(const RoomId& room, MessageId first, std::size_t count = 1,
                          const std::string& text = "text") {
  auto made = std::make_shared<std::vector<Message>>();
  for (std::size_t i = 0; i < count; ++i) made->push_back({room, first + i, {}, text, 5});
  return made;
}

inline std::vector<MessageId> up_to(MessageId last) {
  std::vector<MessageId> ids;
  for (MessageId id = 1; id <= last; ++id) ids.push_back(id);
  return ids;
}

class Node {
 public:
  // Only a failing test waits for so long.
  static constexpr std::chrono::seconds kPatience{60};

  explicit Node(std::unique_ptr<Relay> relay) : relay_(std::move(relay)) {
    relay_->on_live(
        [this](const MessageBatch& messages) {
          const std::scoped_lock lock(mutex_);
          for (const Message& each : *messages) {
            EXPECT_TRUE(each.live);
            live_.push_back(each.id);
          }
          pieces_.push_back(messages->size());
          changed_.notify_all();
        },
        [this](const UserNews& news) {
          const std::scoped_lock lock(mutex_);
          news_.push_back(news.body);
          changed_.notify_all();
        });
    relay_->start(
        [this](const MessageBatch& messages) {
          const std::scoped_lock lock(mutex_);
          for (const Message& each : *messages) ids_.push_back(each.id);
          changed_.notify_all();
        },
        [this](const RoomId&) {
          const std::scoped_lock lock(mutex_);
          ++doubts_;
          changed_.notify_all();
        });
  }
  ~Node() { relay_->stop(); }  // its thread uses the others
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  Relay& relay() { return *relay_; }
  void wait(const std::function<bool()>& holds) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, kPatience, holds)) << "waited for too long";
  }
  void wait_for_doubts(std::size_t count) {
    wait([&] { return doubts_ >= count; });
  }
  void wait_for_ids(std::size_t count) {
    wait([&] { return ids_.size() >= count; });
  }
  void wait_for_id(MessageId id) {
    wait([&] { return std::find(ids_.begin(), ids_.end(), id) != ids_.end(); });
  }
  void wait_for_live(std::size_t count) {
    wait([&] { return live_.size() >= count; });
  }
  void wait_for_live_id(MessageId id) {
    wait([&] { return std::find(live_.begin(), live_.end(), id) != live_.end(); });
  }
  void wait_for_news(const std::string& last) {
    wait([&] { return !news_.empty() && news_.back() == last; });
  }
  // Figures tell nobody when they change.
  void wait_for_figures(const std::function<bool(const RelayFigures&)>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!holds(relay_->figures())) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited for too long";
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  void wait_until_connected() {
    wait_for_figures([](const RelayFigures& figures) { return figures.connected; });
  }
  void wait_until_lost() {
    wait_for_figures([](const RelayFigures& figures) { return !figures.connected; });
  }
  std::vector<MessageId> ids() {
    const std::scoped_lock lock(mutex_);
    return ids_;
  }
  std::vector<MessageId> live() {
    const std::scoped_lock lock(mutex_);
    return live_;
  }
  std::vector<std::size_t> pieces() {
    const std::scoped_lock lock(mutex_);
    return pieces_;
  }
  std::vector<std::string> news() {
    const std::scoped_lock lock(mutex_);
    return news_;
  }
  std::size_t doubts() {
    const std::scoped_lock lock(mutex_);
    return doubts_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<MessageId> ids_;
  std::vector<MessageId> live_;
  std::vector<std::size_t> pieces_;  // messages of each call of what is live
  std::vector<std::string> news_;
  std::size_t doubts_ = 0;
  std::unique_ptr<Relay> relay_;
};

}  // namespace rtc::chat::test
