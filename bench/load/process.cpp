#include "process.hpp"

#include <fmt/core.h>
#include <fstream>
#include <string>

#include "clock.hpp"
#include "options.hpp"

namespace load {

std::int64_t ProcessWatch::cpu_ns() const {
  if (!watches()) return 0;
  clockid_t clock{};
  if (clock_getcpuclockid(pid_, &clock) != 0) {
    throw CannotRun(fmt::format("there is no process {} to watch", pid_));
  }
  return read_clock(clock);
}

Memory ProcessWatch::memory() const {
  Memory memory;
  if (!watches()) return memory;
  std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid_));
  if (!file) throw CannotRun(fmt::format("cannot read the memory of process {}", pid_));
  std::string line;
  std::getline(file, line);  // the range of addresses
  std::string name;
  std::string unit;
  std::int64_t kilobytes = 0;
  while (file >> name >> kilobytes >> unit) {
    const std::int64_t bytes = kilobytes * 1024;
    if (name == "Rss:") memory.rss_bytes = bytes;
    if (name == "Pss:") memory.pss_bytes = bytes;
    if (name == "Private_Clean:" || name == "Private_Dirty:") memory.private_bytes += bytes;
  }
  return memory;
}

std::int64_t own_cpu_ns() {
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

}  // namespace load
