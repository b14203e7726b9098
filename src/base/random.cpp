#include "base/random.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <openssl/rand.h>

namespace rtc {

void fill_random(std::span<std::uint8_t> bytes) {
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) std::abort();
}

std::uint32_t random_below(std::uint32_t bound) {
  // Rejects the low values that would make some remainders likelier than others.
  const std::uint32_t reject_below = (0U - bound) % bound;
  while (true) {
    std::array<std::uint8_t, 4> bytes{};
    fill_random(bytes);
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    if (value >= reject_below) return value % bound;
  }
}

}  // namespace rtc
