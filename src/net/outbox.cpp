#include "net/outbox.hpp"

#include <utility>

namespace rtc::net {

std::unique_ptr<Outbox::Queue> Outbox::Storage::take() {
  if (spares_.empty()) return std::make_unique<Queue>();
  std::unique_ptr<Queue> queue = std::move(spares_.back());
  spares_.pop_back();
  return queue;
}

void Outbox::Storage::give_back(std::unique_ptr<Queue> queue) {
  if (queue->segments.capacity() > kSpareSegmentsMax || spares_.size() >= kSparesMax) return;
  queue->segments.clear();
  queue->head = 0;
  queue->head_offset = 0;
  queue->bytes = 0;
  spares_.push_back(std::move(queue));
}

// Goes over to a queue.
Outbox::Queue& Outbox::queue(Storage& storage) {
  if (queue_ == nullptr) {
    queue_ = storage.take();
    queue_->bytes = only_.size();
    if (only_.size() > 0) queue_->segments.push_back(std::exchange(only_, {}));
  }
  return *queue_;
}

void Outbox::push(Bytes segment, Storage& storage) {
  if (segment.size() == 0) return;
  storage.bytes_ += segment.size();
  if (empty()) {
    only_ = std::move(segment);
    return;
  }
  Queue& queue = this->queue(storage);
  std::vector<Bytes>& segments = queue.segments;
  if (queue.head > 0 && segments.size() == segments.capacity()) {
    // Reuse the room of what is written rather than grow under a slow reader.
    segments.erase(segments.begin(), segments.begin() + queue.head);
    queue.head = 0;
  }
  queue.bytes += segment.size();
  segments.push_back(std::move(segment));
}

std::size_t Outbox::gather(std::span<iovec> parts) const {
  if (queue_ == nullptr) {
    if (only_.size() == 0 || parts.empty()) return 0;
    parts[0] = {const_cast<char*>(only_.data()), only_.size()};  // writev only reads
    return 1;
  }
  std::size_t count = 0;
  std::size_t offset = queue_->head_offset;
  for (std::size_t i = queue_->head; i < queue_->segments.size() && count < parts.size(); ++i) {
    const std::string_view rest = queue_->segments[i].view().substr(offset);
    offset = 0;
    parts[count++] = {const_cast<char*>(rest.data()), rest.size()};
  }
  return count;
}

void Outbox::consume(std::size_t written, Storage& storage) {
  const std::size_t waiting = bytes();
  if (written >= waiting) {
    storage.bytes_ -= waiting;
    only_ = {};
    if (queue_ != nullptr) storage.give_back(std::move(queue_));
    return;
  }
  if (written == 0) return;
  storage.bytes_ -= written;
  queue(storage);  // what is begun stands there
  queue_->bytes -= written;
  while (written > 0) {
    Bytes& first = queue_->segments[queue_->head];
    const std::size_t rest = first.size() - queue_->head_offset;
    if (written < rest) {
      queue_->head_offset += static_cast<std::uint32_t>(written);
      return;
    }
    written -= rest;
    first = Bytes();
    ++queue_->head;
    queue_->head_offset = 0;
  }
}

void Outbox::drop_unbegun(Storage& storage) {
  if (queue_ == nullptr || queue_->head_offset == 0) {
    clear(storage);
    return;
  }
  queue_->segments.resize(queue_->head + std::size_t{1});
  const std::size_t left = queue_->segments[queue_->head].size() - queue_->head_offset;
  storage.bytes_ -= queue_->bytes - left;
  queue_->bytes = left;
}

void Outbox::clear(Storage& storage) {
  consume(bytes(), storage);
}

}  // namespace rtc::net
