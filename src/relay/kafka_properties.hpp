// librdkafka's properties as an operator gives them: TLS, logins, and whatever else his Kafka
// needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace rtc::relay {

struct KafkaProperty {
  std::string name;
  std::string value;
};

// Lines of name=value; spaces around both are cut off; lines that are empty or begin with # are
// none. A property that a setting of ours decides is refused. The error names the line and what is
// before the =, never a value.
Result<std::vector<KafkaProperty>> parse_kafka_properties(std::string_view text);

// The same of a file's text, of 64 KiB at most. The error begins with the setting's name.
Result<std::vector<KafkaProperty>> read_kafka_properties(const std::string& file);

}  // namespace rtc::relay
