// Rates: how often somebody may do something.
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>

namespace rtc::chat {

struct Rate {
  std::uint32_t per_second = 1;
  std::uint32_t burst = 1;
};

// A token bucket in 8 bytes. Full when new. One owner, one thread.
class TokenBucket {
 public:
  // Takes one token; false when there is none.
  bool take(const Rate& rate, std::uint64_t now_ms) {
    const std::uint32_t now = static_cast<std::uint32_t>(now_ms);
    if (!started_) {
      started_ = true;
      milli_tokens_used_ = 0;
    } else {
      // The clock wraps after 49 days, which only forgives what was used.
      const std::uint64_t refill = std::uint64_t{now - last_ms_} * rate.per_second;
      milli_tokens_used_ =
          refill >= milli_tokens_used_ ? 0 : milli_tokens_used_ - static_cast<std::uint32_t>(refill);
    }
    last_ms_ = now;
    const std::uint64_t capacity = std::uint64_t{rate.burst} * 1000;
    if (milli_tokens_used_ + std::uint64_t{1000} > capacity) return false;
    milli_tokens_used_ += 1000;
    return true;
  }
  // Whether nothing would change if it were forgotten.
  bool full(const Rate& rate, std::uint64_t now_ms) const {
    return std::uint64_t{static_cast<std::uint32_t>(now_ms) - last_ms_} * rate.per_second >=
           milli_tokens_used_;
  }

 private:
  std::uint32_t last_ms_ = 0;
  std::uint32_t milli_tokens_used_ : 31 = 0;
  std::uint32_t started_ : 1 = 0;
};

// Token buckets by key, at most `kEntriesMax`. One owner, one thread.
template <class Key>
class RateTable {
 public:
  static constexpr std::size_t kEntriesMax = 65536;

  explicit RateTable(Rate rate) : rate_(rate) {}

  bool take(const Key& key, std::uint64_t now_ms) {
    if (buckets_.size() >= kEntriesMax && !buckets_.contains(key)) {
      std::erase_if(buckets_, [&](const auto& each) { return each.second.full(rate_, now_ms); });
      // Still full: somebody uses that many keys at once; strangers share one refusal until some
      // rest, rather than the table growing without end.
      if (buckets_.size() >= kEntriesMax) return false;
    }
    return buckets_[key].take(rate_, now_ms);
  }
  std::size_t size() const { return buckets_.size(); }

 private:
  Rate rate_;
  std::unordered_map<Key, TokenBucket> buckets_;
};

}  // namespace rtc::chat
