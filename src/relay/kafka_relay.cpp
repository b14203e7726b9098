#include "relay/kafka_relay.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/thread_name.hpp"
#include "relay/payload_batch.hpp"

namespace rtc::relay {
namespace {

constexpr std::uint64_t kMsUs = 1000;
// Partitions are asked for so often, as there may be more of them; while there are none, sooner.
constexpr std::uint64_t kLookUs = 30'000 * kMsUs;
constexpr std::uint64_t kLookAgainUs = 200 * kMsUs;
constexpr std::uint64_t kAnswerMsMax = 500;
// How long a stopping relay tries to hand over what waits.
constexpr std::uint64_t kFlushUs = 500 * kMsUs;
constexpr std::uint64_t kPollMsMax = 100;

std::size_t bytes_of(const chat::Message& message) {
  return kMessageBytes + message.text.size();
}

// A payload's messages and bytes as one number, which librdkafka keeps for it.
constexpr unsigned kBytesBits = 40;
static_assert(Payloads::kMessagesMax < (std::uint64_t{1} << (64 - kBytesBits)));

std::uint64_t tag_of(std::span<const chat::Message* const> messages) {
  std::uint64_t bytes = 0;
  for (const chat::Message* each : messages) bytes += bytes_of(*each);
  return std::uint64_t{messages.size()} << kBytesBits | bytes;
}
std::uint64_t messages_of(std::uint64_t tag) {
  return tag >> kBytesBits;
}
std::uint64_t bytes_of(std::uint64_t tag) {
  return tag & ((std::uint64_t{1} << kBytesBits) - 1);
}

}  // namespace

Result<std::unique_ptr<KafkaRelay>> KafkaRelay::open(const KafkaOptions& options,
                                                     std::string_view secret,
                                                     std::string_view epoch) {
  std::unique_ptr<KafkaRelay> relay(new KafkaRelay(options, secret, epoch));
  auto client = KafkaClient::open(
      options, relay->wake_fd_,
      [self = relay.get()](std::uint64_t tag, bool taken) { self->on_written(tag, taken); });
  if (!client) return client.error();
  relay->client_ = std::move(*client);
  return relay;
}

KafkaRelay::KafkaRelay(const KafkaOptions& options, std::string_view secret, std::string_view epoch)
    : options_(options),
      payloads_(secret, epoch),
      wake_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      pulse_(options.timeout_ms) {
  if (wake_fd_ < 0) {
    log::error("kafka: no event descriptor");
    std::abort();
  }
}

KafkaRelay::~KafkaRelay() {
  stop();
  client_.reset();
  ::close(wake_fd_);
}

void KafkaRelay::start(OnMessages on_messages, OnDoubt on_doubt) {
  on_messages_ = std::move(on_messages);
  on_doubt_ = std::move(on_doubt);
  thread_ = std::thread([this] { run(); });
}

void KafkaRelay::stop() {
  ends_ = true;
  wake();
  if (thread_.joinable()) thread_.join();
}

void KafkaRelay::wake() {
  if (woken_.exchange(true)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto ignored = ::write(wake_fd_, &one, sizeof one);
}

void KafkaRelay::publish(const chat::MessageBatch& batch) {
  on_messages_(batch);
  std::size_t bytes = 0;
  for (const chat::Message& each : *batch) bytes += bytes_of(each);
  if (waiting_bytes_.load() + bytes > options_.queue_bytes_max) {
    figures_.dropped.fetch_add(batch->size(), std::memory_order_relaxed);
    return;
  }
  waiting_bytes_.fetch_add(bytes);
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(batch);
  }
  wake();
}

void KafkaRelay::follow(const RoomId& room) {
  {
    const std::scoped_lock lock(mutex_);
    if (++followed_[room] > 1) return;
    new_.push_back(room);
  }
  wake();
}

void KafkaRelay::unfollow(const RoomId& room) {
  const std::scoped_lock lock(mutex_);
  const auto found = followed_.find(room);
  if (found != followed_.end() && --found->second == 0) followed_.erase(found);
}

chat::RelayFigures KafkaRelay::figures() const {
  chat::RelayFigures told;
  told.connected = figures_.connected;
  told.published = figures_.published;
  told.dropped = figures_.dropped;
  told.received = figures_.received;
  told.refused = figures_.refused;
  told.reconnects = figures_.reconnects;
  told.waiting_bytes = waiting_bytes_;
  told.unread_bytes = figures_.unread_bytes;
  return told;
}

// --- the thread

void KafkaRelay::run() {
  name_this_thread("kafka");
  std::uint64_t flush_until_us = 0;
  while (true) {
    if (!more_) wait();
    woken_ = false;  // before the queues are looked at: what comes later wakes again
    write_some();
    client_->report();
    figures_.unread_bytes.store(client_->unread_bytes(), std::memory_order_relaxed);
    if (ends_) {
      const std::uint64_t now_us = monotonic_us();
      if (flush_until_us == 0) flush_until_us = now_us + kFlushUs;
      if (waiting_bytes_ == 0 || !was_up_ || now_us >= flush_until_us) break;
      more_ = false;
      continue;
    }
    more_ = client_->read([this](auto records) { on_records(records); });
    look_for_partitions();
    for (const std::size_t partition : pulse_.lost(monotonic_us())) {
      client_->begin(partition);
      pulse_.begun(partition, monotonic_us());
    }
    beat();
    note_state();
    doubt_some();
  }
  figures_.connected = false;
}

void KafkaRelay::wait() const {
  const std::uint64_t most_ms = std::clamp<std::uint64_t>(options_.timeout_ms / 40, 1, kPollMsMax);
  pollfd polled{wake_fd_, POLLIN, 0};
  if (::poll(&polled, 1, static_cast<int>(most_ms)) <= 0) return;
  std::uint64_t count = 0;
  [[maybe_unused]] const auto ignored = ::read(wake_fd_, &count, sizeof count);
}

void KafkaRelay::look_for_partitions() {
  const std::uint64_t now_us = monotonic_us();
  if (now_us < look_us_) return;
  const auto count = client_->count_partitions(std::min(options_.timeout_ms / 10, kAnswerMsMax));
  if (count) pulse_.resize(*count);
  look_us_ = monotonic_us() + (pulse_.partitions() == 0 ? kLookAgainUs : kLookUs);
}

void KafkaRelay::beat() {
  const std::uint64_t now_us = monotonic_us();
  if (!pulse_.is_due(now_us)) return;
  const std::string bytes = pulse_.beat(now_us);
  for (std::size_t i = 0; i < pulse_.partitions(); ++i) client_->write_to(i, bytes, 0);
}

void KafkaRelay::write_some() {
  std::deque<chat::MessageBatch> taken;
  {
    const std::scoped_lock lock(mutex_);
    taken.swap(queue_);
  }
  const auto write = [this](std::span<const chat::Message* const> messages,
                            const std::string& payload) {
    const auto& room = messages.front()->room.value.bytes;
    const std::string_view key(reinterpret_cast<const char*>(room.data()), room.size());
    const std::uint64_t tag = tag_of(messages);
    if (!client_->write(key, payload, tag)) on_written(tag, false);
  };
  for (const chat::MessageBatch& each : taken) encode_batch(payloads_, *each, write);
}

void KafkaRelay::on_written(std::uint64_t tag, bool taken) {
  (taken ? figures_.published : figures_.dropped)
      .fetch_add(messages_of(tag), std::memory_order_relaxed);
  waiting_bytes_.fetch_sub(bytes_of(tag));
}

// Most of it is of rooms that nobody here listens to: that costs a look-up by the key, no more.
void KafkaRelay::on_records(std::span<const KafkaClient::Record> records) {
  std::vector<std::pair<RoomId, std::string_view>> followed;
  {
    const std::scoped_lock lock(mutex_);
    RoomId room;
    for (const KafkaClient::Record& each : records) {
      if (each.key.size() != room.value.bytes.size()) continue;
      std::memcpy(room.value.bytes.data(), each.key.data(), each.key.size());
      if (followed_.contains(room)) followed.emplace_back(room, each.value);
    }
  }
  for (const KafkaClient::Record& each : records) {
    if (each.key.size() == sizeof(RoomId)) continue;
    const bool beat =
        each.key.empty() && pulse_.hear(each.partition, each.value) != Pulse::Heard::none;
    if (!beat) refuse();
  }
  std::vector<chat::Message> came;
  for (const auto& [room, payload] : followed) {
    auto decoded = payloads_.decode(room, payload);
    // What is stored nowhere does not go by Kafka: a payload of Redis that somebody put there.
    if (!decoded || decoded->sequence != 0) {
      refuse();
      continue;
    }
    std::move(decoded->messages.begin(), decoded->messages.end(), std::back_inserter(came));
  }
  if (came.empty()) return;
  figures_.received.fetch_add(came.size(), std::memory_order_relaxed);
  on_messages_(std::make_shared<const std::vector<chat::Message>>(std::move(came)));
}

void KafkaRelay::refuse() {
  static log::Throttle throttle;
  figures_.refused.fetch_add(1, std::memory_order_relaxed);
  if (const auto times = throttle.take(); times > 0) {
    log::warn(
        "kafka: {} payloads refused: forged, broken, of another version, or of nodes with another "
        "token_secret or store",
        times);
  }
}

void KafkaRelay::note_state() {
  const bool up = pulse_.is_up();
  if (up == was_up_) return;
  was_up_ = up;
  figures_.connected = up;
  if (!up) {
    log::warn("kafka: what goes out does not come back in time; trying again");
    return;
  }
  log::info("kafka: connected, {} partitions", pulse_.partitions());
  if (!std::exchange(never_up_, false)) {
    figures_.reconnects.fetch_add(1, std::memory_order_relaxed);
  }
}

// Of a partition that came up, messages of any room may have been lost.
void KafkaRelay::doubt_some() {
  std::vector<RoomId> rooms;
  {
    const std::scoped_lock lock(mutex_);
    rooms.swap(new_);
    if (pulse_.ups() != ups_) {
      rooms.clear();
      for (const auto& [room, count] : followed_) rooms.push_back(room);
    } else if (!pulse_.is_up()) {
      rooms.clear();  // all are doubted once a partition is up
    }
  }
  ups_ = pulse_.ups();
  for (const RoomId& room : rooms) on_doubt_(room);
}

}  // namespace rtc::relay
