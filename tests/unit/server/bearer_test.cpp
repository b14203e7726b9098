#include "server/bearer.hpp"

#include <gtest/gtest.h>

namespace rtc::server {
namespace {

TEST(BearerToken, IsWhatFollowsTheSchemeInAnyCase) {
  for (const char* header : {"Bearer a.b.c", "bearer a.b.c", "BEARER a.b.c", "bEaReR\ta.b.c",
                             "Bearer   a.b.c ", " Bearer a.b.c", "a.b.c", " a.b.c "}) {
    EXPECT_EQ(bearer_token(header), "a.b.c") << header;
  }
}

TEST(BearerToken, IsEmptyWhereThereIsNone) {
  for (const char* header : {"", " ", "Bearer", "bearer", "Bearer ", "Bearer \t", "Bearer null",
                             "BEARER  null", "null"}) {
    EXPECT_EQ(bearer_token(header), "") << "'" << header << "'";
  }
}

TEST(BearerToken, TakesOnlyTheSchemeAway) {
  EXPECT_EQ(bearer_token("Bearerx"), "Bearerx");
  EXPECT_EQ(bearer_token("Bearer bearer"), "bearer");
  EXPECT_EQ(bearer_token("Basic abc"), "Basic abc");
  EXPECT_EQ(bearer_token("Bearer nullify"), "nullify");
  EXPECT_EQ(bearer_token("Bear"), "Bear");
}

}  // namespace
}  // namespace rtc::server
