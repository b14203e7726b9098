// What the tests of the hub and of sessions share: one shard over stores in memory, and sessions
// whose transport is a list of the frames that they sent.
//
// Without start() nothing runs by itself: the test's thread is the loop's. With it the loop has a
// thread of its own, and on_loop() is the only way in.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "contract/memory_store.hpp"
#include "relay/local_relay.hpp"
#include "server/session.hpp"
#include "server/shard.hpp"
#include "server/static_files.hpp"
#include "unit/base/config_loader.hpp"

namespace rtc::server::test {

// Of a STOMP frame as bytes: the first header of that name, as it stands there; "" when absent.
inline std::string header_of(const std::string& frame, const std::string& name) {
  const std::string head = frame.substr(0, frame.find("\n\n"));
  const auto at = head.find("\n" + name + ":");
  if (at == std::string::npos) return "";
  const auto begin = at + name.size() + 2;
  return head.substr(begin, head.find('\n', begin) - begin);
}
inline std::string command_of(const std::string& frame) {
  return frame.substr(0, frame.find('\n'));
}

using Texts = std::vector<std::string>;

// The header that asks for that receipt.
inline std::string receipt(const std::string& name) {
  return "receipt:" + name + "\n";
}
inline constexpr std::string_view kErrors = "/user/queue/errors";
inline std::string lobby() {
  return "/sub/channel/" + chat::lobby_id().to_string();
}

class FakeOutput final : public SessionOutput {
 public:
  explicit FakeOutput(Framing framing = Framing::websocket) : framing_(framing) {}

  Framing framing() const override { return framing_; }
  const net::IpAddress& client() const override { return address; }
  void send(const net::Bytes& framed) override { send(framed.view()); }
  void send(std::string_view framed) override {
    if (close_code == 0) take(framed);
  }
  bool can_ping() const override { return pingable; }
  void ping() override { ++pings; }
  void pause_input() override { paused = true; }
  void resume_input() override { paused = false; }
  void close(std::uint16_t code, std::string_view /*reason*/) override {
    EXPECT_EQ(close_code, 0) << "closed twice";
    close_code = code;
    paused = false;
  }
  std::size_t queued_bytes() const override { return queued; }
  std::uint64_t last_read_ms() const override { return read_ms; }
  std::uint64_t last_write_ms() const override { return write_ms; }

  std::vector<std::string> frames;  // STOMP, whole; "\n" for a heart-beat
  std::uint16_t close_code = 0;
  bool paused = false;
  net::IpAddress address = *net::IpAddress::parse("127.0.0.1");
  bool pingable = true;
  int pings = 0;
  int binaries = 0;  // of the frames, those in binary messages
  std::size_t queued = 0;
  std::uint64_t read_ms = 0;
  std::uint64_t write_ms = 0;

  // The values of `name` in all frames of that command, in order.
  std::vector<std::string> all(const std::string& command, const std::string& name) const {
    std::vector<std::string> values;
    for (const std::string& frame : frames) {
      if (command_of(frame) == command) values.push_back(header_of(frame, name));
    }
    return values;
  }
  std::string last() const { return frames.empty() ? "" : frames.back(); }

 private:
  // WebSocket text messages of a server, whole or in parts: the inverse of append_framed().
  void take(std::string_view part) {
    begun_ += part;
    std::string_view bytes = begun_;
    while (bytes.size() >= 2) {
      ASSERT_TRUE(bytes[0] == '\x81' || bytes[0] == '\x82') << "one final text or binary frame";
      if (bytes[0] == '\x82') ++binaries;
      std::size_t size = static_cast<unsigned char>(bytes[1]);
      std::size_t head = 2;
      if (size > 125) {
        head += size == 126 ? 2 : 8;
        if (bytes.size() < head) break;
        size = 0;
        for (std::size_t i = 2; i < head; ++i) {
          size = size << 8 | static_cast<unsigned char>(bytes[i]);
        }
      }
      if (bytes.size() < head + size) break;
      take_message(bytes.substr(head, size));
      bytes.remove_prefix(head + size);
    }
    begun_.erase(0, begun_.size() - bytes.size());
  }
  void take_message(std::string_view message) {
    if (framing_ == Framing::websocket) {
      frames.emplace_back(message);
      return;
    }
    ASSERT_TRUE(message.starts_with("a["));
    const auto array = boost::json::parse({message.data() + 1, message.size() - 1});
    for (const auto& each : array.as_array()) frames.emplace_back(each.as_string());
  }

  Framing framing_;
  std::string begun_;  // a message that has not come whole
};

// Takes the tokens "user <digit>", "other token of user <digit>" and "expired".
class FakeTokens final : public chat::TokenAuthority {
 public:
  static UserId user(char digit) {
    UserId id;
    id.value.bytes[0] = static_cast<std::uint8_t>(digit);
    return id;
  }
  std::string issue(const chat::Identity&, std::int64_t) const override { return ""; }
  chat::TokenCheck check(std::string_view token, std::int64_t) const override {
    using Verdict = chat::TokenCheck::Verdict;
    if (token == "expired") return {Verdict::expired, {user('e'), "e", "#000000", "203.0"}, 1};
    const auto at = token.find("user ");
    if (at == std::string_view::npos) return {};
    return {Verdict::valid, {user(token[at + 5]), "nick", "#ABCDEF", "203.0"}, 1};
  }
};

class World {
 public:
  World() : config(rtc::test::ConfigLoader().load({})->config) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() { stop(); }

  Config config;               // to be changed before the first use of the shard
  unsigned readers = 2;        // threads that read the store; as config
  bool several_nodes = false;  // others write to the store too; as config
  chat::MemoryStore store;
  chat::Fanout fanout;

  Shard& shard() {
    if (shard_ == nullptr) build();
    return *shard_;
  }
  // With several nodes; the test tells it the time.
  chat::RoomOrder& order() { return *order_; }
  void start() {
    shard();
    thread_ = std::thread([this] { shard_->loop().run(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    shard_->loop().stop();
    thread_.join();
    queue_->drain();
  }
  void on_loop(const std::function<void()>& action) {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    shard().loop().post([&] {
      action();
      const std::scoped_lock lock(mutex);
      done = true;
      changed.notify_all();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done; });
  }
  // Returns once `holds` does, which is asked on the loop; fails after a minute.
  void await(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    for (bool held = false; !held;) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited for too long";
      on_loop([&] { held = holds(); });
    }
  }

  // From now on outcomes wait until they are let go.
  void hold_outcomes() {
    const std::scoped_lock lock(held_mutex_);
    holding_ = true;
  }
  // Waits until so many are held.
  void await_held(std::size_t count) {
    std::unique_lock lock(held_mutex_);
    ASSERT_TRUE(held_changed_.wait_for(lock, std::chrono::minutes(1),
                                       [&] { return held_.size() >= count; }));
  }
  // Settles the oldest `count` of those held; `change` may make them failures.
  void let_go(std::size_t count, const std::function<void(chat::Outcome&)>& change = {}) {
    std::vector<chat::Outcome> outcomes;
    {
      const std::scoped_lock lock(held_mutex_);
      ASSERT_LE(count, held_.size());
      const auto end = held_.begin() + static_cast<std::ptrdiff_t>(count);
      outcomes.assign(held_.begin(), end);
      held_.erase(held_.begin(), end);
    }
    if (change) {
      for (chat::Outcome& each : outcomes) change(each);
    }
    on_loop([&] { shard_->settle(outcomes); });
  }

 private:
  void build() {
    if (several_nodes) build_order();
    relay_.start(
        [this](const chat::MessageBatch& batch) {
          if (order_ == nullptr) {
            fanout.publish(batch);
          } else {
            order_->take(batch);
          }
        },
        {});
    queue_ = std::make_unique<chat::StoreQueue>(
        store, fanout,
        chat::StoreQueueBounds{.messages_max = config.store_queue_max, .readers = readers},
        [this](const chat::MessageBatch& committed, std::vector<chat::Outcome> outcomes) {
          if (!committed->empty()) relay_.publish(committed);
          take(std::move(outcomes));
        });
    services_ =
        std::unique_ptr<Services>(new Services{.config = config,
                                               .tokens = tokens_,
                                               .messages = store,
                                               .rooms = store,
                                               .fanout = fanout,
                                               .store = *queue_,
                                               .order = order_.get(),
                                               .files = files_,
                                               .new_identity = {},
                                               .metrics_text = {},
                                               .sockjs = sockjs_services(config),
                                               .shards = {},
                                               .trusted_proxies = {},
                                               .rate_exempt = {*net::Network::parse("127.0.0.0/8")},
                                               .metrics_allowed = {},
                                               .totals = {}});
    shard_ = std::make_unique<Shard>(*services_, 0);
    services_->shards.push_back(shard_.get());
  }
  void build_order() {
    order_ = std::make_unique<chat::RoomOrder>(
        chat::RoomOrder::Ports{
            .store = store,
            .relay = relay_,
            .read = [this](std::function<void()> job) { return queue_->read(std::move(job)); },
            .deliver = [this](const chat::MessageBatch& batch) { fanout.publish(batch); },
            .overloaded = [] { return false; }},
        chat::RoomOrderBounds{});
  }
  void take(std::vector<chat::Outcome> outcomes) {
    const std::scoped_lock lock(held_mutex_);
    if (!holding_) {
      shard_->loop().post([this, outcomes = std::move(outcomes)] { shard_->settle(outcomes); });
      return;
    }
    for (chat::Outcome& each : outcomes) held_.push_back(std::move(each));
    held_changed_.notify_all();
  }

  FakeTokens tokens_;
  StaticFiles files_{{}};
  relay::LocalRelay relay_;
  std::unique_ptr<chat::RoomOrder> order_;
  std::mutex held_mutex_;
  std::condition_variable held_changed_;
  bool holding_ = false;
  std::vector<chat::Outcome> held_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<Shard> shard_;
  std::unique_ptr<chat::StoreQueue> queue_;  // its threads end before the shard goes
  std::thread thread_;
};

// A session and its transport.
struct Person {
  Person(World& world, Framing framing = Framing::websocket)
      : output(framing), session(world.shard(), output) {
    output.read_ms = output.write_ms = world.shard().loop().now_ms();
  }
  // A frame of lines, its end added.
  void say(std::string_view frame) { session.on_bytes(std::string(frame) + std::string(1, '\0')); }
  void connect(const std::string& version = "1.2", const std::string& more = "") {
    say("CONNECT\naccept-version:" + version + "\nAuthorization:Bearer user 1\n" + more + "\n");
  }
  void subscribe(const std::string& id, const std::string& destination,
                 const std::string& more = "") {
    say("SUBSCRIBE\nid:" + id + "\ndestination:" + destination + "\n" + more + "\n");
  }
  void send(const RoomId& room, const std::string& text, const std::string& more = "") {
    say("SEND\ndestination:/pub/chat\n" + more + "\n{\"roomId\":\"" + room.to_string() +
        "\",\"message\":\"" + text + "\"}");
  }

  FakeOutput output;
  Session session;
};

// Sessions of a world that was started.
class SessionsTest : public testing::Test {
 protected:
  ~SessionsTest() override {
    world_.stop();
    people_.clear();
  }
  void on(const std::function<void()>& action) { world_.on_loop(action); }
  // Another one, who begins with that.
  Person& enter(const std::function<void(Person&)>& begin, Framing framing = Framing::websocket) {
    Person* person = nullptr;
    on([&] {
      people_.push_back(std::make_unique<Person>(world_, framing));
      person = people_.back().get();
      begin(*person);
    });
    return *person;
  }
  Texts headers(const Person& person, const std::string& command, const std::string& name) {
    Texts values;
    on([&] { values = person.output.all(command, name); });
    return values;
  }
  Texts receipts(const Person& person) { return headers(person, "RECEIPT", "receipt-id"); }
  std::string last(const Person& person) {
    std::string frame;
    on([&] { frame = person.output.last(); });
    return frame;
  }

  World world_;
  std::vector<std::unique_ptr<Person>> people_;
};

// Whether the session was ended with an ERROR of that type.
inline void expect_failed(const Person& person, std::string_view type, std::uint16_t close_code) {
  EXPECT_EQ(command_of(person.output.last()), "ERROR") << person.output.last();
  EXPECT_NE(person.output.last().find("\"type\":\"" + std::string(type) + "\""), std::string::npos)
      << person.output.last();
  EXPECT_EQ(person.output.close_code, close_code);
}

}  // namespace rtc::server::test
