#include "net/outbox.hpp"

#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

#include "unit/base/seed.hpp"

namespace rtc::net {
namespace {

TEST(Bytes, AreSharedNotCopied) {
  const Bytes empty;
  EXPECT_EQ(empty.size(), 0U);
  EXPECT_EQ(empty.view(), "");
  EXPECT_EQ(Bytes::copy("").view(), "");

  std::string text = "hello";
  Bytes first = Bytes::copy(text);
  text = "xxxxx";
  EXPECT_EQ(first.view(), "hello");
  Bytes second = first;
  EXPECT_EQ(second.data(), first.data());
  const Bytes moved = std::move(first);
  EXPECT_EQ(moved.data(), second.data());
  second = Bytes::copy("other");
  EXPECT_EQ(moved.view(), "hello") << "an owner that leaves takes nothing from the rest";
  second = moved;
  Bytes& self = second;
  second = self;
  EXPECT_EQ(second.view(), "hello");
  EXPECT_EQ(Bytes::copy(std::string("a\0b", 3)).size(), 3U);
}

std::string gathered(const Outbox& outbox, std::size_t parts_max) {
  std::vector<iovec> parts(parts_max);
  const std::size_t count = outbox.gather(parts);
  EXPECT_LE(count, parts_max);
  std::string all;
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_GT(parts[i].iov_len, 0U) << "an empty part is a part wasted";
    all.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  }
  return all;
}

TEST(Outbox, GivesItsSegmentsInOrder) {
  Outbox::Storage storage;
  Outbox outbox;
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(gathered(outbox, 4), "");
  for (const char* text : {"one", "", "two", "three"}) outbox.push(Bytes::copy(text), storage);
  EXPECT_EQ(outbox.bytes(), 11U);
  EXPECT_EQ(gathered(outbox, 64), "onetwothree");
  EXPECT_EQ(gathered(outbox, 2), "onetwo");
  EXPECT_EQ(gathered(outbox, 0), "");
}

TEST(Outbox, ConsumesAtEverySplit) {
  const std::vector<std::string> texts{"a", "bcd", "ef", "ghijklm", "n"};
  std::string whole;
  for (const std::string& text : texts) whole += text;
  for (std::size_t first = 0; first <= whole.size(); ++first) {
    for (std::size_t second = 0; first + second <= whole.size(); ++second) {
      Outbox::Storage storage;
      Outbox outbox;
      for (const std::string& text : texts) outbox.push(Bytes::copy(text), storage);
      outbox.consume(first, storage);
      ASSERT_EQ(gathered(outbox, 64), whole.substr(first));
      outbox.consume(second, storage);
      ASSERT_EQ(gathered(outbox, 64), whole.substr(first + second));
      ASSERT_EQ(outbox.bytes(), whole.size() - first - second);
      ASSERT_EQ(outbox.empty(), first + second == whole.size());
      outbox.push(Bytes::copy("more"), storage);
      ASSERT_EQ(gathered(outbox, 64), whole.substr(first + second) + "more");
    }
  }
}

TEST(Outbox, LetsGoOfWhatIsWrittenAtOnce) {
  Outbox::Storage storage;
  Outbox outbox;
  // The owner count cannot be seen, a leak can: the sanitizer holds this test's other half.
  for (int i = 0; i < 1000; ++i) {
    outbox.push(Bytes::copy(std::string(100, 'x')), storage);
    outbox.push(Bytes::copy("y"), storage);
    outbox.consume(100, storage);
    ASSERT_LE(outbox.bytes(), 1001U);
  }
  outbox.clear(storage);
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.bytes(), 0U);
  EXPECT_EQ(gathered(outbox, 64), "");
}

TEST(Outbox, GivesItsStorageBackWhenEmpty) {
  Outbox::Storage storage;
  Outbox outbox;
  outbox.push(Bytes::copy("abc"), storage);
  outbox.consume(3, storage);
  EXPECT_EQ(storage.spares(), 0U) << "one segment needs no queue";

  outbox.push(Bytes::copy("abc"), storage);
  outbox.push(Bytes::copy("def"), storage);
  outbox.consume(6, storage);
  EXPECT_EQ(storage.spares(), 1U);

  outbox.push(Bytes::copy("abc"), storage);
  outbox.consume(1, storage);
  EXPECT_EQ(storage.spares(), 0U) << "the spare one is used";
  outbox.clear(storage);
  EXPECT_EQ(storage.spares(), 1U);
  outbox.clear(storage);
  EXPECT_EQ(storage.spares(), 1U) << "an empty outbox has nothing to give";
}

TEST(Outbox, ItsStorageKeepsABoundedNumberOfSmallSpares) {
  Outbox::Storage storage;
  Outbox burst;
  for (std::size_t i = 0; i <= Outbox::Storage::kSpareSegmentsMax; ++i) {
    burst.push(Bytes::copy("x"), storage);
  }
  burst.clear(storage);
  EXPECT_EQ(storage.spares(), 0U) << "what a burst needed is not kept";

  std::vector<Outbox> many(Outbox::Storage::kSparesMax + 10);
  for (Outbox& outbox : many) {
    outbox.push(Bytes::copy("a"), storage);
    outbox.push(Bytes::copy("b"), storage);
  }
  for (Outbox& outbox : many) outbox.clear(storage);
  EXPECT_EQ(storage.spares(), Outbox::Storage::kSparesMax);
}

TEST(Outbox, ItsStorageKnowsWhatWaitsInAllOfThem) {
  Outbox::Storage storage;
  Outbox first;
  Outbox second;
  first.push(Bytes::copy("abc"), storage);
  second.push(Bytes::copy("defg"), storage);
  second.push(Bytes::copy("hi"), storage);
  EXPECT_EQ(storage.bytes(), 9U);
  second.consume(1, storage);
  EXPECT_EQ(storage.bytes(), 8U);
  second.drop_unbegun(storage);
  EXPECT_EQ(storage.bytes(), 3U + 3U) << "what was begun of it stays";
  first.drop_unbegun(storage);
  EXPECT_EQ(storage.bytes(), 3U);
  second.clear(storage);
  EXPECT_EQ(storage.bytes(), 0U);
}

TEST(Outbox, AgreesWithAModel) {
  std::mt19937_64 random(test::seed());
  Outbox::Storage storage;
  Outbox outbox;
  std::string model;
  char next = 'a';
  for (int step = 0; step < 20'000; ++step) {
    if (test::pick(random, 0, 2) > 0 && model.size() < 500) {
      const std::string text(test::pick(random, 0, 9), next);
      next = next == 'z' ? 'a' : static_cast<char>(next + 1);
      outbox.push(Bytes::copy(text), storage);
      model += text;
    } else if (test::pick(random, 0, 50) == 0) {
      outbox.clear(storage);
      model.clear();
    } else {
      const std::string front = gathered(outbox, test::pick(random, 1, 8));
      ASSERT_TRUE(model.starts_with(front));
      ASSERT_EQ(front.empty(), model.empty());
      const std::size_t written = test::pick(random, 0, front.size());
      outbox.consume(written, storage);
      model.erase(0, written);
    }
    ASSERT_EQ(outbox.bytes(), model.size());
    ASSERT_EQ(storage.bytes(), model.size());
    ASSERT_EQ(gathered(outbox, 600), model);
  }
}

}  // namespace
}  // namespace rtc::net
