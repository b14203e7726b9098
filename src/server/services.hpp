// What all event loops of a server share: configuration, ports, bounds and rates. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/config.hpp"
#include "chat/fanout.hpp"
#include "chat/identity.hpp"
#include "chat/limits.hpp"
#include "chat/live_rooms.hpp"
#include "chat/presence.hpp"
#include "chat/relay.hpp"
#include "chat/remote_pages.hpp"
#include "chat/room_order.hpp"
#include "chat/room_search.hpp"
#include "chat/room_store.hpp"
#include "chat/shared_presence.hpp"
#include "chat/store_queue.hpp"
#include "chat/token_authority.hpp"
#include "net/address.hpp"
#include "server/broker.hpp"
#include "server/page_flights.hpp"
#include "server/sockjs_service.hpp"

namespace rtc::server {

class Shard;
class StaticFiles;

// One household has a /64 of IPv6 (RFC 6177): it counts as one address.
net::IpAddress rate_key(net::IpAddress address);

// Counts that bound the whole server. Any thread.
class Totals {
 public:
  // Takes a place for one connection; false beyond a bound.
  bool admit(const net::IpAddress& address, bool exempt, const Config& config);
  void release(const net::IpAddress& address, bool exempt);
  // For a client behind a trusted proxy, whose connection was admitted as the proxy's and so
  // exempt: from now on it is one of the client's, and released as such.
  bool admit_client(const net::IpAddress& address, const Config& config);
  void release_client(const net::IpAddress& address);
  // A place for one SockJS session over HTTP, which may be without a connection for a while.
  bool admit_sockjs(const net::IpAddress& address, bool exempt, const Config& config);
  void release_sockjs(const net::IpAddress& address, bool exempt);

  std::atomic<std::uint64_t> sessions{0};  // STOMP sessions that are CONNECTED: the people
  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> refused_connections{0};
  std::atomic<std::uint64_t> sockjs_sessions{0};  // over HTTP
  std::atomic<std::uint64_t> refused_sockjs_sessions{0};

 private:
  // How many each address has; guarded by mutex_.
  using Counts = std::unordered_map<net::IpAddress, std::uint32_t>;
  bool take(Counts& counts, const net::IpAddress& address, std::uint32_t count_max);
  void give_back(Counts& counts, const net::IpAddress& address);

  std::mutex mutex_;
  Counts connections_by_address_;
  Counts sockjs_by_address_;
};

// What happened on one loop. Written by its thread, read by any.
struct ShardFigures {
  std::atomic<std::uint64_t> http_requests{0};
  std::atomic<std::uint64_t> http_pauses{0};  // requests wait for their client to read answers
  std::atomic<std::uint64_t> websocket_upgrades{0};
  std::atomic<std::uint64_t> stomp_connections{0};  // over TCP
  std::atomic<std::uint64_t> messages_received{0};  // SENDs accepted
  std::atomic<std::uint64_t> transactions_open{0};
  std::atomic<std::uint64_t> deliveries{0};
  std::atomic<std::uint64_t> replay_pages{0};  // of missed messages, to who resumes
  std::atomic<std::uint64_t> presence_bytes{0};
  std::atomic<std::uint64_t> refusals{0};        // errors told to a client
  std::atomic<std::uint64_t> rate_limited{0};    // of them, those of a rate
  std::atomic<std::uint64_t> slow_consumers{0};  // closed because they did not read
  std::atomic<std::uint64_t> silent_peers{0};    // closed because nothing came any more
  std::atomic<std::uint64_t> ban_refusals{0};    // of them, and sessions ended, those of a ban
};

// Of server/ban_watch.hpp. Any thread.
struct BanFigures {
  std::atomic<std::uint64_t> in_force{0};
  std::atomic<std::uint64_t> failures{0};  // times that the store could not be asked
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
  chat::Fanout& fanout;
  chat::StoreQueue& store;
  chat::RoomOrder* order = nullptr;  // null: no other node writes to the store
  chat::Relay* relay = nullptr;      // beside it
  chat::LiveRooms* live = nullptr;   // beside it, where the relay carries what is not stored
  chat::SharedPresence* people_of_nodes = nullptr;  // null: `presence` has all people
  const chat::RemotePages* remote_pages = nullptr;  // null: none
  const StaticFiles& files;
  // A fresh identity for that Accept-Language header and masked address.
  std::function<chat::Identity(std::string_view, std::string)> new_identity;
  std::function<std::string()> metrics_text;
  std::vector<SockJsService> sockjs;
  std::vector<Shard*> shards;  // all of them, before any runs
  std::vector<net::Network> trusted_proxies;
  std::vector<net::Network> rate_exempt;
  std::vector<net::Network> metrics_allowed;
  std::atomic<bool> draining{false};
  Totals totals;
  chat::Presence presence{{config.presence_names_max, config.typing_max, config.typing_lifetime_ms,
                           config.presence_waiting_max}};
  Rates rates{config};
  Broker broker{config};
  chat::RoomSearch room_search{rooms, config.room_search_max};
  PageFlights flights{};
  BanFigures bans{};
};

}  // namespace rtc::server
