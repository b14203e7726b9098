// All that one event loop owns, and what all of them share.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/config.hpp"
#include "base/slot_map.hpp"
#include "chat/identity.hpp"
#include "chat/limits.hpp"
#include "chat/room_store.hpp"
#include "chat/store_queue.hpp"
#include "chat/token_authority.hpp"
#include "net/address.hpp"
#include "net/connection.hpp"
#include "net/loop.hpp"
#include "server/hub.hpp"
#include "stomp/parser.hpp"
#include "websocket/decoder.hpp"

namespace rtc::server {

class HttpConnection;
class Session;
class StaticFiles;

// Counts that bound the whole server. Any thread.
class Totals {
 public:
  // Takes a place for one connection; false beyond a bound.
  bool admit(const net::IpAddress& address, bool exempt, const Config& config);
  void release(const net::IpAddress& address, bool exempt);
  // The same for a client behind a trusted proxy, whose connection was admitted as the proxy's.
  bool admit_client(const net::IpAddress& address, const Config& config);
  void release_client(const net::IpAddress& address);

  std::atomic<std::uint64_t> sessions{0};  // STOMP sessions that are CONNECTED: the people
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> refused_connections{0};

 private:
  std::mutex mutex_;
  std::unordered_map<net::IpAddress, std::uint32_t> by_address_;  // guarded by mutex_
};

// What happened on one loop. Written by its thread, read by any.
struct ShardFigures {
  std::atomic<std::uint64_t> http_requests{0};
  std::atomic<std::uint64_t> websocket_upgrades{0};
  std::atomic<std::uint64_t> messages_received{0};  // SENDs accepted
  std::atomic<std::uint64_t> deliveries{0};
  std::atomic<std::uint64_t> refusals{0};        // errors told to a client
  std::atomic<std::uint64_t> rate_limited{0};    // of them, those of a rate
  std::atomic<std::uint64_t> slow_consumers{0};  // closed because they did not read
  std::atomic<std::uint64_t> silent_peers{0};    // closed because nothing came any more
};

// How often who may do what, over all loops. Any thread.
struct Rates {
  explicit Rates(const Config& config)
      : requests({config.request_rate_max, config.request_burst_max}),
        sends_of_identity({config.send_rate_max, config.send_burst_max}),
        sends_of_address({config.send_rate_per_address_max, config.send_burst_per_address_max}) {}

  chat::RateTable<net::IpAddress> requests;
  chat::RateTable<UserId> sends_of_identity;
  chat::RateTable<net::IpAddress> sends_of_address;
};

// What the shards share. Everything here outlives them and may be used by any thread.
struct Services {
  const Config& config;
  const chat::TokenAuthority& tokens;
  chat::MessageStore& messages;
  chat::RoomStore& rooms;
  chat::StoreQueue& store;
  const StaticFiles& files;
  // A fresh identity for that Accept-Language header and masked address.
  std::function<chat::Identity(std::string_view, std::string)> new_identity;
  std::function<std::string()> metrics_text;
  std::vector<net::Network> trusted_proxies;
  std::vector<net::Network> rate_exempt;
  std::vector<net::Network> metrics_allowed;
  std::atomic<bool> draining{false};
  // Messages committed and not yet encoded, summed over the loops: beyond store_queue_max senders
  // get SERVER_OVERLOAD.
  std::atomic<std::int64_t> undelivered{0};
  Totals totals;
  Rates rates{config};
};

class Shard : private net::Timer {
 public:
  // Memory that one turn fills with messages for subscribers before it writes them.
  static constexpr std::size_t kTurnBytesMax = 4 << 20;

  Shard(Services& services, std::uint32_t index);
  ~Shard() override;
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  Services& services() { return services_; }
  const Config& config() const { return services_.config; }
  net::Loop& loop() { return loop_; }
  Hub& hub() { return hub_; }
  ShardFigures& figures() { return figures_; }
  std::uint32_t index() const { return index_; }
  SlotMap<Session>& sessions() { return sessions_; }
  SlotMap<HttpConnection>& waiting_requests() { return waiting_requests_; }
  const net::ConnectionBounds& connection_bounds() const { return connection_bounds_; }
  const websocket::DecoderLimits& websocket_limits() const { return websocket_limits_; }
  const stomp::ParserLimits& stomp_limits() const { return stomp_limits_; }

  // A connection just accepted: refused beyond a bound, else taken in as HTTP.
  void accept(int fd, const net::IpAddress& peer);
  bool take_request_token(const net::IpAddress& client);
  // Whether that identity may send a message from that address now.
  bool take_send_token(const UserId& user, const net::IpAddress& client);
  bool rate_exempt(const net::IpAddress& client) const;

  // The room as this loop knows it; null when it must be asked from the store.
  const chat::Room* cached_room(const RoomId& id) const;
  void cache_room(const chat::Room& room);

  // Hands a message to the store at this turn's end; false when the store has no place left.
  bool submit(chat::Draft draft, SlotHandle session, std::uint32_t request);

  // The number of connected people, for a subscriber of it; all hear of its changes from now on.
  std::uint64_t tell_count();

  // From other threads, by way of loop().post().
  void deliver(const chat::MessageBatch& batch) { incoming_.push_back({batch, 0}); }
  void settle(const std::vector<chat::Outcome>& outcomes);
  // The server goes down: tell every client and close.
  void shut_down();

 private:
  void on_timer() override;  // presence
  void end_turn();
  void deliver_some();

  Services& services_;
  std::uint32_t index_;
  net::ConnectionBounds connection_bounds_;
  websocket::DecoderLimits websocket_limits_;
  stomp::ParserLimits stomp_limits_;
  ShardFigures figures_;
  Hub hub_;
  SlotMap<Session> sessions_;
  SlotMap<HttpConnection> waiting_requests_;
  std::unordered_map<RoomId, chat::Room> rooms_;
  std::vector<chat::Submission> submissions_;
  struct Incoming {
    chat::MessageBatch batch;
    std::size_t next;
  };
  std::deque<Incoming> incoming_;  // bounded by Services::undelivered
  std::uint64_t count_told_ = 0;
  bool told_apart_ = false;  // somebody was told another number since
  net::Loop loop_;           // last: its connections go first, and they use all of the above
};

}  // namespace rtc::server
