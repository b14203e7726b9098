#include "storage/postgres_connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <random>
#include <thread>
#include <utility>

namespace rtc::storage {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{50};
constexpr milliseconds kLongestPause{2000};
constexpr std::string_view kStatementTimeout = "57014";  // of PostgreSQL's SQLSTATEs
constexpr std::string_view kReadOnly = "25006";

// libpq's words may have several lines.
std::string in_one_line(std::string_view words) {
  std::string line;
  for (const char c : words) {
    const bool blank = c == '\n' || c == '\r' || c == '\t' || c == ' ';
    if (!blank) line += c;
    if (blank && !line.empty() && line.back() != ' ') line += ' ';
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line.empty() ? "unknown" : line;
}

// Between half of it and all of it, so that nodes do not come back at one moment.
milliseconds jittered(milliseconds most) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return milliseconds(
      std::uniform_int_distribution<std::int64_t>(most.count() / 2, most.count())(random));
}

// What every session needs, whatever the database's own defaults are.
// - Everything is found by key: a plan made while a table was small must not be one that reads all
//   of it later, and none is worth compiling.
// - What is written takes its locks first and looks then, which asks for READ COMMITTED.
// - A receipt means committed: asynchronous commits, which a crash of the server takes back, are
// not
//   taken; stronger ones (remote_apply) are the administrator's to choose.
std::string session_settings(milliseconds timeout) {
  return fmt::format(
      "SET search_path = realtimechat; SET jit = off; SET enable_seqscan = off; "
      "SET enable_hashjoin = off; SET enable_mergejoin = off; SET client_min_messages = error; "
      "SET default_transaction_isolation = 'read committed'; SET statement_timeout = {}; "
      "SELECT set_config('synchronous_commit', 'on', false) "
      "WHERE current_setting('synchronous_commit') = 'off'",
      timeout.count());
}

void take(pg_result* result, PostgresAnswer& answer) {
  const ExecStatusType status = PQresultStatus(result);
  PostgresRows rows(result);
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
    answer.rows = std::move(rows);
    return;
  }
  const char* const words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  answer.problem = in_one_line(words != nullptr ? words : PQresultErrorMessage(result));
  answer.state = state != nullptr ? state : "";
}

}  // namespace

Error PostgresAnswer::error() const {
  return {ErrorCode::internal_server_error, fmt::format("storage failed: {}", problem)};
}

void PostgresConnection::Finish::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

PostgresConnection::PostgresConnection(const PostgresOptions& options, PostgresFigures& figures)
    : options_(options), figures_(figures), timeout_(options.timeout_ms), pause_(kFirstPause) {}

PostgresConnection::~PostgresConnection() {
  close();
}

void PostgresConnection::close() {
  if (!connection_) return;
  connection_.reset();
  prepared_.reset();
  figures_.connections.fetch_sub(1, std::memory_order_relaxed);
}

void PostgresConnection::pause() {
  next_try_ = Clock::now() + jittered(pause_);
  opened_by_then_ = figures_.opened;
  pause_ = std::min(2 * pause_, kLongestPause);
}

void PostgresConnection::take_too_long() {
  waits_ = false;
  pause();
}

void PostgresConnection::say(std::string_view what) {
  if (const std::uint64_t untold = figures_.lines.take(); untold > 0) {
    log::warn("store: {}: {} (times: {})", what, words_, untold);
  }
}

bool PostgresConnection::open() {
  // libpq bounds a try by whole seconds, two at least, for each address of the server.
  const std::string seconds = std::to_string((options_.timeout_ms + 999) / 1000);
  // What the URL says itself counts, as it comes last.
  const std::array<const char*, 4> names{"application_name", "connect_timeout", "dbname", nullptr};
  const std::array<const char*, 4> values{"realtimechat", seconds.c_str(), options_.url.c_str(),
                                          nullptr};
  std::unique_ptr<pg_conn, Finish> made(PQconnectdbParams(names.data(), values.data(), 1));
  if (PQstatus(made.get()) != CONNECTION_OK) {
    words_ = in_one_line(PQerrorMessage(made.get()));
    return false;
  }
  PQsetNoticeProcessor(
      made.get(), [](void*, const char*) {}, nullptr);
  PQsetnonblocking(made.get(), 1);
  connection_ = std::move(made);
  figures_.connections.fetch_add(1, std::memory_order_relaxed);
  const PostgresAnswer set = run(session_settings(timeout_), deadline());
  if (!set.ok()) {
    if (!set.lost) words_ = set.problem;
    close();
    return false;
  }
  figures_.opened.fetch_add(1, std::memory_order_relaxed);
  if (opened_before_) figures_.reconnects.fetch_add(1, std::memory_order_relaxed);
  opened_before_ = true;
  return true;
}

Result<void> PostgresConnection::connect(Clock::time_point deadline) {
  const Error unreachable{ErrorCode::internal_server_error,
                          "storage failed: PostgreSQL does not answer, or cannot be reached"};
  // Who was let in since shows that the server is back.
  if (figures_.opened != opened_by_then_) next_try_ = {};
  if (!waits_ && Clock::now() < next_try_) return unreachable;
  while (!connection_) {
    if (next_try_ >= deadline) {
      take_too_long();
      return unreachable;
    }
    std::this_thread::sleep_until(next_try_);
    if (open()) break;
    pause();
    say("PostgreSQL cannot be reached");
    if (!waits_) return unreachable;
  }
  return {};
}

PostgresAnswer PostgresConnection::lost(std::string problem, std::string words) {
  words_ = std::move(words);
  say(problem);
  close();
  PostgresAnswer answer;
  answer.problem = std::move(problem);
  answer.lost = true;
  return answer;
}

PostgresAnswer PostgresConnection::broken() {
  return lost("the connection to PostgreSQL broke", in_one_line(PQerrorMessage(connection_.get())));
}

// All of the answer, up to the server's word that it is ready for the next: a commit may still fail
// after the rows have come.
PostgresAnswer PostgresConnection::finish(Clock::time_point deadline) {
  const Clock::time_point end = deadline + timeout_ / 4;
  PostgresAnswer answer;
  bool sent = false;
  while (true) {
    if (!sent) {
      const int unsent = PQflush(connection_.get());
      if (unsent < 0) return broken();
      sent = unsent == 0;
    }
    if (PQisBusy(connection_.get()) == 0) {
      pg_result* const result = PQgetResult(connection_.get());
      if (result == nullptr) break;
      take(result, answer);
      continue;
    }
    // What is there already counts, though this process stood still until it was late.
    const auto left =
        std::max(std::chrono::ceil<milliseconds>(end - Clock::now()), milliseconds(0));
    pollfd ready{PQsocket(connection_.get()), POLLIN, 0};
    if (!sent) ready.events |= POLLOUT;
    const int count = ::poll(&ready, 1, static_cast<int>(left.count()));
    if (count < 0 && errno != EINTR) return broken();
    if (count == 0) {
      figures_.timeouts.fetch_add(1, std::memory_order_relaxed);
      take_too_long();
      return lost("PostgreSQL did not answer in time", fmt::format("{}", timeout_));
    }
    if ((ready.revents & ~POLLOUT) != 0 && PQconsumeInput(connection_.get()) == 0) return broken();
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK) return broken();
  return answer;
}

PostgresAnswer PostgresConnection::run(const std::string& text, Clock::time_point deadline) {
  if (PQsendQuery(connection_.get(), text.c_str()) == 0) return broken();
  return finish(deadline);
}

PostgresAnswer PostgresConnection::run(PostgresStatement statement,
                                       const PostgresParameters& parameters,
                                       Clock::time_point deadline) {
  const auto index = static_cast<std::size_t>(statement);
  const std::string name = fmt::format("s{}", index);
  if (!prepared_.test(index)) {
    if (PQsendPrepare(connection_.get(), name.c_str(), text_of(statement), 0, nullptr) == 0) {
      return broken();
    }
    auto prepared = finish(deadline);
    if (!prepared.ok()) return prepared;
    prepared_.set(index);
  }
  const std::vector<std::string>& values = parameters.values();
  std::vector<const char*> begins;
  std::vector<int> lengths;
  for (const std::string& value : values) {
    begins.push_back(value.data());
    lengths.push_back(static_cast<int>(value.size()));
  }
  const std::vector<int> binary(values.size(), 1);
  if (PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(values.size()),
                          begins.data(), lengths.data(), binary.data(), 1) == 0) {
    return broken();
  }
  auto answer = finish(deadline);
  if (answer.lost) return answer;
  if (answer.state == kStatementTimeout) {
    figures_.timeouts.fetch_add(1, std::memory_order_relaxed);
    take_too_long();
  } else {
    waits_ = true;
    pause_ = kFirstPause;
    next_try_ = {};
  }
  // A server that became a standby keeps its sessions: the next connection may find the new
  // primary.
  if (answer.state == kReadOnly) close();
  return answer;
}

PostgresAnswer PostgresConnection::ask(PostgresStatement statement,
                                       const PostgresParameters& parameters) {
  const Clock::time_point until = deadline();
  while (true) {
    if (const auto connected = connect(until); !connected) {
      PostgresAnswer answer;
      answer.problem = "PostgreSQL does not answer, or cannot be reached";
      answer.lost = true;
      return answer;
    }
    auto answer = run(statement, parameters, until);
    if (!answer.lost || Clock::now() >= until) return answer;
  }
}

}  // namespace rtc::storage
