// One connection to PostgreSQL: made when it is needed and again when it broke, with every wait
// bounded. One thread at a time. Used by the store's threads, which may block.
#pragma once

#include <atomic>
#include <bitset>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "base/result.hpp"
#include "chat/message_store.hpp"
#include "storage/postgres_statements.hpp"
#include "storage/postgres_store.hpp"
#include "storage/postgres_values.hpp"

struct pg_conn;  // libpq's PGconn

namespace rtc::storage {

// chat::ServerFigures as the connections of a store count them.
struct PostgresFigures {
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> reconnects{0};
  std::atomic<std::uint64_t> timeouts{0};
  std::atomic<std::uint64_t> resolved{0};
  std::atomic<std::uint64_t> opened{0};  // connections made, the first ones too
  log::Throttle lines;                   // of what is wrong with the connections
};

// How one statement ended.
struct PostgresAnswer {
  PostgresRows rows;    // when it worked
  std::string problem;  // in one line; "": it worked. Names no host, user or path
  std::string state;    // SQLSTATE, where the server named one
  // The connection broke or the answer did not come in time: whether the statement was executed,
  // or will be, is not known. Otherwise a statement with a problem has changed nothing.
  bool lost = false;

  bool ok() const { return problem.empty(); }
  Error error() const;  // internal_server_error
};

class PostgresConnection {
 public:
  using Clock = std::chrono::steady_clock;

  // Both outlive it. Connects later.
  PostgresConnection(const PostgresOptions& options, PostgresFigures& figures);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  // Until when a call that begins now may take; an answer under way is waited for a little longer,
  // so that the server's own word on a statement that took too long, which is sure, comes first.
  Clock::time_point deadline() const { return Clock::now() + timeout_; }

  // Makes sure that there is a connection: tries again and again until `deadline`. Once that, or a
  // statement, took too long, it fails at once until a pause is over or another connection was
  // made, and then tries once, until a statement works. The error does not say why: the log does,
  // and words().
  Result<void> connect(Clock::time_point deadline);
  bool connected() const { return connection_ != nullptr; }
  const std::string& words() const { return words_; }  // libpq's own on the last failure

  // On the connection that there is.
  PostgresAnswer run(PostgresStatement statement, const PostgresParameters& parameters,
                     Clock::time_point deadline);
  // Some statements that give no rows, without parameters.
  PostgresAnswer run(const std::string& text, Clock::time_point deadline);

  // connect() and run(), again when the connection breaks: for statements that may be executed
  // twice.
  PostgresAnswer ask(PostgresStatement statement, const PostgresParameters& parameters);

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  bool open();
  void close();
  PostgresAnswer finish(Clock::time_point deadline);
  PostgresAnswer lost(std::string problem, std::string words);
  PostgresAnswer broken();
  void take_too_long();  // whoever calls next need not wait as well
  void pause();          // before the next try
  void say(std::string_view what);

  const PostgresOptions& options_;
  PostgresFigures& figures_;
  const std::chrono::milliseconds timeout_;

  std::unique_ptr<pg_conn, Finish> connection_;
  std::bitset<kPostgresStatements.size()> prepared_;
  bool opened_before_ = false;
  bool waits_ = true;  // no call since the last statement that worked took too long
  std::string words_;
  Clock::time_point next_try_{};
  std::uint64_t opened_by_then_ = 0;  // figures_.opened when that was chosen
  std::chrono::milliseconds pause_;
};

}  // namespace rtc::storage
