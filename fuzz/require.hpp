// What every fuzz target shares: how it says that an invariant does not hold.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace rtc::fuzz {

// Ends the program, which the fuzzer takes as a finding.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace rtc::fuzz
