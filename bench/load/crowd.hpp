// The sessions of a run: their identities and rooms, asked for first, and their joining.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "loop.hpp"
#include "options.hpp"
#include "session.hpp"

namespace load {

class Crowd {
 public:
  // Makes `identities` tokens (where the server has such) and the rooms, unless they have names;
  // opens nothing yet.
  Crowd(Loop& loop, const Options& options, std::uint32_t identities);

  // The place of the session of that index: rooms are filled one after the other.
  Session::Place place(std::uint32_t index) const;
  // Opens all sessions, at most --at-once under way together; returns when all are ready. `events`
  // hands on_ready() to note_ready(). Throws CannotRun when nothing goes on.
  void join(SessionEvents& events) { join(events, options_.sessions()); }
  void join(SessionEvents& events, std::uint32_t all);  // only until so many are there
  void note_ready() { ++ready_; }
  // Sends the heart-beats that are due to servers that agreed to some. Called by join() too.
  void beat();
  const std::vector<std::unique_ptr<Session>>& sessions() const { return sessions_; }

 private:
  Loop& loop_;
  const Options& options_;
  std::vector<std::string> tokens_;
  std::vector<std::string> rooms_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::size_t ready_ = 0;
  std::int64_t last_tick_;
};

}  // namespace load
