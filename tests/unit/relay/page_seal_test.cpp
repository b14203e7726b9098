#include "relay/page_seal.hpp"

#include <gtest/gtest.h>

namespace rtc::relay {
namespace {

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

class PageSealTest : public testing::Test {
 protected:
  chat::Message message(MessageId id) const {
    const chat::SharedIdentity sender({UserId::random(), "다람쥐42", "#0A1B2C", "203.0"});
    return {room_, id, sender, "text " + std::to_string(id), 1'700'000'000'123};
  }
  std::vector<chat::Message> messages(MessageId first, MessageId last) const {
    std::vector<chat::Message> all;
    for (MessageId id = first; id <= last; ++id) all.push_back(message(id));
    return all;
  }

  PageSeal here_{kSecret, "epoch"};
  RoomId room_ = RoomId::random();
};

TEST_F(PageSealTest, GivesBackWhatAnyNodeKept) {
  const auto page = messages(3, 52);
  const auto opened = here_.open(room_, PageSeal(kSecret, "epoch").page(room_, page));
  ASSERT_TRUE(opened);
  ASSERT_EQ(opened->size(), page.size());
  for (std::size_t i = 0; i < page.size(); ++i) {
    const chat::Message& found = (*opened)[i];
    EXPECT_EQ(found.room, room_);
    EXPECT_EQ(found.id, page[i].id);
    EXPECT_EQ(found.text, page[i].text);
    EXPECT_EQ(found.created_at_ms, page[i].created_at_ms);
    EXPECT_EQ(found.sender.id(), page[i].sender.id());
    EXPECT_EQ(found.sender.nickname(), page[i].sender.nickname());
    EXPECT_EQ(found.sender.name_tag(), page[i].sender.name_tag());
    EXPECT_EQ(found.sender.address(), page[i].sender.address());
    EXPECT_FALSE(found.live);
  }
}

TEST_F(PageSealTest, APageIsOfOneRoomSecretAndStore) {
  const std::string sealed = here_.page(room_, messages(1, 3));
  EXPECT_FALSE(here_.open(RoomId::random(), sealed));
  EXPECT_FALSE(PageSeal("another", "epoch").open(room_, sealed));
  EXPECT_FALSE(PageSeal(kSecret, "another").open(room_, sealed));
}

TEST_F(PageSealTest, RefusesEveryBrokenByteAndEveryCut) {
  const std::string whole = here_.page(room_, messages(1, 3));
  ASSERT_TRUE(here_.open(room_, whole));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string broken = whole;
    broken[i] = static_cast<char>(broken[i] ^ 1);
    EXPECT_FALSE(here_.open(room_, broken)) << "byte " << i;
    EXPECT_FALSE(here_.open(room_, whole.substr(0, i))) << "cut to " << i;
  }
  EXPECT_FALSE(here_.open(room_, whole + "x"));
}

TEST_F(PageSealTest, RefusesAHoleInTheIds) {
  EXPECT_FALSE(here_.open(room_, here_.page(room_, {message(1), message(3)})));
  EXPECT_FALSE(here_.open(room_, here_.page(room_, {message(2), message(1)})));
}

}  // namespace
}  // namespace rtc::relay
