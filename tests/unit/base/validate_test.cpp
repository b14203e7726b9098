// What a setting must be beyond its format, and how settings must fit together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/base/config_loader.hpp"

namespace rtc {
namespace {

using test::ConfigLoader;
using testing::AllOf;
using testing::HasSubstr;

TEST(Validate, OriginsAreAsBrowsersWriteThem) {
  const ConfigLoader loader;
  for (const char* good :
       {"http://localhost:5500", "https://example.org", "https://a-b.example.org:8443",
        "http://192.168.0.7:8080", "http://[::1]:8080", "http://[2001:db8::1]", "https://a:80",
        "capacitor://localhost", "chrome-extension://abcdef", ""}) {
    EXPECT_EQ(loader.error({"--allowed-origins", good}), "") << good;
  }
  for (const char* bad : {"foo",
                          "localhost:5500",
                          "http://localhost:5500/",
                          "http://localhost/page",
                          "http://",
                          "HTTP://localhost",
                          "http://Localhost",
                          "http://localhost:",
                          "http://localhost:0",
                          "http://localhost:080",
                          "http://localhost:65536",
                          "http://localhost:http",
                          "http://a:1:2",
                          "http://localhost:80",
                          "https://example.org:443",
                          "http://a b",
                          "http://u@a",
                          "null",
                          "://a",
                          "http://[::1",
                          "http://[]",
                          "http://[::1]x",
                          "http://*.example.org"}) {
    EXPECT_THAT(loader.error({"--allowed-origins", bad}),
                AllOf(HasSubstr("allowed_origins"), HasSubstr(bad), HasSubstr("scheme://host")))
        << bad;
  }
  EXPECT_THAT(loader.error({"--allowed-origins", "https://example.org,foo"}), HasSubstr("'foo'"));
  EXPECT_THAT(loader.error({"--allowed-origins", "*"}), HasSubstr("'*' is not taken, as"));
}

TEST(Validate, SomeMustNotBeEmpty) {
  const ConfigLoader loader;
  for (const char* name : {"listen", "data_dir", "token_issuer"}) {
    std::string flag = "--" + std::string(name);
    std::replace(flag.begin(), flag.end(), '_', '-');
    EXPECT_THAT(loader.error({flag, ""}), HasSubstr(std::string(name) + ": must")) << name;
  }
}

TEST(Validate, ATokenSecretIsLongAndNotRepeated) {
  const ConfigLoader loader;
  EXPECT_EQ(loader.error({"--token-secret", std::string(32, 's')}), "");
  const std::string message = loader.error({"--token-secret", std::string(31, 's')});
  EXPECT_THAT(message, HasSubstr("token_secret: needs at least 32 bytes"));
  EXPECT_EQ(message.find("sss"), std::string::npos);
}

TEST(Validate, BoundsFitTogether) {
  const ConfigLoader loader;
  EXPECT_EQ(loader.error({"--page-size-default", "100", "--page-size-max", "100"}), "");
  EXPECT_THAT(loader.error({"--page-size-default", "101", "--page-size-max", "100"}),
              AllOf(HasSubstr("page_size_default"), HasSubstr("page_size_max")));

  EXPECT_EQ(loader.error({"--message-bytes-max", "7KiB", "--stomp-body-bytes-max", "8KiB"}), "");
  EXPECT_THAT(loader.error({"--message-bytes-max", "7169B", "--stomp-body-bytes-max", "8KiB"}),
              AllOf(HasSubstr("stomp_body_bytes_max"), HasSubstr("message_bytes_max")));

  EXPECT_EQ(loader.error({"--transaction-messages-max", "9", "--store-queue-max", "9"}), "");
  EXPECT_THAT(loader.error({"--transaction-messages-max", "9", "--store-queue-max", "8"}),
              AllOf(HasSubstr("transaction_messages_max"), HasSubstr("store_queue_max")));

  const auto websocket = [&](const char* size) {
    return loader.error({"--stomp-header-bytes-max", "10KiB", "--stomp-body-bytes-max", "90KiB",
                         "--websocket-message-bytes-max", size});
  };
  EXPECT_EQ(websocket("102401B"), "");
  EXPECT_THAT(websocket("100KiB"),
              AllOf(HasSubstr("websocket_message_bytes_max"), HasSubstr("stomp_header_bytes_max"),
                    HasSubstr("stomp_body_bytes_max")));
}

TEST(Validate, WhatIsAskedForInsteadOfRunningNeedsNoValidSettings) {
  const ConfigLoader loader;
  EXPECT_EQ(loader.error({"--help", "--token-issuer", ""}), "");
}

TEST(Validate, SeveralNodesShareADatabaseAndASecretAndHaveNoBroker) {
  const ConfigLoader loader;
  const std::vector<std::string> whole{"--redis-url",    "redis://localhost",
                                       "--token-secret", std::string(32, 's'),
                                       "--postgres-url", "postgresql://localhost/chat"};
  const auto error_without = [&](std::ptrdiff_t pair) {
    auto flags = whole;
    flags.erase(flags.begin() + 2 * pair, flags.begin() + 2 * pair + 2);
    return loader.error(flags);
  };
  const auto error_with = [&](const std::string& flag, const std::string& value) {
    auto flags = whole;
    flags.insert(flags.end(), {flag, value});
    return loader.error(flags);
  };
  EXPECT_EQ(loader.error(whole), "");
  EXPECT_THAT(error_without(1), HasSubstr("token_secret"));
  EXPECT_THAT(error_without(2), HasSubstr("postgres_url"));
  EXPECT_THAT(error_with("--postgres-shared", "false"), HasSubstr("postgres_shared"));
  EXPECT_THAT(error_with("--broker", "true"), HasSubstr("broker"));
  EXPECT_EQ(error_with("--redis-prefix", "chat-2"), "");
  for (const char* bad : {"", "a b", "A", "a*"}) {
    EXPECT_THAT(error_with("--redis-prefix", bad), HasSubstr("redis_prefix")) << bad;
  }
}

TEST(Validate, KafkaLeadsToOtherNodesAsRedisDoesButNotBoth) {
  const ConfigLoader loader;
  const std::vector<std::string> whole{"--kafka-brokers", "one:9092,two:9092",
                                       "--token-secret",  std::string(32, 's'),
                                       "--postgres-url",  "postgresql://localhost/chat"};
  const auto error_with = [&](const std::string& flag, const std::string& value) {
    auto flags = whole;
    flags.insert(flags.end(), {flag, value});
    return loader.error(flags);
  };
  EXPECT_EQ(loader.error(whole), "");
  EXPECT_THAT(loader.error({"--kafka-brokers", "one:9092"}), HasSubstr("token_secret"));
  EXPECT_THAT(error_with("--redis-url", "redis://localhost"),
              AllOf(HasSubstr("kafka_brokers"), HasSubstr("redis_url")));
  EXPECT_THAT(error_with("--postgres-shared", "false"),
              AllOf(HasSubstr("postgres_shared"), HasSubstr("kafka_brokers")));
  EXPECT_THAT(error_with("--broker", "true"), HasSubstr("broker"));
  EXPECT_EQ(error_with("--kafka-topic", "Chat.v2_a-b"), "");
  EXPECT_EQ(error_with("--kafka-topic", std::string(249, 'a')), "");
  for (const std::string& bad : {std::string(), std::string("."), std::string(".."),
                                 std::string("a b"), std::string("a/b"), std::string(250, 'a')}) {
    EXPECT_THAT(error_with("--kafka-topic", bad), HasSubstr("kafka_topic")) << bad;
  }
}

}  // namespace
}  // namespace rtc
