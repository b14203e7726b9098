#include "storage/postgres_schema.hpp"

#include <chrono>
#include <fmt/format.h>
#include <optional>

#include "storage/postgres_migrations.hpp"

namespace rtc::storage {
namespace {

// Of a start alone: as long as a migration of many messages, or another node's, may take.
constexpr std::chrono::minutes kMost{30};

// Runs texts one after another until one fails.
class Steps {
 public:
  explicit Steps(PostgresConnection& connection) : connection_(connection) {}

  void run(const std::string& text) {
    if (failed_) return;
    answer_ = connection_.run(text, PostgresConnection::Clock::now() + kMost);
    if (answer_.ok()) return;
    failed_ = Error{ErrorCode::internal_server_error, answer_.problem};
    if (answer_.lost) failed_->message += ": " + connection_.words();
  }
  // The only value of the only row; "" when something failed.
  std::string value(const std::string& text) {
    run(text);
    return failed_ || answer_.rows.count() == 0 ? "" : answer_.rows.text(0, 0);
  }
  bool is_true(const std::string& text) { return value(text) == "t"; }
  const std::optional<Error>& failed() const { return failed_; }

 private:
  PostgresConnection& connection_;
  PostgresAnswer answer_;
  std::optional<Error> failed_;
};

}  // namespace

Result<std::string> open_postgres_schema(PostgresConnection& connection) {
  const auto migrations = postgres_migrations();
  Steps steps(connection);
  // The lock is "RTCh", given up at the transaction's end, however that comes.
  steps.run("BEGIN; SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(1381253992)");
  if (steps.is_true("SELECT to_regnamespace('realtimechat') IS NULL")) {
    steps.run("CREATE SCHEMA realtimechat");
  }
  if (steps.is_true("SELECT to_regclass('realtimechat.schema_version') IS NULL")) {
    steps.run(
        "CREATE TABLE schema_version (version integer NOT NULL); "
        "INSERT INTO schema_version VALUES (0)");
  }
  const std::string known = steps.value("SELECT version FROM schema_version");
  if (steps.failed()) return *steps.failed();
  const std::size_t version = std::stoul(known);
  if (version > migrations.size()) {
    return {ErrorCode::internal_server_error,
            fmt::format("the database was written by a newer version of this program (schema {}, "
                        "this one knows {}); run that version, or choose another database",
                        version, migrations.size())};
  }
  for (std::size_t next = version; next < migrations.size(); ++next) {
    steps.run(std::string(migrations[next]));
    steps.run(fmt::format("UPDATE schema_version SET version = {}", next + 1));
  }
  // Of processes that are gone: an answer is asked for within seconds or never.
  steps.run("DELETE FROM writers WHERE used_at < now() - interval '30 days'");
  steps.run("COMMIT");
  std::string epoch =
      steps.value("SELECT epoch || left(pg_walfile_name(pg_current_wal_lsn()), 8) FROM store");
  if (steps.failed()) return *steps.failed();
  return epoch;
}

}  // namespace rtc::storage
