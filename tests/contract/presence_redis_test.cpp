// RedisPresence against a real redis-server: what several nodes tell of the people of a room, while
// they come and go, and Redis too.
#include <algorithm>
#include <future>
#include <map>
#include <random>
#include <set>

#include "contract/lossy_proxy.hpp"
#include "contract/redis_server.hpp"
#include "relay/redis_presence.hpp"
#include "unit/base/seed.hpp"

namespace rtc::relay {
namespace {

using chat::Person;
using chat::Presence;
using chat::PresenceChange;
using chat::Roster;
using storage::test::LossyProxy;
using test::RedisServer;

constexpr std::chrono::seconds kPatience{60};
const std::string kSecret = "0123456789abcdef0123456789abcdef";

UserId user_id(std::size_t number) {
  UserId id;
  for (std::size_t i = 0; i < 4; ++i) {
    id.value.bytes[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return id;
}
chat::SharedIdentity identity(std::size_t number) {
  return chat::SharedIdentity(
      {user_id(number), "nick" + std::to_string(number), "#ABCDEF", "203.0"});
}
std::set<UserId> ids(const std::vector<Person>& people) {
  std::set<UserId> all;
  for (const Person& each : people) all.insert(each.id);
  return all;
}
std::set<UserId> users(std::initializer_list<std::size_t> numbers) {
  std::set<UserId> all;
  for (const std::size_t each : numbers) all.insert(user_id(each));
  return all;
}

void wait_until(const char* what, const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited too long for " << what;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

RedisPresenceOptions options_for(int port) {
  RedisPresenceOptions options;
  options.address.hosts = {{"127.0.0.1", static_cast<std::uint16_t>(port)}};
  options.prefix = "test";
  // So that a busy machine is not taken for a lost Redis or a dead node.
  options.timeout_ms = 30'000;
  options.lifetime_ms = 10'000;
  options.interval_ms = 20;
  options.names_max = 10;
  options.end_ms = 60'000;
  options.secret = kSecret;
  options.epoch = "epoch";
  return options;
}

// A node: its own people, and a listener to one room of it who keeps a roster as the page does.
class Node {
 public:
  explicit Node(RedisPresenceOptions options, std::size_t waiting_max = 100'000)
      : own_({.names_max = 10,
              .typing_max = 4,
              .typing_lifetime_ms = 60'000,
              .waiting_max = waiting_max}),
        redis_(std::move(options)) {
    redis_.start(own_, [this] { return sessions_.load(); });
  }
  explicit Node(const RedisServer& server) : Node(options_for(server.port())) {}

  Presence& own() { return own_; }
  void set_sessions(std::uint64_t count) { sessions_ = count; }
  RedisPresence& redis() { return redis_; }
  void wait_until_connected() {
    wait_until("the connection", [&] { return redis_.figures().connected; });
  }
  // Nothing: it is not known; the own people are.
  std::optional<Roster> page(const RoomId& room, std::optional<UserId> after = {},
                             std::size_t limit = 100) {
    // Shared, as who is told may be done with it before who tells is.
    const auto told = std::make_shared<std::promise<std::optional<Roster>>>();
    auto answer = told->get_future();
    redis_.page(room, after, limit,
                [told](std::optional<Roster> roster) { told->set_value(std::move(roster)); });
    return answer.get();
  }
  std::set<UserId> roster(const RoomId& room) {
    std::set<UserId> all;
    for (std::optional<UserId> after;;) {
      const auto found = page(room, after);
      const auto& people = found ? found->page : own_.page(room, after, 100).page;
      if (people.empty()) return all;
      for (const Person& each : people) all.insert(each.id);
      after = people.back().id;
    }
  }
  void wait_for_roster(const RoomId& room, const std::set<UserId>& wanted) {
    wait_until("the roster", [&] {
      const auto found = page(room);
      return found && roster(room) == wanted && found->people == wanted.size();
    });
  }

  void watch(const RoomId& room) {
    known_people_ = own_.watch(room).people;
    known_ = roster(room);
  }
  // Applies what the node tells now.
  void listen() {
    for (const PresenceChange& each : own_.take_changes(now_ms_ += 1)) {
      known_people_ = each.people;
      typing_ = ids(each.typing);
      for (const Person& person : each.joined) known_.insert(person.id);
      for (const UserId& id : each.left) known_.erase(id);
      if (!each.complete) known_ = roster(each.room);
      joined_.insert(joined_.end(), each.joined.begin(), each.joined.end());
    }
  }
  void wait_to_know(const std::set<UserId>& people) {
    wait_until("the listener to know", [&] {
      listen();
      return known_people_ == people.size() && known_ == people;
    });
  }
  void wait_to_see_typing(const std::set<UserId>& people) {
    wait_until("the listener to see who types", [&] {
      listen();
      return typing_ == people;
    });
  }
  std::uint64_t known_people() const { return known_people_; }
  const std::vector<Person>& joined() const { return joined_; }

 private:
  std::atomic<std::uint64_t> sessions_{0};
  Presence own_;
  RedisPresence redis_;  // first to go
  std::uint64_t now_ms_ = 0;
  std::uint64_t known_people_ = 0;
  std::set<UserId> known_;
  std::set<UserId> typing_;
  std::vector<Person> joined_;
};

class RedisPresenceTest : public testing::Test {
 protected:
  RedisPresenceTest() { ::signal(SIGPIPE, SIG_IGN); }

  // Nothing is left in Redis but what says which nodes live.
  void wait_until_empty() {
    wait_until("Redis to be empty", [&] {
      return server_.ask(
                 {"EVAL", "return #redis.call('KEYS', 'test:{people}:*-*:[pnmo]*')", "0"}) == "0";
    });
  }

  RedisServer server_;
  RoomId room_ = RoomId::random();
};

TEST_F(RedisPresenceTest, APersonOnTwoNodesCountsOnce) {
  Node here(server_);
  Node there(server_);
  here.watch(room_);
  here.own().enter(room_, identity(1));
  here.own().enter(room_, identity(2));
  there.own().enter(room_, identity(2));
  there.own().enter(room_, identity(3));
  here.wait_to_know(users({1, 2, 3}));
  // What was there before the roster was read is not told as having come.
  for (const Person& each : here.joined()) EXPECT_EQ(each.name_tag, "#ABCDEF");
  here.own().leave(room_, user_id(2));
  here.own().leave(room_, user_id(1));
  here.wait_to_know(users({2, 3}));
  there.own().leave(room_, user_id(2));
  here.wait_to_know(users({3}));
  there.own().leave(room_, user_id(3));
  here.wait_to_know({});
  wait_until_empty();
}

TEST_F(RedisPresenceTest, TheRosterIsPagedByIdOverAllNodes) {
  Node here(server_);
  Node there(server_);
  for (std::size_t n = 1; n <= 9; ++n) (n % 2 == 0 ? here : there).own().enter(room_, identity(n));
  std::set<UserId> all;
  for (std::size_t n = 1; n <= 9; ++n) all.insert(user_id(n));
  here.wait_for_roster(room_, all);
  std::vector<Person> seen;
  std::optional<UserId> after;
  for (auto page = here.page(room_, after, 4); !page->page.empty();
       page = here.page(room_, after, 4)) {
    EXPECT_EQ(page->people, 9U);
    seen.insert(seen.end(), page->page.begin(), page->page.end());
    after = seen.back().id;
  }
  ASSERT_EQ(seen.size(), 9U);
  for (std::size_t n = 1; n <= 9; ++n) {
    EXPECT_EQ(seen[n - 1], (Person{user_id(n), "nick" + std::to_string(n), "#ABCDEF"}));
  }
  EXPECT_TRUE(here.page(RoomId::random())->page.empty());
}

TEST_F(RedisPresenceTest, ManyAreToldInPiecesAndGoneAtOnceWhenTheNodeStops) {
  constexpr std::size_t kMany = 3 * PresenceRegistry::kChunk + 7;
  RedisPresenceOptions options = options_for(server_.port());
  options.lifetime_ms = 3'600'000;  // nobody is thought dead
  Node here(options);
  here.watch(room_);
  here.own().enter(room_, identity(1));
  std::set<UserId> all;
  {
    Node there(options);
    there.wait_until_connected();
    for (std::size_t n = 1; n <= kMany; ++n) {
      there.own().enter(room_, identity(n));
      all.insert(user_id(n));
    }
    here.wait_to_know(all);
    there.own().leave(room_, user_id(7));
    all.erase(user_id(7));
    here.wait_to_know(all);
    there.redis().stop();
  }
  here.wait_to_know(users({1}));
  EXPECT_EQ(server_.ask({"ZCARD", "test:{people}:lives"}), "1");
  here.redis().stop();
  wait_until_empty();
  EXPECT_EQ(server_.ask({"ZCARD", "test:{people}:lives"}), "0");
}

TEST_F(RedisPresenceTest, WhoWasThereBeforeTheConnectionIsTold) {
  RedisPresenceOptions options = options_for(server_.port());
  server_.kill();
  Node here(options);
  constexpr std::size_t kMany = 2 * PresenceRegistry::kChunk + 3;
  std::set<UserId> all;
  for (std::size_t n = 1; n <= kMany; ++n) {
    here.own().enter(room_, identity(n));
    all.insert(user_id(n));
  }
  EXPECT_FALSE(here.page(room_)) << "not known";
  server_.start();
  Node there(server_);
  there.wait_for_roster(room_, all);
  EXPECT_EQ(here.redis().figures().starts, 1U);
}

TEST_F(RedisPresenceTest, ADeadNodesPeopleGo) {
  LossyProxy proxy(server_.port());
  RedisPresenceOptions options = options_for(server_.port());
  options.lifetime_ms = 4000;
  Node here(options);
  here.watch(room_);
  here.own().enter(room_, identity(1));
  options.address.hosts.front().port = static_cast<std::uint16_t>(proxy.port());
  options.timeout_ms = 2000;
  Node there(options);
  const RoomId other = RoomId::random();
  for (std::size_t n = 1; n <= PresenceRegistry::kChunk + 2; ++n) {
    there.own().enter(room_, identity(n));
    there.own().enter(other, identity(n));
  }
  wait_until("all to be there", [&] {
    here.listen();
    return here.known_people() == PresenceRegistry::kChunk + 2;
  });
  proxy.hold_all();
  here.wait_to_know(users({1}));
  wait_until("the other room", [&] { return here.page(other)->people == 0; });
  wait_until("it to be counted", [&] { return here.redis().figures().nodes_removed >= 1; });

  // Not dead after all: what it says in its old session counts no more, and a new one begins.
  there.own().leave(room_, user_id(2));
  proxy.release();
  wait_until("all to be back", [&] {
    here.listen();
    return here.known_people() == PresenceRegistry::kChunk + 1;
  });
  EXPECT_GE(there.redis().figures().starts, 2U);
  wait_until("its old sessions to go", [&] {
    return server_.ask({"ZCARD", "test:{people}:lives"}) == "2";
  });
}

TEST_F(RedisPresenceTest, ASessionThatWasRemovedChangesNothingMore) {
  Node here(server_);
  here.own().enter(room_, identity(1));
  here.wait_for_roster(room_, users({1}));
  // As another node does that thinks it dead. That it lives it says in time afterwards, so only
  // its place in the room tells.
  const std::string base = "test:{people}:" + room_.to_string() + ":";
  const std::string session = server_.ask({"ZRANDMEMBER", "test:{people}:lives"});
  for (const char* key : {"people", "names", "version", "changes"})
    server_.ask({"DEL", base + key});
  ASSERT_EQ(server_.ask({"DEL", base + "on:" + session}), "1");
  here.own().enter(room_, identity(2));
  here.wait_for_roster(room_, users({1, 2}));
  EXPECT_EQ(here.redis().figures().starts, 2U);
}

TEST_F(RedisPresenceTest, WhatRedisForgotIsToldAgain) {
  Node here(server_);
  here.own().enter(room_, identity(1));
  here.wait_for_roster(room_, users({1}));
  server_.ask({"FLUSHALL"});
  server_.ask({"SCRIPT", "FLUSH"});
  here.wait_for_roster(room_, users({1}));
  wait_until("a new session", [&] { return here.redis().figures().starts >= 2; });
  here.wait_for_roster(room_, users({1}));
}

TEST_F(RedisPresenceTest, RedisRestartedEmptyIsFilledAgain) {
  Node here(server_);
  Node there(server_);
  here.watch(room_);
  here.own().enter(room_, identity(1));
  there.own().enter(room_, identity(2));
  here.wait_to_know(users({1, 2}));
  for (int round = 0; round < 2; ++round) {
    server_.kill();
    wait_until("the loss to be seen", [&] { return !there.redis().figures().connected; });
    there.own().enter(room_, identity(3));
    there.own().leave(room_, user_id(2));
    server_.start();
    here.wait_to_know(users({1, 3}));
    there.own().enter(room_, identity(2));
    there.own().leave(room_, user_id(3));
    here.wait_to_know(users({1, 2}));
  }
}

TEST_F(RedisPresenceTest, WhileRedisIsAwayTheLastKnownIsTold) {
  RedisPresenceOptions options = options_for(server_.port());
  options.lifetime_ms = 600'000;
  Node here(options);
  Node there(options);
  here.watch(room_);
  here.own().enter(room_, identity(1));
  there.own().enter(room_, identity(2));
  here.wait_to_know(users({1, 2}));
  server_.kill();
  wait_until("the loss to be seen", [&] { return !here.redis().figures().connected; });
  here.own().enter(room_, identity(3));
  here.listen();
  EXPECT_EQ(here.own().watch(room_).people, 2U);
  EXPECT_FALSE(here.page(room_)) << "who they are is not known any more";
  server_.start();
  here.wait_to_know(users({1, 2, 3}));
}

TEST_F(RedisPresenceTest, WhenRedisIsAwayForLongTheOwnPeopleAreTold) {
  RedisPresenceOptions options = options_for(server_.port());
  options.lifetime_ms = 2000;
  Node here(options);
  Node there(options);
  here.watch(room_);
  here.own().enter(room_, identity(1));
  there.own().enter(room_, identity(2));
  there.own().enter(room_, identity(3));
  here.wait_to_know(users({1, 2, 3}));
  server_.kill();
  wait_until("the loss to be seen", [&] { return !here.redis().figures().connected; });
  here.wait_to_know(users({1}));
  here.own().enter(room_, identity(4));
  here.wait_to_know(users({1, 4}));
  server_.start();
  here.wait_to_know(users({1, 2, 3, 4}));
}

TEST_F(RedisPresenceTest, TellsHowManySessionsTheOtherNodesHave) {
  Node here(server_);
  auto there = std::make_unique<Node>(server_);
  const auto elsewhere = [&](std::uint64_t count) {
    wait_until("the number", [&] { return here.redis().sessions_elsewhere() == count; });
  };
  here.set_sessions(100);
  there->set_sessions(7);
  elsewhere(7);
  Node third(server_);
  third.set_sessions(10);
  elsewhere(17);
  there.reset();
  elsewhere(10);
  here.set_sessions(0);
  third.set_sessions(0);
  wait_until("the sum to go", [&] {
    return server_.ask({"EXISTS", "test:{people}:clients"}) == "0";
  });
  third.set_sessions(3);
  elsewhere(3);
  server_.kill();
  elsewhere(0);
}

// As another that is killed: nobody subtracts its sessions but those who find it dead.
TEST_F(RedisPresenceTest, TheSessionsOfADeadNodeAreCountedNoMore) {
  LossyProxy proxy(server_.port());
  RedisPresenceOptions options = options_for(server_.port());
  options.lifetime_ms = 1000;
  Node here(options);
  Node third(options);
  third.set_sessions(10);
  options.address.hosts.front().port = static_cast<std::uint16_t>(proxy.port());
  Node there(options);
  there.set_sessions(7);
  const auto elsewhere = [&](std::uint64_t count) {
    wait_until("the number", [&] { return here.redis().sessions_elsewhere() == count; });
  };
  elsewhere(17);
  proxy.hold_all();
  elsewhere(10);
  proxy.release();
  elsewhere(17);
}

// What one node's life costs Redis must not go with how many there are: else all of them together
// cost the square.
TEST_F(RedisPresenceTest, ANodeThatOnlyLivesCostsTheSameHoweverManyThereAre) {
  RedisPresenceOptions options = options_for(server_.port());
  options.lifetime_ms = 10'000;  // of which a tenth passes between beats
  std::vector<std::unique_ptr<Node>> nodes;
  // Commands, those of the scripts included, for each beat.
  const auto cost = [&] {
    const auto counted = [&](const char* what) {
      const std::string all = server_.ask({"INFO", "commandstats"});
      std::uint64_t calls = 0;
      for (auto at = all.find(what); at != all.npos; at = all.find(what, at + 1)) {
        calls += std::stoull(all.substr(all.find("calls=", at) + 6));
      }
      return calls;
    };
    server_.ask({"CONFIG", "RESETSTAT"});
    wait_until("some beats", [&] { return counted("cmdstat_evalsha:") >= 2 * nodes.size(); });
    const std::uint64_t others = counted("cmdstat_info:") + counted("cmdstat_config");
    const std::uint64_t commands = counted("cmdstat_") - others;
    return static_cast<double>(commands) / static_cast<double>(counted("cmdstat_evalsha:"));
  };
  const auto grow_to = [&](std::size_t count) {
    while (nodes.size() < count) nodes.push_back(std::make_unique<Node>(options));
    for (const auto& each : nodes) {
      each->set_sessions(5);
      each->wait_until_connected();
    }
    wait_until("all to know of all", [&] {
      return std::all_of(nodes.begin(), nodes.end(), [&](const auto& each) {
        return each->redis().sessions_elsewhere() == 5 * (count - 1);
      });
    });
  };
  grow_to(2);
  const double few = cost();
  grow_to(20);
  const double many = cost();
  EXPECT_LE(many, few + 1) << "commands of a beat";
  EXPECT_LE(many, 8);
}

TEST_F(RedisPresenceTest, TellsAllAgainWhenTooManyWait) {
  Node here(options_for(server_.port()), 20);
  here.wait_until_connected();
  std::set<UserId> all;
  for (std::size_t n = 1; n <= 500; ++n) {
    here.own().enter(room_, identity(n));
    all.insert(user_id(n));
  }
  here.wait_for_roster(room_, all);
  here.own().leave(room_, user_id(1));
  all.erase(user_id(1));
  here.wait_for_roster(room_, all);
}

TEST_F(RedisPresenceTest, WhoTypesIsToldOnOtherNodes) {
  Node here(server_);
  Node there(server_);
  here.watch(room_);
  here.own().enter(room_, identity(1));
  there.own().enter(room_, identity(2));
  here.wait_to_know(users({1, 2}));
  wait_until("the notice to come", [&] {  // who subscribes too late misses one
    there.own().set_typing(room_, user_id(2), true, 0);
    here.listen();
    return here.own().watch(room_).typing.size() == 1;
  });
  here.own().set_typing(room_, user_id(1), true, 0);
  here.wait_to_see_typing(users({1, 2}));
  there.own().set_typing(room_, user_id(2), false, 0);
  here.wait_to_see_typing(users({1}));
}

TEST_F(RedisPresenceTest, WhatNobodyOfTheNodesMadeIsDroppedAndCounted) {
  Node here(server_);
  here.watch(room_);
  here.own().enter(room_, identity(1));
  here.wait_to_know(users({1}));
  const std::string base = "test:{people}:" + room_.to_string() + ":";
  const auto refused = [&] { return here.redis().figures().refused; };
  EXPECT_EQ(refused(), 0U);
  for (const std::string& payload :
       {std::string("forged"), std::string("T\1forged"), std::string(), std::string(100, '9')}) {
    const std::uint64_t before = refused();
    wait_until("the channel", [&] {
      return server_.ask({"PUBLISH", base + "presence", payload}) == "1";
    });
    wait_until("the count", [&] { return refused() > before; });
  }
  const std::uint64_t before = refused();
  const std::string id = bytes_of(user_id(9).value);
  server_.ask({"ZADD", base + "people", "0", id});
  server_.ask({"HSET", base + "names", id, std::string(16, 'x') + "\5admin\1#"});
  wait_until("the page", [&] { return here.page(room_)->people == 2; });
  EXPECT_EQ(ids(here.page(room_)->page), users({1})) << "nobody is named whom no node named";
  EXPECT_GT(refused(), before);
}

TEST_F(RedisPresenceTest, NodesOfAnotherSecretOrStoreAreNotBelieved) {
  RedisPresenceOptions options = options_for(server_.port());
  options.secret = "another secret that nobody else has";
  Node stranger(options);
  Node here(server_);
  stranger.own().enter(room_, identity(1));
  wait_until("him to be there", [&] {
    const auto page = here.page(room_);
    return page && page->people == 1;
  });
  EXPECT_TRUE(here.page(room_)->page.empty());
  EXPECT_GT(here.redis().figures().refused, 0U);
}

TEST(RedisPresenceLogin, NeedsNoMoreRightsThanTheDocumentationSays) {
  ::signal(SIGPIPE, SIG_IGN);
  RedisServer server({"--user",     "default",      "off",      "--user",       "chat",
                      "on",         ">p@ss",        "~test:*",  "&test:*",      "+@read",
                      "+@write",    "-@dangerous",  "+auth",    "+ping",        "+publish",
                      "+subscribe", "+unsubscribe", "+evalsha", "+script|load", "+time"});
  RedisPresenceOptions options = options_for(server.port());
  options.address.login = {"chat", "p@ss"};
  const RoomId room = RoomId::random();
  Node here(options);
  {
    Node there(options);
    there.own().enter(room, identity(2));
    here.watch(room);
    here.own().enter(room, identity(1));
    here.wait_to_know(users({1, 2}));
    there.own().set_typing(room, user_id(2), true, 0);
  }
  here.wait_to_know(users({1}));
}

// Random comings and goings on nodes that stop and come again, over a Redis that is killed: once it
// is quiet, every node knows the people of all.
TEST_F(RedisPresenceTest, RandomlyAgreesWithAModel) {
  std::mt19937_64 random(rtc::test::seed());
  const auto below = [&](std::size_t bound) { return rtc::test::pick(random, 0, bound - 1); };
  std::array<std::unique_ptr<Node>, 3> nodes;
  std::array<std::map<std::size_t, int>, 3> there;  // user: subscriptions
  const auto begin = [&](std::size_t n) {
    nodes[n] = std::make_unique<Node>(server_);
    nodes[n]->watch(room_);
    there[n].clear();
  };
  for (std::size_t n = 0; n < nodes.size(); ++n) begin(n);
  for (int round = 0; round < 12; ++round) {
    const bool away = below(3) == 0;
    for (int step = 0; step < 200; ++step) {
      if (away && step == 50) server_.kill();
      if (away && step == 150) server_.start();
      const std::size_t n = below(nodes.size());
      const std::size_t user = 1 + below(30);
      int& subscriptions = there[n][user];
      if (below(2) == 0) {
        nodes[n]->own().enter(room_, identity(user));
        ++subscriptions;
      } else if (subscriptions > 0) {
        nodes[n]->own().leave(room_, user_id(user));
        --subscriptions;
      }
      if (below(10) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(below(10)));
      if (below(10) == 0) nodes[n]->listen();
    }
    if (below(3) == 0) {
      const std::size_t n = below(nodes.size());
      nodes[n].reset();
      begin(n);
    }
    std::set<UserId> people;
    for (const auto& each : there) {
      for (const auto& [user, count] : each) {
        if (count > 0) people.insert(user_id(user));
      }
    }
    for (const auto& node : nodes) node->wait_to_know(people);
    if (testing::Test::HasFatalFailure()) FAIL() << "round " << round;
  }
}

}  // namespace
}  // namespace rtc::relay
