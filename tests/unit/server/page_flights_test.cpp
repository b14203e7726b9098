#include "server/page_flights.hpp"

#include <gtest/gtest.h>
#include <thread>

namespace rtc::server {
namespace {

PageFlights::Waiter waiter(std::uint32_t slot) {
  return {nullptr, SlotHandle{slot, 1}};
}

TEST(PageFlights, OneHasAPageReadForAllWhoWaitForIt) {
  PageFlights flights;
  const RoomId room = RoomId::random();
  EXPECT_TRUE(flights.join(room, 50, waiter(1)));
  EXPECT_FALSE(flights.join(room, 50, waiter(2)));
  EXPECT_TRUE(flights.join(room, 20, waiter(3))) << "another page";
  EXPECT_TRUE(flights.join(RoomId::random(), 50, waiter(4))) << "another room";
  const auto waiters = flights.take(room, 50);
  ASSERT_EQ(waiters.size(), 2U);
  EXPECT_EQ(waiters[0].connection.slot, 1U);
  EXPECT_EQ(waiters[1].connection.slot, 2U);
  EXPECT_EQ(flights.joined(), 1U);
}

TEST(PageFlights, WhoComesOnceItIsReadWaitsForTheNext) {
  PageFlights flights;
  const RoomId room = RoomId::random();
  EXPECT_TRUE(flights.join(room, 50, waiter(1)));
  EXPECT_EQ(flights.take(room, 50).size(), 1U);
  EXPECT_TRUE(flights.join(room, 50, waiter(2)));
  EXPECT_EQ(flights.take(room, 50).size(), 1U);
  EXPECT_TRUE(flights.take(room, 50).empty());
}

TEST(PageFlights, EveryRequestIsTakenOnce) {
  constexpr int kThreads = 4;
  constexpr int kEach = 5000;
  PageFlights flights;
  const RoomId room = RoomId::random();
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        if (!flights.join(room, 50, waiter(1))) continue;
        taken += static_cast<int>(flights.take(room, 50).size());
      }
    });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(taken, kThreads * kEach);
}

}  // namespace
}  // namespace rtc::server
