// What one connection still has to write: a queue of shared segments, sent by gathered writes.
// It holds no memory while it is empty: its storage comes from the loop's OutboxStorage and goes
// back there. The loop's thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/uio.h>
#include <vector>

#include "net/bytes.hpp"

namespace rtc::net {

// Emptied queues of one loop, kept for the next connection that has something to write.
class OutboxStorage {
 public:
  static constexpr std::size_t kSparesMax = 1024;
  static constexpr std::size_t kSpareSegmentsMax = 256;

  std::vector<Bytes> take();
  void give_back(std::vector<Bytes>&& segments);

 private:
  std::vector<std::vector<Bytes>> spares_;
};

class Outbox {
 public:
  // The number of bytes queued is the caller's to bound, by bytes().
  void push(Bytes segment, OutboxStorage& storage);
  bool empty() const { return bytes_ == 0; }
  std::size_t bytes() const { return bytes_; }

  // Fills `parts` with the next bytes to write; returns how many parts it filled.
  std::size_t gather(std::span<iovec> parts) const;
  // `written` bytes of what gather() gave are gone.
  void consume(std::size_t written, OutboxStorage& storage);
  void clear(OutboxStorage& storage);
  // Forgets what no byte was written of; a segment that was begun stays, so that the peer can make
  // sense of what it has and of what may still follow.
  void drop_unbegun(OutboxStorage& storage);

 private:
  std::vector<Bytes> segments_;
  std::uint32_t head_ = 0;         // index of the first segment not yet written
  std::uint32_t head_offset_ = 0;  // bytes of it that are
  std::size_t bytes_ = 0;
};

}  // namespace rtc::net
