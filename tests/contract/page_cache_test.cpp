// The store's contract, with the cache of pages in front of each store; with ample bounds, so that
// all comes from memory, and with tiny ones, so that rooms and messages come and go.
#include "chat/page_cache.hpp"

#include "contract/memory_store.hpp"
#include "contract/postgres_stores.hpp"
#include "contract/sqlite_stores.hpp"
#include "contract/store_contract.hpp"

namespace rtc::chat {
namespace {

class MemoryStores final : public Stores {
 public:
  MessageStore& messages() override { return store_; }
  RoomStore& rooms() override { return store_; }
  BanStore& bans() override { return store_; }

 private:
  MemoryStore store_;
};

// As a room that somebody reads all the time.
class ReadByOthers final : public MessageStore {
 public:
  explicit ReadByOthers(PageCache& cache) : cache_(cache) {}
  Result<std::vector<Stored>> append(std::span<const Draft> drafts) override {
    for (const Draft& draft : drafts) EXPECT_TRUE(cache_.page_before(draft.room, 0, 1));
    return cache_.append(drafts);
  }
  Result<std::vector<Message>> page_before(RoomId room, MessageId before,
                                           std::uint32_t limit) override {
    return cache_.page_before(room, before, limit);
  }
  Result<std::vector<Message>> page_after(RoomId room, MessageId after,
                                          std::uint32_t limit) override {
    return cache_.page_after(room, after, limit);
  }
  std::string epoch() const override { return cache_.epoch(); }
  Result<std::uint64_t> forget_keys(std::int64_t before_ms, std::uint32_t limit) override {
    return cache_.forget_keys(before_ms, limit);
  }

 private:
  PageCache& cache_;
};

template <class Behind>
class CachedStores final : public Stores {
 public:
  explicit CachedStores(const PageCacheBounds& bounds) : cache_(behind_.messages(), bounds) {}
  MessageStore& messages() override { return read_by_others_; }
  RoomStore& rooms() override { return behind_.rooms(); }
  BanStore& bans() override { return behind_.bans(); }

 private:
  Behind behind_;
  PageCache cache_;
  ReadByOthers read_by_others_{cache_};
};

template <class Behind>
std::unique_ptr<Stores> make_ample() {
  return std::make_unique<CachedStores<Behind>>(
      PageCacheBounds{.messages_max = 20'000, .rooms_max = 100, .bytes_max = 64U << 20U});
}
template <class Behind>
std::unique_ptr<Stores> make_tiny() {
  return std::make_unique<CachedStores<Behind>>(
      PageCacheBounds{.messages_max = 3, .rooms_max = 2, .bytes_max = 4'000});
}

// As one of two nodes: every second batch is committed by the other one, and what the relay brings
// comes late or never.
class OfTwoNodes final : public MessageStore {
 public:
  explicit OfTwoNodes(const PageCacheBounds& bounds)
      : behind_(true), cache_(behind_, bounds), read_by_others_(cache_) {}
  Result<std::vector<Stored>> append(std::span<const Draft> drafts) override {
    ++batches_;
    auto stored = batches_ % 2 == 0 ? behind_.append(drafts) : read_by_others_.append(drafts);
    if (!stored || batches_ % 3 == 0) return stored;
    std::vector<Message> late = std::exchange(relayed_, {});
    for (std::size_t i = 0; i < drafts.size(); ++i) {
      if ((*stored)[i].repeated) continue;
      const Draft& draft = drafts[i];
      relayed_.push_back(
          {draft.room, (*stored)[i].id, draft.sender, draft.text, draft.created_at_ms});
    }
    cache_.add(batches_ % 5 == 0 ? relayed_ : late);
    return stored;
  }
  Result<std::vector<Message>> page_before(RoomId room, MessageId before,
                                           std::uint32_t limit) override {
    return cache_.page_before(room, before, limit);
  }
  Result<std::vector<Message>> page_after(RoomId room, MessageId after,
                                          std::uint32_t limit) override {
    return cache_.page_after(room, after, limit);
  }
  std::string epoch() const override { return cache_.epoch(); }
  Result<std::uint64_t> forget_keys(std::int64_t before_ms, std::uint32_t limit) override {
    return cache_.forget_keys(before_ms, limit);
  }
  RoomStore& rooms() { return behind_; }
  BanStore& bans() { return behind_; }

 private:
  MemoryStore behind_;
  PageCache cache_;
  ReadByOthers read_by_others_;
  std::atomic<int> batches_{0};
  std::vector<Message> relayed_;
};

class StoresOfTwoNodes final : public Stores {
 public:
  explicit StoresOfTwoNodes(const PageCacheBounds& bounds) : store_(bounds) {}
  MessageStore& messages() override { return store_; }
  RoomStore& rooms() override { return store_.rooms(); }
  BanStore& bans() override { return store_.bans(); }

 private:
  OfTwoNodes store_;
};
std::unique_ptr<Stores> make_two_nodes() {
  return std::make_unique<StoresOfTwoNodes>(
      PageCacheBounds{.messages_max = 20'000, .rooms_max = 100, .bytes_max = 64U << 20U});
}
std::unique_ptr<Stores> make_tiny_two_nodes() {
  return std::make_unique<StoresOfTwoNodes>(
      PageCacheBounds{.messages_max = 3, .rooms_max = 2, .bytes_max = 4'000});
}

INSTANTIATE_TEST_SUITE_P(CachedOfTwoNodes, MessageStoreContract,
                         testing::Values(&make_two_nodes, &make_tiny_two_nodes));
INSTANTIATE_TEST_SUITE_P(CachedMemory, MessageStoreContract,
                         testing::Values(&make_ample<MemoryStores>, &make_tiny<MemoryStores>));
INSTANTIATE_TEST_SUITE_P(CachedSqlite, MessageStoreContract,
                         testing::Values(&make_ample<storage::test::SqliteStores>,
                                         &make_tiny<storage::test::SqliteStores>));
INSTANTIATE_TEST_SUITE_P(CachedPostgres, MessageStoreContract,
                         testing::Values(&make_ample<storage::test::PostgresStores>,
                                         &make_tiny<storage::test::PostgresStores>));

}  // namespace
}  // namespace rtc::chat
