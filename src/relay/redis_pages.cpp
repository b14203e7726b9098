#include "relay/redis_pages.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/thread_name.hpp"

namespace rtc::relay {
namespace {

std::uint64_t now_ms() {
  return monotonic_us() / 1000;
}

void add_one(std::atomic<std::uint64_t>& to) {
  to.fetch_add(1, std::memory_order_relaxed);
}

void say_if_error(const redisReply* reply) {
  static log::Throttle throttle;
  if (reply != nullptr && is_error(*reply) && throttle.take() > 0) {
    log::warn("redis: a page: {}", text_of(*reply));
  }
}

}  // namespace

RedisPages::RedisPages(RedisPagesOptions options)
    : options_(std::move(options)),
      seal_(options_.secret, options_.epoch),
      wake_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      commands_(options_.address, "pages", options_.timeout_ms) {
  if (wake_fd_ < 0) {
    log::error("redis: no event descriptor");
    std::abort();
  }
  thread_ = std::thread([this] { run(); });
}

RedisPages::~RedisPages() {
  ends_ = true;
  wake();
  thread_.join();
  ::close(wake_fd_);
}

std::string RedisPages::key(const RoomId& room) const {
  return options_.prefix + std::string(kKeysTag) + "page:" + room.to_string();
}

bool RedisPages::asked() const {
  return up_ && now_ms() >= rests_until_ms_;
}

void RedisPages::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto ignored = ::write(wake_fd_, &one, sizeof one);
}

std::vector<chat::Message> RedisPages::read(const RoomId& room) {
  if (!asked()) return {};
  std::future<std::string> answer;
  {
    const std::scoped_lock lock(mutex_);
    answer = questions_.emplace_back(room, std::promise<std::string>()).answer.get_future();
  }
  wake();
  if (answer.wait_for(std::chrono::milliseconds(options_.wait_ms)) != std::future_status::ready) {
    rests_until_ms_ = now_ms() + kRestMs;
    add_one(late_);
    return {};
  }
  const std::string bytes = answer.get();
  if (bytes.empty()) {
    add_one(missing_);
    return {};
  }
  auto page = seal_.open(room, bytes);
  add_one(page ? found_ : refused_);
  return page ? std::move(*page) : std::vector<chat::Message>();
}

void RedisPages::keep(const RoomId& room, const std::vector<chat::Message>& messages) {
  if (!asked()) return;
  std::string bytes = seal_.page(room, messages);
  {
    const std::scoped_lock lock(mutex_);
    if (!has_place(bytes.size())) {
      add_one(dropped_);
      return;
    }
    pages_.push_back({room, std::move(bytes)});
  }
  wake();
}

bool RedisPages::has_place(std::size_t bytes) {
  const std::uint64_t now = now_ms();
  if (now - began_ms_ >= options_.lifetime_ms) {
    began_ms_ = now;
    bytes_ = 0;
  }
  if (bytes > kPageBytesMax || bytes > options_.bytes_max - bytes_) return false;
  if (pages_.size() >= kWaitingMax) return false;
  bytes_ += bytes;
  return true;
}

chat::RemotePageFigures RedisPages::figures() const {
  return {up_, found_, missing_, late_, refused_, kept_, dropped_};
}

// --- the thread

void RedisPages::run() {
  name_this_thread("pages");
  while (!ends_) {
    wait();
    up_ = commands_.up();
    take();
    commands_.write();
  }
}

void RedisPages::wait() {
  std::array<pollfd, 2> polled{{{wake_fd_, POLLIN, 0}, {commands_.fd(), commands_.events(), 0}}};
  const auto most_ms = std::clamp<std::uint64_t>(options_.timeout_ms / 10, 1, 250);
  ::poll(polled.data(), polled.size(), static_cast<int>(most_ms));
  if (polled[0].revents != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto ignored = ::read(wake_fd_, &count, sizeof count);
  }
  commands_.step(polled[1].revents, now_ms());
}

void RedisPages::take() {
  std::vector<Question> questions;
  {
    const std::scoped_lock lock(mutex_);
    questions.swap(questions_);
  }
  for (Question& each : questions) ask(each);
  while (!commands_.busy()) {
    Page page;
    {
      const std::scoped_lock lock(mutex_);
      if (pages_.empty()) return;
      page = std::move(pages_.front());
      pages_.pop_front();
    }
    keep(page);
  }
}

// An answer that nobody waits for any more goes nowhere.
void RedisPages::ask(Question& question) {
  const auto waiting = std::make_shared<std::promise<std::string>>(std::move(question.answer));
  commands_.ask({"GET", key(question.room)}, [waiting](const redisReply* reply) {
    const bool is_page = reply != nullptr && reply->type == REDIS_REPLY_STRING;
    waiting->set_value(is_page ? std::string(text_of(*reply)) : std::string());
    say_if_error(reply);
  });
}

void RedisPages::keep(const Page& page) {
  const std::string lifetime = std::to_string(options_.lifetime_ms);
  commands_.ask({"SET", key(page.room), page.bytes, "PX", lifetime},
                [this](const redisReply* reply) {
                  add_one(reply != nullptr && !is_error(*reply) ? kept_ : dropped_);
                  say_if_error(reply);
                });
}

}  // namespace rtc::relay
