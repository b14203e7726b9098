// The store's contract, with pages that nodes keep for each other in front of it, in a real Redis
// too; and what becomes of pages that are old, lost, or of another past.
#include "chat/remote_page_store.hpp"

#include <map>
#include <mutex>

#include "contract/memory_store.hpp"
#include "contract/postgres_stores.hpp"
#include "contract/redis_server.hpp"
#include "contract/store_contract.hpp"
#include "relay/redis_pages.hpp"

namespace rtc::chat {
namespace {

// What nodes kept, in this process. Every second time it forgets, or goes on with what is old.
class FickleMap final : public RemotePages {
 public:
  std::vector<Message> read(const RoomId& room) override {
    const std::scoped_lock lock(mutex_);
    if (++calls_ % 5 == 0) pages_.clear();
    return pages_[room];
  }
  void keep(const RoomId& room, const std::vector<Message>& messages) override {
    const std::scoped_lock lock(mutex_);
    if (++calls_ % 2 == 0) pages_[room] = messages;
  }
  RemotePageFigures figures() const override { return {}; }

 private:
  std::mutex mutex_;
  int calls_ = 0;
  std::map<RoomId, std::vector<Message>> pages_;
};

class MemoryStores final : public Stores {
 public:
  MessageStore& messages() override { return store_; }
  RoomStore& rooms() override { return store_; }
  BanStore& bans() override { return store_; }

 private:
  MemoryStore store_{true};
};

// Each commit is followed by reads, so that there are pages of all ages.
class ReadAllTheTime final : public MessageStore {
 public:
  explicit ReadAllTheTime(MessageStore& store) : store_(store) {}
  Result<std::vector<Stored>> append(std::span<const Draft> drafts) override {
    for (const Draft& draft : drafts) EXPECT_TRUE(store_.page_before(draft.room, 0, 3));
    auto stored = store_.append(drafts);
    for (const Draft& draft : drafts) EXPECT_TRUE(store_.page_before(draft.room, 0, 7));
    return stored;
  }
  Result<std::vector<Message>> page_before(RoomId room, MessageId before,
                                           std::uint32_t limit) override {
    return store_.page_before(room, before, limit);
  }
  Result<std::vector<Message>> page_after(RoomId room, MessageId after,
                                          std::uint32_t limit) override {
    return store_.page_after(room, after, limit);
  }
  std::string epoch() const override { return store_.epoch(); }
  Result<std::uint64_t> forget_keys(std::int64_t before_ms, std::uint32_t limit) override {
    return store_.forget_keys(before_ms, limit);
  }

 private:
  MessageStore& store_;
};

relay::RedisPagesOptions options_for(const relay::test::RedisServer& server) {
  relay::RedisPagesOptions options;
  options.address = server.address();
  options.prefix = "test";
  options.timeout_ms = 30'000;
  options.wait_ms = 30'000;
  options.secret = "0123456789abcdef0123456789abcdef";
  options.epoch = "epoch";
  return options;
}

void wait_until(const char* what, const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!holds()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited too long for " << what;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

class InRedis final : public RemotePages {
 public:
  InRedis() {
    wait_until("Redis", [&] { return pages_.figures().connected; });
  }
  std::vector<Message> read(const RoomId& room) override { return pages_.read(room); }
  void keep(const RoomId& room, const std::vector<Message>& messages) override {
    pages_.keep(room, messages);
  }
  RemotePageFigures figures() const override { return pages_.figures(); }

 private:
  relay::test::RedisServer server_;
  relay::RedisPages pages_{options_for(server_)};
};

template <class Behind, class Pages>
class RemoteStores final : public Stores {
 public:
  MessageStore& messages() override { return read_; }
  RoomStore& rooms() override { return behind_.rooms(); }
  BanStore& bans() override { return behind_.bans(); }

 private:
  Behind behind_;
  Pages pages_;
  RemotePageStore store_{behind_.messages(), pages_};
  ReadAllTheTime read_{store_};
};
template <class Behind, class Pages>
std::unique_ptr<Stores> make() {
  return std::make_unique<RemoteStores<Behind, Pages>>();
}

INSTANTIATE_TEST_SUITE_P(RemotePages, MessageStoreContract,
                         testing::Values(&make<MemoryStores, FickleMap>,
                                         &make<MemoryStores, InRedis>,
                                         &make<storage::test::PostgresStores, InRedis>));

// What is asked of the store behind.
class Counted final : public MessageStore {
 public:
  explicit Counted(MessageStore& behind) : behind_(behind) {}
  Result<std::vector<Stored>> append(std::span<const Draft> drafts) override {
    return behind_.append(drafts);
  }
  Result<std::vector<Message>> page_before(RoomId room, MessageId before,
                                           std::uint32_t limit) override {
    auto page = behind_.page_before(room, before, limit);
    if (page) read += page->size();
    return page;
  }
  Result<std::vector<Message>> page_after(RoomId room, MessageId after,
                                          std::uint32_t limit) override {
    auto page = behind_.page_after(room, after, limit);
    if (page) read += page->size();
    return page;
  }
  std::string epoch() const override { return behind_.epoch(); }
  Result<std::uint64_t> forget_keys(std::int64_t before_ms, std::uint32_t limit) override {
    return behind_.forget_keys(before_ms, limit);
  }

  std::size_t read = 0;  // messages

 private:
  MessageStore& behind_;
};

// One page, whatever the room.
class OnePage final : public RemotePages {
 public:
  std::vector<Message> read(const RoomId& /*room*/) override { return page; }
  void keep(const RoomId& /*room*/, const std::vector<Message>& messages) override {
    page = messages;
  }
  RemotePageFigures figures() const override { return {}; }

  std::vector<Message> page;
};

class RemotePageStoreTest : public testing::Test {
 protected:
  void say(int count) {
    for (int i = 0; i < count; ++i) {
      const std::vector<Draft> one{draft(room_, "said " + std::to_string(++said_))};
      EXPECT_TRUE(behind_.append(one));
    }
  }
  // What is read behind for a page of ten, which must be the newest.
  std::size_t read_behind() {
    counted_.read = 0;
    const auto page = store_.page_before(room_, 0, 10);
    const auto wanted = behind_.page_before(room_, 0, 10);
    EXPECT_EQ(page->size(), wanted->size());
    for (std::size_t i = 0; i < std::min(page->size(), wanted->size()); ++i) {
      EXPECT_EQ((*page)[i].id, (*wanted)[i].id);
      EXPECT_EQ((*page)[i].text, (*wanted)[i].text);
    }
    return counted_.read;
  }

  MemoryStore behind_{true};
  Counted counted_{behind_};
  OnePage pages_;
  RemotePageStore store_{counted_, pages_};
  RoomId room_ = lobby_id();
  int said_ = 0;
};

TEST_F(RemotePageStoreTest, OnlyTheNewestIsReadOfAPageThatIsThere) {
  say(30);
  EXPECT_EQ(read_behind(), 10U);
  EXPECT_EQ(pages_.page.size(), 10U);
  EXPECT_EQ(read_behind(), 1U);
  EXPECT_EQ(read_behind(), 1U);
}

TEST_F(RemotePageStoreTest, WhatCameSinceIsReadWithIt) {
  say(30);
  read_behind();
  say(3);
  EXPECT_EQ(read_behind(), 4U);
}

TEST_F(RemotePageStoreTest, APageThatFellBehindIsKeptAnew) {
  say(30);
  read_behind();
  say(6);
  EXPECT_EQ(read_behind(), 7U);
  EXPECT_EQ(pages_.page.back().id, 36U);
  EXPECT_EQ(read_behind(), 1U);
  say(100);
  read_behind();
  EXPECT_EQ(pages_.page.back().id, 136U);
  EXPECT_EQ(read_behind(), 1U);
}

TEST_F(RemotePageStoreTest, WhoAsksForFewLeavesNoFewer) {
  say(30);
  read_behind();
  for (const int more : {1, 2, 20}) {
    say(more);
    EXPECT_EQ(store_.page_before(room_, 0, 1)->size(), 1U);
    EXPECT_EQ(pages_.page.size(), 10U);
  }
  EXPECT_EQ(read_behind(), 1U);
}

TEST_F(RemotePageStoreTest, AShortPageIsAWholeRoomOrNoPage) {
  say(4);
  read_behind();
  EXPECT_EQ(read_behind(), 1U);
  say(30);
  pages_.page = {(*behind_.page_before(room_, 0, 1)).front()};
  EXPECT_EQ(read_behind(), 10U);
}

TEST_F(RemotePageStoreTest, APageOfAnotherPastIsNotBelieved) {
  say(30);
  read_behind();
  pages_.page.back().text = "what the backup does not have";
  EXPECT_GE(read_behind(), 10U);
  EXPECT_EQ(pages_.page.back().text, "said 30");
  pages_.page.back().id += 5;  // nothing is there any more
  EXPECT_GE(read_behind(), 10U);
}

TEST_F(RemotePageStoreTest, WhenTheStoreFailsNoPageIsShown) {
  say(30);
  read_behind();
  behind_.reads_fail = true;
  EXPECT_FALSE(store_.page_before(room_, 0, 10));
}

}  // namespace
}  // namespace rtc::chat
