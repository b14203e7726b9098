// What a session does by the clock: heart-beats, pings, giving a silent peer up, slowing a fast
// one.
#include <algorithm>
#include <limits>
#include <utility>

#include "server/session.hpp"
#include "server/shard.hpp"
#include "websocket/decoder.hpp"

namespace rtc::server {
namespace {

// STOMP asks for "an error margin" over what was agreed; one whole interval forgives a lost beat.
std::uint64_t with_margin(std::uint64_t interval_ms) {
  return interval_ms * 2;
}

// Fifty days stand for whatever is longer; one more still fits.
std::uint32_t clamped(std::uint64_t span_ms) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(span_ms, std::numeric_limits<std::uint32_t>::max() - 1));
}

// A time of the last 49 days, of which `lower` is the lower half.
std::uint64_t full_ms(std::uint64_t now_ms, std::uint32_t lower) {
  const std::uint64_t ago_ms = static_cast<std::uint32_t>(now_ms) - lower;
  return now_ms - std::min(now_ms, ago_ms);
}

// Neither has been; and as old as what happened can become, see keep_old().
constexpr std::uint32_t kLongAgoMs = 1U << 31;

// So that what is long ago never seems to be now, when the lower half comes round again.
void keep_old(std::uint32_t& time_ms, std::uint64_t now_ms) {
  const auto now = static_cast<std::uint32_t>(now_ms);
  if (now - time_ms > kLongAgoMs) time_ms = now - kLongAgoMs;
}

// A tenth early: what the client counts is when the beat arrives.
std::uint32_t early(std::uint32_t interval_ms) {
  return interval_ms - interval_ms / 10;
}

}  // namespace

void Session::agree_heart_beats(const stomp::HeartBeat& client) {
  const Config& config = shard_.config();
  times_.last_beat_ms = times_.last_ping_ms =
      static_cast<std::uint32_t>(shard_.loop().now_ms()) - kLongAgoMs;
  const auto ours = static_cast<std::uint32_t>(config.heart_beat_interval_ms);
  if (client.receives_ms > 0) times_.beat_every_ms = std::max(ours, client.receives_ms);
  // Silence says nothing of a client that promised no beats and cannot be asked.
  if (client.sends_ms == 0 && !output_.can_ping()) {
    schedule_timer();
    return;
  }
  // Browsers slow the timers of hidden pages down, but answer pings at once: so a client whose
  // heart-beat is late is asked before it is given up, as one that promised none.
  const std::uint64_t late_ms =
      client.sends_ms > 0 ? with_margin(std::max(ours, client.sends_ms)) : config.ping_interval_ms;
  // Nobody puts the question off for longer than the server's own settings do. Whom the transport
  // cannot ask is held to what he promised; there the kernel asks (keepalive).
  const std::uint64_t unasked_ms_max = std::max(with_margin(ours), config.ping_interval_ms);
  const bool asked_early = output_.can_ping() && late_ms > unasked_ms_max;
  const std::uint64_t ping_after_ms = asked_early ? unasked_ms_max : late_ms;
  times_.ping_after_ms = clamped(ping_after_ms);
  times_.silence_max_ms = clamped(with_margin(ping_after_ms));
  if (client.sends_ms > 0 && !config.heart_beat_pings && !asked_early) {
    times_.silence_max_ms = times_.ping_after_ms++;  // the end comes before a ping
  }
  schedule_timer();
}

void Session::schedule_timer() {
  const std::uint64_t now = shard_.loop().now_ms();
  const auto left = [now](std::uint64_t since, std::uint64_t span) -> std::uint64_t {
    return since + span > now ? since + span - now : 0;
  };
  std::uint64_t wait = throttled_ ? kThrottleMs : UINT64_MAX;
  if (connected_) {
    const std::uint64_t heard = output_.last_read_ms();
    if (times_.silence_max_ms > 0) {
      wait = std::min(
          {wait, left(heard, times_.silence_max_ms) + 1,
           left(std::max(heard, full_ms(now, times_.last_ping_ms)), times_.ping_after_ms)});
    }
    if (times_.beat_every_ms > 0) {
      const std::uint64_t last =
          std::max(output_.last_write_ms(), full_ms(now, times_.last_beat_ms));
      wait = std::min(wait, left(last, early(times_.beat_every_ms)));
    }
  }
  if (wait == UINT64_MAX) {
    cancel();
  } else {
    shard_.loop().timers().arm(*this, std::max<std::uint64_t>(wait, 1));
  }
}

void Session::on_timer() {
  if (throttled_) {
    throttled_ = false;
    if (connected_) schedule_timer();
    resume();
    return;
  }
  if (!connected_) {
    fail({ErrorCode::connection_timeout, "no CONNECT came in time"}, "",
         websocket::kClosePolicyViolation);
    return;
  }
  const std::uint64_t now = shard_.loop().now_ms();
  keep_old(times_.last_beat_ms, now);
  keep_old(times_.last_ping_ms, now);
  const auto since = [now](std::uint64_t last) { return now - std::min(now, last); };
  const std::uint64_t heard = output_.last_read_ms();
  // While we do not read, nothing can come.
  const bool may_fall_silent = times_.silence_max_ms == 0;
  if (!may_fall_silent && since(heard) > times_.silence_max_ms && may_take_frames()) {
    shard_.figures().silent_peers.fetch_add(1, std::memory_order_relaxed);
    fail({ErrorCode::connection_timeout, "nothing came from you for too long"}, "",
         websocket::kClosePolicyViolation);
    return;
  }
  const std::uint64_t wrote = std::max(output_.last_write_ms(), full_ms(now, times_.last_beat_ms));
  if (times_.beat_every_ms > 0 && since(wrote) >= early(times_.beat_every_ms)) {
    send_frame("\n");
    times_.last_beat_ms = static_cast<std::uint32_t>(now);
  }
  const std::uint64_t asked = std::max(heard, full_ms(now, times_.last_ping_ms));
  if (!may_fall_silent && since(asked) >= times_.ping_after_ms) {
    output_.ping();
    times_.last_ping_ms = static_cast<std::uint32_t>(now);
  }
  schedule_timer();
}

// Too fast a sender is read later, which costs him time and nobody else anything.
void Session::throttle() {
  const chat::Rate rate{shard_.config().frame_rate_max, shard_.config().frame_burst_max};
  if (rate_exempt_ || frame_rate_.take(rate, shard_.loop().now_ms())) return;
  throttled_ = true;
  schedule_timer();
}

}  // namespace rtc::server
