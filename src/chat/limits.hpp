// Rates: how often somebody may do something.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
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
    used_milli_ = used_by(rate, now_ms);
    last_ms_ = static_cast<std::uint32_t>(now_ms);
    if (used_milli_ + std::uint64_t{1000} > std::uint64_t{rate.burst} * 1000) return false;
    used_milli_ += 1000;
    return true;
  }
  // Whether nothing would change if it were forgotten.
  bool full(const Rate& rate, std::uint64_t now_ms) const { return used_by(rate, now_ms) == 0; }

 private:
  // The clock wraps after 49 days, which only forgives what was used.
  std::uint32_t used_by(const Rate& rate, std::uint64_t now_ms) const {
    const std::uint64_t passed_ms = static_cast<std::uint32_t>(now_ms) - last_ms_;
    const std::uint64_t refilled = passed_ms * rate.per_second;  // a thousandth a millisecond
    return refilled >= used_milli_ ? 0 : used_milli_ - static_cast<std::uint32_t>(refilled);
  }

  std::uint32_t last_ms_ = 0;
  std::uint32_t used_milli_ = 0;  // thousandths of a token; a burst is at most 1,000,000
};

// Token buckets by key, at most `kEntriesMax`. Any thread; the lock is held for a look-up.
template <class Key>
class RateTable {
 public:
  static constexpr std::size_t kEntriesMax = 65536;

  explicit RateTable(Rate rate) : rate_(rate) {}

  bool take(const Key& key, std::uint64_t now_ms) {
    const std::scoped_lock lock(mutex_);
    if (buckets_.size() >= kEntriesMax && !buckets_.contains(key)) {
      std::erase_if(buckets_, [&](const auto& each) { return each.second.full(rate_, now_ms); });
      // Still full: somebody uses that many keys at once; strangers share one refusal until some
      // rest, rather than the table growing without end.
      if (buckets_.size() >= kEntriesMax) return false;
    }
    return buckets_[key].take(rate_, now_ms);
  }
  std::size_t size() const {
    const std::scoped_lock lock(mutex_);
    return buckets_.size();
  }

 private:
  mutable std::mutex mutex_;
  Rate rate_;
  std::unordered_map<Key, TokenBucket> buckets_;
};

}  // namespace rtc::chat
