// Messages as people write them, made before the clock runs and used again and again: random rooms,
// a thousand senders.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "chat/message.hpp"
#include "options.hpp"

namespace store {

class Drafts {
 public:
  Drafts(const Options& options, std::span<const rtc::RoomId> rooms);

  // The next batch; good until the next call but fifteen.
  std::span<const rtc::chat::Draft> next();
  // The bytes of a batch, back to back: what must reach the disk at the least.
  static std::string bytes_of(std::span<const rtc::chat::Draft> batch);

 private:
  std::vector<std::vector<rtc::chat::Draft>> batches_;
  bool keys_;
  std::size_t next_ = 0;
  std::uint64_t keys_given_ = 0;
};

}  // namespace store
