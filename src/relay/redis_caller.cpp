#include "relay/redis_caller.hpp"

#include <array>
#include <hiredis/hiredis.h>
#include <openssl/evp.h>
#include <utility>
#include <vector>

#include "base/log.hpp"

namespace rtc::relay {
namespace {

// Questions and bytes on their way, beyond which no more are asked but by who must.
constexpr std::size_t kAwaitedMax = 256;
constexpr std::size_t kUnwrittenMax = 1 << 20;

}  // namespace

RedisScript::RedisScript(std::string text) : text_(std::move(text)) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  ::EVP_Digest(text_.data(), text_.size(), digest.data(), &size, EVP_sha1(), nullptr);
  constexpr std::string_view kHex = "0123456789abcdef";
  for (unsigned i = 0; i < size; ++i) {
    name_.push_back(kHex[digest[i] >> 4U]);
    name_.push_back(kHex[digest[i] & 15U]);
  }
}

void RedisCaller::step(short revents, std::uint64_t now_ms) {
  link_.step(revents, now_ms, [this](const redisReply& reply) { take(reply); });
  follow_link();
}

void RedisCaller::write() {
  link_.write();
  follow_link();
}

bool RedisCaller::busy() const {
  return awaited_.size() >= kAwaitedMax || link_.unwritten() >= kUnwrittenMax;
}

void RedisCaller::take(const redisReply& reply) {
  // A connection that has just come up is greeted after this step.
  if (awaited_.empty()) return;
  const OnAnswer on_answer = std::move(awaited_.front());
  awaited_.pop_front();
  if (on_answer) {
    on_answer(&reply);
  } else if (is_error(reply)) {
    static log::Throttle throttle;
    if (throttle.take() > 0) log::warn("redis: refused: {}", text_of(reply));
  }
}

// What was asked of a connection that is gone is not answered any more.
void RedisCaller::follow_link() {
  if (link_.up() && ups_ == link_.ups()) return;
  for (const OnAnswer& each : std::exchange(awaited_, {})) {
    if (each) each(nullptr);
  }
  if (link_.up()) ups_ = link_.ups();
}

void RedisCaller::load(const RedisScript& script) {
  ask({"SCRIPT", "LOAD", script.text()});
}

void RedisCaller::ask(std::span<const std::string_view> words, OnAnswer on_answer) {
  if (!up()) {
    if (on_answer) on_answer(nullptr);
    return;
  }
  link_.command(words);
  awaited_.push_back(std::move(on_answer));
}

void RedisCaller::run(const RedisScript& script, std::span<const std::string> keys,
                      std::span<const std::string> arguments, OnAnswer on_answer) {
  const std::string count = std::to_string(keys.size());
  std::vector<std::string_view> words{"EVALSHA", script.name(), count};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  ask(words, std::move(on_answer));
}

}  // namespace rtc::relay
