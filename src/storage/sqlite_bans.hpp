// The bans of the SQLite file, on a connection of its own that needs no lock on the file: so of the
// server and, beside it, of the commands on bans.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "chat/ban_store.hpp"

namespace rtc::storage {

// The calls are those of the port; each waits `busy_timeout_ms` at most for another process that
// writes. What they write survives the loss of power, whatever the store's durability is.
class SqliteBans final : public chat::BanStore {
 public:
  // A file that is not there, or of another version of this program, is refused with what to do.
  static Result<std::unique_ptr<SqliteBans>> open(const std::filesystem::path& file,
                                                  std::uint32_t busy_timeout_ms);

  Result<void> put_ban(const chat::Ban& ban, std::uint32_t bans_max) override;
  Result<bool> remove_ban(const std::string& target) override;
  Result<std::vector<chat::Ban>> bans(std::int64_t now_ms) override;
  Result<std::int64_t> bans_version() override;

 private:
  explicit SqliteBans(SQLite::Database database);

  SQLite::Database database_;
  SQLite::Statement forget_;
  SQLite::Statement count_others_;
  SQLite::Statement put_;
  SQLite::Statement remove_;
  SQLite::Statement change_;
  SQLite::Statement list_;
  SQLite::Statement version_;
};

}  // namespace rtc::storage
