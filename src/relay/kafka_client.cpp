#include "relay/kafka_client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <librdkafka/rdkafka.h>
#include <syslog.h>

#include "base/log.hpp"

namespace rtc::relay {
namespace {

static_assert(sizeof(void*) == sizeof(std::uint64_t), "a tag is kept in a pointer");

constexpr std::uint64_t kOne = 1;  // what an eventfd takes
constexpr std::size_t kErrorBytes = 512;
// Longest record: the longest message there may be, and its frame. Brokers have bounds of their
// own.
constexpr std::size_t kRecordBytesMax = 4 << 20;

struct FreeConf {
  void operator()(rd_kafka_conf_t* conf) const { ::rd_kafka_conf_destroy(conf); }
};
using Conf = std::unique_ptr<rd_kafka_conf_t, FreeConf>;

// Any of librdkafka's threads. What a broker that is away makes it say is much.
void on_log(const rd_kafka_t* /*handle*/, int level, const char* facility, const char* text) {
  static log::Throttle throttle;
  const bool of_settings = std::string_view(facility) == "CONFWARN";
  if (level > LOG_WARNING) {
    log::debug("kafka: {}: {}", facility, text);
  } else if (of_settings) {
    log::warn("kafka: {}", text);
  } else if (const std::uint64_t times = throttle.take(); times > 0) {
    log::warn("kafka: {} (x{})", text, times);
  }
}

Error invalid(std::string_view what) {
  return {ErrorCode::invalid_parameter, "kafka: " + std::string(what)};
}

// Ours first, so that the operator's are heard.
Result<Conf> make_conf(const KafkaOptions& options,
                       std::initializer_list<KafkaProperty> properties) {
  Conf conf(::rd_kafka_conf_new());
  std::array<char, kErrorBytes> problem{};
  const auto set = [&](const KafkaProperty& each) {
    return ::rd_kafka_conf_set(conf.get(), each.name.c_str(), each.value.c_str(), problem.data(),
                               problem.size()) == RD_KAFKA_CONF_OK;
  };
  const std::uint64_t fetch_wait_ms = std::min<std::uint64_t>(options.timeout_ms / 10, 500);
  const std::array<KafkaProperty, 7> common{{
      {"bootstrap.servers", options.brokers},
      {"client.id", "realtimechat"},
      {"socket.nagle.disable", "true"},
      {"socket.timeout.ms", std::to_string(options.timeout_ms + fetch_wait_ms)},
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "2000"},
      {"message.max.bytes", std::to_string(kRecordBytesMax)},
  }};
  for (const KafkaProperty& each : common) {
    if (!set(each)) return invalid(problem.data());
  }
  for (const KafkaProperty& each : properties) {
    if (!set(each)) return invalid(problem.data());
  }
  for (const KafkaProperty& each : options.properties) {
    if (!set(each)) return invalid("kafka_properties: " + std::string(problem.data()));
  }
  ::rd_kafka_conf_set_log_cb(conf.get(), on_log);
  return conf;
}

// Takes the settings with it, if it works.
Result<rd_kafka_t*> make_handle(rd_kafka_type_t type, Conf conf) {
  std::array<char, kErrorBytes> problem{};
  rd_kafka_t* const handle = ::rd_kafka_new(type, conf.get(), problem.data(), problem.size());
  if (handle == nullptr) return invalid(problem.data());
  [[maybe_unused]] auto* const taken = conf.release();
  return handle;
}

}  // namespace

Result<std::unique_ptr<KafkaClient>> KafkaClient::open(const KafkaOptions& options, int wake_fd,
                                                       OnWritten on_written) {
  std::unique_ptr<KafkaClient> client(new KafkaClient(std::move(on_written)));
  if (const auto opened = client->open_producer(options, wake_fd); !opened) return opened.error();
  if (const auto opened = client->open_consumer(options, wake_fd); !opened) return opened.error();
  return client;
}

Result<void> KafkaClient::open_producer(const KafkaOptions& options, int wake_fd) {
  const std::size_t queue_kib = (options.queue_bytes_max >> 10) + 1024;
  auto conf = make_conf(options, {{"linger.ms", "0"},
                                  // What a leader loses that dies is found by the ids.
                                  {"acks", "1"},
                                  {"message.timeout.ms", std::to_string(options.timeout_ms)},
                                  {"queue.buffering.max.kbytes", std::to_string(queue_kib)},
                                  {"queue.buffering.max.messages", "0"}});
  if (!conf) return conf.error();
  ::rd_kafka_conf_set_opaque(conf->get(), this);
  ::rd_kafka_conf_set_dr_msg_cb(conf->get(), &KafkaClient::on_report);
  const auto made = make_handle(RD_KAFKA_PRODUCER, std::move(*conf));
  if (!made) return made.error();
  producer_ = *made;
  written_ = ::rd_kafka_topic_new(producer_, options.topic.c_str(), nullptr);
  if (written_ == nullptr) return invalid(::rd_kafka_err2str(::rd_kafka_last_error()));
  reports_ = ::rd_kafka_queue_get_main(producer_);
  ::rd_kafka_queue_io_event_enable(reports_, wake_fd, &kOne, sizeof kOne);
  return {};
}

// The simple consumer of librdkafka, which needs no group and asks for none.
Result<void> KafkaClient::open_consumer(const KafkaOptions& options, int wake_fd) {
  const std::uint64_t fetch_wait_ms = std::min<std::uint64_t>(options.timeout_ms / 10, 500);
  // Of 1,000 bytes each, as librdkafka counts here.
  const std::size_t fetch_kb = std::max<std::size_t>(options.fetch_bytes_max / 1000, 1);
  auto conf = make_conf(options, {{"fetch.wait.max.ms", std::to_string(fetch_wait_ms)},
                                  {"fetch.error.backoff.ms", "50"},
                                  {"queued.max.messages.kbytes", std::to_string(fetch_kb)},
                                  {"statistics.interval.ms", "1000"},
                                  {"enable.auto.commit", "false"},
                                  {"enable.auto.offset.store", "false"},
                                  {"auto.offset.reset", "latest"}});
  if (!conf) return conf.error();
  ::rd_kafka_conf_set_opaque(conf->get(), this);
  ::rd_kafka_conf_set_stats_cb(conf->get(), &KafkaClient::on_statistics);
  const auto made = make_handle(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!made) return made.error();
  consumer_ = *made;
  read_ = ::rd_kafka_topic_new(consumer_, options.topic.c_str(), nullptr);
  if (read_ == nullptr) return invalid(::rd_kafka_err2str(::rd_kafka_last_error()));
  records_ = ::rd_kafka_queue_new(consumer_);
  ::rd_kafka_queue_io_event_enable(records_, wake_fd, &kOne, sizeof kOne);
  return {};
}

KafkaClient::~KafkaClient() {
  if (consumer_ != nullptr) {
    for (std::size_t i = 0; i < begun_.size(); ++i) {
      if (begun_[i]) ::rd_kafka_consume_stop(read_, static_cast<std::int32_t>(i));
    }
    if (records_ != nullptr) ::rd_kafka_queue_destroy(records_);
    if (read_ != nullptr) ::rd_kafka_topic_destroy(read_);
    ::rd_kafka_destroy(consumer_);
  }
  if (producer_ == nullptr) return;
  ::rd_kafka_purge(producer_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                  RD_KAFKA_PURGE_F_NON_BLOCKING);
  if (reports_ != nullptr) ::rd_kafka_queue_destroy(reports_);
  if (written_ != nullptr) ::rd_kafka_topic_destroy(written_);
  ::rd_kafka_destroy(producer_);
}

bool KafkaClient::write(std::string_view key, std::string_view value, std::uint64_t tag) {
  return write(RD_KAFKA_PARTITION_UA, key, value, tag);
}

bool KafkaClient::write_to(std::size_t partition, std::string_view value, std::uint64_t tag) {
  return write(static_cast<std::int32_t>(partition), {}, value, tag);
}

bool KafkaClient::write(std::int32_t partition, std::string_view key, std::string_view value,
                        std::uint64_t tag) {
  // Copied: librdkafka's F_FREE would take only what malloc() gave.
  return ::rd_kafka_produce(written_, partition, RD_KAFKA_MSG_F_COPY,
                            const_cast<char*>(value.data()), value.size(),
                            key.empty() ? nullptr : key.data(), key.size(),
                            reinterpret_cast<void*>(tag)) == 0;
}

void KafkaClient::report() {
  ::rd_kafka_poll(producer_, 0);
  ::rd_kafka_poll(consumer_, 0);  // its statistics, and its errors, which are logged
}

// All partitions share one queue, and each of them tells the size of it.
int KafkaClient::on_statistics(rd_kafka_t* /*handle*/, char* json, std::size_t size, void* self) {
  constexpr std::string_view kName = "\"fetchq_size\":";
  const std::string_view text(json, size);
  std::size_t most = 0;
  for (auto at = text.find(kName); at != text.npos; at = text.find(kName, at + 1)) {
    std::size_t bytes = 0;
    std::from_chars(text.data() + at + kName.size(), text.data() + text.size(), bytes);
    most = std::max(most, bytes);
  }
  static_cast<KafkaClient*>(self)->unread_bytes_ = most;
  return 0;  // librdkafka frees it
}

void KafkaClient::on_report(rd_kafka_t* /*handle*/, const rd_kafka_message_t* message, void* self) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    static log::Throttle throttle;
    if (const std::uint64_t times = throttle.take(); times > 0) {
      log::warn("kafka: not written: {} (x{})", ::rd_kafka_err2str(message->err), times);
    }
  }
  static_cast<KafkaClient*>(self)->on_written_(reinterpret_cast<std::uintptr_t>(message->_private),
                                               message->err == RD_KAFKA_RESP_ERR_NO_ERROR);
}

std::optional<std::size_t> KafkaClient::count_partitions(std::uint64_t most_ms) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto problem =
      ::rd_kafka_metadata(producer_, 0, written_, &metadata, static_cast<int>(most_ms));
  if (problem != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  std::optional<std::size_t> count;
  if (metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR &&
      metadata->topics[0].partition_cnt > 0) {
    count = static_cast<std::size_t>(metadata->topics[0].partition_cnt);
  }
  ::rd_kafka_metadata_destroy(metadata);
  return count;
}

void KafkaClient::begin(std::size_t partition) {
  const auto number = static_cast<std::int32_t>(partition);
  if (begun_.size() <= partition) begun_.resize(partition + 1);
  if (begun_[partition]) ::rd_kafka_consume_stop(read_, number);
  begun_[partition] =
      ::rd_kafka_consume_start_queue(read_, number, RD_KAFKA_OFFSET_END, records_) == 0;
}

bool KafkaClient::read(const OnRecords& on_records) {
  std::array<rd_kafka_message_t*, kRecordsAtOnce> messages{};
  const ssize_t count =
      ::rd_kafka_consume_batch_queue(records_, 0, messages.data(), messages.size());
  if (count <= 0) return false;
  const std::span came(messages.data(), static_cast<std::size_t>(count));
  std::vector<Record> records;
  records.reserve(came.size());
  for (const rd_kafka_message_t* each : came) {
    if (each->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      static log::Throttle throttle;
      if (const std::uint64_t times = throttle.take(); times > 0) {
        log::warn("kafka: partition {} is not read: {} (x{})", each->partition,
                  ::rd_kafka_message_errstr(each), times);
      }
      continue;
    }
    const auto view = [](const void* bytes, std::size_t size) {
      return bytes == nullptr ? std::string_view()
                              : std::string_view(static_cast<const char*>(bytes), size);
    };
    records.push_back({static_cast<std::size_t>(each->partition), view(each->key, each->key_len),
                       view(each->payload, each->len)});
  }
  on_records(records);
  for (rd_kafka_message_t* each : came) ::rd_kafka_message_destroy(each);
  return came.size() == messages.size();
}

}  // namespace rtc::relay
