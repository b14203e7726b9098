// A session's seats: the two in place and those that are allocated behave alike.
#include "server/seats.hpp"

#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace rtc::server {
namespace {

TEST(Seats, AreFreeAtFirst) {
  const Seats seats;
  EXPECT_EQ(seats.size(), 2U);
  EXPECT_EQ(seats[0].group, nullptr);
  EXPECT_EQ(seats.find([](const Hub::Seat&) { return true; }), 2U);
}

TEST(Seats, KeepWhatIsPutWhereverItLies) {
  std::vector<Group> groups(4);
  std::mt19937 random(3);
  Seats seats;
  std::vector<Hub::Seat> model(seats.size());
  for (int round = 0; round < 2000; ++round) {
    if (model.size() < 12 && random() % 50 == 0) {
      seats.add();
      model.emplace_back();
    }
    const std::size_t index = random() % model.size();
    Group* const group = random() % 3 == 0 ? nullptr : &groups[random() % groups.size()];
    model[index] = {group, static_cast<std::uint32_t>(random())};
    seats.put(index, model[index]);

    ASSERT_EQ(seats.size(), model.size());
    for (std::size_t i = 0; i < model.size(); ++i) {
      ASSERT_EQ(seats[i].group, model[i].group);
      ASSERT_EQ(seats[i].index, model[i].index);
    }
    const auto is_last = [&](const Hub::Seat& seat) { return seat.group == &groups[3]; };
    std::size_t expected = 0;
    while (expected < model.size() && !is_last(model[expected])) ++expected;
    ASSERT_EQ(seats.find(is_last), expected);
  }
}

}  // namespace
}  // namespace rtc::server
