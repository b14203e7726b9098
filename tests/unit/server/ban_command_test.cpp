#include "server/ban_command.hpp"

#include <gmock/gmock.h>

#include "contract/memory_store.hpp"

namespace rtc::server {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kNow = 1'700'000'000'000;

class BanCommandTest : public testing::Test {
 protected:
  static std::string words(const Result<std::string>& result) {
    return result ? *result : "error: " + result.error().message;
  }
  std::string ban(const std::string& target, std::uint64_t for_ms = 0,
                  const std::string& reason = "") {
    return words(server::ban(store_, {target, for_ms, reason}, 2, kNow));
  }
  std::string unban(const std::string& target) {
    return words(server::unban(store_, {target, 0, ""}));
  }
  std::string list() { return words(list_bans(store_, kNow)); }

  chat::MemoryStore store_;
};

TEST_F(BanCommandTest, BansListsAndEnds) {
  EXPECT_EQ(list(), "");
  EXPECT_EQ(ban("address:203.0.113.7", 1000, "spam"),
            "address:203.0.113.7/32 is banned until 2023-11-14T22:13:21.000Z\n");
  EXPECT_EQ(ban("user:1B4E28BA-2FA1-11D2-883F-0016D3CCA427"),
            "user:1b4e28ba-2fa1-11d2-883f-0016d3cca427 is banned for ever\n");
  EXPECT_EQ(list(),
            "address:203.0.113.7/32\tuntil 2023-11-14T22:13:21.000Z\tspam\n"
            "user:1b4e28ba-2fa1-11d2-883f-0016d3cca427\tfor ever\t\n");
  EXPECT_EQ(unban("address:203.0.113.7/32"), "address:203.0.113.7/32 is not banned any more\n");
  EXPECT_THAT(unban("address:203.0.113.7"), HasSubstr("error: address:203.0.113.7/32 is not"));
}

TEST_F(BanCommandTest, SaysWhatIsWrong) {
  EXPECT_THAT(ban("anna"), HasSubstr("error: expected user:ID or address:NETWORK"));
  EXPECT_THAT(unban("anna"), HasSubstr("error: expected user:ID or address:NETWORK"));
  EXPECT_THAT(ban("address:203.0.113.7", 0, "a\nb"), HasSubstr("error: the reason"));
  EXPECT_EQ(list(), "");
  ban("address:203.0.113.7");
  ban("address:203.0.113.8");
  EXPECT_THAT(ban("address:203.0.113.9"), HasSubstr("error: not banned: bans_max (2)"));
  store_.set_failing(true);
  EXPECT_THAT(list(), HasSubstr("error: "));
}

}  // namespace
}  // namespace rtc::server
