#include "relay/kafka_properties.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace rtc::relay {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs parsed(std::string_view text) {
  const auto properties = parse_kafka_properties(text);
  Pairs pairs;
  if (!properties) return {{"error", properties.error().message}};
  for (const KafkaProperty& each : *properties) pairs.emplace_back(each.name, each.value);
  return pairs;
}

std::string error(std::string_view text) {
  const auto properties = parse_kafka_properties(text);
  return properties ? "" : properties.error().message;
}

TEST(KafkaProperties, AreLinesOfNameAndValue) {
  EXPECT_EQ(parsed("security.protocol=sasl_ssl\r\n"
                   "\n"
                   "  # sasl.password=not this\n"
                   "\tsasl.username = chat \n"
                   "sasl.password=a=b #c\n"
                   "ssl.ca.location="),
            (Pairs{{"security.protocol", "sasl_ssl"},
                   {"sasl.username", "chat"},
                   {"sasl.password", "a=b #c"},
                   {"ssl.ca.location", ""}}));
  EXPECT_EQ(parsed(""), Pairs{});
}

TEST(KafkaProperties, ErrorsNameTheLineAndNoValue) {
  EXPECT_THAT(error("a=b\nsecret-without-name\n"),
              AllOf(HasSubstr("line 2"), Not(HasSubstr("secret"))));
  EXPECT_THAT(error(" =secret"), AllOf(HasSubstr("line 1"), Not(HasSubstr("secret"))));
}

TEST(KafkaProperties, WhatASettingDecidesIsRefusedWithItsName) {
  EXPECT_THAT(error("bootstrap.servers=x"), HasSubstr("kafka_brokers"));
  EXPECT_THAT(error("#\nmessage.timeout.ms = 1"),
              AllOf(HasSubstr("line 2"), HasSubstr("kafka_timeout")));
  EXPECT_THAT(error("queue.buffering.max.kbytes=1"), HasSubstr("kafka_queue_bytes_max"));
  EXPECT_THAT(error("queued.max.messages.kbytes=1"), HasSubstr("kafka_fetch_bytes_max"));
  EXPECT_THAT(error("group.id=chat"), HasSubstr("group.id"));
}

class KafkaPropertiesFile : public testing::Test {
 protected:
  ~KafkaPropertiesFile() override { std::filesystem::remove(file_); }
  void write(const std::string& text) const { std::ofstream(file_) << text; }
  std::string error() const {
    const auto properties = read_kafka_properties(file_);
    return properties ? "" : properties.error().message;
  }

  const std::string file_ =
      std::filesystem::temp_directory_path() / ("rtc-properties-" + std::to_string(::getpid()));
};

TEST_F(KafkaPropertiesFile, IsReadWhole) {
  write("a=1\nb=2");
  const auto properties = read_kafka_properties(file_);
  ASSERT_TRUE(properties);
  ASSERT_EQ(properties->size(), 2U);
  EXPECT_EQ(properties->back().value, "2");
}

TEST_F(KafkaPropertiesFile, ErrorsNameTheSettingAndTheFile) {
  EXPECT_THAT(error(), AllOf(StartsWith("kafka_properties: "), HasSubstr(file_)));
  write("a");
  EXPECT_THAT(error(), AllOf(HasSubstr(file_), HasSubstr("line 1")));
  write(std::string(64 << 10, '\n'));
  EXPECT_EQ(error(), "");
  write(std::string((64 << 10) + 1, '\n'));
  EXPECT_THAT(error(), HasSubstr("64 KiB"));
}

}  // namespace
}  // namespace rtc::relay
