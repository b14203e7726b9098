#include "churn.hpp"

#include <algorithm>
#include <fmt/core.h>

#include "clock.hpp"

namespace load {
namespace {

// Tokens are asked for before: what a visit costs does not include making an identity.
constexpr std::uint32_t kIdentities = 100;
constexpr std::int64_t kTurnMax = 20 * kMillisecond;

}  // namespace

Churn::Churn(const Options& options)
    : options_(options),
      server_(options.pid),
      crowd_(loop_, options, kIdentities),
      visitors_(options.at_once),
      interval_ns_(options.rate > 0
                       ? static_cast<std::int64_t>(static_cast<double>(kSecond) / options.rate)
                       : 0) {
  for (std::uint32_t i = 0; i < visitors_.size(); ++i) left_.push_back(i);
}

Report Churn::run() {
  const auto after = [](std::int64_t begin, double seconds) {
    return begin + static_cast<std::int64_t>(seconds * static_cast<double>(kSecond));
  };
  visit_until(after(now_ns(), options_.warm_up_seconds));
  const std::uint64_t visits_before = visits_;
  const Usage begin = Usage::now(server_);
  visit_until(after(begin.time_ns, options_.seconds));
  const Usage spent = Usage::now(server_) - begin;

  Report report;
  const auto visits = static_cast<double>(visits_ - visits_before);
  const double seconds = static_cast<double>(spent.time_ns) / static_cast<double>(kSecond);
  report.text("mode", "churn");
  report.number("seconds", seconds, 3);
  report.number("visits", visits);
  report.number("visits_per_second", visits / seconds);
  report.usage(spent, server_.watches());
  if (server_.watches()) {
    report.number("server_cpu_us_per_visit",
                  static_cast<double>(spent.server_cpu_ns) / 1000 / std::max(visits, 1.0), 1);
  }
  report.fault("failed_visits", failures_);
  if (failures_ > 0) fmt::print(stderr, "rtc_load: first failed visit: {}\n", first_failure_);
  return report;
}

void Churn::visit_until(std::int64_t end_ns) {
  for (std::int64_t now = now_ns(); now < end_ns; now = now_ns()) {
    while (!left_.empty() && (options_.rate == 0 || now >= next_visit_ns_)) {
      const std::uint32_t i = left_.back();
      left_.pop_back();
      visitors_[i] = std::make_unique<Session>(loop_, options_, *this, crowd_.place(i));
      // A late turn is made up for; a server that cannot keep up is not flooded afterwards.
      next_visit_ns_ = std::max(next_visit_ns_, now - kTurnMax) + interval_ns_;
    }
    loop_.turn(options_.rate > 0 ? std::min(interval_ns_, kTurnMax) : kTurnMax);
  }
}

void Churn::on_closed(Session& session, const std::string& why) {
  if (why.empty()) {
    ++visits_;
  } else if (failures_++ == 0) {
    first_failure_ = why;
  }
  left_.push_back(session.place().index);
}

}  // namespace load
