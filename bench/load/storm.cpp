#include "storm.hpp"

#include <algorithm>
#include <fmt/core.h>

#include "clock.hpp"

namespace load {
namespace {

// For what is under way at a window's end.
constexpr std::int64_t kGap = 400 * kMillisecond;
// For Storm::talk_until().
constexpr std::int64_t kAllIn = 0;
constexpr std::uint32_t kRoomOfNewcomers = 100;
constexpr std::uint32_t kOpenedPerTurn = 256;

std::int64_t nanoseconds(double seconds) {
  return static_cast<std::int64_t>(seconds * static_cast<double>(kSecond));
}

double milliseconds(std::int64_t ns) {
  return static_cast<double>(ns) / static_cast<double>(kMillisecond);
}

Options of_newcomers(Options options) {
  options.readers = std::min(options.newcomers, kRoomOfNewcomers);
  options.rooms = (options.newcomers + options.readers - 1) / options.readers;
  return options;
}

}  // namespace

Newcomers::Newcomers(Loop& loop, const Options& options)
    : options_(of_newcomers(options)), loop_(loop), places_(loop, options_, options.newcomers) {
  joins_ns_.reserve(options.newcomers);
}

void Newcomers::come() {
  if (begin_ns_ == 0) begin_ns_ = last_change_ns_ = now_ns();
  for (std::uint32_t i = 0; i < kOpenedPerTurn && sessions_.size() < options_.newcomers; ++i) {
    const auto index = static_cast<std::uint32_t>(sessions_.size());
    sessions_.push_back(std::make_unique<Session>(loop_, options_, *this, places_.place(index)));
  }
}

std::int64_t Newcomers::joined_ns(double percent) const {
  if (joins_ns_.empty()) return 0;
  const double at = percent / 100 * static_cast<double>(joins_ns_.size() - 1);
  return joins_ns_[static_cast<std::size_t>(at)];
}

void Newcomers::on_ready(Session& /*session*/) {
  last_change_ns_ = now_ns();
  joins_ns_.push_back(last_change_ns_ - begin_ns_);
  ++ready_;
}

void Newcomers::on_closed(Session& session, const std::string& why) {
  last_change_ns_ = now_ns();
  if (session.ready()) --ready_;
  if (closed_++ == 0) fmt::print(stderr, "rtc_load: first newcomer cut off: {}\n", why);
}

Storm::Storm(const Options& options) : Traffic(options), newcomers_(loop_, options) {}

Report Storm::run() {
  begin();
  const auto after = [](double seconds) { return now_ns() + nanoseconds(seconds); };
  talk_until(after(options_.warm_up_seconds));
  const Histogram before = talk_until(after(options_.seconds));
  const Usage begin_usage = snapshot().usage;
  const Histogram meanwhile = talk_until(kAllIn);
  const Usage spent = snapshot().usage - begin_usage;
  const Histogram afterwards = talk_until(after(options_.seconds));
  finish();

  Report report;
  report.text("mode", "storm");
  report.number("sessions", options_.sessions());
  report.number("newcomers", options_.newcomers);
  report.number("joined_p50_ms", milliseconds(newcomers_.joined_ns(50)), 1);
  report.number("joined_p99_ms", milliseconds(newcomers_.joined_ns(99)), 1);
  report.number("joined_all_ms", milliseconds(newcomers_.joined_ns(100)), 1);
  for (const auto& [when, latencies] :
       {std::pair{"before", &before}, {"meanwhile", &meanwhile}, {"afterwards", &afterwards}}) {
    const auto figure = [&](std::string_view name, std::int64_t ns) {
      report.number(fmt::format("latency_{}_ms_{}", name, when), milliseconds(ns), 2);
    };
    report.number(fmt::format("deliveries_{}", when), static_cast<double>(latencies->count()));
    figure("p50", latencies->percentile_ns(50));
    figure("p99", latencies->percentile_ns(99));
    figure("max", latencies->max_ns());
  }
  if (server_.watches()) {
    report.number("server_cpu_us_per_newcomer",
                  static_cast<double>(spent.server_cpu_ns) / 1000 / options_.newcomers, 1);
  }
  report.usage(spent, server_.watches());
  report.fault("newcomers_not_in", options_.newcomers - newcomers_.ready());
  report_faults(report);
  return report;
}

Histogram Storm::talk_until(std::int64_t end_ns) {
  const bool for_newcomers = end_ns == kAllIn;
  const std::int64_t patience = nanoseconds(options_.patience_seconds);
  if (for_newcomers) newcomers_.come();
  const auto over = [&](std::int64_t now) {
    if (!for_newcomers) return now >= end_ns;
    return newcomers_.all_in() || now - newcomers_.last_change_ns() > patience;
  };
  const std::int64_t begin_ns = now_ns();
  set_window(begin_ns, for_newcomers ? begin_ns + nanoseconds(3600) : end_ns);
  std::int64_t now = begin_ns;
  for (; !over(now); now = now_ns()) {
    if (for_newcomers) newcomers_.come();
    loop_.turn(send_due(now));
  }
  set_window(begin_ns, now);
  for (const std::int64_t gap_end = now + kGap; now < gap_end; now = now_ns()) {
    loop_.turn(send_due(now));
  }
  return take_latencies();
}

}  // namespace load
