#include "server/server.hpp"

#include <algorithm>
#include <chrono>
#include <sys/resource.h>

#include "base/log.hpp"
#include "base/thread_name.hpp"
#include "net/post_together.hpp"
#include "server/metrics.hpp"

namespace rtc::server {
namespace {

// Descriptors for everything but connections: listeners, loops, the store's files, the log.
constexpr std::uint64_t kDescriptorsKept = 256;
// How long a stopping server waits for peers to answer its closes, and how much of shutdown_timeout
// it keeps after that for the store. At most a quarter of shutdown_timeout each.
constexpr std::uint64_t kGoodbyeMs = 1000;

std::uint32_t descriptor_bound() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  const std::uint64_t most = std::min<std::uint64_t>(limit.rlim_cur, 100'000'000);
  return static_cast<std::uint32_t>(most > 2 * kDescriptorsKept ? most - kDescriptorsKept
                                                                : most / 2);
}

Error setting_error(std::string_view name, const Error& error) {
  return {error.code, std::string(name) + ": " + error.message};
}

}  // namespace

Server::Server(const Config& config, const Parts& parts)
    : config_(config),
      files_(parts.page),
      relay_(parts.relay),
      remote_pages_(parts.remote_pages == nullptr ? nullptr
                                                  : std::make_unique<chat::RemotePageStore>(
                                                        parts.messages, *parts.remote_pages)),
      pages_(remote_pages_ ? *remote_pages_ : parts.messages,
             {.messages_max = config.page_size_max,
              .rooms_max = config.page_cache_rooms_max,
              .bytes_max = config.page_cache_bytes_max}) {
  if (parts.several_nodes) {
    order_ = make_order(parts.messages);
    if (relay_.carries_live()) {
      live_ = std::make_unique<chat::LiveRooms>(
          chat::LiveRooms::Ports{relay_, fanout_, [this] { return overloaded(); }});
    }
  }
  store_ = std::make_unique<chat::StoreQueue>(
      pages_, fanout_,
      chat::StoreQueueBounds{
          .messages_max = config_.store_queue_max,
          .batch_max = config_.store_batch_max,
          .reads_max = config_.read_queue_max,
          .readers = parts.store_readers,
          .key_lifetime_ms = static_cast<std::int64_t>(config_.message_key_lifetime_ms)},
      [this](const chat::MessageBatch& committed, std::vector<chat::Outcome> outcomes) {
        // One turn of a loop delivers the messages and, after them, sends the receipts.
        const net::PostTogether together;
        if (!committed->empty()) relay_.publish(committed);
        settle(std::move(outcomes));
      });
  services_ = std::unique_ptr<Services>(new Services{
      .config = config_,
      .tokens = parts.tokens,
      .messages = pages_,
      .rooms = parts.rooms,
      .fanout = fanout_,
      .store = *store_,
      .order = order_.get(),
      .relay = parts.several_nodes ? &parts.relay : nullptr,
      .live = live_.get(),
      .people_of_nodes = parts.people,
      .remote_pages = parts.remote_pages,
      .files = files_,
      .new_identity = parts.new_identity,
      .metrics_text = [this] { return metrics_text(*services_, pages_.figures(), shards_); },
      .sockjs = sockjs_services(config_),
      .shards = {},
      .trusted_proxies = {},
      .rate_exempt = {},
      .metrics_allowed = {},
      .totals = {},
  });
  if (parts.people != nullptr) {
    parts.people->start(services_->presence, [this] { return services_->totals.sessions.load(); });
  }
}

// Once all loops are there: what other nodes tell goes to each of them.
void Server::start_relay() {
  if (order_ == nullptr) {
    relay_.start([this](const chat::MessageBatch& batch) { fanout_.publish(batch); }, {});
    return;
  }
  if (live_ != nullptr) {
    relay_.on_live([this](const chat::MessageBatch& batch) { live_->take(batch); },
                   [this](const chat::UserNews& news) { deliver_news(*services_, news); });
  }
  relay_.start([this](const chat::MessageBatch& batch) { order_->take(batch); },
               [this](const RoomId& room) {
                 order_->doubt(room);
                 if (live_ != nullptr) live_->doubt(room);
               });
}

// What comes of other nodes is put in order before it goes to the loops.
std::unique_ptr<chat::RoomOrder> Server::make_order(chat::MessageStore& messages) {
  return std::make_unique<chat::RoomOrder>(
      chat::RoomOrder::Ports{
          .store = messages,
          .relay = relay_,
          .read = [this](std::function<void()> job) { return store_->read(std::move(job)); },
          .deliver =
              [this](const chat::MessageBatch& batch) {
                if (pages_.shared()) pages_.add(*batch);
                fanout_.publish(batch);
              },
          .overloaded = [this] { return overloaded(); }},
      chat::RoomOrderBounds{.hole_wait_ms = config_.relay_hole_wait_ms,
                            .check_interval_ms = config_.relay_check_interval_ms,
                            .checks_max = config_.relay_checks_max,
                            .held_bytes_max = config_.relay_held_bytes_max});
}

Result<NetworkSettings> resolve_networks(const Config& config) {
  NetworkSettings settings;
  for (const auto& [name, texts, networks] :
       {std::tuple{"trusted_proxies", &config.trusted_proxies, &settings.trusted_proxies},
        std::tuple{"rate_exempt", &config.rate_exempt, &settings.rate_exempt},
        std::tuple{"metrics_allowed", &config.metrics_allowed, &settings.metrics_allowed}}) {
    auto parsed = net::parse_networks(*texts);
    if (!parsed) return setting_error(name, parsed.error());
    *networks = std::move(*parsed);
  }
  auto addresses = net::resolve_listen(config.listen, "listen");
  if (!addresses) return addresses.error();
  settings.listen = std::move(*addresses);
  auto stomp_addresses = net::resolve_listen(config.stomp_listen, "stomp_listen");
  if (!stomp_addresses) return stomp_addresses.error();
  settings.stomp_listen = std::move(*stomp_addresses);
  return settings;
}

Result<std::unique_ptr<Server>> Server::create(const Config& config, NetworkSettings networks,
                                               const Parts& parts) {
  std::unique_ptr<Server> server(new Server(config, parts));
  Services& services = *server->services_;
  services.trusted_proxies = std::move(networks.trusted_proxies);
  services.rate_exempt = std::move(networks.rate_exempt);
  services.metrics_allowed = std::move(networks.metrics_allowed);
  const std::uint32_t bound = descriptor_bound();
  std::uint32_t& connections_max = server->config_.connections_max;
  if (connections_max == 0 || connections_max > bound) {
    if (connections_max > bound) {
      log::warn("connections_max: {} is more than the descriptor limit allows; using {}",
                connections_max, bound);
    }
    connections_max = bound;
  }

  const std::uint32_t loops =
      config.loops > 0 ? config.loops : std::max(1U, std::thread::hardware_concurrency());
  for (std::uint32_t i = 0; i < loops; ++i) {
    server->shards_.push_back(std::make_unique<Shard>(services, i));
    services.shards.push_back(server->shards_.back().get());
  }
  server->ban_watch_ = std::make_unique<BanWatch>(parts.bans, services);
  if (auto loaded = server->ban_watch_->load(); !loaded) return loaded.error();
  server->listeners_.resize(loops);
  if (auto opened = server->listen(networks.listen, "http", &Shard::accept); !opened) {
    return opened.error();
  }
  if (networks.stomp_listen.empty()) return server;
  if (auto opened = server->listen(networks.stomp_listen, "stomp", &Shard::accept_stomp); !opened) {
    return opened.error();
  }
  return server;
}

Result<void> Server::listen(const std::vector<net::ListenAddress>& addresses,
                            std::string_view scheme,
                            void (Shard::*accept)(int fd, const net::IpAddress& peer)) {
  Error last_problem{ErrorCode::invalid_parameter, "listen: no address given"};
  bool any = false;
  for (const net::ListenAddress& address : addresses) {
    const auto sockets = net::open_listen_sockets(address, shards_.size());
    if (!sockets) {
      last_problem = sockets.error();
      // A name may stand for an address that this machine does not have, such as ::1.
      if (last_problem.code == ErrorCode::not_found && addresses.size() > 1) continue;
      return last_problem;
    }
    any = true;
    addresses_.push_back(fmt::format("{}://{}", scheme, address.text));
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      Shard* const shard = shards_[i].get();
      listeners_[i].push_back(std::make_unique<net::Listener>(
          shard->loop(), sockets->fds[i], config_.accepts_per_turn_max,
          [shard, accept](int fd, const net::IpAddress& peer) { (shard->*accept)(fd, peer); }));
    }
  }
  if (!any) return last_problem;
  return {};
}

Server::~Server() {
  stop();
  listeners_.clear();
}

void Server::start() {
  start_relay();
  for (const auto& shard : shards_) {
    threads_.emplace_back([loop = &shard->loop(), index = threads_.size()] {
      name_this_thread("loop-" + std::to_string(index));
      loop->run();
    });
  }
  shards_.front()->loop().post([this] {
    presence_ticker_.start();
    ban_watch_->start();
    if (order_ == nullptr) return;
    order_ticker_ = std::make_unique<OrderTicker>(*order_, live_.get(), *shards_.front());
    order_ticker_->start();
  });
}

void Server::on_every_loop(const std::function<void(Shard&)>& action) {
  for (const auto& shard : shards_) {
    shard->loop().post([action, target = shard.get()] { action(*target); });
  }
}

void Server::stop() {
  services_->draining.store(true);
  if (!threads_.empty()) {
    for (std::size_t i = 0; i < shards_.size(); ++i) {
      shards_[i]->loop().post([this, i] { listeners_[i].clear(); });
    }
    // Each session ends once what it sent is stored and acknowledged, or when that takes too long.
    // Then every peer has a moment to answer the close; who does not is not waited for.
    on_every_loop([](Shard& shard) { shard.shut_down(false); });
    const auto wait_for = [](const std::atomic<std::uint64_t>& count, std::uint64_t most_ms) {
      const auto now = [] { return std::chrono::steady_clock::now(); };
      const auto deadline = now() + std::chrono::milliseconds(most_ms);
      while (count.load() > 0 && now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    };
    const std::uint64_t goodbye_ms = std::min(kGoodbyeMs, config_.shutdown_timeout_ms / 4);
    wait_for(services_->totals.sessions, config_.shutdown_timeout_ms - 2 * goodbye_ms);
    on_every_loop([](Shard& shard) { shard.shut_down(true); });
    wait_for(services_->totals.connections, goodbye_ms);
    for (const auto& shard : shards_) shard->loop().stop();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  if (services_->people_of_nodes != nullptr) services_->people_of_nodes->stop();
  if (order_ != nullptr) order_->stop_reading();
  store_->drain();
  relay_.stop();
}

void Server::settle(std::vector<chat::Outcome> outcomes) {
  const auto shared = std::make_shared<const std::vector<chat::Outcome>>(std::move(outcomes));
  on_every_loop([shared](Shard& shard) { shard.settle(*shared); });
}

}  // namespace rtc::server
