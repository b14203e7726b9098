// What one connection still has to write: shared segments, sent by gathered writes. One segment, as
// most turns bring, is held in place; more stand in a queue that comes from the loop's storage and
// goes back there, so an outbox owns no memory while it is empty. clear() before it dies. The
// loop's thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <sys/uio.h>
#include <vector>

#include "net/bytes.hpp"

namespace rtc::net {

class Outbox {
 public:
  class Storage;

  // The number of bytes queued is the caller's to bound, by bytes().
  void push(Bytes segment, Storage& storage);
  bool empty() const { return queue_ == nullptr && only_.size() == 0; }
  std::size_t bytes() const { return queue_ == nullptr ? only_.size() : queue_->bytes; }

  // Fills `parts` with the next bytes to write; returns how many parts it filled.
  std::size_t gather(std::span<iovec> parts) const;
  // `written` bytes of what gather() gave are gone.
  void consume(std::size_t written, Storage& storage);
  void clear(Storage& storage);
  // Forgets what no byte was written of; a segment that was begun stays, so that the peer can make
  // sense of what it has and of what may still follow.
  void drop_unbegun(Storage& storage);

 private:
  struct Queue {
    std::vector<Bytes> segments;
    std::uint32_t head = 0;         // index of the first segment not yet written
    std::uint32_t head_offset = 0;  // bytes of it that are
    std::size_t bytes = 0;
  };

  Queue& queue(Storage& storage);

  Bytes only_;                    // all that waits, while no byte of it is written
  std::unique_ptr<Queue> queue_;  // else
};

// Emptied queues of one loop, kept for the next connection that has something to write.
class Outbox::Storage {
 public:
  static constexpr std::size_t kSparesMax = 1024;
  static constexpr std::size_t kSpareSegmentsMax = 256;

  std::size_t spares() const { return spares_.size(); }
  // What waits in all outboxes that push into this storage.
  std::uint64_t bytes() const { return bytes_; }

 private:
  friend class Outbox;
  std::unique_ptr<Queue> take();
  void give_back(std::unique_ptr<Queue> queue);

  std::vector<std::unique_ptr<Queue>> spares_;
  std::uint64_t bytes_ = 0;
};

}  // namespace rtc::net
