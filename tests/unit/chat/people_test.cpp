#include "chat/people.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <string>

#include "unit/base/seed.hpp"

namespace rtc::chat {
namespace {

UserId user_id(std::uint32_t number) {
  UserId id;
  for (std::size_t i = 0; i < 4; ++i) {
    id.value.bytes[i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return id;
}
SharedIdentity identity(std::uint32_t number) {
  return SharedIdentity({user_id(number), "nick" + std::to_string(number), "#ABCDEF", "203.0"});
}
std::vector<UserId> ids(const std::vector<SharedIdentity>& people) {
  std::vector<UserId> all;
  for (const SharedIdentity& each : people) all.push_back(each.id());
  return all;
}

TEST(People, AreNoneAtFirst) {
  People people;
  EXPECT_TRUE(people.empty());
  EXPECT_EQ(people.find(user_id(1)), nullptr);
  EXPECT_FALSE(people.remove(user_id(1)));
  EXPECT_TRUE(people.page({}, 10).empty());
  EXPECT_TRUE(people.page(user_id(0), 10).empty());
}

TEST(People, KeepTheFirstOfAnId) {
  People people;
  EXPECT_TRUE(people.add(SharedIdentity({user_id(7), "first", "#ABCDEF", ""})));
  EXPECT_FALSE(people.add(SharedIdentity({user_id(7), "second", "#ABCDEF", ""})));
  EXPECT_EQ(people.size(), 1U);
  ASSERT_NE(people.find(user_id(7)), nullptr);
  EXPECT_EQ(people.find(user_id(7))->nickname(), "first");
  EXPECT_TRUE(people.remove(user_id(7)));
  EXPECT_TRUE(people.empty());
}

// Pages begin at people, between them, and on both sides of where a piece ends.
TEST(People, ArePagedInTheOrderOfTheirIds) {
  People people;
  constexpr std::uint32_t kCount = People::kPieceMax * 3;
  std::vector<UserId> all;
  for (std::uint32_t i = 0; i < kCount; ++i) {
    people.add(identity((kCount - i) * 2));
    all.push_back(user_id((i + 1) * 2));
  }
  EXPECT_EQ(ids(people.page({}, kCount + 1)), all);
  for (std::uint32_t after = 0; after <= kCount * 2 + 1; ++after) {
    const auto page = ids(people.page(user_id(after), 3));
    const std::size_t first = after / 2;
    ASSERT_EQ(page, std::vector<UserId>(
                        all.begin() + static_cast<std::ptrdiff_t>(first),
                        all.begin() +
                            static_cast<std::ptrdiff_t>(std::min<std::size_t>(first + 3, kCount))))
        << after;
  }
  EXPECT_TRUE(people.page({}, 0).empty());
}

// Against a map, filling and emptying by turns so that pieces come and go.
TEST(People, AreWhatAMapSays) {
  const std::uint64_t seed = test::seed();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  People people;
  std::map<UserId, std::string> model;
  for (int step = 0; step < 20'000; ++step) {
    const bool fills = step / 5000 % 2 == 0;
    const auto number = static_cast<std::uint32_t>(test::pick(random, 0, 1999));
    const UserId id = user_id(number);
    if (test::pick(random, 0, 3) > 0 ? fills : !fills) {
      ASSERT_EQ(people.add(identity(number)),
                model.try_emplace(id, "nick" + std::to_string(number)).second);
    } else {
      ASSERT_EQ(people.remove(id), model.erase(id) == 1);
    }
    ASSERT_EQ(people.size(), model.size());
    const UserId other = user_id(static_cast<std::uint32_t>(test::pick(random, 0, 1999)));
    const SharedIdentity* const found = people.find(other);
    ASSERT_EQ(found != nullptr, model.contains(other));
    if (found != nullptr) {
      ASSERT_EQ(found->nickname(), model.at(other));
    }
    if (step % 500 != 0) continue;
    const auto all = people.page({}, model.size() + 1);
    ASSERT_EQ(all.size(), model.size());
    auto expected = model.begin();
    for (const SharedIdentity& each : all) ASSERT_EQ(each.id(), (expected++)->first);
  }
}

}  // namespace
}  // namespace rtc::chat
