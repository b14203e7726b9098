// A PostgreSQL store in a database of its own, that goes with it, on the server that ctest starts
// (tests/CMakeLists.txt).
#pragma once

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <libpq-fe.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <unistd.h>

#include "base/uuid.hpp"
#include "contract/store_contract.hpp"
#include "storage/postgres_store.hpp"

namespace rtc::storage::test {

inline std::string postgres_server_url() {
  std::ifstream file(RTC_TEST_POSTGRES);
  std::string directory;
  std::string url;
  if (!std::getline(file, directory) || !std::getline(file, url)) {
    throw std::runtime_error("no PostgreSQL server: run these tests by ctest, which starts one");
  }
  return url;
}

// One statement on a connection of its own; the first value of its answer.
inline std::string ask_postgres(const std::string& url, const std::string& statement) {
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(url.c_str()), PQfinish);
  std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection.get(), statement.c_str()),
                                                        PQclear);
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(statement + ": " + PQerrorMessage(connection.get()));
  }
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

class Database {
 public:
  Database() { ask_postgres(postgres_server_url(), "CREATE DATABASE \"" + name_ + "\""); }
  ~Database() {
    ask_postgres(postgres_server_url(), "DROP DATABASE \"" + name_ + "\" WITH (FORCE)");
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Through another port: that of something between.
  std::string url(int port = 0) const {
    std::string url = postgres_server_url();
    url = url.substr(0, url.rfind('/') + 1) + name_;
    if (port == 0) return url;
    const auto colon = url.rfind(':');
    return url.substr(0, colon + 1) + std::to_string(port) + url.substr(url.rfind('/'));
  }
  // Lets nobody in, and throws out who is; or lets them in again.
  void shut() const {
    ask_postgres(postgres_server_url(), "ALTER DATABASE \"" + name_ + "\" ALLOW_CONNECTIONS false");
    ask_postgres(postgres_server_url(),
                 "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '" +
                     name_ + "'");
  }
  void open() const {
    ask_postgres(postgres_server_url(), "ALTER DATABASE \"" + name_ + "\" ALLOW_CONNECTIONS true");
  }
  std::string ask(const std::string& statement) const {
    return ask_postgres(url(), "SET search_path = realtimechat; " + statement);
  }

 private:
  std::string name_ = "rtc_" + Uuid::random().to_string();
};

inline int port_of(const std::string& url) {
  return std::atoi(url.c_str() + url.rfind(':') + 1);
}

inline std::unique_ptr<PostgresStore> open_store(const PostgresOptions& options) {
  auto store = PostgresStore::open(options);
  if (!store) throw std::runtime_error(store.error().message);
  return std::move(*store);
}

class PostgresStores final : public chat::Stores {
 public:
  chat::MessageStore& messages() override { return *store_; }
  chat::RoomStore& rooms() override { return *store_; }
  chat::BanStore& bans() override { return *store_; }

 private:
  Database database_;
  std::unique_ptr<PostgresStore> store_ =
      open_store(PostgresOptions{.url = database_.url(), .shared = false});
};

}  // namespace rtc::storage::test
