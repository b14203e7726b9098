// The newest pages of rooms in Redis, for the nodes of one store (docs/adr/0021): a string for each
// room, <prefix>:{people}:page:<room> (kKeysTag: one hash slot of a Redis Cluster), made by
// relay/page_seal, gone after `lifetime_ms`. A thread of its own has the connection; who reads
// waits for it `wait_ms` at most, and not at all while Redis is away or has just been too late.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "chat/remote_pages.hpp"
#include "relay/page_seal.hpp"
#include "relay/redis_caller.hpp"

namespace rtc::relay {

struct RedisPagesOptions {
  RedisAddress address;
  std::string prefix = "realtimechat";  // of all names in Redis
  std::uint64_t timeout_ms = 3000;      // without an answer the connection is lost
  std::uint64_t lifetime_ms = 600'000;
  std::uint64_t bytes_max = 64U << 20U;  // kept in each lifetime: Redis has twice that at most
  std::uint64_t wait_ms = 25;
  std::string secret;  // as PageSeal
  std::string epoch;
};

class RedisPages final : public chat::RemotePages {
 public:
  static constexpr std::size_t kPageBytesMax = 1U << 20U;  // longer ones are not kept
  static constexpr std::size_t kWaitingMax = 64;           // to be kept; beyond it: dropped
  static constexpr std::uint64_t kRestMs =
      1000;  // nobody asks for so long after one waited in vain

  explicit RedisPages(RedisPagesOptions options);
  ~RedisPages() override;
  RedisPages(const RedisPages&) = delete;
  RedisPages& operator=(const RedisPages&) = delete;

  std::vector<chat::Message> read(const RoomId& room) override;
  void keep(const RoomId& room, const std::vector<chat::Message>& messages) override;
  chat::RemotePageFigures figures() const override;

 private:
  struct Question {
    RoomId room;
    std::promise<std::string> answer;  // "": none
  };
  struct Page {
    RoomId room;
    std::string bytes;
  };

  std::string key(const RoomId& room) const;
  bool asked() const;                 // Redis is there, and was not too late a moment ago
  bool has_place(std::size_t bytes);  // under mutex_
  void wake();
  // On the thread.
  void run();
  void wait();
  void ask(Question& question);
  void keep(const Page& page);
  void take();

  const RedisPagesOptions options_;
  const PageSeal seal_;
  int wake_fd_ = -1;
  std::atomic<bool> ends_{false};
  std::atomic<bool> up_{false};
  std::atomic<std::uint64_t> rests_until_ms_{0};
  std::atomic<std::uint64_t> found_{0}, missing_{0}, late_{0}, refused_{0}, kept_{0}, dropped_{0};

  std::mutex mutex_;
  std::vector<Question> questions_;  // guarded by mutex_, as the next four
  std::deque<Page> pages_;
  std::uint64_t began_ms_ = 0;  // the lifetime that bytes_ were kept in
  std::uint64_t bytes_ = 0;

  RedisCaller commands_;  // of the thread
  std::thread thread_;
};

}  // namespace rtc::relay
