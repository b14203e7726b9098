#include "base/result.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <set>

namespace rtc {
namespace {

TEST(Result, HoldsAValueOrAnError) {
  const Result<int> good = 7;
  EXPECT_TRUE(good.ok());
  EXPECT_TRUE(static_cast<bool>(good));
  EXPECT_EQ(*good, 7);

  const Result<int> bad(ErrorCode::not_found, "No such room.");
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::not_found);
  EXPECT_EQ(bad.error().message, "No such room.");
}

TEST(Result, CarriesWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = std::move(*result);
  EXPECT_EQ(*taken, 7);
}

TEST(Result, OfNothingIsGoodUnlessItHasAnError) {
  EXPECT_TRUE(Result<void>{}.ok());
  const Result<void> bad(Error{ErrorCode::no_token, "Log in."});
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, ErrorCode::no_token);
}

TEST(ErrorCode, EachHasANameOfItsOwnAndAnHttpStatus) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(ErrorCode::server_overload); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    EXPECT_TRUE(names.insert(error_name(code)).second) << error_name(code);
    EXPECT_GE(http_status(code), 400U) << error_name(code);
    EXPECT_LT(http_status(code), 600U) << error_name(code);
  }
  EXPECT_EQ(error_name(ErrorCode::not_found_chatroom), "NOT_FOUND_CHATROOM");
  EXPECT_EQ(http_status(ErrorCode::not_found_chatroom), 404U);
  EXPECT_EQ(http_status(ErrorCode::expired_token), 401U);
}

}  // namespace
}  // namespace rtc
