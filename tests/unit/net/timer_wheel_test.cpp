#include "net/timer_wheel.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <vector>

#include "unit/base/seed.hpp"

namespace rtc::net {
namespace {

constexpr std::uint64_t kTick = TimerWheel::kTickMs;
constexpr std::uint64_t kTurn = TimerWheel::kTickMs * TimerWheel::kSlots;
// When the half of the ticks' count that a timer keeps begins anew.
constexpr std::uint64_t kWrap = kTick << 32;

class TestTimer final : public Timer {
 public:
  explicit TestTimer(std::function<void(TestTimer&)> action = {}) : action_(std::move(action)) {}
  int fired() const { return fired_; }

 private:
  void on_timer() override {
    ++fired_;
    if (action_) action_(*this);
  }
  std::function<void(TestTimer&)> action_;
  int fired_ = 0;
};

TEST(TimerWheel, FiresOnceNeverEarlyAtMostATickLate) {
  for (const std::uint64_t start :
       {std::uint64_t{0}, std::uint64_t{1}, kTick - 1, kTick, 12345UL, kWrap - kTurn, kWrap - 1}) {
    for (const std::uint64_t delay : {std::uint64_t{0}, std::uint64_t{1}, kTick - 1, kTick,
                                      kTick + 1, kTurn - 1, kTurn, kTurn + 1, 3 * kTurn + 7}) {
      TimerWheel wheel(start);
      TestTimer timer;
      wheel.arm(timer, delay);
      EXPECT_TRUE(timer.armed());
      std::uint64_t now = start;
      while (timer.fired() == 0 && now <= start + delay + kTick) wheel.advance(++now);
      EXPECT_EQ(timer.fired(), 1) << start << "+" << delay;
      EXPECT_GE(now, start + delay);
      EXPECT_LE(now, start + delay + kTick);
      EXPECT_FALSE(timer.armed());
      wheel.advance(now + 2 * kTurn);
      EXPECT_EQ(timer.fired(), 1) << "once";
    }
  }
}

TEST(TimerWheel, CancelledOrDestroyedTimersDoNotFire) {
  TimerWheel wheel(0);
  TestTimer cancelled;
  auto destroyed = std::make_unique<TestTimer>([](TestTimer&) { ADD_FAILURE(); });
  TestTimer stays;
  wheel.arm(cancelled, 10);
  wheel.arm(*destroyed, 10);
  wheel.arm(stays, 10);
  cancelled.cancel();
  cancelled.cancel();
  EXPECT_FALSE(cancelled.armed());
  destroyed.reset();
  wheel.advance(100);
  EXPECT_EQ(cancelled.fired(), 0);
  EXPECT_EQ(stays.fired(), 1);
}

TEST(TimerWheel, ArmingAgainMovesTheTimer) {
  TimerWheel wheel(0);
  TestTimer later;
  wheel.arm(later, 20);
  wheel.arm(later, 500);
  wheel.advance(400);
  EXPECT_EQ(later.fired(), 0);
  wheel.advance(520);
  EXPECT_EQ(later.fired(), 1);
}

TEST(TimerWheel, OutlivedByItsTimers) {
  TestTimer timer;
  {
    TimerWheel wheel(0);
    wheel.arm(timer, 10);
  }
  EXPECT_FALSE(timer.armed());
}

TEST(TimerWheel, OnTimerMayArmItsTimerAgain) {
  TimerWheel wheel(0);
  TestTimer timer([&](TestTimer& self) { wheel.arm(self, 50); });
  wheel.arm(timer, 50);
  std::uint64_t last = 0;
  for (std::uint64_t now = 1; now <= 1000; ++now) {
    const int before = timer.fired();
    wheel.advance(now);
    if (timer.fired() == before) continue;
    EXPECT_EQ(timer.fired(), before + 1);
    EXPECT_GE(now, last + 50);
    last = now;
  }
  EXPECT_GE(timer.fired(), 1000 / static_cast<int>(50 + kTick));
  EXPECT_TRUE(timer.armed());
}

// A timer that arms itself without a delay must not keep advance() from returning.
TEST(TimerWheel, ArmingWithoutDelayFromOnTimerEnds) {
  TimerWheel wheel(0);
  TestTimer timer([&](TestTimer& self) { wheel.arm(self, 0); });
  wheel.arm(timer, 0);
  for (std::uint64_t now = kTick; now <= 10 * kTick; now += kTick) wheel.advance(now);
  EXPECT_GE(timer.fired(), 5);
  EXPECT_LE(timer.fired(), 10);
}

TEST(TimerWheel, OnTimerMayDestroyItsTimerAndOthersOfTheSameTick) {
  TimerWheel wheel(0);
  std::vector<std::unique_ptr<TestTimer>> timers;
  int fired = 0;
  for (int i = 0; i < 4; ++i) {
    timers.push_back(std::make_unique<TestTimer>([&](TestTimer&) {
      ++fired;
      // By way of a local: the function that runs belongs to a timer that dies here.
      auto* const all = &timers;
      all->clear();
    }));
    wheel.arm(*timers.back(), 10);
  }
  wheel.advance(100);
  EXPECT_EQ(fired, 1);
}

TEST(TimerWheel, OnTimerMayCancelAndArmOthersOfTheSameTick) {
  TimerWheel wheel(0);
  TestTimer cancelled;
  TestTimer moved;
  TestTimer fresh;
  TestTimer first([&](TestTimer&) {
    cancelled.cancel();
    wheel.arm(moved, 1000);
    wheel.arm(fresh, 30);
  });
  for (TestTimer* each : {&first, &cancelled, &moved}) wheel.arm(*each, 10);
  wheel.advance(16);
  EXPECT_EQ(first.fired(), 1);
  EXPECT_EQ(cancelled.fired() + moved.fired() + fresh.fired(), 0);
  wheel.advance(64);
  EXPECT_EQ(fresh.fired(), 1);
  EXPECT_EQ(moved.fired(), 0);
  wheel.advance(1040);
  EXPECT_EQ(moved.fired(), 1);
  EXPECT_EQ(cancelled.fired(), 0);
}

TEST(TimerWheel, ALongSleepFiresAllThatIsDueAndNothingElse) {
  TimerWheel wheel(5);
  std::vector<std::unique_ptr<TestTimer>> due;
  for (std::uint64_t delay = 1; delay < 5 * kTurn; delay += kTurn / 7) {
    due.push_back(std::make_unique<TestTimer>());
    wheel.arm(*due.back(), delay);
  }
  TestTimer later;
  wheel.arm(later, 7 * kTurn);
  wheel.advance(6 * kTurn);
  for (const auto& each : due) EXPECT_EQ(each->fired(), 1);
  EXPECT_EQ(later.fired(), 0);
  wheel.advance(7 * kTurn + 5 + kTick);
  EXPECT_EQ(later.fired(), 1);
}

TEST(TimerWheel, TimeThatStandsOrGoesBackFiresNothing) {
  TimerWheel wheel(1000);
  TestTimer timer;
  wheel.arm(timer, 100);
  wheel.advance(1000);
  wheel.advance(10);
  EXPECT_EQ(timer.fired(), 0);
  wheel.advance(1116);
  EXPECT_EQ(timer.fired(), 1);
}

TEST(TimerWheel, SleepsForEverWithoutTimersAndNeverTooLongWithThem) {
  TimerWheel wheel(0);
  EXPECT_EQ(wheel.sleep_ms(0), -1);
  TestTimer timer;
  for (const std::uint64_t delay : {std::uint64_t{1}, kTick, std::uint64_t{1000}, 3 * kTurn + 5}) {
    wheel.arm(timer, delay);
    const std::uint64_t armed_at = wheel.sleep_ms(0) >= 0 ? 0 : 1;
    EXPECT_EQ(armed_at, 0U);
    timer.cancel();
  }
  EXPECT_EQ(wheel.sleep_ms(0), -1);
}

// Against a list of due times, the wheel advanced as a loop does: after a sleep, perhaps too long.
TEST(TimerWheel, AgreesWithAModel) {
  std::mt19937_64 random(test::seed());
  std::uint64_t now = kWrap - test::pick(random, 0, 100'000);
  TimerWheel wheel(now);
  struct Expected {
    TestTimer timer;
    bool armed = false;
    std::uint64_t due = 0;
    int fired = 0;
  };
  std::vector<Expected> all(40);
  for (int step = 0; step < 20'000; ++step) {
    Expected& one = all[test::pick(random, 0, all.size() - 1)];
    const std::size_t what = test::pick(random, 0, 9);
    if (what < 4) {
      const std::uint64_t delay = test::pick(random, 0, what == 0 ? 4 * kTurn : 500);
      wheel.arm(one.timer, delay);
      one.armed = true;
      one.due = now + delay;
    } else if (what < 5) {
      one.timer.cancel();
      one.armed = false;
    } else {
      const int sleep = wheel.sleep_ms(now);
      std::uint64_t nearest = UINT64_MAX;
      for (const Expected& each : all) {
        if (each.armed) nearest = std::min(nearest, each.due);
      }
      ASSERT_EQ(sleep < 0, nearest == UINT64_MAX);
      if (sleep >= 0) {
        ASSERT_LE(now + static_cast<std::uint64_t>(sleep), std::max(nearest, now) + kTick);
      }
      now += what == 5 ? test::pick(random, 0, 3 * kTurn)
                       : test::pick(random, 0, static_cast<std::size_t>(std::max(sleep, 40)));
      wheel.advance(now);
      for (Expected& each : all) {
        if (each.armed && each.timer.fired() > each.fired) {
          ASSERT_GE(now, each.due) << "early";
          each.armed = false;
          ++each.fired;
        }
        ASSERT_EQ(each.timer.fired(), each.fired);
        ASSERT_EQ(each.timer.armed(), each.armed);
        if (each.armed) {
          ASSERT_LE(now, each.due + kTick) << "late";
        }
      }
    }
  }
}

// A loop that slept for long tells the time before it hands out events, which arm timers.
TEST(TimerWheel, WhatIsArmedAfterALongSleepIsNotDueAtOnce) {
  constexpr std::uint64_t kStart = 1'000'000;
  TimerWheel wheel(kStart);
  TestTimer timer;
  wheel.set_time(kStart + 60'000);
  wheel.arm(timer, 10'000);
  wheel.advance(kStart + 60'000);
  EXPECT_EQ(timer.fired(), 0);
  wheel.advance(kStart + 69'999);
  EXPECT_EQ(timer.fired(), 0);
  wheel.advance(kStart + 70'000 + TimerWheel::kTickMs);
  EXPECT_EQ(timer.fired(), 1);
}

}  // namespace
}  // namespace rtc::net
