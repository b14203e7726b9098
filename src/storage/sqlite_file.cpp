// Opens the file: lock, ownership, settings, migrations.
#include "storage/sqlite_file.hpp"

#include <SQLiteCpp/Transaction.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits>
#include <sqlite3.h>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

#include "storage/migrations/sqlite.hpp"
#include "storage/sqlite_epoch.hpp"

namespace rtc::storage {
namespace {

constexpr int kApplicationId = 0x52544368;  // "RTCh"
constexpr int kSchemaVersion = static_cast<int>(kSqliteMigrations.size());

Error refused(std::string message) {
  return {ErrorCode::internal_server_error, std::move(message)};
}

Error system_failure(std::string_view what, const std::filesystem::path& file, int number) {
  return refused(fmt::format("cannot {} {}: {}", what, file.string(),
                             std::error_code(number, std::generic_category()).message()));
}

// SQLite itself would take a file of a few bytes for an empty one and write over it.
bool is_empty_or_database(int fd) {
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  std::array<char, kMagic.size()> start{};
  const ssize_t size = ::pread(fd, start.data(), start.size(), 0);
  if (size < 0) return false;
  return size == 0 || std::string_view(start.data(), static_cast<std::size_t>(size)) == kMagic;
}

int number(SQLite::Database& database, const char* query) {
  return database.execAndGet(query).getInt();
}

// Refuses what another program wrote before anything is changed in it.
Result<void> check_ours(SQLite::Database& database, const std::string& file) {
  const int application = number(database, "PRAGMA application_id");
  const int version = number(database, "PRAGMA user_version");
  const bool fresh = application == 0 && version == 0 &&
                     number(database, "SELECT count(*) FROM sqlite_schema") == 0;
  if (fresh) return {};
  if (application != kApplicationId) {
    return refused(fmt::format(
        "{} is a database of another program; move it away or choose another data directory",
        file));
  }
  if (version > kSchemaVersion) {
    return refused(fmt::format(
        "{} was written by a newer version of this program (schema {}, this one knows {}); run "
        "that version, or choose another data directory",
        file, version, kSchemaVersion));
  }
  return {};
}

Result<void> configure(SQLite::Database& database, const std::string& file) {
  const std::string mode = database.execAndGet("PRAGMA journal_mode = WAL").getString();
  if (mode != "wal") {
    return refused(
        fmt::format("{} cannot be put into WAL mode (it is \"{}\"); choose a data "
                    "directory on a local disk",
                    file, mode));
  }
  // Ten thousand busy rooms end in as many pages: they stay in memory, and a checkpoint writes each
  // of them once.
  database.exec("PRAGMA cache_size = -65536");
  database.exec("PRAGMA foreign_keys = ON");
  return {};
}

void migrate(SQLite::Database& database) {
  for (int version = number(database, "PRAGMA user_version"); version < kSchemaVersion; ++version) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    database.exec(std::string(kSqliteMigrations[static_cast<std::size_t>(version)]));
    database.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
    database.exec(fmt::format("PRAGMA user_version = {}", version + 1));
    transaction.commit();
  }
}

}  // namespace

int timeout_of(std::uint32_t milliseconds) {
  constexpr std::uint32_t kMax = std::numeric_limits<int>::max();
  return static_cast<int>(std::min(milliseconds, kMax));
}

Result<FileLock> FileLock::take(const std::filesystem::path& database) {
  std::error_code failed;
  std::filesystem::create_directories(database.parent_path(), failed);
  if (failed) return system_failure("make", database.parent_path(), failed.value());
  const std::filesystem::path file = database.string() + ".lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return system_failure("open", file, errno);
  FileLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return system_failure("lock", file, errno);
  return refused(fmt::format(
      "{} is in use by another process; stop that one, or choose another data directory",
      database.string()));
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<SQLite::Database> open_writer(const std::filesystem::path& file,
                                     const SqliteOptions& options) {
  const Error not_a_database = refused(fmt::format(
      "{} is not a database; move it away or choose another data directory", file.string()));
  // SQLite would make the file readable by everyone; its log takes over the file's mode.
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return system_failure("open", file, errno);
  const bool plausible = is_empty_or_database(fd);
  ::close(fd);
  if (!plausible) return not_a_database;
  try {
    SQLite::Database database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX,
                              timeout_of(options.busy_timeout_ms));
    if (auto ours = check_ours(database, file.string()); !ours) return ours.error();
    if (auto configured = configure(database, file.string()); !configured) {
      return configured.error();
    }
    migrate(database);
    open_epoch(database, file, options);
    // Durability. NORMAL: a commit survives the death of the process; FULL: of the machine's power
    // as well, for one fsync a commit.
    database.exec(options.durability == Durability::fsync ? "PRAGMA synchronous = FULL"
                                                          : "PRAGMA synchronous = NORMAL");
    return database;
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() == SQLITE_NOTADB) return not_a_database;
    throw;
  }
}

Result<SQLite::Database> open_beside(const std::filesystem::path& file,
                                     std::uint32_t busy_timeout_ms) {
  if (!std::filesystem::exists(file)) {
    return refused("there is no " + file.string() + ": start the server once, or set data_dir");
  }
  SQLite::Database database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX,
                            timeout_of(busy_timeout_ms));
  if (auto ours = check_ours(database, file.string()); !ours) return ours.error();
  if (number(database, "PRAGMA user_version") != kSchemaVersion) {
    return refused(file.string() +
                   " is of an older version of this program: start the server of this one once");
  }
  // While a server runs, it alone brings the log into the file.
  database.exec("PRAGMA wal_autocheckpoint = 0");
  database.exec("PRAGMA synchronous = FULL");
  return database;
}

SQLite::Database open_reader(const std::filesystem::path& file, std::uint32_t busy_timeout_ms) {
  return {file.string(), SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX, timeout_of(busy_timeout_ms)};
}

}  // namespace rtc::storage
