// Several nodes over one store, and between them a relay that loses, repeats and reorders what it
// carries, forgets to say so, and falls silent for a while. Readers come to rooms on any node and
// go again while all nodes commit: each must see every message of his time once, in the order of
// ids.
//
// The printed seed is the first round's, the next ones' follow it; RTC_TEST_ROUNDS runs more.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <gtest/gtest.h>
#include <map>
#include <random>

#include "chat/room_order.hpp"
#include "contract/memory_store.hpp"
#include "unit/base/seed.hpp"

namespace rtc::chat {
namespace {

constexpr std::size_t kNodes = 3;
constexpr std::size_t kRooms = 4;
constexpr int kEvents = 20'000;

std::uint64_t rounds() {
  const char* given = std::getenv("RTC_TEST_ROUNDS");
  return given == nullptr ? 5 : std::strtoull(given, nullptr, 10);
}

// Somebody who listens to a room on a node.
struct Reader {
  RoomId room;
  MessageId committed_before = 0;  // what was there when he came: he may or may not see its end
  MessageId next = 0;              // 0: he has seen nothing
};

class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed) {
    for (RoomId& room : rooms_) {
      Room made;
      room = made.id = RoomId::random();
      EXPECT_TRUE(store_.create(made, {100, 100}));
    }
    for (std::size_t i = 0; i < kNodes; ++i) nodes_[i] = std::make_unique<Node>(*this);
  }

  const std::string& problem() const { return problem_; }

  void event() {
    Node& node = *nodes_[pick(0, kNodes - 1)];
    const std::size_t what = pick(0, 99);
    if (what < 25) {
      commit(node);
    } else if (what < 45) {
      publish(node);
    } else if (what < 65) {
      arrive(node);
    } else if (what < 72) {
      come(node, rooms_[pick(0, kRooms - 1)]);
    } else if (what < 77) {
      leave(node);
    } else if (what < 90) {
      run_job(node);
    } else if (what < 97) {
      node.order.tick(now_ms_ += pick(1, 30));
    } else if (what < 98) {
      store_.reads_fail = !store_.reads_fail && pick(0, 2) == 0;
    } else if (what < 99) {
      node.overloaded = !node.overloaded && pick(0, 1) == 0;
    } else {
      cut_or_connect(node);
    }
    if (pick(0, 2'000) == 0) now_ms_ += 2 * RoomOrder::kLingerMs;  // all is quiet for long
  }

  // Everything heals by itself, and then everybody has everything.
  void settle() {
    store_.reads_fail = false;
    for (const auto& node : nodes_) node->overloaded = false;
    for (int i = 0; i < 700; ++i) {
      now_ms_ += 20;
      for (const auto& node : nodes_) {
        if (!node->connected) cut_or_connect(*node);
        while (!node->unpublished.empty()) publish(*node);
        while (!node->inbox.empty()) arrive(*node);
        node->order.tick(now_ms_);
        while (!node->jobs.empty()) run_job(*node);
      }
    }
    for (const auto& node : nodes_) {
      for (const Reader& reader : node->readers) {
        const MessageId newest = newest_of(reader.room);
        const MessageId has = reader.next == 0 ? reader.committed_before : reader.next - 1;
        if (has != newest) {
          wrong("a reader has " + std::to_string(has) + " of " + std::to_string(newest));
        }
      }
      if (node->order.figures().held_bytes != 0) wrong("messages are held that nobody misses");
    }
  }

 private:
  struct Node final : Relay {
    explicit Node(Model& world)
        : model(world),
          order({.store = world.store_,
                 .relay = *this,
                 .read =
                     [this](std::function<void()> job) {
                       if (model.pick(0, 30) == 0) return false;
                       jobs.push_back(std::move(job));
                       return true;
                     },
                 .deliver = [this](const MessageBatch& batch) { model.heard(*this, *batch); },
                 .overloaded = [this] { return overloaded; }},
                {.hole_wait_ms = 20,
                 .check_interval_ms = 500,
                 .checks_max = 100,
                 .held_bytes_max = 5'000}) {
      order.tick(world.now_ms_);
    }
    void start(OnMessages, OnDoubt) override {}
    void publish(const MessageBatch&) override {}
    void follow(const RoomId& room) override {
      if (++followed[room] == 1) confirming.push_back(room);
    }
    void unfollow(const RoomId& room) override {
      if (--followed[room] == 0) followed.erase(room);
    }

    Model& model;
    RoomOrder order;
    bool connected = true;
    bool overloaded = false;
    std::map<RoomId, int> followed;
    std::deque<RoomId> confirming;         // asked for, not yet said to be so
    std::deque<MessageBatch> unpublished;  // committed here
    std::deque<MessageBatch> inbox;        // of other nodes
    std::deque<std::function<void()>> jobs;
    std::vector<Reader> readers;
  };

  std::size_t pick(std::size_t low, std::size_t high) {
    return rtc::test::pick(random_, low, high);
  }
  void wrong(std::string what) {
    if (problem_.empty()) problem_ = std::move(what);
  }
  MessageId newest_of(const RoomId& room) { return newest_[room]; }

  void commit(Node& node) {
    std::vector<Draft> drafts;
    for (std::size_t count = pick(1, 6); count > 0; --count) {
      drafts.push_back({rooms_[pick(0, kRooms - 1)], {}, "text", 0, ""});
    }
    const auto stored = store_.append(drafts);
    auto batch = std::make_shared<std::vector<Message>>();
    for (std::size_t i = 0; i < drafts.size(); ++i) {
      const MessageId id = (*stored)[i].id;
      batch->push_back({drafts[i].room, id, {}, "text", 0});
      newest_[drafts[i].room] = id;
    }
    node.unpublished.push_back(std::move(batch));
  }

  void publish(Node& node) {
    if (node.unpublished.empty()) return;
    const MessageBatch batch = node.unpublished.front();
    node.unpublished.pop_front();
    node.order.take(batch);
    if (!node.connected) return;  // lost: its queue was full
    for (const auto& other : nodes_) {
      if (other.get() == &node || !other->connected) continue;
      std::map<RoomId, std::shared_ptr<std::vector<Message>>> by_room;
      for (const Message& each : *batch) {
        const bool asked = std::find(other->confirming.begin(), other->confirming.end(),
                                     each.room) != other->confirming.end();
        if (asked || !other->followed.contains(each.room)) continue;
        auto& part = by_room[each.room];
        if (part == nullptr) part = std::make_shared<std::vector<Message>>();
        part->push_back(each);
      }
      for (const auto& [room, part] : by_room) {
        for (std::size_t times = pick(0, 9) == 0 ? pick(0, 2) : 1; times > 0; --times) {
          const bool early = pick(0, 4) == 0;
          const auto at = static_cast<std::ptrdiff_t>(early ? pick(0, other->inbox.size())
                                                            : other->inbox.size());
          other->inbox.insert(other->inbox.begin() + at, part);
        }
      }
    }
  }

  void arrive(Node& node) {
    if (node.connected && !node.confirming.empty() && pick(0, 1) == 0) {
      const RoomId room = node.confirming.front();
      node.confirming.pop_front();
      node.order.doubt(room);
    }
    if (node.inbox.empty()) return;
    const MessageBatch batch = node.inbox.front();
    node.inbox.pop_front();
    node.order.take(batch);
  }

  void cut_or_connect(Node& node) {
    node.connected = !node.connected;
    node.inbox.clear();
    node.confirming.clear();
    if (!node.connected) return;
    for (const auto& [room, count] : node.followed) node.confirming.push_back(room);
  }

  void come(Node& node, const RoomId& room) {
    if (node.order.watch(room)) {
      node.readers.push_back({room, newest_of(room)});
      return;
    }
    node.jobs.push_back([this, &node, room] {
      if (node.order.open(room)) come(node, room);
    });
  }

  void leave(Node& node) {
    if (node.readers.empty()) return;
    const std::size_t which = pick(0, node.readers.size() - 1);
    node.order.unwatch(node.readers[which].room);
    node.readers.erase(node.readers.begin() + static_cast<std::ptrdiff_t>(which));
  }

  void run_job(Node& node) {
    if (node.jobs.empty()) return;
    const auto at = static_cast<std::ptrdiff_t>(pick(0, node.jobs.size() - 1));
    const auto job = std::move(node.jobs[static_cast<std::size_t>(at)]);
    node.jobs.erase(node.jobs.begin() + at);
    job();
  }

  void heard(Node& node, const std::vector<Message>& messages) {
    for (const Message& message : messages) {
      if (message.id > newest_of(message.room)) wrong("a message that was not committed");
      for (Reader& reader : node.readers) {
        if (reader.room != message.room) continue;
        const bool first = reader.next == 0;
        if (first ? message.id > reader.committed_before + 1 : message.id != reader.next) {
          wrong("heard " + std::to_string(message.id) + " after " +
                std::to_string(first ? reader.committed_before : reader.next - 1));
        }
        reader.next = message.id + 1;
      }
    }
  }

  std::mt19937_64 random_;
  std::uint64_t now_ms_ = 1'000;
  MemoryStore store_;
  std::array<RoomId, kRooms> rooms_;
  std::map<RoomId, MessageId> newest_;
  std::array<std::unique_ptr<Node>, kNodes> nodes_;
  std::string problem_;
};

TEST(RoomOrderModel, EverybodySeesHisTimeOnceAndInOrder) {
  for (std::uint64_t round = 0; round < rounds(); ++round) {
    const std::uint64_t seed = rtc::test::seed() + round;
    Model model(seed);
    for (int i = 0; i < kEvents; ++i) {
      model.event();
      ASSERT_EQ(model.problem(), "") << "in event " << i << " of RTC_TEST_SEED=" << seed;
    }
    model.settle();
    ASSERT_EQ(model.problem(), "") << "at the end of RTC_TEST_SEED=" << seed;
  }
}

}  // namespace
}  // namespace rtc::chat
