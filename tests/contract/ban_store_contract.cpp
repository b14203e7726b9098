#include <gmock/gmock.h>

#include "contract/store_contract.hpp"

namespace rtc::chat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t kMany = 1000;
constexpr std::int64_t kNow = 1'700'000'000'000;

Ban ban_of(std::string target, std::int64_t until_ms = 0, std::int64_t made_ms = kNow) {
  return {std::move(target), until_ms, "광고 🎈 '\"", made_ms};
}

TEST_P(BanStoreContract, HasNoneAtFirst) {
  EXPECT_THAT(bans().bans(kNow).value(), IsEmpty());
  EXPECT_TRUE(bans().bans_version());
}

TEST_P(BanStoreContract, KeepsAllOfABanAndListsTheOldestFirst) {
  const Ban second = ban_of("address:10.0.0.0/8", kNow + 5000, kNow + 1);
  const Ban first = ban_of("user:a", 0, kNow);
  ASSERT_TRUE(bans().put_ban(second, kMany));
  ASSERT_TRUE(bans().put_ban(first, kMany));
  EXPECT_THAT(bans().bans(kNow + 1).value(), ElementsAre(first, second));
}

TEST_P(BanStoreContract, ABanOfTheSameTargetTakesItsPlace) {
  ASSERT_TRUE(bans().put_ban(ban_of("user:a", kNow + 5), kMany));
  Ban other = ban_of("user:a", 0, kNow + 1);
  other.reason = "";
  ASSERT_TRUE(bans().put_ban(other, kMany));
  EXPECT_THAT(bans().bans(kNow + 1).value(), ElementsAre(other));
}

TEST_P(BanStoreContract, ARemovedOneIsGone) {
  ASSERT_TRUE(bans().put_ban(ban_of("user:a"), kMany));
  const Ban other = ban_of("user:b");
  ASSERT_TRUE(bans().put_ban(other, kMany));
  EXPECT_EQ(bans().remove_ban("user:a").value(), true);
  EXPECT_EQ(bans().remove_ban("user:a").value(), false);
  EXPECT_EQ(bans().remove_ban("user:").value(), false);
  EXPECT_THAT(bans().bans(kNow).value(), ElementsAre(other));
}

TEST_P(BanStoreContract, OneThatIsOverIsNotListed) {
  const Ban timed = ban_of("user:a", kNow + 10);
  ASSERT_TRUE(bans().put_ban(timed, kMany));
  EXPECT_THAT(bans().bans(kNow + 9).value(), ElementsAre(timed));
  EXPECT_THAT(bans().bans(kNow + 10).value(), IsEmpty());
}

TEST_P(BanStoreContract, EachChangeGivesAnotherVersionAndNothingElseDoes) {
  const auto version = [this] { return bans().bans_version().value(); };
  const std::int64_t before = version();
  EXPECT_EQ(version(), before);
  ASSERT_TRUE(bans().put_ban(ban_of("user:a"), kMany));
  const std::int64_t put = version();
  EXPECT_NE(put, before);
  ASSERT_TRUE(bans().put_ban(ban_of("user:a", kNow + 5), kMany));
  const std::int64_t again = version();
  EXPECT_NE(again, put);
  ASSERT_TRUE(bans().remove_ban("user:a"));
  const std::int64_t removed = version();
  EXPECT_NE(removed, again);
  ASSERT_TRUE(bans().remove_ban("user:a"));
  EXPECT_EQ(version(), removed);
  make_room();
  EXPECT_EQ(version(), removed);
}

TEST_P(BanStoreContract, TheBoundCountsOthersThatHold) {
  const Ban timed = ban_of("user:a", kNow + 10);
  const Ban held = ban_of("user:b");
  ASSERT_TRUE(bans().put_ban(timed, 2));
  ASSERT_TRUE(bans().put_ban(held, 2));
  const std::int64_t version = bans().bans_version().value();
  const auto refused = bans().put_ban(ban_of("user:c"), 2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_requests);
  EXPECT_THAT(refused.error().message, HasSubstr("bans_max (2)"));
  EXPECT_EQ(bans().bans_version().value(), version);
  EXPECT_THAT(bans().bans(kNow).value(), ElementsAre(timed, held));
  EXPECT_TRUE(bans().put_ban(held, 2)) << "it takes its own place";
  const Ban later = ban_of("user:c", 0, kNow + 10);
  EXPECT_TRUE(bans().put_ban(later, 2)) << "one is over";
  EXPECT_THAT(bans().bans(0).value(), ElementsAre(held, later));
}

}  // namespace
}  // namespace rtc::chat
