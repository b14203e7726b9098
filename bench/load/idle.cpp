#include "idle.hpp"

#include <algorithm>

#include "clock.hpp"

namespace load {
namespace {

constexpr std::int64_t kTick = 50 * kMillisecond;

}  // namespace

Idle::Idle(const Options& options)
    : options_(options), server_(options.pid), crowd_(loop_, options, options.sessions()) {}

Report Idle::run() {
  const Memory before = server_.memory();
  const std::int64_t join_begin = now_ns();
  crowd_.join(*this);
  joined_ = true;
  const std::uint64_t join_messages = messages_;
  const std::uint64_t join_bytes = bytes_;
  const std::int64_t join_end = now_ns();
  hold(options_.settle_seconds);
  const Memory after = server_.memory();
  const std::uint64_t beats_before = beats_;
  const std::uint64_t messages_before = messages_;
  const Usage begin = Usage::now(server_);
  hold(options_.seconds);
  const Usage spent = Usage::now(server_) - begin;

  Report report;
  const double sessions = options_.sessions();
  report.text("mode", "idle");
  report.number("sessions", sessions);
  report.number("join_seconds",
                static_cast<double>(join_end - join_begin) / static_cast<double>(kSecond), 3);
  report.number("messages_while_joining", static_cast<double>(join_messages));
  report.number("bytes_per_session_while_joining", static_cast<double>(join_bytes) / sessions);
  report.number("seconds", static_cast<double>(spent.time_ns) / static_cast<double>(kSecond), 3);
  if (server_.watches()) {
    report.number("server_private_bytes_before", static_cast<double>(before.private_bytes));
    report.number("server_private_bytes_after", static_cast<double>(after.private_bytes));
    report.number("private_bytes_per_session",
                  static_cast<double>(after.private_bytes - before.private_bytes) / sessions);
    report.number("pss_bytes_per_session",
                  static_cast<double>(after.pss_bytes - before.pss_bytes) / sessions);
  }
  report.number("heart_beats_received", static_cast<double>(beats_ - beats_before));
  report.number("messages_received", static_cast<double>(messages_ - messages_before));
  report.usage(spent, server_.watches());
  report.fault("sessions_cut_off", closed_);
  return report;
}

void Idle::hold(double seconds) {
  const std::int64_t end =
      now_ns() + static_cast<std::int64_t>(seconds * static_cast<double>(kSecond));
  for (std::int64_t now = now_ns(); now < end; now = now_ns()) {
    crowd_.beat();
    loop_.turn(std::min(end - now, kTick));
  }
}

void Idle::on_ready(Session& /*session*/) {
  crowd_.note_ready();
}
void Idle::on_message(Session& /*session*/, std::string_view frame) {
  ++messages_;
  bytes_ += frame.size();
}
void Idle::on_closed(Session& /*session*/, const std::string& why) {
  if (!joined_) throw CannotRun(why);
  ++closed_;
}

}  // namespace load
