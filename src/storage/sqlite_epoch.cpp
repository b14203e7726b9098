// The record of the machine's boot and of the file's identity.
#include "storage/sqlite_epoch.hpp"

#include <SQLiteCpp/Statement.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <string>
#include <sys/stat.h>

#include "base/log.hpp"
#include "base/uuid.hpp"

namespace rtc::storage {
namespace {

// Commits that follow are on the disk when they return, and with them all that came before in the
// log.
constexpr const char* kOnDisk = "PRAGMA synchronous = FULL";

// The machine's boot. When it is not to be had: one of its own, as if it had booted since.
std::string machine_boot() {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  return boot.empty() ? Uuid::random().to_string() : boot;
}

// "<inode>" and, where the file system keeps it, "-<birth>": an inode's number is used again when
// its file was removed. "" when the file cannot be asked.
std::string identity_of(const std::filesystem::path& file) {
  struct statx status {};
  if (::statx(AT_FDCWD, file.c_str(), 0, STATX_INO | STATX_BTIME, &status) != 0) return "";
  std::string identity = std::to_string(status.stx_ino);
  if ((status.stx_mask & STATX_BTIME) != 0) {
    identity += fmt::format("-{}.{:09}", status.stx_btime.tv_sec, status.stx_btime.tv_nsec);
  }
  return identity;
}

// Why the ids may be given again; "" when they are not.
std::string_view reason_for_another(const std::string& known_boot, const std::string& boot,
                                    const std::string& known_file, const std::string& file) {
  if (!known_file.empty() && known_file != file) return "the database is a copy of another file";
  if (!known_boot.empty() && known_boot != boot) {
    return "the machine went down while the database was open, and the last commits may be lost";
  }
  return "";
}

}  // namespace

void open_epoch(SQLite::Database& database, const std::filesystem::path& file,
                const SqliteOptions& options) {
  const std::string boot = options.boot.empty() ? machine_boot() : options.boot;
  const std::string identity = identity_of(file);
  std::string_view reason;
  {
    SQLite::Statement known(database, "SELECT boot, file FROM store");
    known.executeStep();
    reason = reason_for_another(known.getColumn(0).getString(), boot,
                                known.getColumn(1).getString(), identity);
  }
  SQLite::Statement record(database,
                           "UPDATE store SET boot = ?, file = ?, "
                           "epoch = CASE WHEN ? THEN lower(hex(randomblob(8))) ELSE epoch END");
  record.bind(1, options.durability == Durability::commit ? boot : "");
  record.bind(2, identity);
  record.bind(3, reason.empty() ? 0 : 1);
  database.exec(kOnDisk);
  record.exec();
  if (!reason.empty()) log::warn("store: new epoch, clients read their rooms anew: {}", reason);
}

void close_epoch(SQLite::Database& database) {
  database.exec(kOnDisk);
  database.exec("UPDATE store SET boot = ''");
}

}  // namespace rtc::storage
