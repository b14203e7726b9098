#include "report.hpp"

#include <algorithm>
#include <cerrno>
#include <fmt/core.h>

#include "clock.hpp"

namespace load {
namespace {

constexpr int kFine = 0;
constexpr int kFaulty = 1;
constexpr int kRefused = 2;
constexpr double kClientBusy = 90;  // percent of a core
constexpr double kServerBusy = 80;

}  // namespace

Usage Usage::now(const ProcessWatch& server) {
  return {now_ns(), server.cpu_ns(), own_cpu_ns(), all_cpu_ns()};
}

void Report::number(std::string_view name, double value, int decimals) {
  lines_.push_back({std::string(name), fmt::format("{:.{}f}", value, decimals), false});
}

void Report::text(std::string_view name, std::string_view value) {
  lines_.push_back({std::string(name), std::string(value), true});
}

void Report::usage(const Usage& spent, bool server_watched) {
  const auto share = [&](std::int64_t cpu_ns) {
    return 100.0 * static_cast<double>(cpu_ns) / static_cast<double>(spent.time_ns);
  };
  const double client = share(spent.client_cpu_ns);
  number("client_cpu_percent", client, 1);
  if (!server_watched) return;
  const double server = share(spent.server_cpu_ns);
  number("server_cpu_percent", server, 1);
  // The noise: what neither side of this measurement used, 100 being one core.
  const std::int64_t others = spent.machine_cpu_ns - spent.server_cpu_ns - spent.client_cpu_ns;
  number("others_cpu_percent", share(std::max<std::int64_t>(others, 0)), 1);
  if (client > kClientBusy && server < kServerBusy) {
    refusal_ = fmt::format(
        "the client was the busy side ({:.0f} % of a core, the server {:.0f} %): these are its "
        "own limits, not the server's",
        client, server);
  }
}

void Report::fault(std::string_view name, std::uint64_t count) {
  number(name, static_cast<double>(count));
  if (count > 0) faulty_ = true;
}

int Report::finish(bool json) const {
  const bool refused = !refusal_.empty();
  const char* const program = ::program_invocation_short_name;
  if (refused) fmt::print(stderr, "{}: no figures: {}\n", program, refusal_);
  if (faulty_) fmt::print(stderr, "{}: it did not deliver as it must\n", program);
  if (json) {
    fmt::print("{{");
    for (const Line& line : lines_) {
      const std::string_view quote = line.is_text ? "\"" : "";
      fmt::print("\"{}\":{}{}{},", line.name, quote, line.value, quote);
    }
    fmt::print("\"refused\":{},\"faulty\":{}}}\n", refused, faulty_);
  } else if (!refused || faulty_) {
    for (const Line& line : lines_) fmt::print("{:<36}{}\n", line.name, line.value);
  }
  if (faulty_) return kFaulty;
  return refused ? kRefused : kFine;
}

}  // namespace load
