#include "relay/presence_seal.hpp"

#include <gtest/gtest.h>

namespace rtc::relay {
namespace {

using chat::OwnTyping;
using chat::Person;

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

class PresenceSealTest : public testing::Test {
 protected:
  PresenceSeal here_{kSecret, "epoch"};
  PresenceSeal there_{kSecret, "epoch"};
  RoomId room_ = RoomId::random();
  Person ann_{UserId::random(), "다람쥐42", "#0A1B2C"};
  Person ben_{UserId::random(), "", ""};
};

TEST_F(PresenceSealTest, GivesBackThePersonOfAnotherNode) {
  for (const Person& person : {ann_, ben_}) {
    EXPECT_EQ(here_.open_person(room_, person.id, there_.person(room_, person)), person);
  }
}

TEST_F(PresenceSealTest, APersonIsOfOneRoomIdSecretAndStore) {
  const std::string sealed = there_.person(room_, ann_);
  EXPECT_FALSE(here_.open_person(RoomId::random(), ann_.id, sealed));
  EXPECT_FALSE(here_.open_person(room_, ben_.id, sealed));
  EXPECT_FALSE(PresenceSeal("another", "epoch").open_person(room_, ann_.id, sealed));
  EXPECT_FALSE(PresenceSeal(kSecret, "another").open_person(room_, ann_.id, sealed));
}

TEST_F(PresenceSealTest, RefusesEveryBrokenByteAndEveryCut) {
  const std::string person = there_.person(room_, ann_);
  const std::string typing = there_.typing({room_, {ann_, ben_}});
  const auto opens = [&](const std::string& bytes, bool is_person) {
    return is_person ? here_.open_person(room_, ann_.id, bytes).has_value()
                     : here_.open_typing(room_, bytes).has_value();
  };
  for (const bool is_person : {true, false}) {
    const std::string& whole = is_person ? person : typing;
    ASSERT_TRUE(opens(whole, is_person));
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string broken = whole;
      broken[i] = static_cast<char>(broken[i] ^ 1);
      EXPECT_FALSE(opens(broken, is_person)) << "byte " << i;
      EXPECT_FALSE(opens(whole.substr(0, i), is_person)) << "cut to " << i;
    }
    EXPECT_FALSE(opens(whole + "x", is_person));
    EXPECT_FALSE(opens("", is_person));
  }
}

TEST_F(PresenceSealTest, GivesBackWhoTypesOnAnotherNode) {
  const auto typing = here_.open_typing(room_, there_.typing({room_, {ann_, ben_}}));
  ASSERT_TRUE(typing);
  EXPECT_FALSE(typing->own);
  EXPECT_EQ(typing->people, (std::vector{ann_, ben_}));
  const auto nobody = here_.open_typing(room_, there_.typing({room_, {}}));
  ASSERT_TRUE(nobody);
  EXPECT_EQ(nobody->node, typing->node);
  EXPECT_TRUE(nobody->people.empty());
}

TEST_F(PresenceSealTest, WhoTypesIsOfOneRoomAndKnownAsOnesOwn) {
  EXPECT_FALSE(here_.open_typing(RoomId::random(), there_.typing({room_, {ann_}})));
  const auto own = here_.open_typing(room_, here_.typing({room_, {ann_}}));
  ASSERT_TRUE(own);
  EXPECT_TRUE(own->own);
  EXPECT_TRUE(own->people.empty());
}

TEST_F(PresenceSealTest, TheOneIsNotTakenForTheOther) {
  EXPECT_FALSE(here_.open_typing(room_, there_.person(room_, ann_)));
  EXPECT_FALSE(here_.open_person(room_, ann_.id, there_.typing({room_, {ann_}})));
}

}  // namespace
}  // namespace rtc::relay
