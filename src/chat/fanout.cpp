#include "chat/fanout.hpp"

#include <utility>

#include "base/clock.hpp"

namespace rtc::chat {
namespace {

std::string random_epoch() {
  std::string text = Uuid::random().to_string();
  std::erase(text, '-');
  return text.substr(text.size() - 16);
}

}  // namespace

Fanout::Fanout() : live_epoch_(random_epoch()) {}

void Fanout::attach(std::uint32_t loop, std::function<void()> wake) {
  if (boxes_.size() <= loop) boxes_.resize(loop + 1);
  boxes_[loop].wake = std::move(wake);
}

void Fanout::put(const Published& published, std::uint32_t by, Wakes& wakes) {
  for (std::uint32_t loop = 0; loop < boxes_.size(); ++loop) {
    Box& box = boxes_[loop];
    // Who has something in his box has been woken for it.
    if (box.batches.empty() && loop != by) wakes.push_back(&box.wake);
    box.batches.push_back(published);
  }
}

void Fanout::count(std::size_t messages) {
  undelivered_.fetch_add(static_cast<std::int64_t>(messages * boxes_.size()),
                         std::memory_order_relaxed);
}

void Fanout::publish(const MessageBatch& batch) {
  Wakes wakes;
  wakes.reserve(boxes_.size());
  count(batch->size());
  const Published published{batch, monotonic_us()};
  {
    const std::scoped_lock lock(mutex_);
    put(published, kNoLoop, wakes);
  }
  for (const auto* wake : wakes) (*wake)();
}

std::vector<MessageId> Fanout::publish_live(std::span<Draft> drafts, std::uint32_t by) {
  auto messages = std::make_shared<std::vector<Message>>();
  messages->reserve(drafts.size());
  for (Draft& draft : drafts) {
    messages->push_back(
        {draft.room, 0, std::move(draft.sender), std::move(draft.text), draft.created_at_ms, true});
  }
  live_messages_.fetch_add(drafts.size(), std::memory_order_relaxed);
  std::vector<MessageId> ids = put_live(std::move(messages), by, true);
  if (live_published_) live_published_();
  return ids;
}

std::vector<MessageId> Fanout::put_live(std::shared_ptr<std::vector<Message>> messages,
                                        std::uint32_t by, bool own) {
  std::vector<MessageId> ids;
  ids.reserve(messages->size());
  Wakes wakes;
  wakes.reserve(boxes_.size());
  count(messages->size());
  const std::uint64_t now_us = monotonic_us();
  {
    const std::scoped_lock lock(mutex_);
    for (Message& message : *messages) ids.push_back(message.id = ++newest_[message.room]);
    if (own && live_published_) kept_live_.push_back(messages);
    put({std::move(messages), now_us}, by, wakes);
  }
  for (const auto* wake : wakes) (*wake)();
  return ids;
}

void Fanout::keep_live(std::function<void()> published) {
  live_published_ = std::move(published);
}

std::vector<MessageBatch> Fanout::collect_live() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(kept_live_, {});
}

void Fanout::take_live(const std::vector<Message>& messages) {
  put_live(std::make_shared<std::vector<Message>>(messages), kNoLoop, false);
}

void Fanout::leave_out(const RoomId& room) {
  const std::scoped_lock lock(mutex_);
  if (const auto found = newest_.find(room); found != newest_.end()) ++found->second;
}

std::vector<Fanout::Published> Fanout::collect(std::uint32_t loop) {
  const std::scoped_lock lock(mutex_);
  return std::exchange(boxes_[loop].batches, {});
}

MessageId Fanout::newest(const RoomId& room) const {
  const std::scoped_lock lock(mutex_);
  const auto found = newest_.find(room);
  return found == newest_.end() ? 0 : found->second;
}

}  // namespace rtc::chat
