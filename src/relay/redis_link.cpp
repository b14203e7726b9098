#include "relay/redis_link.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/core.h>
#include <hiredis/hiredis.h>
#include <iterator>
#include <poll.h>
#include <utility>

#include "base/random.hpp"

namespace rtc::relay {
namespace {

// Memory that stays with the connection after more was written than usual.
constexpr std::size_t kKeptBytes = 1 << 20;
constexpr std::size_t kHostBytesMax = 255;  // of a name that a sentinel tells

struct FreeReply {
  void operator()(redisReply* reply) const { ::freeReplyObject(reply); }
};

// Redis answers PING so, and as an array on a connection that has subscriptions.
bool is_pong(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_STATUS) return text_of(reply) == "PONG";
  return reply.type == REDIS_REPLY_ARRAY && reply.elements == 2 &&
         text_of(*reply.element[0]) == "pong";
}

}  // namespace

std::string_view text_of(const redisReply& reply) {
  return reply.str == nullptr ? std::string_view() : std::string_view(reply.str, reply.len);
}

bool is_error(const redisReply& reply) {
  return reply.type == REDIS_REPLY_ERROR;
}

void RedisLink::FreeReader::operator()(redisReader* reader) const {
  ::redisReaderFree(reader);
}

RedisLink::RedisLink(RedisAddress address, std::string_view name, std::uint64_t timeout_ms)
    : address_(std::move(address)), name_(name), timeout_ms_(timeout_ms) {}

RedisLink::~RedisLink() = default;

// --- coming up

void RedisLink::connect() {
  is_listed_ = true;
  moves_ = 0;
  open(address_.hosts[host_]);
}

// Looking a name up waits; the thread is the relay's own.
void RedisLink::open(const RedisHost& host) {
  where_ = host;
  state_ = State::connecting;
  heard_ms_ = now_ms_;
  pinged_ = false;
  out_.clear();
  written_ = 0;
  reader_.reset(::redisReaderCreate());
  if (!socket_.open(host, address_.tls ? &*address_.tls : nullptr)) fail(socket_.error());
}

void RedisLink::greet() {
  state_ = State::greeting;
  greetings_ = 1;
  const RedisLogin& login = is_sentinel() ? address_.sentinel_login : address_.login;
  if (!login.password.empty()) {
    ++greetings_;
    if (login.user.empty()) {
      command({"AUTH", login.password});
    } else {
      command({"AUTH", login.user, login.password});
    }
  }
  if (is_sentinel()) {
    command({"SENTINEL", "get-master-addr-by-name", address_.master});
    return;
  }
  // A sentinel may tell of a Redis that is no primary yet, or not any more.
  if (!address_.master.empty()) {
    ++greetings_;
    command({"ROLE"});
  }
  // Of a cluster all but one name another one: MOVED.
  if (!address_.cluster_key.empty()) {
    ++greetings_;
    command({"EXISTS", address_.cluster_key});
  }
  command({"PING"});  // refused while Redis still loads
}

bool RedisLink::take_greeting(const redisReply& reply) {
  if (is_error(reply)) {
    const std::string_view text = text_of(reply);
    // Who does not know AUTH repeats what it was given.
    const std::string& secret = (is_sentinel() ? address_.sentinel_login : address_.login).password;
    if (!address_.cluster_key.empty() && text.starts_with("MOVED ")) {
      follow_move(text);
    } else if (!secret.empty() && text.find(secret) != text.npos) {
      fail("refuses the login");
    } else if (is_sentinel() && text.starts_with("NOAUTH")) {
      fail("the sentinel asks for a password: set redis_sentinel_login");
    } else {
      fail(text);
    }
    return false;
  }
  --greetings_;
  if (is_sentinel() && greetings_ == 0) {
    follow_sentinel(reply);
    return false;
  }
  if (reply.type == REDIS_REPLY_ARRAY &&
      (reply.elements == 0 || text_of(*reply.element[0]) != "master")) {
    fail("is not the primary (ROLE); the sentinels are asked again");
    return false;
  }
  if (greetings_ > 0) return true;
  state_ = State::up;
  up_ms_ = now_ms_;
  ++ups_;
  log::info("redis ({}): connected to {}", name_, where_.text());
  return true;
}

void RedisLink::follow_sentinel(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_NIL) {
    fail(fmt::format("the sentinel knows no primary of the name {} (redis_url)", address_.master));
    return;
  }
  RedisHost host;
  if (reply.type == REDIS_REPLY_ARRAY && reply.elements == 2) {
    host.name = text_of(*reply.element[0]);
    const std::string_view port = text_of(*reply.element[1]);
    std::from_chars(port.data(), port.data() + port.size(), host.port);
  }
  if (host.name.empty() || host.name.size() > kHostBytesMax || host.port == 0) {
    fail("is no sentinel");
    return;
  }
  failed_ = 0;
  is_listed_ = false;
  open(host);
}

// "MOVED slot host:port"; no host: the one that says so.
void RedisLink::follow_move(std::string_view error) {
  const std::string_view end_point = error.substr(error.rfind(' ') + 1);
  const auto colon = end_point.rfind(':');
  RedisHost host{where_.name, 0};
  if (colon != end_point.npos) {
    if (colon > 0) host.name = end_point.substr(0, colon);
    std::from_chars(end_point.data() + colon + 1, end_point.data() + end_point.size(), host.port);
  }
  if (host.name.size() > kHostBytesMax || host.port == 0) {
    fail("does not say which node of the cluster has the people");
  } else if (++moves_ > kMovesMax) {
    fail("the nodes of the cluster send each to another one");
  } else {
    failed_ = 0;
    is_listed_ = false;
    open(host);
  }
}

// --- being there

void RedisLink::step(short revents, std::uint64_t now_ms, const OnReply& on_reply) {
  now_ms_ = now_ms;
  if (state_ == State::down) {
    if (now_ms >= due_ms_) connect();
    return;
  }
  if (state_ == State::connecting && revents != 0) {
    const bool was_shaking_hands = socket_.shakes_hands();
    if (!socket_.proceed()) {
      fail(socket_.error());
      return;
    }
    // Of a handshake the whole is waited for, however many pieces it comes in.
    if (socket_.ready() || socket_.shakes_hands() != was_shaking_hands) heard_ms_ = now_ms;
    if (socket_.ready()) greet();
  } else if (state_ != State::connecting && (revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
    if (!read(on_reply)) return;
  }
  check_silence();
  write();
}

void RedisLink::check_silence() {
  const std::uint64_t silent_ms = now_ms_ - heard_ms_;
  if (silent_ms >= timeout_ms_) {
    fail(socket_.shakes_hands() ? "no answer to TLS; is that Redis' tls-port?" : "no answer");
  } else if (state_ == State::up && !pinged_ && silent_ms >= timeout_ms_ / 3) {
    command({"PING"});
    pinged_ = true;
  }
}

bool RedisLink::read(const OnReply& on_reply) {
  const auto size = socket_.read(in_);
  bool whole = size.has_value();
  if (whole && *size > 0) {
    heard_ms_ = now_ms_;
    pinged_ = false;
    whole = ::redisReaderFeed(reader_.get(), in_.data(), *size) == REDIS_OK;
    if (whole) return take_replies(on_reply);
  }
  if (whole) return true;
  fail(size ? std::string("out of memory") : socket_.error() + std::string(hint()));
  return false;
}

// Who comes to a tls-port without TLS, or without a certificate that is asked for, is told nothing,
// mostly: the connection ends.
std::string_view RedisLink::hint() const {
  if (state_ != State::greeting) return "";
  if (!address_.tls) return "; if that is a tls-port, redis_url must begin with rediss";
  if (!address_.tls->certificate.empty()) return "";
  return "; if it asks for a certificate of this node, set redis_certificate_file";
}

bool RedisLink::take_replies(const OnReply& on_reply) {
  while (true) {
    void* raw = nullptr;
    if (::redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) {
      fail(std::string(reader_->errstr));
      return false;
    }
    if (raw == nullptr) return true;
    const std::unique_ptr<redisReply, FreeReply> reply(static_cast<redisReply*>(raw));
    if (state_ == State::greeting) {
      if (!take_greeting(*reply)) return false;
    } else if (is_error(*reply) && leave(text_of(*reply))) {
      return false;
    } else if (!is_pong(*reply)) {
      on_reply(*reply);
      if (state_ == State::down) return false;
    }
  }
}

// Of those errors that say that another Redis is the one to go to: it is found the way that this
// one was.
bool RedisLink::leave(std::string_view error) {
  if (error.starts_with("READONLY")) {
    fail("is a replica now");
    return true;
  }
  // Also while the people's slot moves (ASK, TRYAGAIN) or nobody has it: until somebody has all.
  for (const std::string_view each : {"MOVED ", "ASK ", "TRYAGAIN", "CLUSTERDOWN"}) {
    if (!error.starts_with(each)) continue;
    fail(address_.cluster_key.empty()
             ? "is a node of a Redis Cluster; redis_url must begin with redis+cluster or "
               "rediss+cluster"
             : error);
    return true;
  }
  return false;
}

void RedisLink::write() {
  if (state_ != State::greeting && state_ != State::up) return;
  while (unwritten() > 0) {
    const auto size = socket_.write(std::string_view(out_).substr(written_));
    if (!size) {
      fail(socket_.error() + std::string(hint()));
      return;
    }
    if (*size == 0) break;
    written_ += *size;
  }
  if (written_ < out_.size() / 2) return;
  out_.erase(0, written_);
  written_ = 0;
  if (out_.empty() && out_.capacity() > kKeptBytes) out_.shrink_to_fit();
}

void RedisLink::command(std::span<const std::string_view> words) {
  fmt::format_to(std::back_inserter(out_), "*{}\r\n", words.size());
  for (const std::string_view word : words) {
    fmt::format_to(std::back_inserter(out_), "${}\r\n", word.size());
    out_.append(word).append("\r\n");
  }
}

void RedisLink::fail(std::string_view why) {
  if (const std::uint64_t times = throttle_.take(); times > 0) {
    log::warn("redis ({}): {}: {}; trying again (x{})", name_, where_.text(), why, times);
  }
  const bool was_up = state_ == State::up;
  socket_.close();
  reader_.reset();
  out_.clear();
  written_ = 0;
  state_ = State::down;
  due_ms_ = now_ms_;
  if (!was_up) {
    // Another one may know better. Each is asked before there is a pause.
    host_ = (host_ + 1) % address_.hosts.size();
    if (is_listed_ && ++failed_ < address_.hosts.size()) return;
  }
  failed_ = 0;
  if (was_up && now_ms_ - up_ms_ >= kRetryMsMax) retry_ms_ = kRetryMsMin;
  due_ms_ += retry_ms_ / 2 + random_below(static_cast<std::uint32_t>(retry_ms_ / 2 + 1));
  retry_ms_ = std::min(retry_ms_ * 2, kRetryMsMax);
}

}  // namespace rtc::relay
