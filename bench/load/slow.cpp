#include "slow.hpp"

#include <algorithm>
#include <fmt/core.h>

#include "clock.hpp"

namespace load {
namespace {

constexpr std::int64_t kTick = 10 * kMillisecond;
constexpr std::int64_t kReadEvery = 100 * kMillisecond;
constexpr std::size_t kReadBytes = 102;  // each time: 1 KB/s
constexpr std::int64_t kAskEvery = 200 * kMillisecond;
// Before a window, for what joining or leaving costs; and after it, for what is under way.
constexpr std::int64_t kGap = 400 * kMillisecond;

std::int64_t nanoseconds(double seconds) {
  return static_cast<std::int64_t>(seconds * static_cast<double>(kSecond));
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (at - static_cast<double>(below));
}

std::vector<double> ratios(const std::vector<double>& over, const std::vector<double>& under) {
  std::vector<double> each;
  for (std::size_t i = 0; i < over.size(); ++i) each.push_back(over[i] / std::max(under[i], 1.0));
  return each;
}

std::uint64_t slow_consumers(const std::string& metrics) {
  constexpr std::string_view kName = "\nrealtimechat_slow_consumers_total ";
  const std::size_t at = metrics.find(kName);
  if (at == std::string::npos) throw CannotRun("no slow_consumers_total in the server's metrics");
  return std::stoull(metrics.substr(at + kName.size()));
}

}  // namespace

SlowPair::SlowPair(Loop& loop, const Options& options, const Session::Place& place)
    : loop_(loop), options_(options), place_(place), http_(options) {}

void SlowPair::join() {
  leave();
  closed_ = false;
  cuts_at_join_ = cuts_;
  ++joins_;
  for (auto& session : sessions_) {
    session =
        std::make_unique<Session>(loop_, options_, static_cast<SessionEvents&>(*this), place_);
  }
}

void SlowPair::leave() {
  for (auto& session : sessions_) session.reset();
  slow_ = 0;
}

void SlowPair::tend() {
  const std::int64_t now = now_ns();
  if (!asked_ && now >= next_ask_ns_) {
    http_.ask_metrics();
    asked_ = true;
    next_ask_ns_ = now + kAskEvery;
  } else if (asked_) {
    if (const auto metrics = http_.metrics()) {
      cuts_ = slow_consumers(*metrics);
      asked_ = false;
    }
  }
  if (!joined()) return;
  if (closed_ || cuts_ >= cuts_at_join_ + sessions_.size()) {
    join();
  } else if (now >= next_read_ns_) {
    sessions_.back()->read(kReadBytes);
    next_read_ns_ = now + kReadEvery;
  }
}

void SlowPair::on_ready(Session& session) {
  session.stop_reading();
  ++slow_;
}

void SlowPair::on_closed(Session& /*session*/, const std::string& why) {
  if (!joined()) throw CannotRun(fmt::format("a slow reader could not join: {}", why));
  closed_ = true;
}

SlowReaders::SlowReaders(const Options& options)
    : Traffic(options), pair_(loop_, options, crowd_.place(0)) {}

Report SlowReaders::compare() {
  begin();
  hold_until(now_ns() + nanoseconds(options_.warm_up_seconds), nullptr);
  std::int64_t rss_first = 0;
  const std::uint64_t cuts_begin = pair_.cuts();
  for (std::uint32_t i = 0; i < options_.pairs; ++i) {
    // Turn about, so that what drifts does not favour one side.
    const bool slow_first = i % 2 == 1;
    measure(slow_first);
    measure(!slow_first);
    if (i == 0) rss_first = server_.rss_bytes();
  }
  pair_.leave();
  const std::int64_t rss_end = server_.rss_bytes();
  finish();

  const auto& [without, with] = sides_;
  Report report;
  report.text("mode", "slow readers");
  report.number("sessions", options_.sessions());
  report.number("pairs", options_.pairs);
  report.number("window_seconds", options_.seconds, 1);
  report_side(report, without, "without");
  report_side(report, with, "with");
  const auto pooled = [&](double percent) {
    return static_cast<double>(with.latencies.percentile_ns(percent)) /
           std::max(static_cast<double>(without.latencies.percentile_ns(percent)), 1.0);
  };
  const std::vector<double> p99 = ratios(with.p99_ns, without.p99_ns);
  report.number("p50_ratio_pooled", pooled(50), 3);
  report.number("p50_ratio_median", quantile(ratios(with.p50_ns, without.p50_ns), 0.5), 3);
  report.number("p99_ratio_pooled", pooled(99), 3);
  report.number("p99_ratio_median", quantile(p99, 0.5), 3);
  report.number("p99_ratio_quarter", quantile(p99, 0.25), 3);
  report.number("p99_ratio_three_quarters", quantile(p99, 0.75), 3);
  report.number("rss_bytes_after_first_pair", static_cast<double>(rss_first));
  report.number("rss_bytes_end", static_cast<double>(rss_end));
  report.number("slow_joins", static_cast<double>(pair_.joins()));
  report.number("slow_consumers_before", static_cast<double>(cuts_begin));
  report.number("slow_consumers_after", static_cast<double>(pair_.cuts()));
  report.usage(without.spent + with.spent, server_.watches());
  report_faults(report);
  return report;
}

void SlowReaders::report_side(Report& report, const Side& side, const std::string& suffix) const {
  const auto deliveries = static_cast<double>(side.deliveries);
  const double seconds = static_cast<double>(side.spent.time_ns) / static_cast<double>(kSecond);
  const auto percentile_us = [&](double percent) {
    return static_cast<double>(side.latencies.percentile_ns(percent)) / 1000;
  };
  report.number("deliveries_per_second_" + suffix, deliveries / seconds);
  report.number("server_cpu_us_per_delivery_" + suffix,
                static_cast<double>(side.spent.server_cpu_ns) / 1000 / std::max(deliveries, 1.0),
                3);
  report.number("latency_p50_us_" + suffix, percentile_us(50), 1);
  report.number("latency_p99_us_" + suffix, percentile_us(99), 1);
  report.number("rss_bytes_max_" + suffix, static_cast<double>(side.rss_bytes_max));
}

void SlowReaders::measure(bool slow) {
  Side& side = sides_[slow ? 1 : 0];
  if (slow) {
    pair_.join();
    const std::int64_t late = now_ns() + nanoseconds(options_.patience_seconds);
    while (!pair_.joined()) {
      if (now_ns() > late) throw CannotRun("the slow readers could not join");
      loop_.turn(kTick);
    }
  } else {
    pair_.leave();
  }
  hold_until(now_ns() + kGap, nullptr);
  take_latencies();
  const Snapshot before = snapshot();
  const std::int64_t end = before.usage.time_ns + nanoseconds(options_.seconds);
  set_window(before.usage.time_ns, end);
  hold_until(end, &side.rss_bytes_max);
  const Snapshot after = snapshot();
  hold_until(now_ns() + kGap, nullptr);
  const Histogram latencies = take_latencies();
  side.latencies.add(latencies);
  side.p50_ns.push_back(static_cast<double>(latencies.percentile_ns(50)));
  side.p99_ns.push_back(static_cast<double>(latencies.percentile_ns(99)));
  side.spent = side.spent + (after.usage - before.usage);
  side.deliveries += after.deliveries - before.deliveries;
}

void SlowReaders::hold_until(std::int64_t end_ns, std::int64_t* rss_bytes_max) {
  std::int64_t next_sample = 0;
  for (std::int64_t now = now_ns(); now < end_ns; now = now_ns()) {
    pair_.tend();
    if (rss_bytes_max != nullptr && now >= next_sample) {
      *rss_bytes_max = std::max(*rss_bytes_max, server_.rss_bytes());
      next_sample = now + kAskEvery;
    }
    loop_.turn(std::min(end_ns - now, kTick));
  }
}

}  // namespace load
