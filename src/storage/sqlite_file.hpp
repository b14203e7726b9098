// The database file: who may use it, whether it is ours, its schema, and its connections.
#pragma once

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Database.h>
#include <cstdint>
#include <filesystem>
#include <utility>

#include "base/result.hpp"
#include "storage/sqlite_store.hpp"

namespace rtc::storage {

// The right to use a database: an flock on "<file>.lock", held for the life of this object and
// released by the kernel when the process dies.
class FileLock {
 public:
  static Result<FileLock> take(const std::filesystem::path& database);
  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_;
};

// A time as SQLite takes it.
int timeout_of(std::uint32_t milliseconds);

// The connection that writes, its schema up to date. Made with its directory when it is not there,
// for its owner only. Throws SQLite::Exception as well.
Result<SQLite::Database> open_writer(const std::filesystem::path& file,
                                     const SqliteOptions& options);

// A connection that writes beside the process that has the lock, if there is one; the file is there
// and of this program's version, or it is refused. Throws SQLite::Exception.
Result<SQLite::Database> open_beside(const std::filesystem::path& file,
                                     std::uint32_t busy_timeout_ms);

// A read-only connection to a file that open_writer() has opened. Throws SQLite::Exception.
SQLite::Database open_reader(const std::filesystem::path& file, std::uint32_t busy_timeout_ms);

}  // namespace rtc::storage
