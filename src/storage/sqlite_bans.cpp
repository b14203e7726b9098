#include "storage/sqlite_bans.hpp"

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Transaction.h>

#include "storage/sqlite_file.hpp"
#include "storage/sqlite_rows.hpp"

namespace rtc::storage {

SqliteBans::SqliteBans(SQLite::Database database)
    : database_(std::move(database)),
      forget_(database_, "DELETE FROM bans WHERE until_ms <> 0 AND until_ms <= ?"),
      count_others_(database_, "SELECT count(*) FROM bans WHERE target <> ?"),
      put_(database_, "INSERT OR REPLACE INTO bans VALUES (?, ?, ?, ?)"),
      remove_(database_, "DELETE FROM bans WHERE target = ?"),
      change_(database_, "UPDATE store SET bans_version = bans_version + 1"),
      list_(database_,
            "SELECT target, until_ms, reason, created_at_ms FROM bans "
            "WHERE until_ms = 0 OR until_ms > ? ORDER BY created_at_ms, target"),
      version_(database_, "SELECT bans_version FROM store") {}

Result<std::unique_ptr<SqliteBans>> SqliteBans::open(const std::filesystem::path& file,
                                                     std::uint32_t busy_timeout_ms) {
  try {
    auto database = open_beside(file, busy_timeout_ms);
    if (!database) return database.error();
    return std::unique_ptr<SqliteBans>(new SqliteBans(std::move(*database)));
  } catch (const SQLite::Exception& error) {
    return {ErrorCode::internal_server_error, "cannot open " + file.string() + ": " + error.what()};
  }
}

Result<void> SqliteBans::put_ban(const chat::Ban& ban, std::uint32_t bans_max) {
  try {
    SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
    Use(forget_).bind(1, ban.created_at_ms).run();
    {
      Use others(count_others_);
      if (others.bind(1, ban.target).next() && others.integer(0) >= std::int64_t{bans_max}) {
        return chat::too_many_bans(bans_max);
      }
    }
    Use(put_)
        .bind(1, ban.target)
        .bind(2, ban.until_ms)
        .bind(3, ban.reason)
        .bind(4, ban.created_at_ms)
        .run();
    Use(change_).run();
    transaction.commit();
    return {};
  } catch (const SQLite::Exception& error) {
    return storage_failure(error);
  }
}

Result<bool> SqliteBans::remove_ban(const std::string& target) {
  try {
    SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
    Use(remove_).bind(1, target).run();
    const bool removed = database_.getChanges() > 0;
    if (removed) Use(change_).run();
    transaction.commit();
    return removed;
  } catch (const SQLite::Exception& error) {
    return storage_failure(error);
  }
}

Result<std::vector<chat::Ban>> SqliteBans::bans(std::int64_t now_ms) {
  try {
    std::vector<chat::Ban> bans;
    Use row(list_);
    row.bind(1, now_ms);
    while (row.next()) {
      bans.push_back({row.text(0), row.integer(1), row.text(2), row.integer(3)});
    }
    return bans;
  } catch (const SQLite::Exception& error) {
    return storage_failure(error);
  }
}

Result<std::int64_t> SqliteBans::bans_version() {
  try {
    Use row(version_);
    row.next();
    return row.integer(0);
  } catch (const SQLite::Exception& error) {
    return storage_failure(error);
  }
}

}  // namespace rtc::storage
