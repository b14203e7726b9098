#include "server/ban_list.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace rtc::server {
namespace {

constexpr std::int64_t kNow = 1'700'000'000'000;
constexpr const char* kId = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";

net::IpAddress address(const std::string& text) {
  return *net::IpAddress::parse(text);
}

std::string canonical(const std::string& text) {
  const auto target = BanTarget::parse(text);
  return target ? target->to_string() : target.error().message;
}

TEST(BanTarget, HasOneTextForWhateverMeansTheSame) {
  struct Row {
    std::string given;
    std::string text;
  };
  for (const Row& row : {Row{std::string("user:") + kId, std::string("user:") + kId},
                         {"user:1B4E28BA-2FA1-11D2-883F-0016D3CCA427", std::string("user:") + kId},
                         {"address:203.0.113.7", "address:203.0.113.7/32"},
                         {"address:203.0.113.7/32", "address:203.0.113.7/32"},
                         {"address:::ffff:203.0.113.7", "address:203.0.113.7/32"},
                         {"address:203.0.113.7/24", "address:203.0.113.0/24"},
                         {"address:10.1.2.3/9", "address:10.0.0.0/9"},
                         {"address:2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"},
                         {"address:[2001:db8::1]", "address:2001:db8::/64"},
                         {"address:2001:db8::1/128", "address:2001:db8::1/128"},
                         {"address:2001:db8:ffff::/33", "address:2001:db8:8000::/33"},
                         {"address:2001:db8::/32", "address:2001:db8::/32"}}) {
    EXPECT_EQ(canonical(row.given), row.text) << row.given;
    EXPECT_EQ(canonical(row.text), row.text);
  }
}

TEST(BanTarget, RefusesWhatIsNone) {
  for (const std::string text :
       {"", "user", "user:", "user:anna", "user:00000000-0000-0000-0000-000000000000",
        "1b4e28ba-2fa1-11d2-883f-0016d3cca427", "203.0.113.7", "address:", "address:example.org",
        "address:203.0.113.7/33", "address:203.0.113.7/", "address:203.0.113", "room:x",
        "address:0.0.0.0/0", "address:::/0", "address:::/1"}) {
    EXPECT_FALSE(BanTarget::parse(text)) << text;
  }
}

TEST(BanReason, IsOneLineOfTwoHundredBytes) {
  for (const std::string& text :
       {std::string(), std::string("광고 🎈: \"'\\"), std::string(200, 'x')}) {
    EXPECT_TRUE(check_ban_reason(text)) << text;
  }
  for (const std::string& text :
       {std::string(201, 'x'), std::string("a\nb"), std::string("a\rb"), std::string("a\0b", 3),
        std::string("\xFF"), std::string("\x7F")}) {
    EXPECT_FALSE(check_ban_reason(text)) << text;
  }
}

class BanListTest : public testing::Test {
 protected:
  BanListTest() : somebody_(UserId::random()), list_(bans()) {}
  std::vector<chat::Ban> bans() const {
    return {
        {"user:" + somebody_.to_string(), 0, "a", 1},   {"address:203.0.113.0/24", 0, "b", 2},
        {"address:198.51.100.7/32", kNow + 10, "c", 3}, {"address:2001:db8:1::/48", 0, "d", 4},
        {"address:2001:db8:2:3::/64", 0, "e", 5},       {"address:198.51.100.128/25", 0, "f", 6},
        {"planet:mars", 0, "of a later version", 7}};
  }
  std::string found(const UserId& user, const std::string& from, std::int64_t now_ms = kNow) const {
    const chat::Ban* const ban = list_.find(user, address(from), now_ms);
    return ban == nullptr ? "" : ban->reason;
  }

  UserId somebody_;
  BanList list_;
};

TEST_F(BanListTest, FindsAPersonWhereverHeIs) {
  EXPECT_EQ(found(somebody_, "8.8.8.8"), "a");
  EXPECT_EQ(found(UserId::random(), "8.8.8.8"), "");
  EXPECT_EQ(found(UserId{}, "8.8.8.8"), "");
}

TEST_F(BanListTest, FindsAnAddressWhoeverItIs) {
  struct Row {
    const char* address;
    const char* reason;
  };
  for (const Row& row : {Row{"203.0.113.0", "b"},
                         {"203.0.113.255", "b"},
                         {"203.0.114.0", ""},
                         {"203.0.112.255", ""},
                         {"198.51.100.7", "c"},
                         {"198.51.100.6", ""},
                         {"198.51.100.127", ""},
                         {"198.51.100.128", "f"},
                         {"2001:db8:1::1", "d"},
                         {"2001:db8:1:ffff:ffff:ffff:ffff:ffff", "d"},
                         {"2001:db8:2:3::9", "e"},
                         {"2001:db8:2:4::9", ""},
                         {"::1", ""},
                         {"::203.0.113.7", ""}}) {
    EXPECT_EQ(found(UserId::random(), row.address), row.reason) << row.address;
    EXPECT_EQ(found(UserId{}, row.address), row.reason) << row.address;
  }
}

TEST_F(BanListTest, OneThatIsOverIsNotFound) {
  EXPECT_EQ(found(UserId{}, "198.51.100.7", kNow + 9), "c");
  EXPECT_EQ(found(UserId{}, "198.51.100.7", kNow + 10), "");
}

TEST_F(BanListTest, CountsThoseThatItUnderstands) {
  EXPECT_EQ(list_.size(), 6U);
  EXPECT_EQ(BanList().size(), 0U);
  EXPECT_EQ(BanList().find(somebody_, address("203.0.113.1"), kNow), nullptr);
}

TEST(BanError, SaysUntilWhenAndWhy) {
  const auto message = [](std::int64_t until_ms, const char* reason) {
    const Error error = ban_error({"user:x", until_ms, reason, 0});
    EXPECT_EQ(error.code, ErrorCode::banned);
    return error.message;
  };
  EXPECT_EQ(message(0, ""), "you are banned");
  EXPECT_EQ(message(0, "spam"), "you are banned: spam");
  EXPECT_EQ(message(kNow, ""), "you are banned until 2023-11-14T22:13:20.000Z");
  EXPECT_EQ(message(kNow, "spam"), "you are banned until 2023-11-14T22:13:20.000Z: spam");
}

}  // namespace
}  // namespace rtc::server
