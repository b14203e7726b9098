// One connection to Redis that never waits: its owner polls fd() and calls step(). It asks the
// sentinels where Redis is, or goes where a cluster's nodes send it, connects, logs in, asks for
// life and comes back by itself. Its bytes are RedisSocket's, so plain or over TLS; hiredis reads
// the answers. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "relay/redis_url.hpp"

struct redisReader;
struct redisReply;

namespace rtc::relay {

std::string_view text_of(const redisReply& reply);  // "" when it has none
bool is_error(const redisReply& reply);

class RedisLink {
 public:
  // Between two tries to connect: doubled each time, and of it a random part from half to all, so
  // that nodes do not come back all at once. It begins anew after a connection that lasted.
  static constexpr std::uint64_t kRetryMsMin = 50;
  static constexpr std::uint64_t kRetryMsMax = 2000;
  // So often a cluster's nodes may send it on, one after the other.
  static constexpr unsigned kMovesMax = 5;

  using OnReply = std::function<void(const redisReply&)>;

  // `name` is for the log. No answer for `timeout_ms` is a lost connection; connecting, the
  // handshake of TLS and the login may take so long each.
  RedisLink(RedisAddress address, std::string_view name, std::uint64_t timeout_ms);
  ~RedisLink();
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;

  // What to wait for; fd -1: nothing yet.
  int fd() const { return socket_.fd(); }
  short events() const { return socket_.events(unwritten() > 0); }
  // Once whatever poll() said has come, and at least each tenth of the timeout. Gives what Redis
  // answered to `on_reply`, but for the login and pings.
  void step(short revents, std::uint64_t now_ms, const OnReply& on_reply);
  // Sends what command() left, as far as it goes at once.
  void write();

  bool up() const { return state_ == State::up; }
  // How often it came up so far.
  std::uint64_t ups() const { return ups_; }
  // Bytes of commands not yet written.
  std::size_t unwritten() const { return out_.size() - written_; }
  // While up: to be written by the next step() or write(). Each is answered, in order.
  void command(std::span<const std::string_view> words);
  void command(std::initializer_list<std::string_view> words) {
    command(std::span(words.begin(), words.size()));
  }
  // Gives the connection up, and comes back later.
  void fail(std::string_view why);

 private:
  enum class State { down, connecting, greeting, up };
  struct FreeReader {
    void operator()(redisReader* reader) const;
  };

  void connect();
  void open(const RedisHost& host);
  void greet();
  // The next three: false when the connection is gone, or another one.
  bool read(const OnReply& on_reply);
  bool take_replies(const OnReply& on_reply);
  bool take_greeting(const redisReply& reply);
  void follow_sentinel(const redisReply& reply);
  void follow_move(std::string_view error);
  bool leave(std::string_view error);
  bool is_sentinel() const { return is_listed_ && !address_.master.empty(); }
  void check_silence();
  std::string_view hint() const;  // why a connection may have ended

  const RedisAddress address_;
  const std::string name_;
  const std::uint64_t timeout_ms_;
  RedisSocket socket_;
  std::unique_ptr<redisReader, FreeReader> reader_;  // of this connection
  std::string out_;                                  // commands, of which
  std::size_t written_ = 0;                          // so much is written
  State state_ = State::down;
  RedisHost where_;         // whom this connection is to
  bool is_listed_ = false;  // and whether that is one of address_.hosts, not one it leads to
  std::size_t host_ = 0;    // of them: the one to go to next
  std::size_t failed_ = 0;  // of them, one after the other
  unsigned moves_ = 0;      // since one of them
  std::uint64_t now_ms_ = 0;
  std::uint64_t due_ms_ = 0;    // down: when to try again
  std::uint64_t heard_ms_ = 0;  // else: of the last bytes, or the begin of connecting
  std::uint64_t up_ms_ = 0;     // since when it is up
  std::uint64_t retry_ms_ = kRetryMsMin;
  bool pinged_ = false;     // since then
  unsigned greetings_ = 0;  // answers to wait for until it is up
  std::uint64_t ups_ = 0;
  std::array<char, 4 * RedisSocket::kReadBytesMin> in_{};
  log::Throttle throttle_;
};

}  // namespace rtc::relay
