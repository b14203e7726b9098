// Reads the configuration, wires the parts, runs. The only file that names adapters.
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fmt/ranges.h>
#include <functional>
#include <malloc.h>
#include <mutex>
#include <pthread.h>
#include <signal.h>
#include <thread>
#include <unistd.h>

#include "auth/jwt_token_authority.hpp"
#include "auth/nickname.hpp"
#include "base/clock.hpp"
#include "base/load_config.hpp"
#include "base/log.hpp"
#include "net/listener.hpp"
#include "relay/kafka_relay.hpp"
#include "relay/local_relay.hpp"
#include "relay/redis_pages.hpp"
#include "relay/redis_presence.hpp"
#include "relay/redis_relay.hpp"
#include "server/ban_command.hpp"
#include "server/server.hpp"
#include "storage/postgres_store.hpp"
#include "storage/sqlite_bans.hpp"
#include "storage/sqlite_store.hpp"
#include "storage/store_copy.hpp"

namespace rtc {
namespace {

constexpr int kConfigurationProblem = 2;
constexpr int kGivenUp = 3;

// Ends the process when its orderly end takes longer than it may. What is waited for then, another
// process's lock or a disk that hangs, nobody here can hurry, and it is given up as in a crash:
// that costs nothing that was receipted.
class EndBound {
 public:
  using Waiting = std::function<std::size_t()>;  // messages not yet stored

  EndBound() = default;
  EndBound(const EndBound&) = delete;
  EndBound& operator=(const EndBound&) = delete;
  ~EndBound() {
    {
      const std::scoped_lock lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  void start(std::uint64_t most_ms, Waiting waiting) {
    waiting_ = std::move(waiting);
    thread_ = std::thread([this, most_ms] { watch(std::chrono::milliseconds(most_ms)); });
  }
  // `waiting` is not asked any more.
  void all_stored() {
    const std::scoped_lock lock(mutex_);
    waiting_ = {};
  }

 private:
  void watch(std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, most, [this] { return ended_; })) return;
    const std::size_t given_up = waiting_ ? waiting_() : 0;
    if (given_up == 0) {
      log::warn("shutdown_timeout is over: the database was not closed; the next start repairs it");
      std::_Exit(0);
    }
    log::warn("shutdown_timeout is over: {} messages given up; no receipt was sent for them",
              given_up);
    std::_Exit(kGivenUp);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;  // guarded by mutex_, as waiting_ once the thread runs
  Waiting waiting_;
  std::thread thread_;
};

int fail(const Error& error) {
  fmt::print(stderr, "realtimechat: {}\n", error.message);
  return kConfigurationProblem;
}

Result<std::string> token_secret(const Config& config) {
  if (config.token_secret.empty()) {
    return auth::load_or_create_secret(std::filesystem::path(config.data_dir) / "token_secret");
  }
  return config.token_secret;
}

Result<std::unique_ptr<chat::Relay>> make_kafka_relay(const Config& config,
                                                      const std::string& secret,
                                                      const std::string& epoch) {
  relay::KafkaOptions options{.brokers = fmt::format("{}", fmt::join(config.kafka_brokers, ",")),
                              .topic = config.kafka_topic,
                              .properties = {},
                              .timeout_ms = config.kafka_timeout_ms,
                              .queue_bytes_max = config.kafka_queue_bytes_max,
                              .fetch_bytes_max = config.kafka_fetch_bytes_max};
  if (!config.kafka_properties.empty()) {
    auto properties = relay::read_kafka_properties(config.kafka_properties);
    if (!properties) return properties.error();
    options.properties = std::move(*properties);
  }
  auto opened = relay::KafkaRelay::open(options, secret, epoch);
  if (!opened) return opened.error();
  return {std::move(*opened)};
}

Result<relay::RedisAddress> redis_address(const Config& config) {
  return relay::redis_address({.url = config.redis_url,
                               .prefix = config.redis_prefix,
                               .sentinel_login = config.redis_sentinel_login,
                               .ca_file = config.redis_ca_file,
                               .certificate_file = config.redis_certificate_file,
                               .key_file = config.redis_key_file});
}

// To the other nodes, if there may be any. Payloads are signed with what they share.
Result<std::unique_ptr<chat::Relay>> make_relay(const Config& config, const std::string& secret,
                                                std::string epoch) {
  if (!config.several_nodes()) return {std::make_unique<relay::LocalRelay>()};
  if (!config.kafka_brokers.empty()) return make_kafka_relay(config, secret, epoch);
  auto address = redis_address(config);
  if (!address) return address.error();
  return {std::make_unique<relay::RedisRelay>(
      relay::RedisOptions{.address = std::move(*address),
                          .prefix = config.redis_prefix,
                          .timeout_ms = config.redis_timeout_ms,
                          .queue_bytes_max = config.redis_queue_bytes_max,
                          .secret = secret,
                          .epoch = std::move(epoch)})};
}

// Null: this is the only node, and its people are all there are.
Result<std::unique_ptr<chat::SharedPresence>> make_shared_presence(const Config& config,
                                                                   const std::string& secret,
                                                                   std::string epoch) {
  if (config.redis_url.empty()) return {std::unique_ptr<chat::SharedPresence>()};
  auto address = redis_address(config);
  if (!address) return address.error();
  return {std::make_unique<relay::RedisPresence>(
      relay::RedisPresenceOptions{.address = std::move(*address),
                                  .prefix = config.redis_prefix,
                                  .timeout_ms = config.redis_timeout_ms,
                                  .lifetime_ms = config.node_lifetime_ms,
                                  .interval_ms = config.presence_interval_ms,
                                  .names_max = config.presence_names_max,
                                  .secret = secret,
                                  .epoch = std::move(epoch)})};
}

// Null: none are kept outside of the store.
Result<std::unique_ptr<chat::RemotePages>> make_remote_pages(const Config& config,
                                                             const std::string& secret,
                                                             std::string epoch) {
  if (config.redis_url.empty() || config.redis_pages_bytes_max == 0) {
    return {std::unique_ptr<chat::RemotePages>()};
  }
  auto address = redis_address(config);
  if (!address) return address.error();
  return {std::make_unique<relay::RedisPages>(
      relay::RedisPagesOptions{.address = std::move(*address),
                               .prefix = config.redis_prefix,
                               .timeout_ms = config.redis_timeout_ms,
                               .lifetime_ms = config.redis_page_lifetime_ms,
                               .bytes_max = config.redis_pages_bytes_max,
                               .wait_ms = config.redis_page_timeout_ms,
                               .secret = secret,
                               .epoch = std::move(epoch)})};
}

// SIGTERM, SIGINT and SIGHUP (the terminal was closed) are taken by sigwait() on the main thread
// and by nobody else.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  // Ignored from the start, as nohup does, it stays so.
  struct sigaction hangup {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

// So that nothing is made for a server that cannot start; Server::create() opens the real sockets.
// An address that this machine does not have is its to judge.
Result<void> check_free(const std::vector<net::ListenAddress>& addresses) {
  for (const net::ListenAddress& address : addresses) {
    const auto sockets = net::open_listen_sockets(address, 1);
    if (!sockets && sockets.error().code != ErrorCode::not_found) return sockets.error();
    if (!sockets) continue;
    for (const int fd : sockets->fds) ::close(fd);
  }
  return {};
}

constexpr std::uint32_t kSqliteReaders = 2;  // it answers from this machine's memory, mostly

// The ports of one adapter.
struct Store {
  std::unique_ptr<chat::MessageStore> messages;
  chat::RoomStore* rooms;                    // the same object
  std::unique_ptr<chat::BanStore> own_bans;  // where that object is not this port too
  chat::BanStore* bans;
  unsigned readers;  // how many threads may read at once
};

std::filesystem::path sqlite_file(const Config& config) {
  return std::filesystem::path(config.data_dir) / "realtimechat.sqlite";
}

storage::PostgresOptions postgres_options(const Config& config) {
  return {.url = config.postgres_url,
          .connections = config.postgres_connections_max,
          .timeout_ms = static_cast<std::uint32_t>(config.postgres_timeout_ms),
          .shared = config.postgres_shared};
}

Error named_postgres(const Error& error) {
  return {error.code, "postgres_url: " + error.message};
}

// Beside whatever else uses the database.
Result<std::unique_ptr<chat::BanStore>> open_bans(const Config& config) {
  if (config.postgres_url.empty()) {
    auto opened = storage::SqliteBans::open(
        sqlite_file(config), static_cast<std::uint32_t>(config.store_lock_timeout_ms));
    if (!opened) return opened.error();
    return {std::move(*opened)};
  }
  auto options = postgres_options(config);
  options.connections = 2;
  auto opened = storage::PostgresStore::open(options);
  if (!opened) return named_postgres(opened.error());
  return {std::move(*opened)};
}

Result<Store> open_postgres(const Config& config) {
  auto opened = storage::PostgresStore::open(postgres_options(config));
  if (!opened) return named_postgres(opened.error());
  storage::PostgresStore& store = **opened;
  return Store{std::move(*opened), &store, {}, &store, config.postgres_connections_max - 1};
}

Result<Store> open_sqlite(const Config& config) {
  auto opened = storage::SqliteStore::open(
      {.file = sqlite_file(config),
       .readers = kSqliteReaders,
       .busy_timeout_ms = static_cast<std::uint32_t>(config.store_lock_timeout_ms),
       .durability =
           config.durability == "fsync" ? storage::Durability::fsync : storage::Durability::commit,
       .log_bytes_max = config.store_log_bytes_max});
  if (!opened) return opened.error();
  auto bans = open_bans(config);
  if (!bans) return bans.error();
  storage::SqliteStore& store = **opened;
  chat::BanStore* const all_bans = bans->get();
  return Store{std::move(*opened), &store, std::move(*bans), all_bans, kSqliteReaders};
}

int serve(const Config& config) {
  EndBound end_bound;  // the last to go: it bounds the closing of the store too
  log::set_level(config.log_level);
  auto networks = server::resolve_networks(config);
  if (!networks) return fail(networks.error());
  for (const auto* addresses : {&networks->listen, &networks->stomp_listen}) {
    if (const auto free = check_free(*addresses); !free) return fail(free.error());
  }
  const sigset_t signals = block_signals();
  std::error_code problem;
  std::filesystem::create_directories(config.data_dir, problem);
  if (problem) {
    return fail({ErrorCode::invalid_parameter,
                 fmt::format("data_dir: cannot make {}: {}", config.data_dir, problem.message())});
  }
  const auto store = config.postgres_url.empty() ? open_sqlite(config) : open_postgres(config);
  if (!store) return fail(store.error());
  auto secret = token_secret(config);
  if (!secret) return fail(secret.error());
  const auto relay = make_relay(config, *secret, store->messages->epoch());
  if (!relay) return fail(relay.error());
  const auto people = make_shared_presence(config, *secret, store->messages->epoch());
  if (!people) return fail(people.error());
  const auto pages = make_remote_pages(config, *secret, store->messages->epoch());
  if (!pages) return fail(pages.error());
  const auth::JwtTokenAuthority tokens(
      {std::move(*secret), config.token_issuer,
       static_cast<std::int64_t>(config.token_lifetime_ms / 1000)});
  const auto new_identity = [](std::string_view accept_language, std::string address) {
    return auth::make_identity(auth::preferred_language(accept_language), std::move(address));
  };
  const auto server = server::Server::create(
      config, std::move(*networks),
      {*store->messages, *store->rooms, *store->bans, store->readers, **relay, tokens, new_identity,
       server::embedded_page(), config.several_nodes(), people->get(), pages->get()});
  if (!server) return fail(server.error());
  for (const std::string& address : (*server)->addresses()) log::info("serving {}", address);
  if (config.conformance) {
    log::warn(
        "CONFORMANCE IS ON: anyone may use the test end points without a token or a bound; "
        "never let others reach this server");
  }
  (*server)->start();
  log::info("open http://{} in a browser; Ctrl-C stops", config.listen.front());

  int signal_number = 0;
  sigwait(&signals, &signal_number);
  log::info("stopping: finishing what was accepted");
  end_bound.start(config.shutdown_timeout_ms, [&] { return (*server)->messages_waiting(); });
  (*server)->stop();
  end_bound.all_stored();
  log::info("stopped");
  return 0;
}

int copy_store(const Config& config) {
  if (config.postgres_url.empty()) {
    return fail({ErrorCode::invalid_parameter, "--copy-store: postgres_url says where to; set it"});
  }
  const auto copied = storage::copy_store(sqlite_file(config), postgres_options(config));
  if (!copied) return fail({copied.error().code, "--copy-store: " + copied.error().message});
  fmt::print("{} messages copied. The same in both now: {} rooms, {} messages, {} message keys\n",
             copied->new_messages, copied->rooms, copied->messages, copied->keys);
  return 0;
}

// `what`: --ban, --unban or --bans, and its own call.
template <class Call>
int on_bans(const Config& config, std::string_view what, Call call) {
  const auto bans = open_bans(config);
  if (!bans) return fail(bans.error());
  const Result<std::string> done = call(**bans);
  if (!done) return fail({done.error().code, fmt::format("{}: {}", what, done.error().message)});
  fmt::print("{}", *done);
  return 0;
}

int run(std::span<char* const> arguments) {
  const auto loaded = load_config(arguments, ::environ);
  if (!loaded) return fail(loaded.error());
  switch (loaded->action) {
    case ConfigAction::print_help:
      fmt::print("{}", loaded->help);
      return 0;
    case ConfigAction::print_version:
      fmt::print("realtimechat {}\n", RTC_VERSION);
      return 0;
    case ConfigAction::print_settings:
      fmt::print("{}", settings_markdown());
      return 0;
    case ConfigAction::copy_store:
      return copy_store(loaded->config);
    case ConfigAction::ban:
      return on_bans(loaded->config, "--ban", [&](chat::BanStore& bans) {
        return server::ban(bans, loaded->ban, loaded->config.bans_max, unix_ms());
      });
    case ConfigAction::unban:
      return on_bans(loaded->config, "--unban",
                     [&](chat::BanStore& bans) { return server::unban(bans, loaded->ban); });
    case ConfigAction::list_bans:
      return on_bans(loaded->config, "--bans",
                     [](chat::BanStore& bans) { return server::list_bans(bans, unix_ms()); });
    case ConfigAction::run:
      return serve(loaded->config);
  }
  return kConfigurationProblem;
}

}  // namespace
}  // namespace rtc

int main(int argc, char** argv) {
  // A busy turn's megabytes are freed at its end and needed in the next: they stay with the process
  // instead of being given back to the kernel and taken again page by page.
  mallopt(M_MMAP_THRESHOLD, 8 << 20);
  mallopt(M_TRIM_THRESHOLD, 16 << 20);
  try {
    return rtc::run({argv, static_cast<std::size_t>(argc)});
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "realtimechat: cannot start: %s\n", problem.what());
    return 1;
  }
}
