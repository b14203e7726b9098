// The people of several nodes, kept in Redis (docs/adr/0022). A thread of its own with two
// connections does all of it, a few times a second; nobody else ever waits for Redis.
//
// While Redis is away a room stays as it was last known, for `lifetime_ms`; then the own people are
// all that is told. Pages are of the own people at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "chat/shared_presence.hpp"
#include "relay/presence_reader.hpp"
#include "relay/presence_registry.hpp"

namespace rtc::relay {

struct RedisPresenceOptions {
  RedisAddress address;
  std::string prefix = "realtimechat";  // of all names in Redis
  std::uint64_t timeout_ms = 3000;      // without an answer a connection is lost
  std::uint64_t lifetime_ms = 10'000;   // a node that is silent for so long is dead
  std::uint64_t interval_ms = 1000;     // changes are told to people at most so often
  std::size_t names_max = 50;           // people named in one change
  std::uint64_t end_ms = 1000;  // stop() takes so long at most; then others remove the own people
  std::string secret;           // as PresenceSeal
  std::string epoch;
};

class RedisPresence final : public chat::SharedPresence {
 public:
  static constexpr std::size_t kPagesMax = 1024;  // that wait; beyond it: the own people

  explicit RedisPresence(RedisPresenceOptions options);
  ~RedisPresence() override { stop(); }
  RedisPresence(const RedisPresence&) = delete;
  RedisPresence& operator=(const RedisPresence&) = delete;

  void start(chat::Presence& own, std::function<std::uint64_t()> sessions) override;
  void stop() override;
  void page(const RoomId& room, const std::optional<UserId>& after, std::size_t limit,
            OnRoster told) override;
  std::uint64_t sessions_elsewhere() const override { return counts_.sessions_elsewhere; }
  chat::SharedPresenceFigures figures() const override;

 private:
  void wake();
  // On the thread.
  void run();
  void wait(std::uint64_t until_ms);
  void tick(std::uint64_t now_ms);
  void take_pages();

  const RedisPresenceOptions options_;
  const PresenceScripts scripts_;
  const PresenceKeys keys_;
  const PresenceSeal seal_;
  PresenceCounts counts_;
  chat::Presence* own_ = nullptr;
  int wake_fd_ = -1;
  std::atomic<bool> ends_{false};

  std::mutex mutex_;
  std::vector<PresenceReader::PageRequest> pages_;  // guarded by mutex_, as the next
  bool stopped_ = true;

  // Of the thread.
  RedisCaller commands_;
  RedisLink subscriber_;
  std::unique_ptr<PresenceRegistry> registry_;
  std::unique_ptr<PresenceReader> reader_;
  bool settled_ = false;
  std::uint64_t settled_ms_ = 0;  // when it was last
  bool forgotten_ = true;
  std::thread thread_;
};

}  // namespace rtc::relay
