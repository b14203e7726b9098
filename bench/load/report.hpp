// The figures of a run, as lines for people or as one JSON object, and the verdict on them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "process.hpp"

namespace load {

// What is read at both ends of the measured time.
struct Usage {
  std::int64_t time_ns = 0;
  std::int64_t server_cpu_ns = 0;
  std::int64_t client_cpu_ns = 0;
  std::int64_t machine_cpu_ns = 0;

  static Usage now(const ProcessWatch& server);

  Usage operator-(const Usage& begin) const {
    return {time_ns - begin.time_ns, server_cpu_ns - begin.server_cpu_ns,
            client_cpu_ns - begin.client_cpu_ns, machine_cpu_ns - begin.machine_cpu_ns};
  }
  Usage operator+(const Usage& more) const {
    return {time_ns + more.time_ns, server_cpu_ns + more.server_cpu_ns,
            client_cpu_ns + more.client_cpu_ns, machine_cpu_ns + more.machine_cpu_ns};
  }
};

class Report {
 public:
  void number(std::string_view name, double value, int decimals = 0);
  void text(std::string_view name, std::string_view value);
  // The shares of a core, and with them the refusal: a client that was busier than the server
  // measured itself.
  void usage(const Usage& spent, bool server_watched);
  // Whatever the run must not have: counted, named, and exit code 1 if not 0.
  void fault(std::string_view name, std::uint64_t count);

  // Prints and returns the exit code.
  int finish(bool json) const;

 private:
  struct Line {
    std::string name;
    std::string value;
    bool is_text;
  };
  std::vector<Line> lines_;
  std::string refusal_;
  bool faulty_ = false;
};

}  // namespace load
