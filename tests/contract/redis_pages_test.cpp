// RedisPages against a real redis-server: what one node keeps another one finds, and what neither
// finds nor waits for when Redis fails.
#include "relay/redis_pages.hpp"

#include <functional>

#include "contract/redis_server.hpp"

namespace rtc::relay {
namespace {

using test::RedisServer;

constexpr std::chrono::seconds kPatience{60};

void wait_until(const char* what, const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited too long for " << what;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

RedisPagesOptions options_for(const RedisServer& server) {
  RedisPagesOptions options;
  options.address = server.address();
  options.prefix = "test";
  // So that a busy machine is not taken for a lost Redis.
  options.timeout_ms = 30'000;
  options.wait_ms = 30'000;
  options.secret = "0123456789abcdef0123456789abcdef";
  options.epoch = "epoch";
  return options;
}

class RedisPagesTest : public testing::Test {
 protected:
  static std::vector<chat::Message> page(const RoomId& room, MessageId newest,
                                         const std::string& text = "a text") {
    static const chat::SharedIdentity sender({UserId::random(), "다람쥐42", "#0A1B2C", "203.0"});
    std::vector<chat::Message> messages;
    for (MessageId id = newest - std::min<MessageId>(newest, 50) + 1; id <= newest; ++id) {
      messages.push_back({room, id, sender, text, 1'700'000'000'123});
    }
    return messages;
  }
  static void connect(const RedisPages& pages) {
    wait_until("the connection", [&] { return pages.figures().connected; });
  }
  // Until Redis has it.
  static void keep(RedisPages& pages, const RoomId& room, MessageId newest) {
    const std::uint64_t before = pages.figures().kept;
    pages.keep(room, page(room, newest));
    wait_until("the page to be kept", [&] { return pages.figures().kept == before + 1; });
  }
  std::string key() const { return "test:{people}:page:" + room_.to_string(); }

  RedisServer server_;
  RoomId room_ = RoomId::random();
};

TEST_F(RedisPagesTest, WhatOneNodeKeepsAnotherOneFinds) {
  RedisPages here(options_for(server_));
  RedisPages there(options_for(server_));
  connect(here);
  connect(there);
  EXPECT_TRUE(there.read(room_).empty());
  EXPECT_EQ(there.figures().missing, 1U);
  keep(here, room_, 200);
  for (RedisPages* each : {&here, &there}) {
    const auto found = each->read(room_);
    ASSERT_EQ(found.size(), 50U);
    EXPECT_EQ(found.front().id, 151U);
    EXPECT_EQ(found.back().id, 200U);
    EXPECT_EQ(each->figures().found, 1U);
  }
  EXPECT_TRUE(there.read(RoomId::random()).empty());
  keep(there, room_, 201);
  EXPECT_EQ(here.read(room_).back().id, 201U);
}

TEST_F(RedisPagesTest, APageGoesAfterItsLifetime) {
  auto options = options_for(server_);
  options.lifetime_ms = 1000;
  RedisPages pages(std::move(options));
  connect(pages);
  keep(pages, room_, 10);
  const std::string rest = server_.ask({"PTTL", key()});
  EXPECT_LE(std::stoll(rest), 1000) << rest;
  wait_until("the page to go", [&] { return pages.read(room_).empty(); });
  EXPECT_EQ(server_.ask({"EXISTS", key()}), "0");
}

TEST_F(RedisPagesTest, NoMoreIsKeptInALifetimeThanTheBound) {
  auto options = options_for(server_);
  const std::size_t one = PageSeal("secret", "epoch").page(room_, page(room_, 50)).size();
  options.bytes_max = 3 * one + 10;
  options.lifetime_ms = 3000;
  RedisPages pages(std::move(options));
  connect(pages);
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 5; ++i) pages.keep(RoomId::random(), page(room_, 50));
  wait_until("three to be kept", [&] { return pages.figures().kept >= 3; });
  if (std::chrono::steady_clock::now() - began < std::chrono::seconds(2)) {
    EXPECT_EQ(pages.figures().dropped, 2U);
    EXPECT_EQ(server_.ask({"DBSIZE"}), "3");
  }
  wait_until("another lifetime", [&] {
    const std::uint64_t before = pages.figures().dropped;
    pages.keep(room_, page(room_, 50));
    return pages.figures().dropped == before;
  });
}

TEST_F(RedisPagesTest, APageThatIsTooLongIsNotKept) {
  RedisPages pages(options_for(server_));
  connect(pages);
  pages.keep(room_, page(room_, 50, std::string(RedisPages::kPageBytesMax / 50, 'x')));
  EXPECT_EQ(pages.figures().dropped, 1U);
}

TEST_F(RedisPagesTest, WhatOthersPutThereIsRefused) {
  RedisPages pages(options_for(server_));
  connect(pages);
  keep(pages, room_, 10);
  const std::string good = server_.ask({"GET", key()});
  const RoomId other = RoomId::random();
  server_.ask({"SET", "test:{people}:page:" + other.to_string(), good});
  EXPECT_TRUE(pages.read(other).empty());
  server_.ask({"SET", key(), "nonsense"});
  EXPECT_TRUE(pages.read(room_).empty());
  EXPECT_EQ(pages.figures().refused, 2U);
  server_.ask({"DEL", key()});
  server_.ask({"LPUSH", key(), "not even a string"});
  EXPECT_TRUE(pages.read(room_).empty());
  EXPECT_EQ(pages.figures().missing, 1U);
}

TEST_F(RedisPagesTest, NobodyWaitsForARedisThatHangs) {
  auto options = options_for(server_);
  options.wait_ms = 20;
  RedisPages pages(std::move(options));
  connect(pages);
  // The first may be late on a busy machine.
  wait_until("an answer", [&] {
    const auto before = pages.figures();
    pages.read(room_);
    return pages.figures().missing > before.missing;
  });
  server_.signal(SIGSTOP);
  const std::uint64_t late = pages.figures().late;
  EXPECT_TRUE(pages.read(room_).empty());
  EXPECT_EQ(pages.figures().late, late + 1);
  // Those who come meanwhile do not even ask.
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 10'000; ++i) EXPECT_TRUE(pages.read(room_).empty());
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_LE(pages.figures().late, late + 1 + took / std::chrono::milliseconds(RedisPages::kRestMs));
  server_.signal(SIGCONT);
  wait_until("an answer again", [&] {
    const auto before = pages.figures();
    pages.read(room_);
    return pages.figures().missing > before.missing;
  });
}

TEST_F(RedisPagesTest, ARedisThatDiesIsOneThatHasNone) {
  RedisPages pages(options_for(server_));
  connect(pages);
  keep(pages, room_, 10);
  server_.kill();
  wait_until("the loss to be noticed", [&] { return !pages.figures().connected; });
  EXPECT_TRUE(pages.read(room_).empty());
  pages.keep(room_, page(room_, 11));
  server_.start();
  connect(pages);
  EXPECT_TRUE(pages.read(room_).empty());
  keep(pages, room_, 12);
  EXPECT_EQ(pages.read(room_).back().id, 12U);
}

}  // namespace
}  // namespace rtc::relay
