// What settings must be beyond their own format: their texts, and how they fit together.
#include <algorithm>
#include <charconv>

#include "base/load_config.hpp"

namespace rtc {
namespace {

Error invalid(std::string message) {
  return {ErrorCode::invalid_parameter, std::move(message) + "; see --help for all settings"};
}

bool only(std::string_view text, std::string_view extra) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || extra.find(c) != extra.npos;
  });
}

// ":8080" after a host; the scheme's own port is never written in an Origin header.
bool is_port(std::string_view text, std::string_view scheme) {
  if (text.empty()) return true;
  text.remove_prefix(1);
  unsigned port = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
  return problem == std::errc{} && end == text.data() + text.size() && text.front() != '0' &&
         port <= 65535 && !(scheme == "http" && port == 80) && !(scheme == "https" && port == 443);
}

// As a browser writes it (RFC 6454, section 6.2): compared byte by byte with the header Origin.
bool is_origin(std::string_view text) {
  constexpr std::string_view kMark = "://";
  const auto mark = text.find(kMark);
  if (mark == std::string_view::npos) return false;
  const std::string_view scheme = text.substr(0, mark);
  const std::string_view rest = text.substr(mark + kMark.size());
  if (!only(scheme, "+-.")) return false;
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view after = rest.substr(close + 1);
    return only(rest.substr(1, close - 1), ":.") && (after.empty() || after.front() == ':') &&
           is_port(after, scheme);
  }
  const auto colon = std::min(rest.find(':'), rest.size());
  return only(rest.substr(0, colon), ".-_") && is_port(rest.substr(colon), scheme);
}

Result<void> check_origins(const std::vector<std::string>& origins) {
  for (const std::string& origin : origins) {
    if (origin == "*") {
      return invalid(
          "allowed_origins: '*' is not taken, as any page of the web could then act for its "
          "reader; name the origins, such as https://example.org");
    }
    if (!is_origin(origin)) {
      return invalid("allowed_origins: '" + origin +
                     "' is not an origin as browsers write it: scheme://host[:port], in lower "
                     "case, without a path and without the scheme's own port, such as "
                     "http://localhost:5500");
    }
  }
  return {};
}

// As Kafka takes them.
bool is_topic(std::string_view text) {
  constexpr std::size_t kTopicBytesMax = 249;
  return only(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-") && text.size() <= kTopicBytesMax &&
         text != "." && text != "..";
}

// What several nodes must agree on, and what they do not offer.
Result<void> check_nodes(const Config& config) {
  if (!config.several_nodes()) return {};
  const bool kafka = !config.kafka_brokers.empty();
  const std::string with = kafka ? "kafka_brokers" : "redis_url";
  if (kafka && !config.redis_url.empty()) {
    return invalid("kafka_brokers: one of it and redis_url leads to the other nodes, not both");
  }
  if (config.token_secret.empty()) {
    return invalid("token_secret: must be given with " + with + ", the same to all nodes");
  }
  if (config.postgres_url.empty() || !config.postgres_shared) {
    return invalid("postgres_url: must be given with " + with + ", and postgres_shared be true");
  }
  if (config.broker) {
    return invalid("broker: is not offered with " + with + ", as its messages stay on their node");
  }
  if (!kafka && !only(config.redis_prefix, "-_.:")) {
    return invalid("redis_prefix: may have small letters, digits and -_.: only, one at least");
  }
  if (kafka && !is_topic(config.kafka_topic)) {
    return invalid("kafka_topic: may have letters, digits and ._- only, 1 to 249 of them");
  }
  return {};
}

}  // namespace

Result<void> validate(const Config& config) {
  constexpr std::uint64_t kBodyExtra = 1 << 10;  // of a message: JSON around it, the room's id
  constexpr std::size_t kSecretBytesMin = 32;
  if (config.listen.empty()) return invalid("listen: must name an address");
  if (config.data_dir.empty()) return invalid("data_dir: must not be empty");
  if (config.token_issuer.empty()) return invalid("token_issuer: must not be empty");
  if (!config.token_secret.empty() && config.token_secret.size() < kSecretBytesMin) {
    return invalid("token_secret: needs at least 32 bytes");
  }
  if (auto origins = check_origins(config.allowed_origins); !origins) return origins;
  if (auto nodes = check_nodes(config); !nodes) return nodes;
  if (config.page_size_default > config.page_size_max) {
    return invalid("page_size_default: must not be more than page_size_max");
  }
  if (config.stomp_body_bytes_max < config.message_bytes_max + kBodyExtra) {
    return invalid("stomp_body_bytes_max: must be at least message_bytes_max and 1KiB more");
  }
  if (config.transaction_messages_max > config.store_queue_max) {
    return invalid("transaction_messages_max: must not be more than store_queue_max");
  }
  if (config.websocket_message_bytes_max <=
      std::uint64_t{config.stomp_header_bytes_max} + config.stomp_body_bytes_max) {
    return invalid(
        "websocket_message_bytes_max: must be more than stomp_header_bytes_max and "
        "stomp_body_bytes_max together");
  }
  return {};
}

}  // namespace rtc
