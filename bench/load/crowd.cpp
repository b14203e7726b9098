#include "crowd.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <unistd.h>

#include "clock.hpp"
#include "http.hpp"

namespace load {
namespace {

constexpr std::int64_t kBeatTick = 50 * kMillisecond;

}  // namespace

Crowd::Crowd(Loop& loop, const Options& options, std::uint32_t identities)
    : loop_(loop), options_(options), rooms_(options.room_names), last_tick_(now_ns() / kBeatTick) {
  const auto name = [](std::uint32_t i) { return fmt::format("load-{}-{}", ::getpid(), i); };
  if (!options.has_identities) {
    tokens_.emplace_back();
    for (auto i = static_cast<std::uint32_t>(rooms_.size()); i < options.rooms; ++i) {
      rooms_.push_back(name(i));
    }
    return;
  }
  HttpClient http(options);
  for (std::uint32_t i = 0; i < identities; ++i) tokens_.push_back(http.new_token());
  for (auto i = static_cast<std::uint32_t>(rooms_.size()); i < options.rooms; ++i) {
    rooms_.push_back(http.new_room(name(i), tokens_[i % tokens_.size()], options.history));
  }
}

Session::Place Crowd::place(std::uint32_t index) const {
  const std::uint32_t room = index / options_.readers % options_.rooms;
  return {index, room, rooms_[room], tokens_[index % tokens_.size()]};
}

void Crowd::join(SessionEvents& events, std::uint32_t all) {
  const auto patience =
      static_cast<std::int64_t>(options_.patience_seconds * static_cast<double>(kSecond));
  std::int64_t last_progress = now_ns();
  std::size_t ready_before = 0;
  while (ready_ < all) {
    while (sessions_.size() < all && sessions_.size() - ready_ < options_.at_once) {
      const auto index = static_cast<std::uint32_t>(sessions_.size());
      sessions_.push_back(std::make_unique<Session>(loop_, options_, events, place(index)));
    }
    beat();
    loop_.turn(kBeatTick);
    if (ready_ > ready_before) last_progress = now_ns();
    ready_before = ready_;
    if (now_ns() - last_progress > patience) {
      throw CannotRun(fmt::format("only {} of {} sessions could join", ready_, all));
    }
  }
}

// Spread evenly: each session has its own ticks, a fifth more often than the server wants.
void Crowd::beat() {
  const std::int64_t now = now_ns() / kBeatTick;
  while (options_.heart_beat_ms > 0 && last_tick_ < now) {
    ++last_tick_;
    for (const auto& session : sessions_) {
      if (session->beats_wanted_ms() == 0) continue;
      const std::int64_t every =
          std::max<std::int64_t>(session->beats_wanted_ms() * kMillisecond / kBeatTick * 4 / 5, 1);
      if ((last_tick_ + session->place().index) % every == 0) session->send("\n");
    }
  }
}

}  // namespace load
