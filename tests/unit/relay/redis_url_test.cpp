#include "relay/redis_url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rtc::relay {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string error(const RedisSettings& settings) {
  const auto address = redis_address(settings);
  return address ? "" : address.error().message;
}

// As "host:port host:port".
std::string hosts(const RedisAddress& address) {
  std::string text;
  for (const RedisHost& each : address.hosts) text += (text.empty() ? "" : " ") + each.text();
  return text;
}

TEST(RedisUrl, NamesHostPortUserAndPassword) {
  const auto plain = redis_address({.url = "redis://127.0.0.1"});
  ASSERT_TRUE(plain);
  EXPECT_EQ(hosts(*plain), "127.0.0.1:6379");
  EXPECT_EQ(plain->login.user, "");
  EXPECT_EQ(plain->login.password, "");
  EXPECT_EQ(plain->master, "");
  EXPECT_FALSE(plain->tls);

  const auto all = redis_address({.url = "redis://chat:p%40ss:w%2Fo@rd@redis.example:7000/"});
  ASSERT_TRUE(all);
  EXPECT_EQ(hosts(*all), "redis.example:7000");
  EXPECT_EQ(all->login.user, "chat");
  EXPECT_EQ(all->login.password, "p@ss:w/o@rd");

  const auto password_only = redis_address({.url = "redis://:secret@[::1]:6380"});
  ASSERT_TRUE(password_only);
  EXPECT_EQ(hosts(*password_only), "[::1]:6380");
  EXPECT_EQ(password_only->login.user, "");
  EXPECT_EQ(password_only->login.password, "secret");
}

TEST(RedisUrl, RefusesWhatItDoesNotUnderstandAndKeepsThePassword) {
  for (const char* bad : {"",
                          "localhost",
                          "http://localhost",
                          "redis://",
                          "redis://:6379",
                          "redis://a:0",
                          "redis://a:65536",
                          "redis://a:port",
                          "redis://a:1:2",
                          "redis://a/1",
                          "redis://a,b",
                          "redis://[::1",
                          "redis://[::1]6379",
                          "redis://topsecret@a",
                          "redis://u:@a",
                          "redis://u:topsecret%4@a",
                          "redis://u:topsecret%zz@a",
                          "redis+sentinel://u:topsecret@a",
                          "redis+sentinel://u:topsecret@a/",
                          "redis+sentinel://u:topsecret@a,/chat",
                          "redis+sentinel://u:topsecret@/chat",
                          "redis+sentinel://u:topsecret@a:x,b/chat",
                          "redis+sentinel://u:topsecret@a/chat/0",
                          "redis+cluster://u:topsecret@",
                          "redis+cluster://u:topsecret@a,",
                          "redis+cluster://u:topsecret@a/chat",
                          "redis+cluster://u:topsecret@a,b:x"}) {
    EXPECT_THAT(error({.url = bad}), AllOf(HasSubstr("redis_url"), Not(HasSubstr("topsecret"))))
        << bad;
  }
}

TEST(RedisUrl, NamesSentinelsAndThePrimaryTheyWatch) {
  const auto address =
      redis_address({.url = "redis+sentinel://chat:word@one,[::2],10.0.0.3:7000/my-chat",
                     .sentinel_login = "watcher:s%20s"});
  ASSERT_TRUE(address);
  EXPECT_EQ(hosts(*address), "one:26379 [::2]:26379 10.0.0.3:7000");
  EXPECT_EQ(address->master, "my-chat");
  EXPECT_EQ(address->login.user, "chat");
  EXPECT_EQ(address->login.password, "word");
  EXPECT_EQ(address->sentinel_login.user, "watcher");
  EXPECT_EQ(address->sentinel_login.password, "s s");
  EXPECT_FALSE(address->tls);
}

TEST(RedisUrl, NamesNodesOfAClusterAndTheKeyToLookFor) {
  const auto address = redis_address(
      {.url = "redis+cluster://chat:word@one,[::2],10.0.0.3:7000/", .prefix = "my-chat"});
  ASSERT_TRUE(address);
  EXPECT_EQ(hosts(*address), "one:6379 [::2]:6379 10.0.0.3:7000");
  EXPECT_EQ(address->cluster_key, "my-chat:{people}:");
  EXPECT_EQ(address->master, "");
  EXPECT_EQ(address->login.password, "word");
  EXPECT_EQ(redis_address({.url = "redis://one", .prefix = "my-chat"})->cluster_key, "");
  EXPECT_THAT(error({.url = "redis+cluster://one", .sentinel_login = ":topsecret"}),
              HasSubstr("redis_sentinel_login"));
}

TEST(RedisUrl, HostsHaveABound) {
  for (const auto& [begin, end] :
       {std::pair{"redis+sentinel://a", "/chat"}, std::pair{"redis+cluster://a", ""}}) {
    std::string url = begin;
    for (std::size_t n = 1; n < kHostsMax; ++n) url += ",a";
    EXPECT_EQ(error({.url = url + end}), "");
    EXPECT_THAT(error({.url = url + ",a" + end}), HasSubstr("16 hosts"));
  }
}

TEST(RedisUrl, ALoginOfSentinelsIsForThemAndKeptSecret) {
  const auto with = [](std::string_view login) {
    return error({.url = "redis+sentinel://a/chat", .sentinel_login = login});
  };
  EXPECT_EQ(with(":topsecret"), "");
  for (const char* bad : {"topsecret", "topsecret:", "u:topsecret%4"}) {
    EXPECT_THAT(with(bad), AllOf(HasSubstr("redis_sentinel_login"), Not(HasSubstr("topsecret"))));
  }
  EXPECT_THAT(error({.url = "redis://a", .sentinel_login = ":topsecret"}),
              AllOf(HasSubstr("redis_sentinel_login"), Not(HasSubstr("topsecret"))));
}

TEST(RedisUrl, TakesTlsAndItsFiles) {
  for (const char* url :
       {"rediss://u:p@a:7", "rediss+sentinel://u:p@a:7/chat", "rediss+cluster://u:p@a:7"}) {
    const auto address = redis_address({.url = url});
    ASSERT_TRUE(address) << url;
    ASSERT_TRUE(address->tls) << url;
    EXPECT_EQ(address->tls->ca, "");
    EXPECT_EQ(hosts(*address), "a:7");
    EXPECT_THAT(error({.url = url, .ca_file = "/nowhere"}), HasSubstr("redis_ca_file: /nowhere"));
    EXPECT_THAT(error({.url = url, .certificate_file = "/nowhere", .key_file = "/nowhere"}),
                HasSubstr("redis_certificate_file: /nowhere"));
    EXPECT_THAT(error({.url = url, .certificate_file = "/nowhere"}), HasSubstr("redis_key_file"));
    EXPECT_THAT(error({.url = url, .key_file = "/nowhere"}), HasSubstr("redis_certificate_file"));
  }
}

TEST(RedisUrl, FilesOfTlsWithoutTlsAreRefused) {
  EXPECT_THAT(error({.url = "redis://a", .ca_file = "/ca"}),
              AllOf(HasSubstr("redis_ca_file"), HasSubstr("rediss")));
  EXPECT_THAT(error({.url = "redis+sentinel://a/chat", .certificate_file = "/c", .key_file = "/k"}),
              AllOf(HasSubstr("redis_certificate_file"), HasSubstr("rediss")));
}

}  // namespace
}  // namespace rtc::relay
