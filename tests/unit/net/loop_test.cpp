#include "net/loop.hpp"

#include <chrono>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "net/post_together.hpp"
#include "unit/net/sockets.hpp"

namespace rtc::net {
namespace {

using test::Awaited;
using test::LoopThread;

TEST(Loop, RunsWhatOneThreadPostsInItsOrder) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kTasks = 5000;
  LoopThread thread;
  std::vector<std::size_t> next(kThreads, 0);
  std::vector<std::thread> posters;
  for (std::size_t t = 0; t < kThreads; ++t) {
    posters.emplace_back([&, t] {
      for (std::size_t i = 0; i < kTasks; ++i) {
        thread.loop().post([&, t, i] {
          EXPECT_TRUE(thread.loop().in_loop_thread());
          EXPECT_EQ(next[t], i);
          next[t] = i + 1;
        });
      }
    });
  }
  for (std::thread& each : posters) each.join();
  thread.run([&] { EXPECT_EQ(next, std::vector<std::size_t>(kThreads, kTasks)); });
  EXPECT_FALSE(thread.loop().in_loop_thread());
}

TEST(Loop, ATaskMayPostAnother) {
  LoopThread thread;
  Awaited<int> depth;
  std::function<void(int)> deeper = [&](int level) {
    if (level == 100) {
      depth.set(level);
    } else {
      thread.loop().post([&, level] { deeper(level + 1); });
    }
  };
  thread.loop().post([&] { deeper(0); });
  EXPECT_EQ(depth.get(), 100);
}

TEST(Loop, WhatIsPostedTogetherRunsInOneTurn) {
  LoopThread thread;
  Loop& loop = thread.loop();
  int turns = 0;
  thread.run([&] { loop.add_turn_end([&] { ++turns; }); });
  int together_in_one = 0;
  pid_t tid = 0;
  thread.run([&] { tid = ::gettid(); });
  for (int round = 0; round < 50; ++round) {
    int first = 0;
    int second = 0;
    test::await_sleep(tid);
    {
      const PostTogether together;
      loop.post([&] { first = turns; });
      std::this_thread::sleep_for(std::chrono::milliseconds(1));  // it would have run by itself
      loop.post([&] { second = turns; });
    }
    thread.run([&] { together_in_one += first == second ? 1 : 0; });
  }
  // Not each time: a loop that is awake for another reason takes the first one at once.
  EXPECT_GT(together_in_one, 25);
}

TEST(Loop, WhatIsPostedTogetherToSeveralLoopsWakesEach) {
  LoopThread one;
  LoopThread two;
  Awaited<int> first;
  Awaited<int> second;
  {
    const PostTogether together;
    one.loop().post([&] { first.set(1); });
    two.loop().post([&] { second.set(2); });
  }
  EXPECT_EQ(first.get() + second.get(), 3);
}

TEST(Loop, TasksPostedBeforeRunAreRun) {
  Loop loop(make_epoll_poller());
  std::vector<int> ran;
  loop.post([&] { ran.push_back(1); });
  loop.post([&] { ran.push_back(2); });
  loop.stop();
  loop.run();
  EXPECT_EQ(ran, (std::vector<int>{1, 2}));
}

TEST(Loop, HooksRunAtEveryTurnsEndInTheirOrderBeforeTheWrites) {
  Loop loop(make_epoll_poller());
  test::SocketPair pair = test::connected_pair();
  std::vector<int> ran;
  auto connection = std::make_unique<Connection>(loop, pair.server, *IpAddress::parse("127.0.0.1"),
                                                 std::make_unique<test::TestHandler>());
  Connection* const to = connection.get();
  loop.adopt(std::move(connection));
  loop.add_turn_end([&] { ran.push_back(1); });
  loop.add_turn_end([&] {
    ran.push_back(2);
    to->send("from the hook");
  });
  loop.post([&] { EXPECT_TRUE(ran.empty()); });
  loop.stop();
  loop.run();
  EXPECT_EQ(ran, (std::vector<int>{1, 2}));
  EXPECT_EQ(pair.client.read_to_end(), "from the hook") << "one turn: the hook's bytes are written";
  EXPECT_EQ(loop.figures().turns.load(), 1U);
  EXPECT_EQ(loop.figures().writes.load(), 1U);
  EXPECT_EQ(loop.figures().bytes_written.load(), 13U);
}

TEST(Loop, ALagLastsUntilTheTurnsWritesAreDone) {
  Loop loop(make_epoll_poller());
  const std::uint64_t since_us = monotonic_us() - 1'000'000;
  loop.post([&] {
    loop.note_lag(since_us);
    loop.note_lag(monotonic_us());
    EXPECT_EQ(loop.figures().lag_us.sum(), 0U) << "the turn has not ended";
  });
  loop.post([&] { loop.stop(); });
  loop.run();
  const std::uint64_t most_us = 2 * (monotonic_us() - since_us);
  EXPECT_GE(loop.figures().lag_us.sum(), 1'000'000U);
  EXPECT_LE(loop.figures().lag_us.sum(), most_us);
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < loop.figures().lag_us.kBuckets; ++i) {
    count += loop.figures().lag_us.count_of(i);
  }
  EXPECT_EQ(count, 2U) << "each once";
}

TEST(Loop, CountsTheSegmentsOfEachWriteAndWhatTheKernelDidNotTake) {
  test::LoopThread thread;
  test::SocketPair pair = test::connected_pair();
  Connection* connection = nullptr;
  const LoopFigures& figures = thread.loop().figures();
  thread.run([&] {
    connection = &thread.adopt(pair.server, std::make_unique<test::TestHandler>(), {});
    for (const char* text : {"one", "two", "three"}) connection->send(text);
    EXPECT_EQ(figures.writes, 0U);
  });
  EXPECT_EQ(pair.client.read(11), "onetwothree");
  thread.finish_turn();
  EXPECT_EQ(figures.writes, 1U);
  EXPECT_EQ(figures.write_segments.sum(), 3U);
  EXPECT_EQ(figures.queued_bytes, 0U);

  constexpr std::size_t kMuch = 8 << 20;
  thread.run([&] { connection->send(std::string(kMuch, 'x')); });
  thread.finish_turn();
  EXPECT_GT(figures.queued_bytes, 0U) << "the socket is full";
  EXPECT_LT(figures.queued_bytes, kMuch);
  EXPECT_EQ(pair.client.read(kMuch).size(), kMuch);
  thread.run([&] { EXPECT_EQ(connection->queued_bytes(), 0U); });
  thread.finish_turn();
  EXPECT_EQ(figures.queued_bytes, 0U);
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < figures.write_segments.kBuckets; ++i) {
    count += figures.write_segments.count_of(i);
  }
  EXPECT_EQ(count, figures.writes);
}

TEST(Loop, TimersFireWithoutAnyEvent) {
  LoopThread thread;
  class Alarm final : public Timer {
   public:
    explicit Alarm(Awaited<bool>& rung) : rung_(rung) {}

   private:
    void on_timer() override { rung_.set(true); }
    Awaited<bool>& rung_;
  };
  Awaited<bool> rung;
  Alarm alarm(rung);
  const auto began = std::chrono::steady_clock::now();
  thread.run([&] { thread.loop().timers().arm(alarm, 50); });
  EXPECT_TRUE(rung.get());
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(40));
  thread.stop();
}

// Waits for long, whatever happens.
class SlowPoller final : public Poller {
 public:
  static constexpr std::chrono::milliseconds kPause{100};

  void add(int fd, Interest interest, void* token) override { inner_->add(fd, interest, token); }
  void change(int fd, Interest interest, void* token) override {
    inner_->change(fd, interest, token);
  }
  void remove(int fd) override { inner_->remove(fd); }
  std::span<const Ready> wait(int timeout_ms) override {
    std::this_thread::sleep_for(kPause);
    ++waits;
    return inner_->wait(timeout_ms);
  }
  void write(std::span<Write> writes) override { inner_->write(writes); }

  int waits = 0;

 private:
  std::unique_ptr<Poller> inner_ = make_epoll_poller();
};

TEST(Loop, MeasuresItsTurnsWithoutTheWaiting) {
  using Clock = std::chrono::steady_clock;
  log::set_level(log::Level::off);
  auto made = std::make_unique<SlowPoller>();
  const SlowPoller& poller = *made;
  Loop loop(std::move(made), 10);
  loop.post([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    loop.post([&] { loop.stop(); });
  });
  const auto began = Clock::now();
  loop.run();
  const auto lasted = Clock::now() - began;
  log::set_level(log::Level::info);
  const LoopFigures& figures = loop.figures();
  EXPECT_GE(figures.slow_turns, 1U);
  EXPECT_GE(figures.longest_turn_us, 20'000U);
  EXPECT_GE(figures.busy_us, figures.longest_turn_us);
  EXPECT_EQ(figures.turn_us.sum(), figures.busy_us);
  std::uint64_t turns = 0;
  std::uint64_t slow = 0;
  for (std::size_t i = 0; i < figures.turn_us.kBuckets; ++i) {
    turns += figures.turn_us.count_of(i);
    if (figures.turn_us.bound_of(i) > 20'000) slow += figures.turn_us.count_of(i);
  }
  EXPECT_EQ(turns, figures.turns);
  EXPECT_GE(slow, 1U);
  EXPECT_LE(std::chrono::microseconds(figures.busy_us) + poller.waits * SlowPoller::kPause, lasted);
}

}  // namespace
}  // namespace rtc::net
