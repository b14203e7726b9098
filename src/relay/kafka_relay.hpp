// The relay of several nodes, over one topic of Kafka (docs/adr/0020).
//
// A node writes what it commits to the topic, by the room's key, and reads all of the topic from
// its end on; of that it looks at what is of the rooms it follows. Nothing is committed there and
// nodes are no group, as each reads everything. One thread of the relay's own does it, with
// librdkafka's below; nobody else ever waits for Kafka. Own messages are told at once, whatever
// becomes of Kafka.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "chat/relay.hpp"
#include "relay/kafka_client.hpp"
#include "relay/payload.hpp"
#include "relay/pulse.hpp"

namespace rtc::relay {

class KafkaRelay final : public chat::Relay {
 public:
  // `secret` and `epoch`: as Payloads. The error names the property that cannot be.
  static Result<std::unique_ptr<KafkaRelay>> open(const KafkaOptions& options,
                                                  std::string_view secret, std::string_view epoch);
  ~KafkaRelay() override;
  KafkaRelay(const KafkaRelay&) = delete;
  KafkaRelay& operator=(const KafkaRelay&) = delete;

  void start(OnMessages on_messages, OnDoubt on_doubt) override;
  void publish(const chat::MessageBatch& batch) override;
  void stop() override;
  void follow(const RoomId& room) override;
  void unfollow(const RoomId& room) override;
  chat::RelayFigures figures() const override;

 private:
  struct Figures {
    std::atomic<bool> connected{false};
    std::atomic<std::uint64_t> published{0};
    std::atomic<std::uint64_t> dropped{0};
    std::atomic<std::uint64_t> received{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> reconnects{0};
    std::atomic<std::uint64_t> unread_bytes{0};
  };

  KafkaRelay(const KafkaOptions& options, std::string_view secret, std::string_view epoch);
  void wake();
  void on_written(std::uint64_t tag, bool taken);
  // All below on the relay's thread.
  void run();
  void wait() const;
  void look_for_partitions();
  void beat();
  void write_some();
  void on_records(std::span<const KafkaClient::Record> records);
  void refuse();
  void note_state();
  void doubt_some();

  const KafkaOptions options_;
  const Payloads payloads_;
  OnMessages on_messages_;
  OnDoubt on_doubt_;
  Figures figures_;
  int wake_fd_ = -1;
  std::atomic<bool> woken_{false};
  std::atomic<bool> ends_{false};
  std::atomic<std::size_t> waiting_bytes_{0};  // of queue_, and of what Kafka has not answered

  mutable std::mutex mutex_;
  std::deque<chat::MessageBatch> queue_;                // guarded by mutex_, as the next two
  std::unordered_map<RoomId, std::uint32_t> followed_;  // how often; not 0
  std::vector<RoomId> new_;                             // followed since doubt_some()

  // Of the thread.
  std::unique_ptr<KafkaClient> client_;
  Pulse pulse_;
  std::uint64_t look_us_ = 0;  // when to look for partitions
  std::uint64_t ups_ = 0;      // of pulse_, when rooms were last doubted
  bool was_up_ = false;
  bool never_up_ = true;
  bool more_ = false;  // to be read, without a wait
  std::thread thread_;
};

}  // namespace rtc::relay
