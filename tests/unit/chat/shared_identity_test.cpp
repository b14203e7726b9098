#include "chat/shared_identity.hpp"

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace rtc::chat {
namespace {

Identity ada() {
  return {*UserId::parse("6b29fc40-ca47-1067-b31d-00dd010662da"), "고양이42", "#A1B2C3", "203.0"};
}

TEST(SharedIdentity, TellsWhatItWasMadeOf) {
  const SharedIdentity shared(ada());
  EXPECT_EQ(shared.id(), ada().id);
  EXPECT_EQ(shared.nickname(), "고양이42");
  EXPECT_EQ(shared.name_tag(), "#A1B2C3");
  EXPECT_EQ(shared.address(), "203.0");
  const Identity copy = shared.copy();
  EXPECT_EQ(copy.id, ada().id);
  EXPECT_EQ(copy.nickname + copy.name_tag + copy.address, "고양이42#A1B2C3203.0");
}

TEST(SharedIdentity, OutlivesWhoeverMadeIt) {
  std::optional<SharedIdentity> first(ada());
  SharedIdentity second = *first;
  SharedIdentity third;
  third = second;
  first.reset();
  second = SharedIdentity(Identity{});
  EXPECT_EQ(third.nickname(), "고양이42");
  EXPECT_EQ(second.nickname(), "");
  const SharedIdentity moved = std::move(third);
  EXPECT_EQ(moved.name_tag(), "#A1B2C3");
}

TEST(SharedIdentity, CutsWhatIsTooLong) {
  const SharedIdentity shared(Identity{UserId{}, std::string(300, 'n'), "#000000", ""});
  EXPECT_EQ(shared.nickname(), std::string(255, 'n'));
  EXPECT_EQ(shared.name_tag(), "#000000");
}

// ThreadSanitizer holds this test's other half.
TEST(SharedIdentity, IsSharedBetweenThreads) {
  const SharedIdentity shared(ada());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([copy = shared] {
      for (int j = 0; j < 1000; ++j) {
        const SharedIdentity mine = copy;
        EXPECT_EQ(mine.name_tag(), "#A1B2C3");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace rtc::chat
