#include "sequence.hpp"

#include <algorithm>

namespace load {

bool SequenceCheck::accept_unexpected(std::uint32_t sequence, Faults& faults) {
  if (sequence > next_) {
    if (gaps_ == nullptr) gaps_ = std::make_unique<std::vector<Gap>>();
    gaps_->push_back({next_, sequence});
    next_ = sequence + 1;
    return true;
  }
  if (gaps_ != nullptr) {
    const auto gap = std::find_if(gaps_->begin(), gaps_->end(), [&](const Gap& each) {
      return each.begin <= sequence && sequence < each.end;
    });
    if (gap != gaps_->end()) {
      ++faults.disordered;
      const Gap after{sequence + 1, gap->end};
      gap->end = sequence;
      if (gap->begin == gap->end) gaps_->erase(gap);
      if (after.begin < after.end) gaps_->push_back(after);
      return true;
    }
  }
  ++faults.repeated;
  return false;
}

std::uint64_t SequenceCheck::missing(std::uint32_t sent) const {
  std::uint64_t count = sent - std::min(sent, next_);
  if (gaps_ == nullptr) return count;
  for (const Gap& gap : *gaps_) count += gap.end - gap.begin;
  return count;
}

}  // namespace load
