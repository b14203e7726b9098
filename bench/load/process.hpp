// CPU time and memory of a process, seen from outside.
#pragma once

#include <cstdint>
#include <sys/types.h>

namespace load {

struct Memory {
  std::int64_t rss_bytes = 0;
  std::int64_t pss_bytes = 0;  // shared pages by their share
  // Pages that nobody else has and that were written to. Clean ones are pieces of the program's
  // files, private only while no other process happens to use the same library.
  std::int64_t private_bytes = 0;
};

// What the kernel keeps, of everything on this machine.
struct KernelMemory {
  std::int64_t slab_bytes = 0;           // its objects: sockets, files, what waits in epoll
  std::int64_t socket_buffer_bytes = 0;  // what TCP holds of data, whole pages
  std::int64_t sockets = 0;              // of TCP, in use
  std::int64_t sockets_in_time_wait = 0;
};
KernelMemory kernel_memory();

class ProcessWatch {
 public:
  // 0 watches nothing: all figures are 0.
  explicit ProcessWatch(pid_t pid) : pid_(pid) {}
  bool watches() const { return pid_ != 0; }
  // utime + stime of all its threads: what /proc/<pid>/stat counts, in nanoseconds. Throws
  // CannotRun once the process is gone.
  std::int64_t cpu_ns() const;
  Memory memory() const;
  std::int64_t rss_bytes() const;  // alone, and cheap enough to be asked often

 private:
  pid_t pid_;
};

// The same for this process.
std::int64_t own_cpu_ns();
// The same for everything on this machine, all cores together; in steps of 10 ms.
std::int64_t all_cpu_ns();

}  // namespace load
