// The stamp in the text of each message: who sent it, as his how-manieth, and when. Of fixed width
// and only of letters that no JSON or STOMP escapes, so that it comes back byte for byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace load {

struct Stamp {
  std::uint32_t publisher = 0;
  std::uint32_t sequence = 0;
  std::int64_t time_ns = 0;  // when it was sent, or should have been (open loop)
};

constexpr std::size_t kStampBytes = 34;

void write_stamp(const Stamp& stamp, char* out);
// `text` begins with the stamp.
std::optional<Stamp> read_stamp(std::string_view text);
// Where the stamp begins; npos without one. `hint` is where the last one was: most often right.
std::size_t find_stamp(std::string_view text, std::size_t hint);

}  // namespace load
