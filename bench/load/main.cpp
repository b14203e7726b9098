// The load client: one process, one thread, any STOMP-over-WebSocket server.
#include <exception>
#include <fmt/core.h>
#include <sys/resource.h>

#include "churn.hpp"
#include "cost.hpp"
#include "hold.hpp"
#include "idle.hpp"
#include "options.hpp"
#include "slow.hpp"
#include "storm.hpp"
#include "traffic.hpp"

namespace {

constexpr int kCannotRun = 3;

// A descriptor for each session.
void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int run(const load::Options& options) {
  switch (options.mode) {
    case load::Options::Mode::traffic:
      return load::Traffic(options).run().finish(options.json);
    case load::Options::Mode::slow:
      return load::SlowReaders(options).compare().finish(options.json);
    case load::Options::Mode::storm:
      return load::Storm(options).run().finish(options.json);
    case load::Options::Mode::idle:
      return load::Idle(options).run().finish(options.json);
    case load::Options::Mode::churn:
      return load::Churn(options).run().finish(options.json);
    case load::Options::Mode::cost:
      return load::Cost(options).run().finish(options.json);
    case load::Options::Mode::hold:
      load::Hold(options).run();
      return 0;
  }
  return kCannotRun;
}

}  // namespace

int main(int argc, char** argv) {
  const load::Options options = load::parse_options(argc, argv);
  raise_descriptor_limit();
  try {
    return run(options);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "rtc_load: {}\n", problem.what());
    return kCannotRun;
  }
}
