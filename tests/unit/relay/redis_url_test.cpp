#include "relay/redis_url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rtc::relay {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(RedisUrl, NamesHostPortUserAndPassword) {
  const auto plain = parse_redis_url("redis://127.0.0.1");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "127.0.0.1");
  EXPECT_EQ(plain->port, 6379);
  EXPECT_EQ(plain->user, "");
  EXPECT_EQ(plain->password, "");

  const auto all = parse_redis_url("redis://chat:p%40ss:w%2Fo@rd@redis.example:7000/");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->host, "redis.example");
  EXPECT_EQ(all->port, 7000);
  EXPECT_EQ(all->user, "chat");
  EXPECT_EQ(all->password, "p@ss:w/o@rd");

  const auto password_only = parse_redis_url("redis://:secret@[::1]:6380");
  ASSERT_TRUE(password_only);
  EXPECT_EQ(password_only->host, "::1");
  EXPECT_EQ(password_only->port, 6380);
  EXPECT_EQ(password_only->user, "");
  EXPECT_EQ(password_only->password, "secret");
}

TEST(RedisUrl, RefusesWhatItDoesNotUnderstandAndKeepsThePassword) {
  for (const char* bad : {"", "localhost", "http://localhost", "redis://", "redis://:6379",
                          "redis://a:0", "redis://a:65536", "redis://a:port", "redis://a:1:2",
                          "redis://a/1", "redis://[::1", "redis://[::1]6379", "redis://topsecret@a",
                          "redis://u:@a", "redis://u:topsecret%4@a", "redis://u:topsecret%zz@a"}) {
    const auto address = parse_redis_url(bad);
    ASSERT_FALSE(address) << bad;
    EXPECT_THAT(address.error().message, HasSubstr("redis_url")) << bad;
    EXPECT_THAT(address.error().message, Not(HasSubstr("topsecret"))) << bad;
  }
}

TEST(RedisUrl, SaysThatThereIsNoTls) {
  const auto address = parse_redis_url("rediss://a");
  ASSERT_FALSE(address);
  EXPECT_THAT(address.error().message, HasSubstr("TLS"));
}

}  // namespace
}  // namespace rtc::relay
