#include "crowd.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include "clock.hpp"
#include "http.hpp"

namespace load {

Crowd::Crowd(Loop& loop, const Options& options, std::uint32_t identities)
    : loop_(loop), options_(options) {
  const auto name = [](std::uint32_t i) { return fmt::format("load-{}-{}", ::getpid(), i); };
  if (!options.has_identities) {
    tokens_.emplace_back();
    for (std::uint32_t i = 0; i < options.rooms; ++i) rooms_.push_back(name(i));
    return;
  }
  HttpClient http(options);
  for (std::uint32_t i = 0; i < identities; ++i) tokens_.push_back(http.new_token());
  for (std::uint32_t i = 0; i < options.rooms; ++i) {
    rooms_.push_back(http.new_room(name(i), tokens_[i % tokens_.size()]));
  }
}

Session::Place Crowd::place(std::uint32_t index) const {
  const std::uint32_t room = index / options_.readers % options_.rooms;
  return {index, room, rooms_[room], tokens_[index % tokens_.size()]};
}

void Crowd::join(SessionEvents& events) {
  const std::uint32_t all = options_.sessions();
  const auto patience =
      static_cast<std::int64_t>(options_.patience_seconds * static_cast<double>(kSecond));
  std::int64_t last_progress = now_ns();
  std::size_t ready_before = 0;
  while (ready_ < all) {
    while (sessions_.size() < all && sessions_.size() - ready_ < options_.at_once) {
      const auto index = static_cast<std::uint32_t>(sessions_.size());
      sessions_.push_back(std::make_unique<Session>(loop_, options_, events, place(index)));
    }
    loop_.turn(50 * kMillisecond);
    if (ready_ > ready_before) last_progress = now_ns();
    ready_before = ready_;
    if (now_ns() - last_progress > patience) {
      throw CannotRun(fmt::format("only {} of {} sessions could join", ready_, all));
    }
  }
}

}  // namespace load
