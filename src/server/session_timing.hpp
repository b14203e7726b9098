// What a session knows of the clock for its heart-beats and pings (session_timing.cpp).
#pragma once

#include <cstdint>

namespace rtc::server {

struct SessionTimes {
  // Loop time of our last heart-beat, and of our last ping: the lower half, as net::Connection
  // keeps its own; at first a time long ago.
  std::uint32_t last_beat_ms = 0;
  std::uint32_t last_ping_ms = 0;
  std::uint32_t beat_every_ms = 0;   // we send a heart-beat so often; 0: none
  std::uint32_t ping_after_ms = 0;   // we ask for a sign of life when nothing came for so long
  std::uint32_t silence_max_ms = 0;  // the peer is gone when nothing came for so long; 0: never
};

}  // namespace rtc::server
