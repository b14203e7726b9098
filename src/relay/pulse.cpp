#include "relay/pulse.hpp"

#include <algorithm>
#include <cstring>

#include "base/random.hpp"

namespace rtc::relay {
namespace {

constexpr std::uint64_t kBeatsInTimeout = 4;
constexpr std::uint64_t kBeatsWhileLost = 20;  // in a timeout, or more:
constexpr std::uint64_t kLostBeatUsMax = 250'000;

}  // namespace

Pulse::Pulse(std::uint64_t timeout_ms) : timeout_us_(timeout_ms * 1000) {
  fill_random(id_);
}

void Pulse::resize(std::size_t partitions) {
  for (std::size_t i = partitions; i < partitions_.size(); ++i) up_ -= partitions_[i].up ? 1 : 0;
  partitions_.resize(partitions);
}

bool Pulse::is_due(std::uint64_t now_us) {
  if (partitions_.empty()) return false;
  const std::uint64_t wait_us = is_up() ? timeout_us_ / kBeatsInTimeout
                                        : std::min(timeout_us_ / kBeatsWhileLost, kLostBeatUsMax);
  if (sent_us_ != 0 && now_us - sent_us_ < wait_us) return false;
  sent_us_ = now_us;
  return true;
}

std::string Pulse::beat(std::uint64_t now_us) const {
  std::string bytes(kBeatBytes, '\0');
  std::memcpy(bytes.data(), id_.data(), id_.size());
  std::memcpy(bytes.data() + id_.size(), &now_us, sizeof now_us);  // nobody else reads it
  return bytes;
}

Pulse::Heard Pulse::hear(std::size_t partition, std::string_view bytes) {
  if (bytes.size() != kBeatBytes) return Heard::none;
  if (std::memcmp(bytes.data(), id_.data(), id_.size()) != 0) return Heard::other;
  std::uint64_t sent_us = 0;
  std::memcpy(&sent_us, bytes.data() + id_.size(), sizeof sent_us);
  if (partition >= partitions_.size()) return Heard::other;
  Partition& its = partitions_[partition];
  if (!its.begun || sent_us < its.begun_us) return Heard::other;
  its.alive_us = std::max(its.alive_us, sent_us);
  if (!its.up) {
    its.up = true;
    ++up_;
    ++ups_;
  }
  return Heard::own;
}

std::vector<std::size_t> Pulse::lost(std::uint64_t now_us) {
  std::vector<std::size_t> lost;
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    Partition& each = partitions_[i];
    if (each.begun && now_us - std::min(now_us, each.alive_us) <= timeout_us_) continue;
    if (each.up) --up_;
    each.up = false;
    lost.push_back(i);
  }
  return lost;
}

void Pulse::begun(std::size_t partition, std::uint64_t now_us) {
  Partition& its = partitions_[partition];
  if (its.up) --up_;
  its = {.begun = true, .up = false, .begun_us = now_us, .alive_us = now_us};
}

}  // namespace rtc::relay
