// What the cache of pages adds to the contract (tests/contract/page_cache_test.cpp): when it asks
// the store behind, what it keeps, and what happens when reads and commits meet.
#include "chat/page_cache.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "contract/memory_store.hpp"
#include "contract/store_contract.hpp"
#include "unit/base/seed.hpp"

namespace rtc::chat {
namespace {

using rtc::test::pick;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<MessageId> ids_of(const Result<std::vector<Message>>& page) {
  std::vector<MessageId> ids;
  for (const Message& message : page.value()) ids.push_back(message.id);
  return ids;
}

std::vector<std::string> texts_of(const std::vector<Message>& page) {
  std::vector<std::string> texts;
  for (const Message& each : page) texts.push_back(std::to_string(each.id) + " " + each.text);
  return texts;
}

// Counts what it is asked, and lets a test act in the middle of a call.
class WatchedStore final : public MessageStore {
 public:
  explicit WatchedStore(bool shared = false) : written_by_others(shared) {}
  MemoryStore store;
  const bool written_by_others;
  std::atomic<int> reads{0};
  std::atomic<int> messages{0};        // given by them
  std::function<void()> before_read;   // before its snapshot is taken
  std::function<void()> after_read;    // after it
  std::function<void()> after_commit;  // readable, and append() has not returned

  Result<std::vector<Stored>> append(std::span<const Draft> drafts) override {
    auto stored = store.append(drafts);
    if (stored && after_commit) std::exchange(after_commit, {})();
    return stored;
  }
  Result<std::vector<Message>> page_before(RoomId room, MessageId before,
                                           std::uint32_t limit) override {
    return read([&] { return store.page_before(room, before, limit); });
  }
  Result<std::vector<Message>> page_after(RoomId room, MessageId after,
                                          std::uint32_t limit) override {
    return read([&] { return store.page_after(room, after, limit); });
  }
  std::string epoch() const override { return store.epoch(); }
  bool shared() const override { return written_by_others; }
  Result<std::uint64_t> forget_keys(std::int64_t before_ms, std::uint32_t limit) override {
    return store.forget_keys(before_ms, limit);
  }

 private:
  template <class Read>
  Result<std::vector<Message>> read(const Read& page) {
    ++reads;
    if (before_read) std::exchange(before_read, {})();
    auto found = page();
    if (found) messages += static_cast<int>(found->size());
    if (after_read) std::exchange(after_read, {})();
    return found;
  }
};

class PageCacheTest : public testing::Test {
 protected:
  void fill(RoomId room, int count) {
    std::vector<Draft> drafts;
    for (int i = 0; i < count; ++i) drafts.push_back(draft(room, "text"));
    EXPECT_TRUE(cache_.append(drafts));
  }
  RoomId make_room() {
    const Room room = open_room("a room");
    EXPECT_TRUE(behind_.store.create(room, kAmple));
    return room.id;
  }
  const PageCacheFigures& figures() { return cache_.figures(); }

  WatchedStore behind_;
  PageCache cache_{behind_, {.messages_max = 10, .rooms_max = 3, .bytes_max = 1U << 20U}};
  const RoomId room_ = make_room();
};

TEST_F(PageCacheTest, ARoomIsReadOnceAndThenFollowsTheCommits) {
  fill(room_, 25);
  EXPECT_EQ(behind_.reads, 0);
  EXPECT_EQ(figures().rooms, 0U) << "who is not read takes no memory";
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 2)), ElementsAre(25, 24));
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(25, 24, 23));
  fill(room_, 2);
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(27, 26, 25));
  EXPECT_EQ(cache_.page_before(room_, 0, 10)->size(), 10U);
  EXPECT_EQ(behind_.reads, 1);
  EXPECT_EQ(figures().misses, 1U);
  EXPECT_EQ(figures().hits, 3U);
}

TEST_F(PageCacheTest, WhatReachesDeeperThanItKeepsIsAskedBehind) {
  fill(room_, 25);
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 1)), ElementsAre(25));
  EXPECT_THAT(ids_of(cache_.page_before(room_, 20, 4)), ElementsAre(19, 18, 17, 16));
  EXPECT_THAT(ids_of(cache_.page_after(room_, 15, 3)), ElementsAre(16, 17, 18));
  EXPECT_THAT(ids_of(cache_.page_after(room_, 25, 3)), IsEmpty());
  EXPECT_EQ(behind_.reads, 1);
  EXPECT_THAT(ids_of(cache_.page_before(room_, 20, 5)), ElementsAre(19, 18, 17, 16, 15));
  EXPECT_EQ(behind_.reads, 2);
  EXPECT_THAT(ids_of(cache_.page_after(room_, 14, 1)), ElementsAre(15));
  EXPECT_EQ(behind_.reads, 3);
  EXPECT_EQ(cache_.page_before(room_, 0, 11)->size(), 11U);
  EXPECT_EQ(behind_.reads, 4);
}

TEST_F(PageCacheTest, KnowsThatAWholeRoomHasNothingOlder) {
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 10)), IsEmpty());
  fill(room_, 3);
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 10)), ElementsAre(3, 2, 1));
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 100)), ElementsAre(3, 2, 1));
  EXPECT_THAT(ids_of(cache_.page_before(room_, 1, 5)), IsEmpty());
  EXPECT_THAT(ids_of(cache_.page_after(room_, 0, 5)), ElementsAre(1, 2, 3));
  EXPECT_EQ(behind_.reads, 1);
}

TEST_F(PageCacheTest, OneReaderLoadsTheOthersWait) {
  fill(room_, 5);
  std::vector<std::thread> others;
  behind_.before_read = [&] {
    for (int i = 0; i < 4; ++i) {
      others.emplace_back([&] { EXPECT_EQ(cache_.page_before(room_, 0, 3)->size(), 3U); });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  };
  EXPECT_EQ(cache_.page_before(room_, 0, 3)->size(), 3U);
  for (std::thread& each : others) each.join();
  EXPECT_EQ(behind_.reads, 1);
}

TEST_F(PageCacheTest, ALoadThatFailsIsNobodyElses) {
  fill(room_, 15);
  behind_.store.reads_fail = true;
  EXPECT_FALSE(cache_.page_before(room_, 0, 3));
  EXPECT_EQ(figures().rooms, 0U);
  EXPECT_EQ(figures().bytes, 0U);
  behind_.store.reads_fail = false;
  EXPECT_EQ(cache_.page_before(room_, 0, 3)->size(), 3U);
  behind_.store.reads_fail = true;
  EXPECT_EQ(cache_.page_before(room_, 0, 3)->size(), 3U) << "from memory";
  EXPECT_FALSE(cache_.page_before(room_, 0, 11)) << "deeper than it keeps";
}

TEST_F(PageCacheTest, AFailedCommitLeavesNoTrace) {
  fill(room_, 3);
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 2)), ElementsAre(3, 2));
  behind_.store.set_failing(true);
  EXPECT_FALSE(cache_.append(std::vector{draft(room_, "lost")}));
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 2)), ElementsAre(3, 2));
  behind_.store.set_failing(false);
  EXPECT_FALSE(cache_.append(std::vector{draft(room_, "lost"), draft(RoomId::random(), "x")}));
  EXPECT_TRUE(cache_.append(std::vector{draft(room_, "kept")}));
  const auto page = cache_.page_before(room_, 0, 2);
  EXPECT_THAT(ids_of(page), ElementsAre(4, 3));
  EXPECT_EQ(page->front().text, "kept");
  EXPECT_EQ(behind_.reads, 1);
}

TEST_F(PageCacheTest, ARetryIsNotAddedAgain) {
  Draft keyed = draft(room_, "once");
  keyed.key = std::string("k");  // of = "k" g++ 12 warns for nothing (its bug 105329)
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 2)), IsEmpty());
  EXPECT_TRUE(cache_.append(std::vector{keyed, keyed, draft(room_, "more")}));
  EXPECT_TRUE(cache_.append(std::vector{keyed}));
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 5)), ElementsAre(2, 1));
  EXPECT_EQ(behind_.reads, 1);
}

// --- reads and commits that meet

TEST_F(PageCacheTest, WhatIsCommittedDuringALoadIsThereAfterIt) {
  for (const bool after_snapshot : {false, true}) {
    const RoomId room = make_room();
    fill(room, 12);
    (after_snapshot ? behind_.after_read : behind_.before_read) = [&] { fill(room, 3); };
    EXPECT_TRUE(cache_.page_before(room, 0, 4));
    EXPECT_THAT(ids_of(cache_.page_before(room, 0, 10)),
                ElementsAre(15, 14, 13, 12, 11, 10, 9, 8, 7, 6));
  }
  EXPECT_EQ(behind_.reads, 2);
}

TEST_F(PageCacheTest, MoreThanItKeepsIsCommittedDuringALoad) {
  fill(room_, 4);
  behind_.after_read = [&] { fill(room_, 30); };
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 4)), ElementsAre(4, 3, 2, 1));
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(34, 33, 32));
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 10)),
              ElementsAre(34, 33, 32, 31, 30, 29, 28, 27, 26, 25));
}

// A page from the store may show what is committed and not yet added: from then on everybody sees
// it, though append() has not returned.
TEST_F(PageCacheTest, NobodyIsShownLessThanAReadBeforeHasShown) {
  fill(room_, 25);
  EXPECT_TRUE(cache_.page_before(room_, 0, 1));
  behind_.after_commit = [&] {
    EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 1)), ElementsAre(25)) << "nobody saw more";
    EXPECT_THAT(ids_of(cache_.page_after(room_, 1, 100)).back(), 26U) << "deeper: from the store";
    EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 1)), ElementsAre(26));
  };
  fill(room_, 1);
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 2)), ElementsAre(26, 25));
  fill(room_, 1);
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 2)), ElementsAre(27, 26));
}

TEST_F(PageCacheTest, NobodyIsShownLessThanAReadBesideTheLoadHasShown) {
  fill(room_, 25);
  behind_.after_read = [&] {  // the load has its snapshot
    behind_.after_commit = [&] {
      EXPECT_THAT(ids_of(cache_.page_after(room_, 1, 100)).back(), 26U);
      EXPECT_EQ(figures().rooms, 1U);
    };
    // Committed, shown, and never added, as if the thread that commits stood still.
    EXPECT_TRUE(behind_.append(std::vector{draft(room_, "text")}));
  };
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 1)), ElementsAre(25));
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 1)), ElementsAre(26));
}

// --- bounds

TEST_F(PageCacheTest, BeyondItsRoomsTheOneReadLongestAgoGoes) {
  std::vector<RoomId> rooms;
  for (int i = 0; i < 4; ++i) {
    rooms.push_back(make_room());
    fill(rooms.back(), 1);
  }
  for (const std::size_t each : {0U, 1U, 2U, 0U, 3U})
    EXPECT_TRUE(cache_.page_before(rooms[each], 0, 1));
  EXPECT_EQ(figures().rooms, 3U);
  EXPECT_EQ(figures().evictions, 1U);
  EXPECT_EQ(behind_.reads, 4);
  for (const std::size_t each : {0U, 2U, 3U}) EXPECT_TRUE(cache_.page_before(rooms[each], 0, 1));
  EXPECT_EQ(behind_.reads, 4);
  EXPECT_TRUE(cache_.page_before(rooms[1], 0, 1));
  EXPECT_EQ(behind_.reads, 5);
}

TEST_F(PageCacheTest, HoldsItsMemoryAtTheBoundAlsoWhenCommitsFillIt) {
  PageCache cache(behind_, {.messages_max = 10, .rooms_max = 100, .bytes_max = 110'000});
  std::vector<RoomId> rooms;
  for (int i = 0; i < 14; ++i) {
    rooms.push_back(make_room());
    EXPECT_TRUE(cache.page_before(rooms.back(), 0, 1));
  }
  for (int i = 0; i < 40; ++i) {
    for (const RoomId& room : rooms) {
      ASSERT_TRUE(cache.append(std::vector{draft(room, std::string(900, 'x'))}));
      ASSERT_LE(cache.figures().bytes, 110'000U);
    }
  }
  const std::uint64_t kept = cache.figures().rooms;
  EXPECT_GE(kept, 8U) << "of some 12,000 bytes each";
  EXPECT_GT(cache.figures().bytes, 90'000U);
  EXPECT_EQ(cache.figures().evictions, 14 - kept);
  // What is too long for any room's part is not kept, and costs no other room its place.
  ASSERT_TRUE(cache.append(std::vector{draft(rooms.back(), std::string(200'000, 'x'))}));
  EXPECT_LE(cache.figures().bytes, 110'000U);
  EXPECT_EQ(cache.page_before(rooms.back(), 0, 1)->front().text.size(), 200'000U);
  EXPECT_EQ(cache.figures().rooms, kept - 1);
  EXPECT_EQ(cache.figures().evictions, 14 - kept);
}

TEST_F(PageCacheTest, ARoomOfLongTextsKeepsAsManyAsItsPartHolds) {
  PageCache cache(behind_, {.messages_max = 10, .rooms_max = 100, .bytes_max = 80'000});
  const RoomId other = make_room();
  EXPECT_TRUE(cache.page_before(other, 0, 1));
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(behind_.append(std::vector{draft(room_, std::string(3'000, 'x'))}));
  }
  EXPECT_EQ(cache.page_before(room_, 0, 10)->size(), 10U);
  EXPECT_LE(cache.figures().bytes, 12'000U);
  EXPECT_EQ(cache.figures().rooms, 2U);
  const int reads = behind_.reads;
  EXPECT_EQ(cache.page_before(room_, 0, 2)->size(), 2U);
  EXPECT_EQ(behind_.reads, reads) << "the newest are there";
  EXPECT_EQ(cache.page_before(room_, 0, 10)->size(), 10U);
  EXPECT_GT(behind_.reads, reads);
}

TEST_F(PageCacheTest, WithoutMemoryEverythingIsHandedThrough) {
  PageCache cache(behind_, {.messages_max = 10, .rooms_max = 3, .bytes_max = 0});
  fill(room_, 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(ids_of(cache.page_before(room_, 0, 1)), ElementsAre(3));
    EXPECT_THAT(ids_of(cache.page_after(room_, 2, 1)), ElementsAre(3));
  }
  EXPECT_EQ(behind_.reads, 6);
  EXPECT_EQ(cache.figures().hits + cache.figures().misses, 0U);
}

// --- in random order, against the store itself

TEST_F(PageCacheTest, AgreesWithTheStoreBehind) {
  std::mt19937_64 random(rtc::test::seed());
  PageCache cache(behind_, {.messages_max = 6, .rooms_max = 4, .bytes_max = 18'000});
  std::vector<RoomId> rooms;
  for (int i = 0; i < 6; ++i) rooms.push_back(make_room());
  MemoryStore& plain = behind_.store;
  for (int step = 0; step < 20'000; ++step) {
    const RoomId room = rooms[pick(random, 0, rooms.size() - 1)];
    const auto limit = static_cast<std::uint32_t>(pick(random, 1, 9));
    const std::size_t action = pick(random, 0, 9);
    if (action < 3) {
      std::vector<Draft> drafts;
      for (std::size_t i = pick(random, 1, 4); i > 0; --i) {
        drafts.push_back(
            draft(rooms[pick(random, 0, rooms.size() - 1)],
                  std::string(pick(random, 1, 200), static_cast<char>('a' + step % 26))));
        if (pick(random, 0, 3) == 0) drafts.back().key = std::to_string(pick(random, 0, 50));
      }
      const bool fails = pick(random, 0, 9) == 0;
      if (fails) drafts.push_back(draft(RoomId::random(), "x"));
      ASSERT_EQ(cache.append(drafts).ok(), !fails);
      continue;
    }
    const MessageId newest =
        plain.page_before(room, 0, 1)->empty() ? 0 : plain.page_before(room, 0, 1)->front().id;
    // Mostly near the end.
    const MessageId from = newest + 2 - std::min<MessageId>(newest + 2, pick(random, 0, 14));
    if (action < 6) {
      ASSERT_EQ(texts_of(*cache.page_before(room, 0, limit)),
                texts_of(*plain.page_before(room, 0, limit)));
    } else if (action < 8) {
      ASSERT_EQ(texts_of(*cache.page_before(room, from, limit)),
                texts_of(*plain.page_before(room, from, limit)));
    } else {
      ASSERT_EQ(texts_of(*cache.page_after(room, from, limit)),
                texts_of(*plain.page_after(room, from, limit)));
    }
    ASSERT_LE(cache.figures().bytes, 18'000U);
    ASSERT_LE(cache.figures().rooms, 4U);
  }
  EXPECT_GT(cache.figures().hits, 1'000U);
  EXPECT_GT(cache.figures().evictions, 100U);
}

// Readers beside a writer: no hole, no half commit, nothing that was shown is taken back.
TEST_F(PageCacheTest, ReadersBesideAWriterNeverGoBack) {
  constexpr int kBatch = 3;
  PageCache cache(behind_, {.messages_max = 12, .rooms_max = 1, .bytes_max = 1U << 20U});
  const std::array rooms{make_room(), make_room()};  // one at a time: each evicts the other
  std::atomic<bool> writing{true};
  std::atomic<std::size_t> pages{0};
  std::vector<std::thread> readers;
  for (unsigned r = 0; r < 3; ++r) {
    readers.emplace_back([&, r] {
      std::array<MessageId, 2> seen{};
      for (unsigned n = r; writing; ++n, ++pages) {
        const std::size_t which = n / 7 % 2;
        const bool deep = n % 5 == 0;
        const auto page = deep ? cache.page_after(rooms[which], seen[which] / 2, 10'000)
                               : cache.page_before(rooms[which], 0, 9);
        ASSERT_TRUE(page);
        const MessageId newest = page->empty() ? 0 : std::max(page->front().id, page->back().id);
        ASSERT_EQ(newest % kBatch, 0U) << "half a commit";
        ASSERT_GE(newest, seen[which]);
        for (std::size_t i = 1; i < page->size(); ++i) {
          const MessageId low = page->at(deep ? i - 1 : i).id;
          ASSERT_EQ(page->at(deep ? i : i - 1).id, low + 1);
        }
        seen[which] = newest;
      }
    });
  }
  for (std::size_t n = 0; n < 2'000; ++n) {
    while (pages < n / 2 && !HasFailure()) std::this_thread::yield();  // or it ends before them
    std::vector<Draft> drafts;
    for (int i = 0; i < kBatch; ++i) drafts.push_back(draft(rooms[n % 2], "text"));
    const auto stored = cache.append(drafts);
    ASSERT_TRUE(stored);
    ASSERT_GE(cache.page_before(rooms[n % 2], 0, 1)->front().id, stored->back().id) << "receipt";
  }
  writing = false;
  for (std::thread& each : readers) each.join();
  EXPECT_GT(cache.figures().hits, 0U);
}

// Before a store that other nodes write to.
class SharedPageCacheTest : public testing::Test {
 protected:
  void commit_elsewhere(int count) {
    const std::vector<Draft> drafts(static_cast<std::size_t>(count), draft(room_, "text"));
    ASSERT_TRUE(behind_.store.append(drafts));
  }
  void relayed(std::vector<MessageId> ids) {
    std::vector<Message> messages;
    for (const MessageId id : ids) messages.push_back({room_, id, {}, "text", 0});
    cache_.add(messages);
  }
  RoomId make_room() {
    const Room room = open_room("a room");
    EXPECT_TRUE(behind_.store.create(room, kAmple));
    return room.id;
  }

  WatchedStore behind_{true};
  PageCache cache_{behind_, {.messages_max = 10, .rooms_max = 3, .bytes_max = 1U << 20U}};
  const RoomId room_ = make_room();
};

TEST_F(SharedPageCacheTest, ShowsWhatOthersCommittedBeforeTheRelayBringsIt) {
  commit_elsewhere(5);
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(5, 4, 3));
  commit_elsewhere(2);
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 1)), ElementsAre(7));
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(7, 6, 5));
  commit_elsewhere(2);
  EXPECT_THAT(ids_of(cache_.page_after(room_, 6, 5)), ElementsAre(7, 8, 9));
  commit_elsewhere(2);
  EXPECT_THAT(ids_of(cache_.page_before(room_, 11, 2)), ElementsAre(10, 9));
}

TEST_F(SharedPageCacheTest, ANewestPageCostsOneQuestionAndNoMessageWhenTheRelayKeepsUp) {
  commit_elsewhere(5);
  EXPECT_EQ(cache_.page_before(room_, 0, 3)->size(), 3U);
  EXPECT_EQ(behind_.reads, 1);
  commit_elsewhere(2);
  relayed({6, 7});
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(7, 6, 5));
  EXPECT_EQ(behind_.reads, 2);
  EXPECT_EQ(behind_.messages, 5) << "those of the first page";
  EXPECT_THAT(ids_of(cache_.page_before(room_, 7, 3)), ElementsAre(6, 5, 4));
  EXPECT_THAT(ids_of(cache_.page_after(room_, 4, 3)), ElementsAre(5, 6, 7));
  EXPECT_EQ(behind_.reads, 2) << "what is there does not change";
}

TEST_F(SharedPageCacheTest, OnlyWhatOthersAddedIsReadAndThenKept) {
  commit_elsewhere(9);
  EXPECT_EQ(cache_.page_before(room_, 0, 3)->size(), 3U);
  commit_elsewhere(2);
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(11, 10, 9));
  EXPECT_EQ(behind_.messages, 9 + 2);
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 1)), ElementsAre(11));
  EXPECT_EQ(behind_.messages, 9 + 2);
  EXPECT_EQ(behind_.reads, 3);
  EXPECT_EQ(cache_.figures().topped_up, 1U);
  EXPECT_EQ(cache_.figures().hits, 1U);
  EXPECT_EQ(cache_.figures().misses, 1U);
}

TEST_F(SharedPageCacheTest, ARoomThatRanAwayIsReadAnew) {
  commit_elsewhere(5);
  EXPECT_EQ(cache_.page_before(room_, 0, 3)->size(), 3U);
  commit_elsewhere(25);
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(30, 29, 28));
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(30, 29, 28));
  const int before = behind_.messages;
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(30, 29, 28));
  EXPECT_EQ(behind_.messages, before) << "from memory again";
}

TEST_F(SharedPageCacheTest, AnEmptyRoomIsKnownToo) {
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), IsEmpty());
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), IsEmpty());
  commit_elsewhere(1);
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(1));
}

TEST_F(SharedPageCacheTest, ACommitInTheMiddleOfTheQuestionIsInTheNextPage) {
  commit_elsewhere(5);
  EXPECT_EQ(cache_.page_before(room_, 0, 3)->size(), 3U);
  behind_.after_read = [&] {
    commit_elsewhere(1);
    relayed({6});
  };
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(5, 4, 3));
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(6, 5, 4));
  behind_.after_read = [&] {
    commit_elsewhere(1);
    relayed({8, 9});  // one was lost: what is here goes
  };
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(6, 5, 4));
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(7, 6, 5));
}

TEST_F(SharedPageCacheTest, OneReaderLoadsTheOthersWaitAndAskForNoMessage) {
  commit_elsewhere(5);
  std::vector<std::thread> others;
  behind_.before_read = [&] {
    for (int i = 0; i < 4; ++i) {
      others.emplace_back([&] { EXPECT_EQ(cache_.page_before(room_, 0, 3)->size(), 3U); });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // they come to wait
  };
  EXPECT_EQ(cache_.page_before(room_, 0, 3)->size(), 3U);
  for (std::thread& each : others) each.join();
  EXPECT_EQ(behind_.messages, 5);
  EXPECT_EQ(cache_.figures().misses, 1U);
}

// Other nodes commit, and the relay brings some of it, late and with holes; readers meet them.
TEST_F(SharedPageCacheTest, NobodyIsShownLessThanWasCommittedWhenHeAsked) {
  std::atomic<MessageId> committed{0};
  std::atomic<bool> writing{true};
  std::atomic<int> pages{0};
  std::vector<std::thread> readers;
  for (unsigned which = 0; which < 3; ++which) {
    readers.emplace_back([&, which] {
      for (; writing; ++pages) {
        const MessageId least = committed;
        const auto page = cache_.page_before(room_, 0, 1 + which * 4);
        ASSERT_TRUE(page);
        ASSERT_GE(page->empty() ? 0 : page->front().id, least);
        for (std::size_t i = 1; i < page->size(); ++i) {
          ASSERT_EQ((*page)[i].id + 1, (*page)[i - 1].id);
        }
        ASSERT_EQ(page->size(),
                  std::min<std::size_t>(1 + which * 4, page->empty() ? 0 : page->front().id));
      }
    });
  }
  std::mt19937_64 random(rtc::test::seed());
  MessageId told = 0;
  for (int n = 0; n < 3'000; ++n) {
    while (pages < n / 2 && !HasFailure()) std::this_thread::yield();
    const int count = pick(random, 0, 200) == 0 ? 15 : static_cast<int>(pick(random, 1, 3));
    commit_elsewhere(count);
    committed = committed + static_cast<MessageId>(count);
    if (pick(random, 0, 2) == 0) continue;
    if (pick(random, 0, 9) == 0) told = committed;  // the relay lost some
    while (told < committed) relayed({++told});
  }
  writing = false;
  for (std::thread& each : readers) each.join();
  EXPECT_GT(cache_.figures().hits + cache_.figures().topped_up, 0U);
}

TEST_F(SharedPageCacheTest, AHoleInWhatTheRelayBringsIsNotKept) {
  commit_elsewhere(5);
  EXPECT_EQ(cache_.page_before(room_, 0, 3)->size(), 3U);
  commit_elsewhere(3);
  relayed({8});
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 4)), ElementsAre(8, 7, 6, 5));
}

TEST_F(SharedPageCacheTest, ItsOwnCommitsAreShownAtOnce) {
  commit_elsewhere(5);
  EXPECT_EQ(cache_.page_before(room_, 0, 3)->size(), 3U);
  commit_elsewhere(1);
  EXPECT_TRUE(cache_.append(std::vector<Draft>(1, draft(room_, "own"))));
  EXPECT_THAT(ids_of(cache_.page_before(room_, 0, 3)), ElementsAre(7, 6, 5));
}

}  // namespace
}  // namespace rtc::chat
