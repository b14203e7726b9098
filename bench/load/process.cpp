#include "process.hpp"

#include <fmt/core.h>
#include <fstream>
#include <string>
#include <unistd.h>

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
    if (name == "Private_Dirty:") memory.private_bytes = bytes;
  }
  return memory;
}

std::int64_t ProcessWatch::rss_bytes() const {
  if (!watches()) return 0;
  std::ifstream file(fmt::format("/proc/{}/statm", pid_));
  std::int64_t pages = 0;
  std::int64_t resident = 0;
  file >> pages >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

KernelMemory kernel_memory() {
  KernelMemory memory;
  std::string word;
  std::int64_t number = 0;
  for (std::ifstream file("/proc/meminfo"); file >> word;) {
    if (word == "Slab:" && file >> number) memory.slab_bytes = number * 1024;
  }
  std::ifstream file("/proc/net/sockstat");
  while (file >> word && word != "TCP:") {
  }
  while (file >> word >> number) {
    if (word == "inuse") memory.sockets = number;
    if (word == "tw") memory.sockets_in_time_wait = number;
    if (word == "mem") {
      memory.socket_buffer_bytes = number * ::sysconf(_SC_PAGESIZE);
      break;
    }
  }
  return memory;
}

std::int64_t own_cpu_ns() {
  return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

std::int64_t all_cpu_ns() {
  std::ifstream file("/proc/stat");
  std::string cpu;
  std::int64_t user = 0;
  std::int64_t nice = 0;
  std::int64_t system = 0;
  std::int64_t idle = 0;
  std::int64_t io_wait = 0;
  std::int64_t irq = 0;
  std::int64_t soft_irq = 0;
  file >> cpu >> user >> nice >> system >> idle >> io_wait >> irq >> soft_irq;
  return (user + nice + system + irq + soft_irq) * (kSecond / ::sysconf(_SC_CLK_TCK));
}

}  // namespace load
