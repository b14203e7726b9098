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
  std::vector<MessageId> ids;
  ids.reserve(drafts.size());
  Wakes wakes;
  wakes.reserve(boxes_.size());
  count(drafts.size());
  live_messages_.fetch_add(drafts.size(), std::memory_order_relaxed);
  const std::uint64_t now_us = monotonic_us();
  {
    const std::scoped_lock lock(mutex_);
    for (Message& message : *messages) ids.push_back(message.id = ++newest_[message.room]);
    put({messages, now_us}, by, wakes);
  }
  for (const auto* wake : wakes) (*wake)();
  return ids;
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
