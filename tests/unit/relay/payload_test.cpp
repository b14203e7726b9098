#include "relay/payload.hpp"

#include <gtest/gtest.h>
#include <random>

#include "unit/base/seed.hpp"

namespace rtc::relay {
namespace {

using chat::Message;

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

Message message(const RoomId& room, MessageId id, std::string text) {
  return {room, id, chat::SharedIdentity({UserId::random(), "다람쥐42", "#0A1B2C", "203.0"}),
          std::move(text), 1'700'000'000'123};
}

std::string encode(const Payloads& payloads, const std::vector<Message>& messages) {
  std::vector<const Message*> pointers;
  for (const Message& each : messages) pointers.push_back(&each);
  return payloads.encode(pointers);
}

class PayloadTest : public testing::Test {
 protected:
  Payloads here_{kSecret, "epoch"};
  Payloads there_{kSecret, "epoch"};
  RoomId room_ = RoomId::random();
  std::vector<Message> messages_{message(room_, 7, "text"), message(room_, 8, ""),
                                 message(room_, 4000, std::string(70'000, 'x'))};
};

TEST_F(PayloadTest, GivesBackWhatAnotherNodeSent) {
  const auto decoded = here_.decode(room_, encode(there_, messages_));
  ASSERT_TRUE(decoded);
  EXPECT_FALSE(decoded->own);
  ASSERT_EQ(decoded->messages.size(), messages_.size());
  for (std::size_t i = 0; i < messages_.size(); ++i) {
    const Message& got = decoded->messages[i];
    EXPECT_EQ(got.room, room_);
    EXPECT_EQ(got.id, messages_[i].id);
    EXPECT_EQ(got.created_at_ms, messages_[i].created_at_ms);
    EXPECT_EQ(got.sender.id(), messages_[i].sender.id());
    EXPECT_EQ(got.sender.nickname(), "다람쥐42");
    EXPECT_EQ(got.sender.name_tag(), "#0A1B2C");
    EXPECT_EQ(got.sender.address(), "203.0");
    EXPECT_EQ(got.text, messages_[i].text);
    EXPECT_FALSE(got.live);
  }
}

TEST_F(PayloadTest, SaysOfMessagesThatTheyAreStoredNowhere) {
  std::vector<const Message*> pointers;
  for (const Message& each : messages_) pointers.push_back(&each);
  const auto decoded = here_.decode(room_, there_.encode_live(pointers, 12));
  ASSERT_TRUE(decoded);
  EXPECT_FALSE(decoded->own);
  EXPECT_EQ(decoded->sequence, 12U);
  ASSERT_EQ(decoded->messages.size(), messages_.size());
  EXPECT_TRUE(decoded->messages[0].live);
  EXPECT_EQ(decoded->messages[2].text, messages_[2].text);
  EXPECT_TRUE(there_.decode(room_, there_.encode_live(pointers, 12))->own);
  EXPECT_FALSE(here_.decode(room_, there_.encode_live(pointers, 0))) << "numbers begin with 1";
  EXPECT_EQ(here_.decode(room_, encode(there_, messages_))->sequence, 0U);
}

TEST_F(PayloadTest, CarriesNewsAndNothingElseInTheirPlace) {
  const chat::UserNews news{UserId::random(), R"({"roomId":"한"})"};
  const std::string payload = there_.encode(news, 7);
  const auto decoded = here_.decode_news(payload);
  ASSERT_TRUE(decoded && decoded->news);
  EXPECT_EQ(decoded->sequence, 7U);
  EXPECT_EQ(decoded->news->whom, news.whom);
  EXPECT_EQ(decoded->news->body, news.body);
  EXPECT_TRUE(there_.decode_news(payload)->own);
  EXPECT_NE(decoded->node, Payloads::Node{});
  EXPECT_FALSE(here_.decode(RoomId{news.whom.value}, payload));
  EXPECT_FALSE(here_.decode_news(encode(there_, messages_)));
  EXPECT_FALSE(here_.decode_news(Payloads("another", "epoch").encode(news, 7)));
  for (std::size_t i = 0; i < payload.size(); ++i) {
    std::string broken = payload;
    broken[i] = static_cast<char>(broken[i] ^ 1);
    EXPECT_FALSE(here_.decode_news(broken)) << "byte " << i;
    EXPECT_FALSE(here_.decode_news(payload.substr(0, i))) << "cut to " << i;
  }
}

TEST_F(PayloadTest, KnowsItsOwn) {
  const auto decoded = here_.decode(room_, encode(here_, messages_));
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->own);
  EXPECT_TRUE(decoded->messages.empty());
}

TEST_F(PayloadTest, RefusesAnotherSecretAnotherStoreAndAnotherRoom) {
  EXPECT_FALSE(here_.decode(room_, encode(Payloads("another", "epoch"), messages_)));
  EXPECT_FALSE(here_.decode(room_, encode(Payloads(kSecret, "another"), messages_)));
  EXPECT_FALSE(here_.decode(RoomId::random(), encode(there_, messages_)));
}

TEST_F(PayloadTest, RefusesIdsThatDoNotAscend) {
  EXPECT_FALSE(here_.decode(room_, encode(there_, {message(room_, 0, "a")})));
  EXPECT_FALSE(
      here_.decode(room_, encode(there_, {message(room_, 2, "a"), message(room_, 2, "b")})));
  EXPECT_FALSE(here_.decode(room_, encode(there_, {message(room_, MessageId{1} << 53, "a")})));
}

TEST_F(PayloadTest, RefusesEveryBrokenByteAndEveryCut) {
  messages_.pop_back();
  const std::string whole = encode(there_, messages_);
  ASSERT_TRUE(here_.decode(room_, whole));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string broken = whole;
    broken[i] = static_cast<char>(broken[i] ^ 1);
    EXPECT_FALSE(here_.decode(room_, broken)) << "byte " << i;
    EXPECT_FALSE(here_.decode(room_, whole.substr(0, i))) << "cut to " << i;
  }
  EXPECT_FALSE(here_.decode(room_, whole + "x"));
}

TEST_F(PayloadTest, RefusesRubbish) {
  std::mt19937_64 random(test::seed());
  for (int round = 0; round < 2'000; ++round) {
    std::string rubbish(test::pick(random, 0, 200), '\0');
    for (char& each : rubbish) each = static_cast<char>(test::pick(random, 0, 255));
    if (!rubbish.empty()) rubbish[0] = static_cast<char>(1 + round % 3);
    EXPECT_FALSE(here_.decode(room_, rubbish));
    EXPECT_FALSE(here_.decode_news(rubbish));
  }
  EXPECT_FALSE(here_.decode(room_, std::string(Payloads::kBytesMax + 1, '\1')));
}

}  // namespace
}  // namespace rtc::relay
