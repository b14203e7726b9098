// One connection to Redis, through hiredis, that never waits: its owner polls fd() and calls
// step(). It connects, logs in, asks for life and comes back by itself. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "relay/redis_url.hpp"

struct redisContext;
struct redisReply;

namespace rtc::relay {

class RedisLink {
 public:
  // Between two tries to connect: doubled each time, and of it a random part from half to all, so
  // that nodes do not come back all at once.
  static constexpr std::uint64_t kRetryMsMin = 50;
  static constexpr std::uint64_t kRetryMsMax = 2000;

  using OnReply = std::function<void(const redisReply&)>;

  // `name` is for the log. No answer for `timeout_ms` is a lost connection.
  RedisLink(RedisAddress address, std::string_view name, std::uint64_t timeout_ms);
  ~RedisLink();
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;

  // What to wait for; fd -1: nothing yet.
  int fd() const;
  short events() const;
  // Once whatever poll() said has come, and at least each tenth of the timeout. Gives what Redis
  // answered to `on_reply`, but for the login and pings.
  void step(short revents, std::uint64_t now_ms, const OnReply& on_reply);
  // Sends what command() left, as far as it goes at once.
  void write();

  bool up() const { return state_ == State::up; }
  // How often it came up so far.
  std::uint64_t ups() const { return ups_; }
  // Bytes of commands not yet written, about.
  std::size_t unwritten() const { return unwritten_; }
  // While up: to be written by the next step() or write(). Each is answered, in order.
  void command(std::span<const std::string_view> words);
  void command(std::initializer_list<std::string_view> words) {
    command(std::span(words.begin(), words.size()));
  }
  // Gives the connection up, and comes back later.
  void fail(std::string_view why);

 private:
  enum class State { down, connecting, greeting, up };

  void connect();
  void greet();
  bool take_replies(const OnReply& on_reply);  // false: the connection is gone

  const RedisAddress address_;
  const std::string name_;
  const std::uint64_t timeout_ms_;
  redisContext* context_ = nullptr;
  State state_ = State::down;
  std::uint64_t now_ms_ = 0;
  std::uint64_t due_ms_ = 0;    // down: when to try again
  std::uint64_t heard_ms_ = 0;  // else: of the last bytes, or the begin of connecting
  std::uint64_t retry_ms_ = kRetryMsMin;
  bool pinged_ = false;     // since then
  unsigned greetings_ = 0;  // answers to wait for until it is up
  std::uint64_t ups_ = 0;
  std::size_t unwritten_ = 0;
  log::Throttle throttle_;
};

}  // namespace rtc::relay
