#include "relay/redis_presence.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/thread_name.hpp"

namespace rtc::relay {
namespace {

// Between two ticks: a quarter of presence_interval, so it adds little, within these.
constexpr std::uint64_t kTickMsMin = 5;
constexpr std::uint64_t kTickMsMax = 250;

std::uint64_t now_ms() {
  return monotonic_us() / 1000;
}

}  // namespace

RedisPresence::RedisPresence(RedisPresenceOptions options)
    : options_(std::move(options)),
      keys_{options_.prefix},
      seal_(options_.secret, options_.epoch),
      wake_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      commands_(options_.address, "people", options_.timeout_ms),
      subscriber_(options_.address, "people, subscribed", options_.timeout_ms) {
  if (wake_fd_ < 0) {
    log::error("redis: no event descriptor");
    std::abort();
  }
}

void RedisPresence::start(chat::Presence& own, std::function<std::uint64_t()> sessions) {
  own_ = &own;
  own.share();
  const PresenceContext context{
      commands_, own, scripts_, keys_, seal_, counts_, options_.lifetime_ms, options_.names_max};
  registry_ = std::make_unique<PresenceRegistry>(context, std::move(sessions));
  reader_ = std::make_unique<PresenceReader>(context, subscriber_);
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = false;
  }
  thread_ = std::thread([this] { run(); });
}

void RedisPresence::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
    pages_.clear();
  }
  ends_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
  if (wake_fd_ >= 0) ::close(std::exchange(wake_fd_, -1));
}

void RedisPresence::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto ignored = ::write(wake_fd_, &one, sizeof one);
}

void RedisPresence::page(const RoomId& room, const std::optional<UserId>& after, std::size_t limit,
                         OnRoster told) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopped_) return;
    if (pages_.size() < kPagesMax) {
      pages_.push_back({room, after, limit, std::exchange(told, {})});
      if (pages_.size() == 1) wake();
    }
  }
  if (told) told(std::nullopt);
}

chat::SharedPresenceFigures RedisPresence::figures() const {
  chat::SharedPresenceFigures told;
  told.connected = counts_.connected;
  told.told = counts_.told;
  told.starts = counts_.starts;
  told.reads = counts_.reads;
  told.refused = counts_.refused;
  told.nodes_removed = counts_.nodes_removed;
  if (own_ != nullptr) told.waiting = own_->waiting();
  return told;
}

// --- the thread

void RedisPresence::run() {
  name_this_thread("people");
  const std::uint64_t every_ms = std::clamp(options_.interval_ms / 4, kTickMsMin, kTickMsMax);
  std::uint64_t tick_ms = 0;
  std::uint64_t end_ms = 0;
  while (true) {
    wait(tick_ms);
    take_pages();
    const std::uint64_t now = now_ms();
    if (ends_ && end_ms == 0) {
      registry_->end();
      end_ms = now + options_.end_ms;
    }
    if (now >= tick_ms || ends_) {
      tick_ms = now + every_ms;
      tick(now);
    }
    commands_.write();
    if (!ends_) continue;
    const bool gone = registry_->done() && commands_.awaited() == 0;
    if (gone || !commands_.up() || now >= end_ms) return;
  }
}

void RedisPresence::wait(std::uint64_t until_ms) {
  std::array<pollfd, 3> polled{{{wake_fd_, POLLIN, 0},
                                {commands_.fd(), commands_.events(), 0},
                                {subscriber_.fd(), subscriber_.events(), 0}}};
  const std::uint64_t now = now_ms();
  const std::uint64_t most_ms = std::clamp<std::uint64_t>(options_.timeout_ms / 10, 1, kTickMsMax);
  const std::uint64_t wait_ms = until_ms > now ? std::min(until_ms - now, most_ms) : 0;
  ::poll(polled.data(), polled.size(), static_cast<int>(wait_ms));
  if (polled[0].revents != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto ignored = ::read(wake_fd_, &count, sizeof count);
  }
  commands_.step(polled[1].revents, now_ms());
  subscriber_.step(polled[2].revents, now_ms(),
                   [this](const redisReply& reply) { reader_->on_reply(reply); });
}

void RedisPresence::tick(std::uint64_t now) {
  registry_->tick(now);
  const bool settled = registry_->settled();
  // Who read a roster meanwhile read one of the own people.
  if (settled && !settled_) reader_->forget();
  settled_ = settled;
  reader_->tick(now, settled);
  subscriber_.write();
  counts_.connected.store(settled && subscriber_.up(), std::memory_order_relaxed);
  if (settled) {
    settled_ms_ = now;
    forgotten_ = false;
  } else if (!forgotten_ && now - settled_ms_ >= options_.lifetime_ms) {
    forgotten_ = true;
    own_->forget_others();
    reader_->forget();
    counts_.sessions_elsewhere = 0;
  }
}

void RedisPresence::take_pages() {
  if (commands_.busy()) return;  // they wait, up to kPagesMax
  std::vector<PresenceReader::PageRequest> pages;
  {
    const std::scoped_lock lock(mutex_);
    pages.swap(pages_);
  }
  for (PresenceReader::PageRequest& each : pages) {
    if (registry_->settled()) {
      reader_->read_page(std::move(each));
    } else {
      each.told(std::nullopt);
    }
  }
}

}  // namespace rtc::relay
