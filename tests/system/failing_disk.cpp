// A disk that fails on demand: a library to be loaded before the program (LD_PRELOAD). While the
// file named by FAILING_DISK holds "<read|write|sync> <errno>", those calls fail with that errno on
// every file whose path holds ".sqlite", or with 0 for an errno never return; everything else goes
// to the system.
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

template <class Function>
Function system_call(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

// Whether that call shall fail now; sets errno. By bare system calls: read() is ours here.
bool fails(int fd, const char* call) {
  const int before = errno;
  std::array<char, 32> order{};
  const char* const file = std::getenv("FAILING_DISK");
  const long opened =
      file == nullptr ? -1 : ::syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC);
  if (opened >= 0) {
    ::syscall(SYS_read, opened, order.data(), order.size() - 1);
    ::syscall(SYS_close, opened);
  }
  errno = before;
  const std::size_t length = std::strlen(call);
  if (std::strncmp(order.data(), call, length) != 0) return false;
  std::array<char, 32> link{};
  std::array<char, 4096> path{};
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", fd);
  ::syscall(SYS_readlinkat, AT_FDCWD, link.data(), path.data(), path.size() - 1);
  errno = before;
  if (std::strstr(path.data(), ".sqlite") == nullptr) return false;
  errno = std::atoi(order.data() + length);
  while (errno == 0) ::pause();
  return true;
}

}  // namespace

extern "C" {

ssize_t pwrite64(int fd, const void* bytes, size_t count, off64_t at) {
  static const auto next = system_call<decltype(&::pwrite64)>("pwrite64");
  return fails(fd, "write") ? -1 : next(fd, bytes, count, at);
}
ssize_t pwrite(int fd, const void* bytes, size_t count, off_t at) {
  static const auto next = system_call<decltype(&::pwrite)>("pwrite");
  return fails(fd, "write") ? -1 : next(fd, bytes, count, at);
}
ssize_t write(int fd, const void* bytes, size_t count) {
  static const auto next = system_call<decltype(&::write)>("write");
  return fails(fd, "write") ? -1 : next(fd, bytes, count);
}
ssize_t pread64(int fd, void* bytes, size_t count, off64_t at) {
  static const auto next = system_call<decltype(&::pread64)>("pread64");
  return fails(fd, "read") ? -1 : next(fd, bytes, count, at);
}
ssize_t pread(int fd, void* bytes, size_t count, off_t at) {
  static const auto next = system_call<decltype(&::pread)>("pread");
  return fails(fd, "read") ? -1 : next(fd, bytes, count, at);
}
int fsync(int fd) {
  static const auto next = system_call<decltype(&::fsync)>("fsync");
  return fails(fd, "sync") ? -1 : next(fd);
}
int fdatasync(int fd) {
  static const auto next = system_call<decltype(&::fdatasync)>("fdatasync");
  return fails(fd, "sync") ? -1 : next(fd);
}

}  // extern "C"
