#include "relay/redis_link.hpp"

#include <algorithm>
#include <cstring>
#include <hiredis/hiredis.h>
#include <memory>
#include <poll.h>
#include <sys/socket.h>
#include <vector>

#include "base/random.hpp"

namespace rtc::relay {
namespace {

struct FreeReply {
  void operator()(redisReply* reply) const { ::freeReplyObject(reply); }
};

// Redis answers PING so, and as an array on a connection that has subscriptions.
bool is_pong(const redisReply& reply) {
  const auto is = [](const redisReply& text, std::string_view what) {
    return text.str != nullptr && std::string_view(text.str, text.len) == what;
  };
  if (reply.type == REDIS_REPLY_STATUS) return is(reply, "PONG");
  return reply.type == REDIS_REPLY_ARRAY && reply.elements == 2 && is(*reply.element[0], "pong");
}

}  // namespace

RedisLink::RedisLink(RedisAddress address, std::string_view name, std::uint64_t timeout_ms)
    : address_(std::move(address)), name_(name), timeout_ms_(timeout_ms) {}

RedisLink::~RedisLink() {
  if (context_ != nullptr) ::redisFree(context_);
}

int RedisLink::fd() const {
  return context_ == nullptr ? -1 : context_->fd;
}

short RedisLink::events() const {
  if (state_ == State::connecting) return POLLOUT;
  return unwritten_ > 0 ? POLLIN | POLLOUT : POLLIN;
}

void RedisLink::connect() {
  // Looking a name up waits; the thread is the relay's own.
  context_ = ::redisConnectNonBlock(address_.host.c_str(), address_.port);
  state_ = State::connecting;
  heard_ms_ = now_ms_;
  pinged_ = false;
  unwritten_ = 0;
  if (context_ == nullptr) {
    fail("out of memory");
  } else if (context_->err != 0) {
    fail(std::string(context_->errstr));
  }
}

void RedisLink::greet() {
  state_ = State::greeting;
  greetings_ = 1;
  if (!address_.password.empty()) {
    ++greetings_;
    if (address_.user.empty()) {
      command({"AUTH", address_.password});
    } else {
      command({"AUTH", address_.user, address_.password});
    }
  }
  command({"PING"});  // refused while Redis still loads
}

void RedisLink::step(short revents, std::uint64_t now_ms, const OnReply& on_reply) {
  now_ms_ = now_ms;
  if (context_ == nullptr) {
    if (now_ms >= due_ms_) connect();
    return;
  }
  if (state_ == State::connecting && revents != 0) {
    int problem = 0;
    socklen_t size = sizeof problem;
    ::getsockopt(context_->fd, SOL_SOCKET, SO_ERROR, &problem, &size);
    if (problem != 0) {
      fail(std::strerror(problem));
      return;
    }
    heard_ms_ = now_ms;
    greet();
  } else if (state_ != State::connecting && (revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
    if (::redisBufferRead(context_) != REDIS_OK) {
      fail(std::string(context_->errstr));
      return;
    }
    heard_ms_ = now_ms;
    pinged_ = false;
    if (!take_replies(on_reply)) return;
  }
  const std::uint64_t silent_ms = now_ms - heard_ms_;
  if (silent_ms >= timeout_ms_) {
    fail("no answer");
    return;
  }
  if (state_ == State::up && !pinged_ && silent_ms >= timeout_ms_ / 3) {
    command({"PING"});
    pinged_ = true;
  }
  write();
}

bool RedisLink::take_replies(const OnReply& on_reply) {
  while (true) {
    void* raw = nullptr;
    if (::redisGetReplyFromReader(context_, &raw) != REDIS_OK) {
      fail(std::string(context_->errstr));
      return false;
    }
    if (raw == nullptr) return true;
    const std::unique_ptr<redisReply, FreeReply> reply(static_cast<redisReply*>(raw));
    if (state_ == State::greeting) {
      if (reply->type == REDIS_REPLY_ERROR) {
        fail(std::string(reply->str, reply->len));
        return false;
      }
      if (--greetings_ > 0) continue;
      state_ = State::up;
      ++ups_;
      retry_ms_ = kRetryMsMin;
      log::info("redis ({}): connected", name_);
    } else if (!is_pong(*reply)) {
      on_reply(*reply);
      if (context_ == nullptr) return false;
    }
  }
}

void RedisLink::write() {
  if (context_ == nullptr || state_ == State::connecting || unwritten_ == 0) return;
  int done = 0;
  if (::redisBufferWrite(context_, &done) != REDIS_OK) {
    fail(std::string(context_->errstr));
  } else if (done != 0) {
    unwritten_ = 0;
  }
}

void RedisLink::command(std::span<const std::string_view> words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  texts.reserve(words.size());
  sizes.reserve(words.size());
  for (const std::string_view word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
    unwritten_ += word.size() + 16;
  }
  ::redisAppendCommandArgv(context_, static_cast<int>(words.size()), texts.data(), sizes.data());
}

void RedisLink::fail(std::string_view why) {
  if (const std::uint64_t times = throttle_.take(); times > 0) {
    log::warn("redis ({}): {}; trying again (x{})", name_, why, times);
  }
  if (context_ != nullptr) ::redisFree(context_);
  context_ = nullptr;
  state_ = State::down;
  unwritten_ = 0;
  due_ms_ = now_ms_ + retry_ms_ / 2 + random_below(static_cast<std::uint32_t>(retry_ms_ / 2 + 1));
  retry_ms_ = std::min(retry_ms_ * 2, kRetryMsMax);
}

}  // namespace rtc::relay
