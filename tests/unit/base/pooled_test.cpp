#include "base/pooled.hpp"

#include <cstdint>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "unit/base/seed.hpp"

namespace rtc {
namespace {

constexpr std::size_t kCellBytes = 200;
constexpr std::size_t kCellsPerBlock = Cells::kBlockBytes / kCellBytes;

TEST(Cells, LieApartAndAligned) {
  Cells::Store store(kCellBytes);
  Cells cells(store);
  std::set<std::uintptr_t> places;
  for (std::size_t i = 0; i < 2 * kCellsPerBlock; ++i) {
    const auto place = reinterpret_cast<std::uintptr_t>(cells.take());
    EXPECT_EQ(place % alignof(void*), 0U);
    EXPECT_TRUE(places.insert(place).second);
  }
  EXPECT_EQ(store.blocks(), 2U) << "not one byte more than the cells need";
  std::uintptr_t before = 0;
  for (const std::uintptr_t place : places) {
    EXPECT_GE(place - before, kCellBytes);
    before = place;
  }
}

TEST(Cells, AreNoMoreThanWereUsedAtOnce) {
  Cells::Store store(kCellBytes);
  Cells cells(store);
  std::mt19937_64 random(test::seed());
  std::vector<void*> used;
  for (int round = 0; round < 20'000; ++round) {
    if (used.size() < kCellsPerBlock && (used.empty() || test::pick(random, 0, 1) == 0)) {
      used.push_back(cells.take());
    } else {
      std::swap(used[test::pick(random, 0, used.size() - 1)], used.back());
      cells.give_back(used.back());
      used.pop_back();
    }
  }
  EXPECT_EQ(store.blocks(), 1U);
}

TEST(Cells, AThreadThatEndsLeavesThemToOthers) {
  Cells::Store store(kCellBytes);
  void* kept = nullptr;
  std::thread([&] {
    Cells cells(store);
    kept = cells.take();
  }).join();
  Cells cells(store);
  cells.give_back(kept);  // of the other thread
  for (std::size_t i = 0; i < kCellsPerBlock; ++i) cells.take();
  EXPECT_EQ(store.blocks(), 1U);
  cells.take();
  EXPECT_EQ(store.blocks(), 2U);
}

class Base {
 public:
  virtual ~Base() = default;
};
class Object final : public Base, public Pooled<Object> {
 public:
  explicit Object(std::uint64_t number) : number_(number) {}
  std::uint64_t number() const { return number_; }

 private:
  std::uint64_t number_;
};

TEST(Pooled, ObjectsAreMadeAndEndAsOthers) {
  static_assert(sizeof(Object) == 2 * sizeof(void*), "it costs nothing");
  std::vector<std::unique_ptr<Object>> objects;
  for (std::uint64_t i = 0; i < 5000; ++i) objects.push_back(std::make_unique<Object>(i));
  for (std::uint64_t i = 0; i < 5000; ++i) ASSERT_EQ(objects[i]->number(), i);
  std::unique_ptr<Base> as_base = std::move(objects[0]);
  as_base.reset();
  std::thread([&] { objects.clear(); }).join();
}

}  // namespace
}  // namespace rtc
