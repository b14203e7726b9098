// A Kafka for one test: librdkafka's own mock of a cluster, in this process, which speaks the
// protocol over real sockets, can be down, and fails as it is told. Where RTC_TEST_KAFKA names the
// brokers of a real one (tests/kafka/broker), tests that need no failures take that, with a topic
// of their own, and the properties in the file RTC_TEST_KAFKA_PROPERTIES.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/uuid.hpp"
#include "relay/kafka_properties.hpp"

namespace rtc::relay::test {

// Kafka's numbers of its requests.
inline constexpr std::int16_t kProduceRequest = 0;
inline constexpr std::int16_t kFetchRequest = 1;
inline constexpr std::int16_t kListOffsetsRequest = 2;
inline constexpr std::int16_t kMetadataRequest = 3;

class MockKafka {
 public:
  explicit MockKafka(int brokers = 1, int partitions = 4) : topic_("test") {
    std::array<char, 256> problem{};
    rd_kafka_conf_t* const conf = ::rd_kafka_conf_new();
    ::rd_kafka_conf_set_log_cb(conf, nullptr);
    handle_ = ::rd_kafka_new(RD_KAFKA_PRODUCER, conf, problem.data(), problem.size());
    if (handle_ == nullptr) throw std::runtime_error(problem.data());
    mock_ = ::rd_kafka_mock_cluster_new(handle_, brokers);
    if (mock_ == nullptr) throw std::runtime_error("no mock of Kafka");
    ::rd_kafka_mock_topic_create(mock_, topic_.c_str(), partitions, brokers);
  }
  ~MockKafka() {
    ::rd_kafka_mock_cluster_destroy(mock_);
    ::rd_kafka_destroy(handle_);
  }
  MockKafka(const MockKafka&) = delete;
  MockKafka& operator=(const MockKafka&) = delete;

  std::string brokers() const { return ::rd_kafka_mock_cluster_bootstraps(mock_); }
  const std::string& topic() const { return topic_; }
  std::vector<KafkaProperty> properties() const { return {}; }

  static constexpr std::int32_t kAll = -1;
  void down(std::int32_t broker = kAll) { ::rd_kafka_mock_broker_set_down(mock_, broker); }
  void up(std::int32_t broker = kAll) { ::rd_kafka_mock_broker_set_up(mock_, broker); }
  // Who leads a partition; -1: nobody.
  void lead(std::int32_t partition, std::int32_t broker) {
    ::rd_kafka_mock_partition_set_leader(mock_, topic_.c_str(), partition, broker);
  }
  // How the next requests of a kind end.
  void fail(std::int16_t request, const std::vector<rd_kafka_resp_err_t>& errors) {
    ::rd_kafka_mock_push_request_errors_array(mock_, request, errors.size(), errors.data());
  }

 private:
  std::string topic_;
  rd_kafka_t* handle_ = nullptr;
  rd_kafka_mock_cluster_t* mock_ = nullptr;
};

// The mock, or a real one.
class AnyKafka {
 public:
  AnyKafka() {
    const char* const real = std::getenv("RTC_TEST_KAFKA");
    if (real == nullptr) {
      brokers_ = mock_.brokers();
      topic_ = mock_.topic();
    } else {
      brokers_ = real;
      if (const char* const file = std::getenv("RTC_TEST_KAFKA_PROPERTIES")) {
        properties_ = read_kafka_properties(file).value();
      }
      topic_ = "rtc-test-" + Uuid::random().to_string();  // it makes topics that are asked for
    }
  }
  const std::string& brokers() const { return brokers_; }
  const std::string& topic() const { return topic_; }
  const std::vector<KafkaProperty>& properties() const { return properties_; }

 private:
  MockKafka mock_;
  std::vector<KafkaProperty> properties_;
  std::string brokers_;
  std::string topic_;
};

// Writes to a topic what no relay would.
class KafkaWriter {
 public:
  explicit KafkaWriter(const AnyKafka& kafka) {
    std::array<char, 256> problem{};
    rd_kafka_conf_t* const conf = ::rd_kafka_conf_new();
    std::vector<KafkaProperty> properties = kafka.properties();
    properties.push_back({"bootstrap.servers", kafka.brokers()});
    for (const auto& [name, value] : properties) {
      ::rd_kafka_conf_set(conf, name.c_str(), value.c_str(), problem.data(), problem.size());
    }
    handle_ = ::rd_kafka_new(RD_KAFKA_PRODUCER, conf, problem.data(), problem.size());
    if (handle_ == nullptr) throw std::runtime_error(problem.data());
    topic_ = ::rd_kafka_topic_new(handle_, kafka.topic().c_str(), nullptr);
  }
  ~KafkaWriter() {
    ::rd_kafka_topic_destroy(topic_);
    ::rd_kafka_destroy(handle_);
  }
  KafkaWriter(const KafkaWriter&) = delete;
  KafkaWriter& operator=(const KafkaWriter&) = delete;

  void write(const std::string& key, const std::string& value) {
    ::rd_kafka_produce(topic_, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                       const_cast<char*>(value.data()), value.size(),
                       key.empty() ? nullptr : key.data(), key.size(), nullptr);
    ::rd_kafka_flush(handle_, 60'000);
  }

 private:
  rd_kafka_t* handle_ = nullptr;
  rd_kafka_topic_t* topic_ = nullptr;
};

}  // namespace rtc::relay::test
