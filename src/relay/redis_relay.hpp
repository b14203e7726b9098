// The relay of several nodes, over Redis' publish and subscribe (docs/adr/0018).
//
// A node publishes what it commits to the room's channel, and subscribes to the channels of the
// rooms that it follows. Two connections and one thread of the relay's own do all of it: nobody
// else ever waits for Redis. Its own messages are told at once, whatever becomes of Redis; what
// waits for it while it is away goes out when it is back, up to a bound. Of what is stored nowhere
// (docs/adr/0019) messages take their room's channel, and news one that all nodes subscribe to.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "chat/relay.hpp"
#include "relay/payload.hpp"
#include "relay/redis_link.hpp"

namespace rtc::relay {

struct RedisOptions {
  RedisAddress address;
  std::string prefix = "realtimechat";     // of the channels' names
  std::uint64_t timeout_ms = 3000;         // without an answer a connection is lost
  std::size_t queue_bytes_max = 16 << 20;  // to be published; beyond it new ones are dropped
  std::string secret;                      // as Payloads
  std::string epoch;
};

class RedisRelay final : public chat::Relay {
 public:
  explicit RedisRelay(RedisOptions options);
  ~RedisRelay() override { stop(); }
  RedisRelay(const RedisRelay&) = delete;
  RedisRelay& operator=(const RedisRelay&) = delete;

  void start(OnMessages on_messages, OnDoubt on_doubt) override;
  void publish(const chat::MessageBatch& batch) override;
  void stop() override;
  void follow(const RoomId& room) override;
  void unfollow(const RoomId& room) override;
  bool carries_live() const override { return true; }
  void on_live(OnMessages on_live, OnNews on_news) override;
  void publish_live(const chat::MessageBatch& batch) override;
  void tell(const chat::UserNews& news) override;
  chat::RelayFigures figures() const override;

 private:
  // A batch on its way: until Redis has answered each of its commands it may have to go again.
  struct Outgoing {
    chat::MessageBatch batch;
    std::optional<chat::UserNews> news;  // in place of a batch
    std::size_t bytes = 0;
    bool live = false;        // stored nowhere
    std::uint64_t first = 0;  // of it: the number of its first payload, once it was encoded
    std::uint32_t unanswered = 0;
    bool refused = false;  // one of them was

    std::size_t count() const { return news ? 1 : batch->size(); }
  };
  struct Figures {
    std::atomic<bool> publishing{false};
    std::atomic<bool> subscribed{false};
    std::atomic<std::uint64_t> published{0};
    std::atomic<std::uint64_t> dropped{0};
    std::atomic<std::uint64_t> received{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> reconnects{0};
  };

  void enqueue(Outgoing outgoing);
  void wake();
  // All below on the relay's thread.
  void run();
  void wait();
  void send_some();
  void send(Outgoing& outgoing);
  void send(Outgoing& outgoing, std::string_view channel, const std::string& payload);
  void subscribe_all();
  void subscribe_changes();
  void subscribe(std::string_view command, const std::vector<RoomId>& rooms);
  void on_published(const redisReply& reply);
  void on_subscribed(const redisReply& reply);
  void on_message(const redisReply& reply);
  bool is_fresh(const Payloads::Decoded& decoded);
  std::string channel(const RoomId& room) const;

  const RedisOptions options_;
  const std::string channel_prefix_;
  const std::string news_channel_;
  const Payloads payloads_;
  OnMessages on_messages_;
  OnDoubt on_doubt_;
  OnMessages on_live_;
  OnNews on_news_;
  Figures figures_;
  int wake_fd_ = -1;
  std::atomic<bool> woken_{false};
  std::atomic<bool> ends_{false};

  mutable std::mutex mutex_;
  std::deque<Outgoing> queue_;                          // guarded by mutex_, as the next three
  std::size_t queue_bytes_ = 0;                         // and of sent_
  std::unordered_map<RoomId, std::uint32_t> followed_;  // how often; not 0
  std::vector<std::pair<RoomId, bool>> changes_;        // since subscribe_…(): wanted, or not

  // Of the thread.
  RedisLink publisher_;
  RedisLink subscriber_;
  std::uint64_t publisher_ups_ = 0;
  std::uint64_t subscriber_ups_ = 0;
  std::deque<Outgoing> sent_;  // oldest first
  std::size_t next_ = 0;       // of sent_: the first that this connection was not given
  std::uint32_t unanswered_ = 0;
  std::uint64_t sequence_ = 0;           // of the payloads of what is stored nowhere
  std::vector<chat::Message> incoming_;  // what one reading brought
  std::vector<chat::Message> incoming_live_;
  std::map<Payloads::Node, std::uint64_t> taken_;  // the newest sequence of each
  std::thread thread_;
};

}  // namespace rtc::relay
