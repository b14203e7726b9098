#include "relay/redis_relay.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/thread_name.hpp"
#include "relay/payload_batch.hpp"

namespace rtc::relay {
namespace {

// Given to a connection and not yet answered, at most; a batch more.
constexpr std::uint32_t kUnansweredMax = 1024;
constexpr std::size_t kUnwrittenMax = 1 << 20;
// Channels of one SUBSCRIBE.
constexpr std::size_t kChannelsAtOnce = 200;
// How long a stopping relay tries to hand over what waits.
constexpr std::uint64_t kFlushMs = 500;
constexpr std::uint64_t kPollMsMax = 100;
// Nodes of which the newest number is known; each start of a node is another one.
constexpr std::size_t kNodesMax = 4096;

std::uint64_t now_ms() {
  return monotonic_us() / 1000;
}

}  // namespace

RedisRelay::RedisRelay(RedisOptions options)
    : options_(std::move(options)),
      channel_prefix_(options_.prefix + ":room:"),
      news_channel_(options_.prefix + ":news"),
      payloads_(options_.secret, options_.epoch),
      wake_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      publisher_(options_.address, "publishing", options_.timeout_ms),
      subscriber_(options_.address, "subscribed", options_.timeout_ms) {
  if (wake_fd_ < 0) {
    log::error("redis: no event descriptor");
    std::abort();
  }
}

void RedisRelay::start(OnMessages on_messages, OnDoubt on_doubt) {
  on_messages_ = std::move(on_messages);
  on_doubt_ = std::move(on_doubt);
  thread_ = std::thread([this] { run(); });
}

void RedisRelay::stop() {
  ends_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
  if (wake_fd_ >= 0) ::close(std::exchange(wake_fd_, -1));
}

void RedisRelay::wake() {
  if (woken_.exchange(true) || wake_fd_ < 0) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto ignored = ::write(wake_fd_, &one, sizeof one);
}

void RedisRelay::on_live(OnMessages on_live, OnNews on_news) {
  on_live_ = std::move(on_live);
  on_news_ = std::move(on_news);
}

void RedisRelay::publish(const chat::MessageBatch& batch) {
  on_messages_(batch);
  Outgoing outgoing;
  outgoing.batch = batch;
  enqueue(std::move(outgoing));
}

void RedisRelay::publish_live(const chat::MessageBatch& batch) {
  Outgoing outgoing;
  outgoing.batch = batch;
  outgoing.live = true;
  enqueue(std::move(outgoing));
}

void RedisRelay::tell(const chat::UserNews& news) {
  Outgoing outgoing;
  outgoing.news = news;
  outgoing.live = true;
  enqueue(std::move(outgoing));
}

void RedisRelay::enqueue(Outgoing outgoing) {
  if (outgoing.news) {
    outgoing.bytes = outgoing.news->body.size() + kMessageBytes;
  } else {
    for (const chat::Message& each : *outgoing.batch) {
      outgoing.bytes += each.text.size() + kMessageBytes;
    }
  }
  {
    const std::scoped_lock lock(mutex_);
    if (queue_bytes_ + outgoing.bytes > options_.queue_bytes_max) {
      figures_.dropped.fetch_add(outgoing.count(), std::memory_order_relaxed);
      return;
    }
    queue_bytes_ += outgoing.bytes;
    queue_.push_back(std::move(outgoing));
  }
  wake();
}

void RedisRelay::follow(const RoomId& room) {
  {
    const std::scoped_lock lock(mutex_);
    if (++followed_[room] > 1) return;
    changes_.emplace_back(room, true);
  }
  wake();
}

void RedisRelay::unfollow(const RoomId& room) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = followed_.find(room);
    if (found == followed_.end() || --found->second > 0) return;
    followed_.erase(found);
    changes_.emplace_back(room, false);
  }
  wake();
}

chat::RelayFigures RedisRelay::figures() const {
  chat::RelayFigures told;
  told.connected = figures_.publishing && figures_.subscribed;
  told.published = figures_.published;
  told.dropped = figures_.dropped;
  told.received = figures_.received;
  told.refused = figures_.refused;
  told.reconnects = figures_.reconnects;
  const std::scoped_lock lock(mutex_);
  told.waiting_bytes = queue_bytes_;
  return told;
}

std::string RedisRelay::channel(const RoomId& room) const {
  return channel_prefix_ + room.to_string();
}

// --- the thread

void RedisRelay::run() {
  name_this_thread("redis");
  std::uint64_t flush_until_ms = 0;
  while (true) {
    wait();
    if (publisher_.ups() != publisher_ups_) {
      if (publisher_ups_ > 0) figures_.reconnects.fetch_add(1, std::memory_order_relaxed);
      publisher_ups_ = publisher_.ups();
      // Whatever the connection before did not answer goes again; readers ignore repeats.
      next_ = 0;
      unanswered_ = 0;
      for (Outgoing& each : sent_) {
        each.unanswered = 0;
        each.refused = false;
      }
    }
    if (subscriber_.ups() != subscriber_ups_) {
      if (subscriber_ups_ > 0) figures_.reconnects.fetch_add(1, std::memory_order_relaxed);
      subscriber_ups_ = subscriber_.ups();
      subscribe_all();
    }
    subscribe_changes();
    send_some();
    figures_.publishing.store(publisher_.up(), std::memory_order_relaxed);
    figures_.subscribed.store(subscriber_.up(), std::memory_order_relaxed);
    if (!ends_) continue;
    if (flush_until_ms == 0) flush_until_ms = now_ms() + kFlushMs;
    const std::scoped_lock lock(mutex_);
    const bool all_gone = queue_.empty() && sent_.empty();
    if (all_gone || !publisher_.up() || now_ms() >= flush_until_ms) return;
  }
}

void RedisRelay::wait() {
  std::array<pollfd, 3> polled{{{wake_fd_, POLLIN, 0},
                                {publisher_.fd(), publisher_.events(), 0},
                                {subscriber_.fd(), subscriber_.events(), 0}}};
  const std::uint64_t most_ms = std::clamp<std::uint64_t>(options_.timeout_ms / 10, 1, kPollMsMax);
  ::poll(polled.data(), polled.size(), static_cast<int>(most_ms));
  if (polled[0].revents != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto ignored = ::read(wake_fd_, &count, sizeof count);
    woken_ = false;  // before the queues are looked at: what comes later wakes again
  }
  const std::uint64_t now = now_ms();
  publisher_.step(polled[1].revents, now, [this](const redisReply& reply) { on_published(reply); });
  subscriber_.step(polled[2].revents, now,
                   [this](const redisReply& reply) { on_subscribed(reply); });
  for (auto* const brought : {&incoming_, &incoming_live_}) {
    if (brought->empty()) continue;
    figures_.received.fetch_add(brought->size(), std::memory_order_relaxed);
    auto batch = std::make_shared<const std::vector<chat::Message>>(std::exchange(*brought, {}));
    (brought == &incoming_ ? on_messages_ : on_live_)(batch);
  }
}

void RedisRelay::send_some() {
  while (publisher_.up() && unanswered_ < kUnansweredMax &&
         publisher_.unwritten() < kUnwrittenMax) {
    if (next_ == sent_.size()) {
      const std::scoped_lock lock(mutex_);
      if (queue_.empty()) break;
      sent_.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    send(sent_[next_++]);
  }
  publisher_.write();
}

void RedisRelay::send(Outgoing& outgoing, std::string_view channel, const std::string& payload) {
  publisher_.command({"PUBLISH", channel, payload});
  ++outgoing.unanswered;
  ++unanswered_;
}

// A command for each room in the batch, or more where its texts are long. What goes again has the
// numbers that it had.
void RedisRelay::send(Outgoing& outgoing) {
  if (outgoing.live && outgoing.first == 0) outgoing.first = sequence_ + 1;
  std::uint64_t number = outgoing.first;
  if (outgoing.news) {
    send(outgoing, news_channel_, payloads_.encode(*outgoing.news, number));
    sequence_ = std::max(sequence_, number);
    return;
  }
  const std::size_t bytes_max = outgoing.live ? Payloads::kLiveTextBytes : Payloads::kTextBytes;
  split_by_room(
      *outgoing.batch, bytes_max,
      [&](const RoomId& room, std::span<const chat::Message* const> part) {
        send(outgoing, channel(room),
             outgoing.live ? payloads_.encode_live(part, number++) : payloads_.encode(part));
      });
  if (outgoing.live) sequence_ = std::max(sequence_, number - 1);
}

void RedisRelay::on_published(const redisReply& reply) {
  if (sent_.empty() || unanswered_ == 0) return;
  Outgoing& first = sent_.front();
  --unanswered_;
  --first.unanswered;
  if (is_error(reply)) {
    static log::Throttle throttle;
    if (throttle.take() > 0) log::warn("redis: messages refused: {}", text_of(reply));
    first.refused = true;
  }
  if (first.unanswered > 0) return;
  (first.refused ? figures_.dropped : figures_.published)
      .fetch_add(first.count(), std::memory_order_relaxed);
  const std::scoped_lock lock(mutex_);
  queue_bytes_ -= first.bytes;
  sent_.pop_front();
  --next_;
}

void RedisRelay::subscribe_all() {
  std::vector<RoomId> rooms;
  {
    const std::scoped_lock lock(mutex_);
    changes_.clear();
    rooms.reserve(followed_.size());
    for (const auto& [room, count] : followed_) rooms.push_back(room);
  }
  subscriber_.command({"SUBSCRIBE", news_channel_});
  subscribe("SUBSCRIBE", rooms);
}

void RedisRelay::subscribe_changes() {
  std::vector<std::pair<RoomId, bool>> changes;
  {
    const std::scoped_lock lock(mutex_);
    changes.swap(changes_);
  }
  if (!subscriber_.up()) return;  // subscribe_all() will see to it
  for (std::size_t from = 0; from < changes.size();) {
    std::vector<RoomId> rooms;
    const bool wanted = changes[from].second;
    for (; from < changes.size() && changes[from].second == wanted; ++from) {
      rooms.push_back(changes[from].first);
    }
    subscribe(wanted ? "SUBSCRIBE" : "UNSUBSCRIBE", rooms);
  }
}

void RedisRelay::subscribe(std::string_view command, const std::vector<RoomId>& rooms) {
  std::vector<std::string> channels;
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    channels.push_back(channel(rooms[i]));
    if (channels.size() < kChannelsAtOnce && i + 1 < rooms.size()) continue;
    std::vector<std::string_view> words{command};
    words.insert(words.end(), channels.begin(), channels.end());
    subscriber_.command(words);
    channels.clear();
  }
  subscriber_.write();
}

void RedisRelay::on_subscribed(const redisReply& reply) {
  if (is_error(reply)) {
    subscriber_.fail(text_of(reply));
    return;
  }
  if (reply.type != REDIS_REPLY_ARRAY || reply.elements != 3) return;
  const std::string_view kind = text_of(*reply.element[0]);
  if (kind == "message") {
    on_message(reply);
  } else if (kind == "subscribe") {
    const std::string_view name = text_of(*reply.element[1]);
    if (const auto room = RoomId::parse(name.substr(std::min(channel_prefix_.size(), name.size()))))
      on_doubt_(*room);
  }
}

// Whether it is the first time that this comes; what goes again after a reconnect comes twice.
bool RedisRelay::is_fresh(const Payloads::Decoded& decoded) {
  if (decoded.sequence == 0) return true;
  if (taken_.size() >= kNodesMax && !taken_.contains(decoded.node)) taken_.clear();
  std::uint64_t& newest = taken_[decoded.node];
  if (decoded.sequence <= newest) return false;
  newest = decoded.sequence;
  return true;
}

void RedisRelay::on_message(const redisReply& reply) {
  const std::string_view name = text_of(*reply.element[1]);
  const std::string_view payload = text_of(*reply.element[2]);
  const auto room = RoomId::parse(name.substr(std::min(channel_prefix_.size(), name.size())));
  auto decoded = name == news_channel_ ? payloads_.decode_news(payload)
                 : room                ? payloads_.decode(*room, payload)
                                       : std::nullopt;
  if (!decoded) {
    static log::Throttle throttle;
    figures_.refused.fetch_add(1, std::memory_order_relaxed);
    if (const auto times = throttle.take(); times > 0) {
      log::warn(
          "redis: {} payloads refused: forged, broken, of another version, or of nodes with "
          "another "
          "token_secret or store",
          times);
    }
    return;
  }
  if (decoded->own || !is_fresh(*decoded)) return;
  if (decoded->news) {
    figures_.received.fetch_add(1, std::memory_order_relaxed);
    if (on_news_) on_news_(*decoded->news);
    return;
  }
  if (decoded->sequence != 0 && !on_live_) return;
  auto& into = decoded->sequence == 0 ? incoming_ : incoming_live_;
  std::move(decoded->messages.begin(), decoded->messages.end(), std::back_inserter(into));
}

}  // namespace rtc::relay
