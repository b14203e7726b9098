// One topic of Kafka, through librdkafka: what is written to it, and all that comes of it from now
// on. Nothing here waits but where it says so. One thread, but for librdkafka's own, which log.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "relay/kafka_properties.hpp"

struct rd_kafka_s;
struct rd_kafka_message_s;
struct rd_kafka_queue_s;
struct rd_kafka_topic_s;

namespace rtc::relay {

struct KafkaOptions {
  std::string brokers;  // host:port,host:port: enough of them to find the others
  std::string topic = "realtimechat";
  std::vector<KafkaProperty> properties;   // of librdkafka, besides
  std::uint64_t timeout_ms = 5000;         // at least 1000; what is not written by then is given up
  std::size_t queue_bytes_max = 16 << 20;  // to be written; see KafkaClient::write
  std::size_t fetch_bytes_max = 16 << 20;  // read from Kafka and not yet by read()
};

class KafkaClient {
 public:
  // What became of one write(): its `tag`, and whether Kafka took it.
  using OnWritten = std::function<void(std::uint64_t tag, bool taken)>;

  // `wake_fd` is written to (eight bytes) when report() or read() have something to do; it must
  // outlive the client. The error names the property that librdkafka does not take.
  static Result<std::unique_ptr<KafkaClient>> open(const KafkaOptions& options, int wake_fd,
                                                   OnWritten on_written);
  ~KafkaClient();  // what is not written is given up, untold
  KafkaClient(const KafkaClient&) = delete;
  KafkaClient& operator=(const KafkaClient&) = delete;

  // To the partition that the key gives, or to one. False: not taken, and on_written is not called.
  // What waits is the caller's to bound; librdkafka's own bound is a MiB above queue_bytes_max.
  bool write(std::string_view key, std::string_view value, std::uint64_t tag);
  bool write_to(std::size_t partition, std::string_view value, std::uint64_t tag);
  // Tells of what was written since, and learns what unread_bytes() tells.
  void report();
  // Of what came and read() did not give yet, a second ago or less: fetch_bytes_max at most, and an
  // answer of each broker, as long (4 MiB at least).
  std::size_t unread_bytes() const { return unread_bytes_; }

  // How many partitions the topic has; waits for the answer for so long at most.
  std::optional<std::size_t> count_partitions(std::uint64_t most_ms);
  // (Again) at the end of a partition, as it is when Kafka answers. What of it came before and was
  // not read is gone. May wait for librdkafka's threads, but for no network.
  void begin(std::size_t partition);
  struct Record {
    std::size_t partition;
    std::string_view key;    // "": none
    std::string_view value;  // both until the call ends
  };
  // What came, kRecordsAtOnce at most; false: nothing more is there now.
  using OnRecords = std::function<void(std::span<const Record>)>;
  bool read(const OnRecords& on_records);

 private:
  static constexpr std::size_t kRecordsAtOnce = 1000;

  explicit KafkaClient(OnWritten on_written) : on_written_(std::move(on_written)) {}
  Result<void> open_producer(const KafkaOptions& options, int wake_fd);
  Result<void> open_consumer(const KafkaOptions& options, int wake_fd);
  static void on_report(rd_kafka_s* handle, const rd_kafka_message_s* message, void* self);
  static int on_statistics(rd_kafka_s* handle, char* json, std::size_t size, void* self);
  bool write(std::int32_t partition, std::string_view key, std::string_view value,
             std::uint64_t tag);

  OnWritten on_written_;
  rd_kafka_s* producer_ = nullptr;
  rd_kafka_topic_s* written_ = nullptr;
  rd_kafka_queue_s* reports_ = nullptr;
  rd_kafka_s* consumer_ = nullptr;
  rd_kafka_topic_s* read_ = nullptr;
  rd_kafka_queue_s* records_ = nullptr;  // of all partitions
  std::vector<bool> begun_;              // by partition
  std::size_t unread_bytes_ = 0;
};

}  // namespace rtc::relay
