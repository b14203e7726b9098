// Random bytes fit for secrets (OpenSSL's generator). Any thread.
#pragma once

#include <cstdint>
#include <span>

namespace rtc {

// Fills `bytes`; aborts when the system has no randomness: nothing safe can be done without it.
void fill_random(std::span<std::uint8_t> bytes);
// Uniform in [0, bound); bound > 0.
std::uint32_t random_below(std::uint32_t bound);

}  // namespace rtc
