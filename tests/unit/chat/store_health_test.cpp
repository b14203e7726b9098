// What users are told of a store that fails, and what counts as a failure.
#include "chat/store_health.hpp"

#include <gtest/gtest.h>

namespace rtc::chat {
namespace {

class StoreHealthTest : public testing::Test {
 protected:
  StoreHealthTest() { log::set_level(log::Level::off); }
  ~StoreHealthTest() override { log::set_level(log::Level::info); }
  StoreHealth health_;
};

TEST_F(StoreHealthTest, FailsFromAFailedCommitToOneThatWorks) {
  EXPECT_FALSE(health_.failing());
  EXPECT_EQ(health_.reason(), "");
  health_.commit_failed(3, {ErrorCode::internal_server_error, "disk full"});
  health_.commit_failed(1, {ErrorCode::internal_server_error, "disk I/O error"});
  EXPECT_TRUE(health_.failing());
  EXPECT_EQ(health_.reason(), "disk I/O error") << "the last one's";
  health_.commit_worked();
  EXPECT_FALSE(health_.failing());
  EXPECT_EQ(health_.reason(), "");
}

TEST_F(StoreHealthTest, ACallsOwnFailureIsToldWithoutTheStoresWords) {
  const Error told = health_.call_failed(
      "the room could not be made", {ErrorCode::internal_server_error, "no such table: rooms"});
  EXPECT_EQ(told.code, ErrorCode::internal_server_error);
  EXPECT_EQ(told.message, "the room could not be made; try again in a while");
  EXPECT_EQ(health_.failed_calls(), 1U);
  EXPECT_FALSE(health_.failing()) << "only commits of messages say that";
}

TEST_F(StoreHealthTest, ARefusalByTheRulesIsHandedThrough) {
  const Error told = health_.call_failed("the room could not be made",
                                         {ErrorCode::too_many_requests, "rooms_max is reached"});
  EXPECT_EQ(told.code, ErrorCode::too_many_requests);
  EXPECT_EQ(told.message, "rooms_max is reached");
  EXPECT_EQ(health_.failed_calls(), 0U);
}

}  // namespace
}  // namespace rtc::chat
