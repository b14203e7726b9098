#include "relay/kafka_properties.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <fstream>
#include <utility>

namespace rtc::relay {
namespace {

constexpr std::size_t kFileBytesMax = 64 << 10;

// What the relay's settings decide, or what would break it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 20> kReserved{{
    {"bootstrap.servers", "kafka_brokers"},
    {"metadata.broker.list", "kafka_brokers"},
    {"socket.timeout.ms", "kafka_timeout"},
    {"message.timeout.ms", "kafka_timeout"},
    {"delivery.timeout.ms", "kafka_timeout"},
    {"fetch.wait.max.ms", "kafka_timeout"},
    {"queue.buffering.max.kbytes", "kafka_queue_bytes_max"},
    {"queue.buffering.max.messages", "kafka_queue_bytes_max"},
    {"queued.max.messages.kbytes", "kafka_fetch_bytes_max"},
    {"queued.min.messages", "kafka_fetch_bytes_max"},
    {"fetch.max.bytes", "kafka_fetch_bytes_max"},
    {"statistics.interval.ms", "relay_unread_bytes, which needs it"},
    {"group.id", "nothing, as nodes are no group"},
    {"transactional.id", "nothing, as messages wait for none"},
    {"enable.auto.commit", "nothing, as nothing is committed"},
    {"enable.auto.offset.store", "nothing, as nothing is committed"},
    {"enable.partition.eof", "nothing, as the end is no event"},
    {"auto.offset.reset", "nothing, as nodes read on from the end"},
    {"log.queue", "log_level"},
    {"log_level", "log_level"},
}};

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const auto from = text.find_first_not_of(kBlank);
  if (from == text.npos) return {};
  return text.substr(from, text.find_last_not_of(kBlank) - from + 1);
}

}  // namespace

Result<std::vector<KafkaProperty>> parse_kafka_properties(std::string_view text) {
  const auto invalid = [](std::size_t line, std::string_view what) {
    return Error{ErrorCode::invalid_parameter, fmt::format("line {}: {}", line, what)};
  };
  std::vector<KafkaProperty> properties;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const auto equals = line.find('=');
    if (equals == line.npos) return invalid(number, "expected name=value");
    const std::string_view name = trimmed(line.substr(0, equals));
    if (name.empty()) return invalid(number, "expected a name before the =");
    for (const auto& [reserved, by] : kReserved) {
      if (name != reserved) continue;
      return invalid(number, fmt::format("{} cannot be given here; it is set by {}", name, by));
    }
    properties.push_back({std::string(name), std::string(trimmed(line.substr(equals + 1)))});
  }
  return properties;
}

Result<std::vector<KafkaProperty>> read_kafka_properties(const std::string& file) {
  const auto invalid = [&](std::string_view what) {
    return Error{ErrorCode::invalid_parameter, fmt::format("kafka_properties: {}: {}", file, what)};
  };
  std::ifstream in(file, std::ios::binary);
  if (!in) return invalid(std::strerror(errno));
  std::string text(kFileBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return invalid("cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kFileBytesMax) return invalid("is longer than 64 KiB");
  auto properties = parse_kafka_properties(text);
  if (!properties) return invalid(properties.error().message);
  return properties;
}

}  // namespace rtc::relay
