#include "base/slot_map.hpp"

#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "unit/base/seed.hpp"

namespace rtc {
namespace {

TEST(SlotMap, FindsWhatWasAdded) {
  SlotMap<int> map;
  int one = 1;
  int two = 2;
  const SlotHandle first = map.add(one);
  const SlotHandle second = map.add(two);
  EXPECT_EQ(map.find(first), &one);
  EXPECT_EQ(map.find(second), &two);
  EXPECT_EQ(map.size(), 2U);
}

TEST(SlotMap, AnEmptyOneFindsNothing) {
  const SlotMap<int> map;
  EXPECT_EQ(map.find({0, 0}), nullptr);
  EXPECT_EQ(map.find({7, 3}), nullptr);
  EXPECT_EQ(map.size(), 0U);
}

TEST(SlotMap, AStaleHandleFindsNothingAlsoAfterItsPlaceWasTaken) {
  SlotMap<int> map;
  int gone = 1;
  int next = 2;
  const SlotHandle stale = map.add(gone);
  map.remove(stale);
  EXPECT_EQ(map.find(stale), nullptr);
  const SlotHandle fresh = map.add(next);
  EXPECT_EQ(fresh.slot, stale.slot) << "the place is used again, or the test shows nothing";
  EXPECT_EQ(map.find(stale), nullptr);
  EXPECT_EQ(map.find(fresh), &next);
}

TEST(SlotMap, RemovingAStaleHandleTakesNothingFromItsSuccessor) {
  SlotMap<int> map;
  int gone = 1;
  int next = 2;
  const SlotHandle stale = map.add(gone);
  map.remove(stale);
  const SlotHandle fresh = map.add(next);
  map.remove(stale);
  map.remove(stale);
  EXPECT_EQ(map.find(fresh), &next);
  EXPECT_EQ(map.size(), 1U);
}

TEST(SlotMap, EachMayRemoveTheOneItIsGiven) {
  SlotMap<int> map;
  std::vector<int> numbers{0, 1, 2, 3, 4, 5};
  std::vector<SlotHandle> handles;
  for (int& number : numbers) handles.push_back(map.add(number));
  std::set<int> seen;
  map.for_each([&](int& number) {
    EXPECT_TRUE(seen.insert(number).second);
    if (number % 2 == 0) map.remove(handles[static_cast<std::size_t>(number)]);
  });
  EXPECT_EQ(seen.size(), numbers.size());
  EXPECT_EQ(map.size(), 3U);
}

TEST(SlotMap, AgreesWithAModel) {
  std::mt19937_64 random(test::seed());
  SlotMap<int> map;
  std::vector<int> objects(64);
  std::vector<std::pair<SlotHandle, int*>> living;
  std::vector<SlotHandle> dead;
  for (int step = 0; step < 5000; ++step) {
    if (living.size() < objects.size() && test::pick(random, 0, 1) == 0) {
      int& object = objects[test::pick(random, 0, objects.size() - 1)];
      living.emplace_back(map.add(object), &object);
    } else if (!living.empty()) {
      const std::size_t at = test::pick(random, 0, living.size() - 1);
      map.remove(living[at].first);
      dead.push_back(living[at].first);
      living.erase(living.begin() + static_cast<std::ptrdiff_t>(at));
    }
    ASSERT_EQ(map.size(), living.size());
    for (const auto& [handle, object] : living) ASSERT_EQ(map.find(handle), object);
    if (!dead.empty()) {
      ASSERT_EQ(map.find(dead[test::pick(random, 0, dead.size() - 1)]), nullptr);
    }
  }
  for (const SlotHandle& handle : dead) EXPECT_EQ(map.find(handle), nullptr);
}

}  // namespace
}  // namespace rtc
