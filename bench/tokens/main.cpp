// What it costs to know who is asking: a signed token that carries the identity, or a session id
// and a store that knows it, in this process, in SQLite and, where one listens, in Redis.
#include <CLI/CLI.hpp>
#include <arpa/inet.h>
#include <cstdlib>
#include <filesystem>
#include <fmt/core.h>
#include <mutex>
#include <netinet/tcp.h>
#include <shared_mutex>
#include <sqlite3.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

#include "auth/jwt_token_authority.hpp"
#include "clock.hpp"
#include "histogram.hpp"
#include "process.hpp"
#include "report.hpp"

namespace {

using rtc::chat::Identity;

constexpr std::uint32_t kLookUps = 20'000;
constexpr std::uint32_t kTokens = 1000;  // different ones; their check costs the same each time
constexpr std::int64_t kNow = 1'800'000'000;

struct Options {
  std::uint32_t sessions = 1'000'000;
  std::filesystem::path directory = ".";
  std::uint16_t redis_port = 0;
  pid_t redis_pid = 0;
  bool json = false;
};

[[noreturn]] void fail(std::string_view what) {
  throw std::runtime_error(std::string(what));
}

Identity identity(std::uint32_t i) {
  return {rtc::UserId::random(), fmt::format("수달{}", i % 99 + 1),
          fmt::format("#{:06X}", i % 0x1000000), "203.0"};
}

// 128 bits as 32 letters: not to be guessed if they were random; here the place is what matters.
std::string session_id(std::uint32_t i) {
  return fmt::format("{:016x}{:016x}", (i + 1) * 0x9E3779B97F4A7C15ULL, i * 0xBF58476D1CE4E5B9ULL);
}

// What a store would hold of one: the token's claims.
std::string session_json(const Identity& who) {
  return fmt::format(R"({{"jti":"{}","randId":"{}","sub":"{}","aud":["{}"],"iat":{},"exp":{}}})",
                     who.id.to_string(), who.nickname, who.name_tag, who.address, kNow,
                     kNow + 86'400);
}

// CPU time of the calling thread for each of so many calls, which a busy machine hardly changes.
template <class Call>
double cpu_us_each(std::uint32_t times, Call call) {
  const std::int64_t begin = load::read_clock(CLOCK_THREAD_CPUTIME_ID);
  for (std::uint32_t i = 0; i < times; ++i) call(i);
  return static_cast<double>(load::read_clock(CLOCK_THREAD_CPUTIME_ID) - begin) / 1000 / times;
}

// The sessions to ask for, all over the store: no cache holds the next one by chance.
std::vector<std::string> asked_for(std::uint32_t sessions) {
  std::vector<std::string> ids;
  for (std::uint32_t i = 0; i < kLookUps; ++i) {
    ids.push_back(session_id(static_cast<std::uint32_t>(i * 2'654'435'761ULL % sessions)));
  }
  return ids;
}

void measure_tokens(load::Report& report) {
  const rtc::auth::JwtTokenAuthority authority({std::string(48, 'k'), "realtimechat", 86'400});
  std::vector<std::string> tokens;
  for (std::uint32_t i = 0; i < kTokens; ++i) tokens.push_back(authority.issue(identity(i), kNow));
  report.number("jwt_bytes", static_cast<double>(tokens.front().size()));
  report.number("jwt_check_us",
                cpu_us_each(kLookUps,
                            [&](std::uint32_t i) {
                              if (authority.check(tokens[i % kTokens], kNow).verdict !=
                                  rtc::chat::TokenCheck::Verdict::valid) {
                                fail("a token is not valid");
                              }
                            }),
                3);
  report.number("jwt_issue_us",
                cpu_us_each(kTokens,
                            [&](std::uint32_t i) {
                              if (authority.issue(identity(i), kNow).empty()) fail("no token");
                            }),
                3);
}

void measure_map(load::Report& report, const Options& options) {
  struct Session {
    Identity who;
    std::int64_t expires_at_s;
  };
  const load::ProcessWatch self(::getpid());
  const std::int64_t before = self.memory().private_bytes;
  std::unordered_map<std::string, Session> sessions;
  for (std::uint32_t i = 0; i < options.sessions; ++i) {
    sessions.emplace(session_id(i), Session{identity(i), kNow});
  }
  report.number("map_bytes_per_session",
                static_cast<double>(self.memory().private_bytes - before) / options.sessions, 1);
  const auto ids = asked_for(options.sessions);
  std::shared_mutex mutex;  // every loop would ask the one map
  report.number("map_look_up_us",
                cpu_us_each(kLookUps,
                            [&](std::uint32_t i) {
                              const std::shared_lock lock(mutex);
                              if (sessions.at(ids[i]).expires_at_s < kNow)
                                fail("no session in the map");
                            }),
                3);
}

class Database {
 public:
  explicit Database(const std::filesystem::path& file) {
    if (sqlite3_open(file.c_str(), &db_) != SQLITE_OK) fail("cannot open a database");
  }
  ~Database() {
    sqlite3_finalize(statement_);
    sqlite3_close(db_);
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const char* sql) {
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(sqlite3_errmsg(db_));
  }
  void prepare(const char* sql) {
    sqlite3_finalize(statement_);
    if (sqlite3_prepare_v2(db_, sql, -1, &statement_, nullptr) != SQLITE_OK) {
      fail(sqlite3_errmsg(db_));
    }
  }
  // Returns whether there is a row, and leaves its first column in `found`.
  bool step(const std::string& first, const std::string* second, std::string* found) {
    sqlite3_bind_text(statement_, 1, first.data(), static_cast<int>(first.size()), SQLITE_STATIC);
    if (second != nullptr) {
      sqlite3_bind_text(statement_, 2, second->data(), static_cast<int>(second->size()),
                        SQLITE_STATIC);
    }
    const bool row = sqlite3_step(statement_) == SQLITE_ROW;
    if (row && found != nullptr) {
      *found = reinterpret_cast<const char*>(sqlite3_column_text(statement_, 0));
    }
    sqlite3_reset(statement_);
    return row;
  }

 private:
  sqlite3* db_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
};

void measure_sqlite(load::Report& report, const Options& options) {
  const std::filesystem::path file = options.directory / "sessions.db";
  std::filesystem::remove(file);
  {
    Database database(file);
    database.run("CREATE TABLE session (id TEXT PRIMARY KEY, who TEXT) WITHOUT ROWID; BEGIN");
    database.prepare("INSERT INTO session VALUES (?, ?)");
    for (std::uint32_t i = 0; i < options.sessions; ++i) {
      const std::string who = session_json(identity(i));
      database.step(session_id(i), &who, nullptr);
    }
    database.run("COMMIT");
    report.number("sqlite_bytes_per_session",
                  static_cast<double>(std::filesystem::file_size(file)) / options.sessions, 1);
    database.prepare("SELECT who FROM session WHERE id = ?");
    const auto ids = asked_for(options.sessions);
    std::string who;
    report.number("sqlite_look_up_us",
                  cpu_us_each(kLookUps,
                              [&](std::uint32_t i) {
                                if (!database.step(ids[i], nullptr, &who)) {
                                  fail("no session in the database");
                                }
                              }),
                  3);
  }
  std::filesystem::remove(file);
}

class Redis {
 public:
  explicit Redis(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      fail("cannot connect to Redis");
    }
    const int yes = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  }
  ~Redis() { ::close(fd_); }
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  // Sends as it is, and reads until `answers` lines that are not a length have come.
  void exchange(const std::string& commands, std::uint32_t answers) {
    if (::send(fd_, commands.data(), commands.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(commands.size())) {
      fail("Redis went away");
    }
    char buffer[65536];
    bool begins = true;
    bool is_length = false;
    while (answers > 0) {
      const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
      if (count <= 0) fail("Redis went away");
      for (ssize_t i = 0; i < count; ++i) {
        if (begins) {
          is_length = buffer[i] == '$';
          if (buffer[i] == '-') fail("Redis refused a command");
        }
        begins = buffer[i] == '\n';
        if (begins && !is_length) --answers;
      }
    }
  }
  static std::string command(std::initializer_list<std::string_view> words) {
    std::string text = fmt::format("*{}\r\n", words.size());
    for (const std::string_view word : words) {
      text += fmt::format("${}\r\n{}\r\n", word.size(), word);
    }
    return text;
  }

 private:
  int fd_;
};

void measure_redis(load::Report& report, const Options& options) {
  constexpr std::uint32_t kBatch = 100;
  const load::ProcessWatch server(options.redis_pid);
  Redis redis(options.redis_port);
  const std::int64_t before = server.memory().private_bytes;
  for (std::uint32_t i = 0; i < options.sessions;) {
    std::string commands;
    std::uint32_t count = 0;
    for (; count < kBatch && i < options.sessions; ++count, ++i) {
      commands += Redis::command({"SET", session_id(i), session_json(identity(i)), "EX", "86400"});
    }
    redis.exchange(commands, count);
  }
  report.number("redis_bytes_per_session",
                static_cast<double>(server.memory().private_bytes - before) / options.sessions, 1);
  const auto ids = asked_for(options.sessions);
  load::Histogram waits;
  const std::int64_t cpu_before = server.cpu_ns();
  report.number("redis_look_up_us",
                cpu_us_each(kLookUps,
                            [&](std::uint32_t i) {
                              const std::int64_t begin = load::now_ns();
                              redis.exchange(Redis::command({"GET", ids[i]}), 1);
                              waits.record(load::now_ns() - begin);
                            }),
                3);
  report.number("redis_own_us", static_cast<double>(server.cpu_ns() - cpu_before) / 1000 / kLookUps,
                3);
  report.number("redis_wait_p50_us", static_cast<double>(waits.percentile_ns(50)) / 1000, 1);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("The check of a token beside the look-up of a session in a store.", "rtc_tokens");
  app.add_option("--sessions", options.sessions, "In each store")->check(CLI::PositiveNumber);
  app.add_option("--directory", options.directory, "For the database");
  app.add_option("--redis", options.redis_port, "Port of a Redis on 127.0.0.1 to fill");
  app.add_option("--redis-pid", options.redis_pid, "Its process");
  app.add_flag("--json", options.json, "Print the figures as one JSON object");
  CLI11_PARSE(app, argc, argv);
  try {
    load::Report report;
    report.number("sessions", options.sessions);
    measure_tokens(report);
    measure_map(report, options);
    measure_sqlite(report, options);
    if (options.redis_port != 0) measure_redis(report, options);
    return report.finish(options.json);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "rtc_tokens: {}\n", problem.what());
    return 3;
  }
}
