#include "auth/nickname.hpp"

#include <gtest/gtest.h>
#include <map>
#include <set>

#include "base/utf8.hpp"

namespace rtc::auth {
namespace {

class Words : public testing::TestWithParam<Language> {};

TEST_P(Words, AreManyDifferentShortAndWithoutSpace) {
  const auto list = words(GetParam());
  EXPECT_GE(list.size(), 150U);
  EXPECT_EQ(std::set<std::string_view>(list.begin(), list.end()).size(), list.size());
  for (const auto word : list) {
    EXPECT_GE(word.size(), 2U) << word;
    EXPECT_LE(word.size(), 24U) << word;
    EXPECT_TRUE(is_utf8(word)) << word;
    EXPECT_EQ(word.find_first_of(" \t\r\n0123456789"), std::string_view::npos) << word;
  }
}

TEST_P(Words, AreAllDrawnAndSoAreAllNumbers) {
  const auto list = words(GetParam());
  std::map<std::string, int> drawn;
  std::map<int, int> numbers;
  // The chance that one word or number of 200 is missed by 20,000 draws is below 1e-40.
  for (int i = 0; i < 20'000; ++i) {
    const auto identity = make_identity(GetParam(), "");
    const auto digits = identity.nickname.find_first_of("0123456789");
    ASSERT_NE(digits, std::string::npos);
    ++drawn[identity.nickname.substr(0, digits)];
    ++numbers[std::stoi(identity.nickname.substr(digits))];
  }
  EXPECT_EQ(drawn.size(), list.size());
  for (const auto word : list) EXPECT_TRUE(drawn.contains(std::string(word))) << word;
  EXPECT_EQ(numbers.size(), 99U);
  EXPECT_EQ(numbers.begin()->first, 1);
  EXPECT_EQ(numbers.rbegin()->first, 99);
}

INSTANTIATE_TEST_SUITE_P(Both, Words, testing::Values(Language::korean, Language::english));

TEST(Words, AreInTheirLanguage) {
  for (const auto word : words(Language::korean)) {
    EXPECT_GE(static_cast<unsigned char>(word[0]), 0xEA) << word;
    EXPECT_LE(static_cast<unsigned char>(word[0]), 0xED) << word;
  }
  for (const auto word : words(Language::english)) {
    EXPECT_TRUE(word[0] >= 'A' && word[0] <= 'Z') << word;
    for (const char c : word.substr(1)) EXPECT_TRUE(c >= 'a' && c <= 'z') << word;
  }
}

TEST(MakeIdentity, GivesANewIdANameTagAndTheAddress) {
  std::set<UserId> ids;
  std::set<std::string> tags;
  for (int i = 0; i < 1'000; ++i) {
    const auto identity = make_identity(Language::korean, "203.0");
    EXPECT_EQ(identity.address, "203.0");
    ASSERT_EQ(identity.name_tag.size(), 7U);
    EXPECT_EQ(identity.name_tag[0], '#');
    EXPECT_EQ(identity.name_tag.find_first_not_of("0123456789ABCDEF", 1), std::string::npos);
    ids.insert(identity.id);
    tags.insert(identity.name_tag);
  }
  EXPECT_EQ(ids.size(), 1'000U);
  EXPECT_GT(tags.size(), 990U);  // of 16.7 million: two equal ones now and then
}

struct LanguageCase {
  std::string_view header;
  Language language;
};

TEST(PreferredLanguage, FollowsTheHeader) {
  constexpr auto ko = Language::korean;
  constexpr auto en = Language::english;
  for (const auto& [header, language] : {
           LanguageCase{"", ko},
           LanguageCase{"ko", ko},
           LanguageCase{"en", en},
           LanguageCase{"EN", en},
           LanguageCase{"en-US", en},
           LanguageCase{"en-US,en;q=0.9", en},
           LanguageCase{"ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", ko},
           LanguageCase{"en-US,en;q=0.9,ko;q=0.8", en},
           LanguageCase{"en;q=0.5,ko;q=0.6", ko},
           LanguageCase{"ko;q=0.5,en;q=0.501", en},
           LanguageCase{"fr", ko},
           LanguageCase{"fr,de;q=0.9", ko},
           LanguageCase{"fr,en;q=0.1", en},
           LanguageCase{"enx", ko},
           LanguageCase{"ens,kok", ko},
           // A tie goes to the one named first.
           LanguageCase{"en,ko", en},
           LanguageCase{"ko,en", ko},
           // Exclusion.
           LanguageCase{"en;q=0", ko},
           LanguageCase{"ko;q=0", en},
           LanguageCase{"ko;q=0,en;q=0", ko},
           LanguageCase{"ko;q=0.000, *", en},
           LanguageCase{"fr, en;q=0, *;q=0.5", ko},
           // The wildcard.
           LanguageCase{"*", ko},
           LanguageCase{"*;q=0", ko},
           LanguageCase{"en;q=0.3,*;q=0.5", ko},
           LanguageCase{"ko;q=0.3,*;q=0.5", en},
           LanguageCase{"en;q=0.5,*;q=0.5", en},
           LanguageCase{"*;q=0,en;q=0.1", en},
           // Spaces, upper case, other parameters.
           LanguageCase{" en ; Q=0.9 , ko ; q=0.8 ", en},
           LanguageCase{"en;level=1;q=0.1,ko;q=0.2", ko},
           // What cannot be read does not count.
           LanguageCase{"en;q=2,ko;q=0.1", ko},
           LanguageCase{"en;q=1.001,ko;q=0.1", ko},
           LanguageCase{"en;q=0.1234,ko;q=0.1", ko},
           LanguageCase{"en;q=,ko;q=0.1", ko},
           LanguageCase{"en;q=-1,ko;q=0.1", ko},
           LanguageCase{"en;q=abc", ko},
           LanguageCase{",,;;,=,en", en},
           LanguageCase{"en;q=1.", en},
       }) {
    EXPECT_EQ(preferred_language(header), language) << header;
  }
}

}  // namespace
}  // namespace rtc::auth
