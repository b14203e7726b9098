// The open transactions of a session: what they hold, their bounds, what spoils them.
#include "server/transactions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rtc::server {
namespace {

using testing::HasSubstr;

class TransactionsTest : public testing::Test {
 protected:
  TransactionsTest() {
    config_.transactions_per_session_max = 3;
    config_.transaction_messages_max = 4;
    config_.transaction_bytes_max = 100;
  }
  Result<void> keep(std::string_view id, std::string text) {
    chat::Draft draft;
    draft.text = std::move(text);
    return transactions_.keep(id, std::move(draft), config_);
  }
  Result<void> begin(std::string_view id) { return transactions_.begin(id, config_); }
  std::vector<std::string> texts_of(std::string_view id) {
    std::vector<std::string> texts;
    const auto result = transactions_.take(id);
    const Transaction& taken = result.value();
    for (const chat::Draft& draft : taken.drafts) texts.push_back(draft.text);
    return texts;
  }
  static constexpr auto kUnknown = ErrorCode::invalid_parameter;
  static constexpr auto kBound = ErrorCode::forbidden_action;

  Config config_;
  Transactions transactions_;
};

TEST_F(TransactionsTest, AreAsLargeAsAPointer) {
  EXPECT_EQ(sizeof(Transactions), sizeof(void*)) << "every idle session has them";
}

TEST_F(TransactionsTest, KeepEachItsOwnInOrder) {
  ASSERT_TRUE(begin("a"));
  ASSERT_TRUE(begin("b"));
  EXPECT_EQ(transactions_.count(), 2U);
  for (const auto& [id, text] : {std::pair{"a", "1"}, {"b", "2"}, {"a", "3"}, {"b", "4"}}) {
    ASSERT_TRUE(keep(id, text));
  }
  using Texts = std::vector<std::string>;
  EXPECT_EQ(texts_of("a"), (Texts{"1", "3"}));
  EXPECT_EQ(transactions_.count(), 1U);
  EXPECT_EQ(texts_of("b"), (Texts{"2", "4"}));
  EXPECT_EQ(transactions_.count(), 0U);
}

TEST_F(TransactionsTest, AnIdIsOpenOnceAtATime) {
  ASSERT_TRUE(begin("a"));
  EXPECT_EQ(begin("a").error().code, kUnknown);
  ASSERT_TRUE(keep("a", "1"));
  EXPECT_EQ(texts_of("a").size(), 1U) << "the second BEGIN changed nothing";
  ASSERT_TRUE(begin("a"));
  EXPECT_EQ(texts_of("a").size(), 0U) << "a new one of the old name";
}

TEST_F(TransactionsTest, WhatIsNotOpenIsUnknown) {
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(transactions_.check("x").error().code, kUnknown);
    EXPECT_EQ(keep("x", "1").error().code, kUnknown);
    EXPECT_EQ(transactions_.take("x").error().code, kUnknown);
    transactions_.spoil("x", {kBound, "no matter"});
    ASSERT_TRUE(begin(std::to_string(round)));  // the same again with others open
  }
}

TEST_F(TransactionsTest, AreBoundedInNumber) {
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(begin(id));
  EXPECT_EQ(begin("d").error().code, kBound);
  EXPECT_EQ(transactions_.count(), 3U);
  ASSERT_TRUE(transactions_.take("b"));
  EXPECT_TRUE(begin("d"));
}

TEST_F(TransactionsTest, AreBoundedInMessages) {
  ASSERT_TRUE(begin("a"));
  ASSERT_TRUE(begin("b"));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(keep("a", "x"));
  EXPECT_EQ(keep("a", "x").error().code, kBound);
  EXPECT_EQ(transactions_.check("a").error().code, kBound);
  const auto taken = transactions_.take("a");
  EXPECT_EQ(taken->spoilt.value().code, kBound);
  EXPECT_TRUE(taken->drafts.empty());
  EXPECT_TRUE(keep("b", "x")) << "others are not hurt";
}

TEST_F(TransactionsTest, AreBoundedInBytesTogether) {
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(begin(id));
  ASSERT_TRUE(keep("a", std::string(40, 'x')));
  ASSERT_TRUE(keep("b", std::string(60, 'x'))) << "exactly the bound";
  EXPECT_EQ(keep("c", "x").error().code, kBound);
  EXPECT_TRUE(transactions_.check("a"));
  EXPECT_FALSE(transactions_.check("c"));
  ASSERT_TRUE(transactions_.take("a"));
  EXPECT_TRUE(keep("b", std::string(40, 'x'))) << "what ended takes no room";
  transactions_.spoil("b", {ErrorCode::not_found_chatroom, "no room"});
  ASSERT_TRUE(begin("d"));
  EXPECT_TRUE(keep("d", std::string(100, 'x'))) << "nor does what is spoilt";
}

TEST_F(TransactionsTest, TheFirstReasonStays) {
  ASSERT_TRUE(begin("a"));
  ASSERT_TRUE(keep("a", "1"));
  transactions_.spoil("a", {ErrorCode::not_found_chatroom, "no room"});
  transactions_.spoil("a", {ErrorCode::too_many_requests, "too fast"});
  const auto joins = keep("a", "2");
  EXPECT_EQ(joins.error().code, ErrorCode::not_found_chatroom);
  EXPECT_THAT(joins.error().message, HasSubstr("no room"));
  const auto taken = transactions_.take("a");
  EXPECT_EQ(taken->spoilt.value().message, "no room");
  EXPECT_TRUE(taken->drafts.empty());
}

TEST_F(TransactionsTest, HoldChatMessagesOrTheBrokers) {
  std::atomic<std::uint64_t> total{0};
  const auto keep_brokers = [&](std::string_view id, std::string_view body) {
    stomp::Frame frame;
    frame.body = body;
    return transactions_.keep(
        id, std::make_unique<BrokerMessage>(BrokerTarget{}, frame, "sender", total), config_);
  };
  config_.transaction_bytes_max = 1200;  // with what each costs beside its body
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(begin(id));
  ASSERT_TRUE(keep("a", "1"));
  EXPECT_EQ(keep_brokers("a", "2").error().code, kBound);
  EXPECT_EQ(keep("a", "3").error().code, kBound) << "spoilt";
  ASSERT_TRUE(keep_brokers("b", std::string(60, 'x')));
  ASSERT_TRUE(transactions_.keep("b", Acknowledgement{1, 2}, config_));
  EXPECT_GT(total, 0U);
  EXPECT_FALSE(keep_brokers("c", std::string(141, 'x'))) << "too many bytes together";
  EXPECT_EQ(keep("b", "4").error().code, kBound);
  EXPECT_EQ(total, 0U) << "a spoilt one keeps nothing";
}

}  // namespace
}  // namespace rtc::server
