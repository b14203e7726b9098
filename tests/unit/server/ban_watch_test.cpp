// Bans of the store reach the sessions of a loop, and the store may fail meanwhile.
#include "server/ban_watch.hpp"

#include <gmock/gmock.h>

#include "base/clock.hpp"
#include "unit/server/session_world.hpp"
#include "websocket/decoder.hpp"

namespace rtc::server {
namespace {

using test::expect_failed;
using test::FakeTokens;
using test::Person;
using test::SessionsTest;
using testing::HasSubstr;

class BanWatchTest : public SessionsTest {
 protected:
  BanWatchTest() { world_.config.ban_check_interval_ms = 1; }
  ~BanWatchTest() override {
    world_.stop();  // before the watch goes
    people_.clear();
  }
  void watch() {
    watch_ = std::make_unique<BanWatch>(world_.store, world_.shard().services());
    ASSERT_TRUE(watch_->load());
    world_.start();
    on([this] { watch_->start(); });
  }
  void ban(const std::string& target, std::int64_t until_ms = 0, const std::string& reason = "") {
    ASSERT_TRUE(world_.store.put_ban({target, until_ms, reason, unix_ms()}, 100));
  }
  static std::string person(char digit) { return "user:" + FakeTokens::user(digit).to_string(); }
  Person& connected(const std::string& token, const std::string& from = "127.0.0.1") {
    return enter([&](Person& self) {
      self.output.address = *net::IpAddress::parse(from);
      self.say("CONNECT\naccept-version:1.2\nAuthorization:Bearer " + token + "\n\n");
    });
  }
  void await_end(Person& who) {
    world_.await([&] { return who.output.close_code != 0; });
    on([&] { expect_failed(who, "BANNED", websocket::kClosePolicyViolation); });
  }
  BanFigures& figures() { return world_.shard().services().bans; }

  std::unique_ptr<BanWatch> watch_;
};

TEST_F(BanWatchTest, WhoIsBannedAtTheStartDoesNotComeIn) {
  ban(person('1'), 0, "spam: twice");
  watch();
  Person& banned = connected("user 1");
  Person& other = connected("user 2");
  on([&] {
    expect_failed(banned, "BANNED", websocket::kClosePolicyViolation);
    EXPECT_THAT(banned.output.last(), HasSubstr("you are banned: spam: twice"));
    EXPECT_EQ(test::command_of(other.output.last()), "CONNECTED");
    EXPECT_EQ(world_.shard().services().totals.sessions.load(), 1U);
    EXPECT_EQ(world_.shard().figures().ban_refusals.load(), 1U);
  });
}

TEST_F(BanWatchTest, EndsTheSessionsOfWhoIsBannedAndNoOthers) {
  watch();
  Person& first = connected("user 1");
  Person& second = connected("other token of user 1");
  Person& other = connected("user 2");
  Person& unknown = enter([](Person&) {});
  ban(person('1'));
  await_end(first);
  await_end(second);
  on([&] {
    EXPECT_EQ(other.output.close_code, 0);
    EXPECT_EQ(unknown.output.close_code, 0);
    EXPECT_EQ(world_.shard().services().totals.sessions.load(), 1U);
  });
  EXPECT_EQ(figures().in_force.load(), 1U);
}

TEST_F(BanWatchTest, EndsThoseOfANetworkWhetherTheyAreConnectedOrNot) {
  watch();
  Person& inside = connected("user 1", "203.0.113.9");
  Person& waiting =
      enter([](Person& self) { self.output.address = *net::IpAddress::parse("203.0.113.200"); });
  Person& outside = connected("user 1", "203.0.114.9");
  ban("address:203.0.113.0/24");
  await_end(inside);
  await_end(waiting);
  on([&] { EXPECT_EQ(outside.output.close_code, 0); });
}

TEST_F(BanWatchTest, WhoIsNotBannedAnyMoreComesAgain) {
  ban(person('1'));
  watch();
  connected("user 1");
  ASSERT_TRUE(world_.store.remove_ban(person('1')));
  world_.await([&] {
    return !world_.shard().ban_of(FakeTokens::user('1'), *net::IpAddress::parse("127.0.0.1"));
  });
  Person& again = connected("user 1");
  on([&] { EXPECT_EQ(test::command_of(again.output.last()), "CONNECTED"); });
}

TEST_F(BanWatchTest, ABanThatIsOverIsForgotten) {
  ban(person('1'), unix_ms() + 300);
  ban(person('2'));
  watch();
  world_.await([&] { return figures().in_force.load() == 1; });
  Person& again = connected("user 1");
  on([&] { EXPECT_EQ(test::command_of(again.output.last()), "CONNECTED"); });
}

TEST_F(BanWatchTest, WhileTheStoreFailsTheBansThatWereKnownHold) {
  ban(person('1'));
  watch();
  world_.store.set_failing(true);
  world_.await([&] { return figures().failures.load() > 2; });
  Person& banned = connected("user 1");
  on([&] { expect_failed(banned, "BANNED", websocket::kClosePolicyViolation); });
  world_.store.set_failing(false);
  Person& other = connected("user 2");
  ban(person('2'));
  await_end(other);
}

TEST_F(BanWatchTest, AStoreThatFailsAtTheStartIsAnError) {
  world_.store.set_failing(true);
  BanWatch watch(world_.store, world_.shard().services());
  EXPECT_FALSE(watch.load());
}

}  // namespace
}  // namespace rtc::server
