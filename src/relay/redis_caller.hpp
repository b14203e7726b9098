// A RedisLink whose answers find who asked, and that runs scripts. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "relay/redis_link.hpp"

namespace rtc::relay {

// A script of Redis (Lua): its text and the SHA-1 of it, which is its name there.
class RedisScript {
 public:
  explicit RedisScript(std::string text);
  const std::string& text() const { return text_; }
  const std::string& name() const { return name_; }

 private:
  std::string text_;
  std::string name_;
};

class RedisCaller {
 public:
  // Null: the connection was lost before the answer came. Called in the order of the questions.
  using OnAnswer = std::function<void(const redisReply*)>;

  RedisCaller(RedisAddress address, std::string_view name, std::uint64_t timeout_ms)
      : link_(std::move(address), name, timeout_ms) {}

  // As RedisLink.
  int fd() const { return link_.fd(); }
  short events() const { return link_.events(); }
  void step(short revents, std::uint64_t now_ms);
  void write();
  bool up() const { return link_.up() && ups_ == link_.ups(); }
  std::uint64_t ups() const { return ups_; }

  // Enough is on its way: ask later.
  bool busy() const;
  std::size_t awaited() const { return awaited_.size(); }

  // Without `on_answer` an error is logged, nothing else. Not up: null is the answer, at once.
  void ask(std::span<const std::string_view> words, OnAnswer on_answer = {});
  void ask(std::initializer_list<std::string_view> words, OnAnswer on_answer = {}) {
    ask(std::span(words.begin(), words.size()), std::move(on_answer));
  }
  // Redis forgets scripts when it starts: load() is for each connection.
  void load(const RedisScript& script);
  void run(const RedisScript& script, std::span<const std::string> keys,
           std::span<const std::string> arguments, OnAnswer on_answer);

 private:
  void take(const redisReply& reply);
  void follow_link();

  RedisLink link_;
  std::uint64_t ups_ = 0;
  std::deque<OnAnswer> awaited_;
};

}  // namespace rtc::relay
