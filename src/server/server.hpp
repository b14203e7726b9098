// The running server: its event loops, their threads and listeners. Made, started and stopped by
// one thread (main).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/config.hpp"
#include "base/result.hpp"
#include "chat/ban_store.hpp"
#include "chat/fanout.hpp"
#include "chat/live_rooms.hpp"
#include "chat/message_store.hpp"
#include "chat/page_cache.hpp"
#include "chat/relay.hpp"
#include "chat/remote_page_store.hpp"
#include "chat/room_order.hpp"
#include "chat/room_store.hpp"
#include "chat/shared_presence.hpp"
#include "chat/store_queue.hpp"
#include "chat/token_authority.hpp"
#include "net/listener.hpp"
#include "server/ban_watch.hpp"
#include "server/order_ticker.hpp"
#include "server/presence_ticker.hpp"
#include "server/shard.hpp"
#include "server/static_files.hpp"

namespace rtc::server {

// What main chooses; all outlives the server.
struct Parts {
  chat::MessageStore& messages;
  chat::RoomStore& rooms;
  chat::BanStore& bans;
  unsigned store_readers;  // threads that read from these
  chat::Relay& relay;
  const chat::TokenAuthority& tokens;
  std::function<chat::Identity(std::string_view accept_language, std::string masked_address)>
      new_identity;
  std::span<const EmbeddedFile> page;
  bool several_nodes = false;  // the relay leads to others, which write to the stores too
  chat::SharedPresence* people = nullptr;     // of all nodes; null: this one's are all
  chat::RemotePages* remote_pages = nullptr;  // null: none
};

// The settings that name addresses, understood.
struct NetworkSettings {
  std::vector<net::ListenAddress> listen;
  std::vector<net::ListenAddress> stomp_listen;
  std::vector<net::Network> trusted_proxies;
  std::vector<net::Network> rate_exempt;
  std::vector<net::Network> metrics_allowed;
};
// The error names the setting. Looks names up: blocking.
Result<NetworkSettings> resolve_networks(const Config& config);

class Server {
 public:
  // Binds the addresses; nothing runs yet.
  static Result<std::unique_ptr<Server>> create(const Config& config, NetworkSettings networks,
                                                const Parts& parts);
  ~Server();

  void start();
  // Stops accepting, commits and acknowledges what was accepted, tells every client, ends the
  // threads. Clients are told within shutdown_timeout, acknowledged or not; the store's threads end
  // when the store lets them, which is main's to bound.
  void stop();
  // Any thread. Messages accepted and not yet stored.
  std::size_t messages_waiting() const { return store_->messages_waiting(); }

  // "http://127.0.0.1:8080", "stomp://127.0.0.1:61613", as many as it listens on.
  const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  Server(const Config& config, const Parts& parts);
  // On every loop; `accept` takes what comes. Fails when none of the addresses can be had.
  Result<void> listen(const std::vector<net::ListenAddress>& addresses, std::string_view scheme,
                      void (Shard::*accept)(int fd, const net::IpAddress& peer));
  std::unique_ptr<chat::RoomOrder> make_order(chat::MessageStore& messages);
  bool overloaded() const { return fanout_.undelivered() > config_.store_queue_max; }
  void start_relay();
  void settle(std::vector<chat::Outcome> outcomes);
  void on_every_loop(const std::function<void(Shard&)>& action);

  Config config_;
  StaticFiles files_;
  chat::Fanout fanout_;
  chat::Relay& relay_;
  std::unique_ptr<chat::RemotePageStore> remote_pages_;  // in front of the store that main chose
  chat::PageCache pages_;                                // in front of that
  std::unique_ptr<chat::RoomOrder> order_;               // null: this is the only node
  std::unique_ptr<chat::LiveRooms> live_;                // null: so it is, for what is not stored
  std::unique_ptr<chat::StoreQueue> store_;
  std::unique_ptr<Services> services_;
  std::vector<std::unique_ptr<Shard>> shards_;
  PresenceTicker presence_ticker_{shards_};
  std::unique_ptr<OrderTicker> order_ticker_;
  std::unique_ptr<BanWatch> ban_watch_;
  std::vector<std::vector<std::unique_ptr<net::Listener>>> listeners_;  // by shard
  std::vector<std::string> addresses_;
  std::vector<std::thread> threads_;
};

}  // namespace rtc::server
