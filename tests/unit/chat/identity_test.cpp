#include "chat/identity.hpp"

#include <gtest/gtest.h>

namespace rtc::chat {
namespace {

struct MaskCase {
  std::string_view address;
  std::string_view masked;
};

TEST(MaskAddress, KeepsTheFirstTwoPartsOfIpv4) {
  for (const auto& [address, masked] : {
           MaskCase{"203.0.113.7", "203.0"},
           MaskCase{"127.0.0.1", "127.0"},
           MaskCase{"0.0.0.0", "0.0"},
           MaskCase{"255.255.255.255", "255.255"},
       }) {
    EXPECT_EQ(mask_address(address), masked) << address;
  }
}

TEST(MaskAddress, KeepsTheFirstTwoGroupsOfIpv6) {
  for (const auto& [address, masked] : {
           MaskCase{"2001:db8:85a3::8a2e:370:7334", "2001:db8"},
           MaskCase{"2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8"},
           MaskCase{"::1", "0:0"},
           MaskCase{"::", "0:0"},
           MaskCase{"fe80::1", "fe80:0"},
           MaskCase{"2001::1", "2001:0"},
           MaskCase{"1:2:3:4:5:6:7::", "1:2"},
           MaskCase{"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff"},
           MaskCase{"::203.0.113.7", "0:0"},
       }) {
    EXPECT_EQ(mask_address(address), masked) << address;
  }
}

TEST(MaskAddress, TakesAMappedIpv4AddressAsIpv4) {
  EXPECT_EQ(mask_address("::ffff:203.0.113.7"), "203.0");
  EXPECT_EQ(mask_address("::ffff:cb00:7107"), "203.0");
  EXPECT_EQ(mask_address("0:0:0:0:0:FFFF:10.20.30.40"), "10.20");
}

TEST(MaskAddress, GivesNothingForAnythingElse) {
  using std::string_view_literals::operator""sv;
  for (const auto address : {
           ""sv,
           " "sv,
           "localhost"sv,
           "203.0.113"sv,
           "203.0.113.7:80"sv,
           "203.0.113.256"sv,
           "203.0.113.7 "sv,
           "203.0.113.7\0"sv,
           "203.0.113.7\0.1"sv,
           "[::1]"sv,
           "::1%lo"sv,
           ":::"sv,
           "1:2:3:4:5:6:7"sv,
           "1:2:3:4:5:6:7:8:9"sv,
           "0x7f.1"sv,
           "2130706433"sv,
           "<script>"sv,
           "fe80::1%a-very-long-zone-name-that-nobody-should-have-at-all"sv,
       }) {
    EXPECT_EQ(mask_address(address), "") << address;
  }
}

}  // namespace
}  // namespace rtc::chat
