// The newest messages of the rooms that are read, in memory: a MessageStore in front of another
// one. Newest pages, and what a client missed a moment ago, are answered without asking that one;
// deeper pages are handed through. One contract suite holds with and without it.
//
// A room is read from the store once, when its newest page is first asked for; from then on each
// commit adds to it, before append() returns. So who has a receipt sees his message, nobody sees
// what is not committed, and nobody is shown less of a room than a read before has shown to
// anybody. While one thread reads a room from the store, others that want it wait for what it
// finds.
//
// Messages are never changed or deleted, and ids stay for as long as the process lives, so nothing
// else makes a kept room stale, unless other nodes write to the store too (`shared()`). Then what
// they and this node committed comes by add(), in the order of ids but some time later, and the
// store is asked for each newest page: for what came after the messages that are here, mostly
// nothing (docs/adr/0021). Threads as MessageStore; the lock is never held over a call of the store
// behind.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "chat/message_store.hpp"

namespace rtc::chat {

struct PageCacheBounds {
  std::uint32_t messages_max = 100;    // kept of a room; longer pages are handed through
  std::size_t rooms_max = 10'000;      // beyond it, as beyond the next, whom nobody read for
  std::size_t bytes_max = 64U << 20U;  // longest goes. 0: nothing is kept
};

// Read by any thread (metrics).
struct PageCacheFigures {
  std::atomic<std::uint64_t> hits{0};       // pages answered from memory
  std::atomic<std::uint64_t> topped_up{0};  // shared: so, but for messages that the store had
  std::atomic<std::uint64_t> misses{0};     // newest pages that the store was asked for
  std::atomic<std::uint64_t> evictions{0};  // rooms that went because of a bound
  std::atomic<std::uint64_t> rooms{0};      // kept now
  std::atomic<std::uint64_t> bytes{0};      // their memory, about
};

class PageCache final : public MessageStore {
 public:
  // `behind` outlives it. Only if it is shared() others write to it.
  PageCache(MessageStore& behind, const PageCacheBounds& bounds);

  Result<std::vector<Stored>> append(std::span<const Draft> drafts) override;
  Result<std::vector<Message>> page_before(RoomId room, MessageId before,
                                           std::uint32_t limit) override;
  Result<std::vector<Message>> page_after(RoomId room, MessageId after,
                                          std::uint32_t limit) override;
  std::string epoch() const override { return behind_.epoch(); }
  bool shared() const override { return shared_; }
  LogFigures log() const override { return behind_.log(); }
  ServerFigures server() const override { return behind_.server(); }
  Result<std::uint64_t> forget_keys(std::int64_t before_ms, std::uint32_t limit) override {
    return behind_.forget_keys(before_ms, limit);
  }

  // When shared: messages that were committed, of a room in the order of ids.
  void add(const std::vector<Message>& messages);

  const PageCacheFigures& figures() const { return figures_; }

 private:
  using Shared = std::shared_ptr<const Message>;
  // Its messages have no hole between them, and end with the room's newest unless it is loading.
  struct Kept {
    std::deque<Shared> messages;  // oldest first; while loading, what is committed meanwhile
    std::size_t bytes = 0;
    std::uint64_t loading = 0;        // number of the load under way; 0: none
    MessageId seen = 0;               // while loading: the newest that the store has shown
    std::list<RoomId>::iterator use;  // in uses_

    MessageId oldest() const { return messages.empty() ? 1 : messages.front()->id; }
    MessageId newest() const { return messages.empty() ? 0 : messages.back()->id; }
  };
  using Rooms = std::unordered_map<RoomId, Kept>;

  // All under mutex_.
  static std::vector<Shared> between(const Kept& kept, MessageId first, MessageId last);
  void add(Rooms::iterator kept, Message message);
  std::uint64_t begin_load(RoomId room);
  void finish_load(RoomId room, std::uint64_t number, const std::vector<Shared>& newest_first);
  void showed(RoomId room, MessageId newest);  // a read of the store did, beside any load
  std::size_t room_bytes_max() const;
  void push(Kept& kept, Shared message);
  void resize(Kept& kept, std::size_t bytes);
  void touch(Kept& kept) { uses_.splice(uses_.begin(), uses_, kept.use); }
  void drop(Rooms::iterator kept);
  void evict();

  Result<std::vector<Message>> newest_of_shared(RoomId room, std::uint32_t limit);
  std::vector<Message> top_up(const std::vector<Shared>& known, const std::vector<Message>& later,
                              std::uint32_t limit);
  Result<std::vector<Message>> load(RoomId room, std::uint64_t number, std::uint32_t limit);
  std::vector<Message> hit(const std::vector<Shared>& page);

  MessageStore& behind_;
  const PageCacheBounds bounds_;
  const bool shared_;
  PageCacheFigures figures_;

  std::mutex mutex_;
  std::condition_variable loaded_;
  Rooms rooms_;             // guarded by mutex_, as the next three
  std::list<RoomId> uses_;  // of rooms_, last read first
  std::size_t bytes_ = 0;
  std::uint64_t loads_ = 0;
};

}  // namespace rtc::chat
