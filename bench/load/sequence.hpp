// What one reader got of one publisher: every message once and in order, or what went wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace load {

struct Faults {
  std::uint64_t lost = 0;        // never came
  std::uint64_t repeated = 0;    // came again
  std::uint64_t disordered = 0;  // came after a later one
  bool any() const { return lost + repeated + disordered > 0; }
};

class SequenceCheck {
 public:
  // Returns whether it is the first time that this one came. Sequences begin at 0.
  bool accept(std::uint32_t sequence, Faults& faults) {
    if (sequence == next_) [[likely]] {
      ++next_;
      return true;
    }
    return accept_unexpected(sequence, faults);
  }
  // At the end: how many of the `sent` messages never came.
  std::uint64_t missing(std::uint32_t sent) const;

 private:
  bool accept_unexpected(std::uint32_t sequence, Faults& faults);

  struct Gap {
    std::uint32_t begin;
    std::uint32_t end;
  };
  std::uint32_t next_ = 0;
  std::unique_ptr<std::vector<Gap>> gaps_;  // of what is before next_; most never have one
};

}  // namespace load
