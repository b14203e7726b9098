#include "hold.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <fmt/core.h>
#include <unistd.h>

#include "clock.hpp"
#include "stomp.hpp"

namespace load {
namespace {

// Fifty of these processes share a machine: those that have nothing to beat sleep.
constexpr std::int64_t kTick = 50 * kMillisecond;
constexpr std::int64_t kLongTick = kSecond;
constexpr std::string_view kJoin = "join ";

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

Hold::Hold(const Options& options)
    : options_(options), crowd_(loop_, options, options.sessions()), newest_(options.sessions()) {
  loop_.add(STDIN_FILENO, *this);
}

void Hold::run() {
  fmt::print("{{\"prepared\":{}}}\n", options_.sessions());
  std::fflush(stdout);
  while (true) {
    for (std::size_t end = 0; (end = input_.find('\n')) != std::string::npos;) {
      const std::string line = input_.substr(0, end);
      input_.erase(0, end + 1);
      obey(line);
    }
    if (ended_) return;
    crowd_.beat();
    loop_.turn(options_.heart_beat_ms > 0 ? kTick : kLongTick);
  }
}

void Hold::on_readable() {
  std::array<char, 4096> buffer{};
  const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  if (count > 0) {
    input_.append(buffer.data(), static_cast<std::size_t>(count));
    return;
  }
  ended_ = true;
  loop_.watch(STDIN_FILENO, *this, false, false);
}

void Hold::obey(const std::string& line) {
  if (line.starts_with(kJoin)) {
    const auto all =
        static_cast<std::uint32_t>(number(std::string_view(line).substr(kJoin.size())));
    join(std::min(all, options_.sessions()));
  } else if (line == "report") {
    report();
  } else {
    throw CannotRun(fmt::format("'{}' is not known", line));
  }
  std::fflush(stdout);
}

void Hold::join(std::uint32_t all) {
  const std::int64_t begin = now_ns();
  joining_ = true;
  crowd_.join(*this, all);
  joining_ = false;
  const auto seconds = static_cast<double>(now_ns() - begin) / static_cast<double>(kSecond);
  fmt::print("{{\"joined\":{},\"seconds\":{:.3f}}}\n", joined_, seconds);
}

void Hold::report() {
  fmt::print(
      "{{\"joined\":{},\"closed\":{},\"messages\":{},\"bytes\":{},\"holes\":{},\"repeats\":{},"
      "\"told\":[",
      joined_, closed_, messages_, bytes_, holes_, repeats_);
  const char* comma = "";
  for (const auto& [id, told] : told_) {
    fmt::print("{}[{},{},{},{}]", comma, id, told.readers, told.first_ns, told.last_ns);
    comma = ",";
  }
  fmt::print("]}}\n");
  told_.clear();
}

void Hold::on_ready(Session& /*session*/) {
  ++joined_;
  crowd_.note_ready();
}

void Hold::on_message(Session& session, std::string_view frame) {
  ++messages_;
  bytes_ += frame.size();
  const std::uint64_t id = number(stomp::header(frame, "id"));
  if (id == 0) return;  // who came and went
  const Session::Place& place = session.place();
  std::uint64_t& newest = newest_[place.index];
  if (id <= newest) {
    ++repeats_;
    return;
  }
  if (newest > 0) holes_ += id - newest - 1;
  newest = id;
  if (place.room_name != options_.room_names.front()) return;
  Told& told = told_[id];
  if (told.readers++ == 0) told.first_ns = session.read_ns();
  told.last_ns = session.read_ns();
}

void Hold::on_closed(Session& /*session*/, const std::string& why) {
  if (joining_) throw CannotRun(why);
  if (closed_++ == 0) fmt::print(stderr, "rtc_load: first session cut off: {}\n", why);
}

}  // namespace load
