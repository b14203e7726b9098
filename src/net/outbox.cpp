#include "net/outbox.hpp"

#include <algorithm>

namespace rtc::net {

std::vector<Bytes> OutboxStorage::take() {
  if (spares_.empty()) return {};
  std::vector<Bytes> segments = std::move(spares_.back());
  spares_.pop_back();
  return segments;
}

void OutboxStorage::give_back(std::vector<Bytes>&& segments) {
  segments.clear();
  if (segments.capacity() <= kSpareSegmentsMax && spares_.size() < kSparesMax) {
    spares_.push_back(std::move(segments));
  } else {
    std::vector<Bytes>().swap(segments);
  }
}

void Outbox::push(Bytes segment, OutboxStorage& storage) {
  if (segment.size() == 0) return;
  if (segments_.capacity() == 0) segments_ = storage.take();
  if (head_ > 0 && segments_.size() == segments_.capacity()) {
    // Reuse the room of what is written rather than grow under a slow reader.
    segments_.erase(segments_.begin(), segments_.begin() + head_);
    head_ = 0;
  }
  bytes_ += segment.size();
  segments_.push_back(std::move(segment));
}

std::size_t Outbox::gather(std::span<iovec> parts) const {
  std::size_t count = 0;
  std::size_t offset = head_offset_;
  for (std::size_t i = head_; i < segments_.size() && count < parts.size(); ++i) {
    const std::string_view rest = segments_[i].view().substr(offset);
    offset = 0;
    parts[count++] = {const_cast<char*>(rest.data()), rest.size()};  // writev only reads
  }
  return count;
}

void Outbox::consume(std::size_t written, OutboxStorage& storage) {
  bytes_ -= std::min(written, bytes_);
  if (bytes_ == 0) {
    clear(storage);
    return;
  }
  while (written > 0) {
    const std::size_t rest = segments_[head_].size() - head_offset_;
    if (written < rest) {
      head_offset_ += static_cast<std::uint32_t>(written);
      return;
    }
    written -= rest;
    segments_[head_++] = Bytes();
    head_offset_ = 0;
  }
}

void Outbox::drop_unbegun(OutboxStorage& storage) {
  if (head_offset_ == 0) {
    clear(storage);
    return;
  }
  segments_.resize(head_ + std::size_t{1});
  bytes_ = segments_[head_].size() - head_offset_;
}

void Outbox::clear(OutboxStorage& storage) {
  if (segments_.capacity() > 0) storage.give_back(std::move(segments_));
  segments_ = {};
  head_ = 0;
  head_offset_ = 0;
  bytes_ = 0;
}

}  // namespace rtc::net
