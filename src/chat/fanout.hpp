// Messages on their way to the event loops: those of the store, and those of rooms without history,
// which get their ids here: with several nodes those of this node (docs/adr/0019). Any thread; the
// lock is held for look-ups and pushes only.
//
// Each loop has a box. A batch goes into all of them under one lock: every loop takes all batches
// in the same order, and what lies in one batch has nothing between it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "chat/message.hpp"
#include "chat/relay.hpp"

namespace rtc::chat {

class Fanout {
 public:
  static constexpr std::uint32_t kNoLoop = 0xFFFFFFFF;

  struct Published {
    MessageBatch batch;
    std::uint64_t at_us = 0;  // monotonic_us(): a stored one is published as it is committed

    bool operator==(const Published&) const = default;
  };

  Fanout();

  // Before the first message. `wake` is called, without the lock, by whoever put something into
  // this loop's box while it was empty.
  void attach(std::uint32_t loop, std::function<void()> wake);

  // Stored messages, which have their ids.
  void publish(const MessageBatch& batch);
  // Messages of rooms without history (one at least; moved from): each gets the next id of its
  // room. Returns the ids, in the same order. `by`: the calling loop, which is not woken, since it
  // collects at once.
  std::vector<MessageId> publish_live(std::span<Draft> drafts, std::uint32_t by = kNoLoop);

  // Where there are other nodes, before the first message: what publish_live() takes is kept for
  // collect_live(), in the order of ids, and then `published` called, without the lock, by whoever
  // published it.
  void keep_live(std::function<void()> published);
  std::vector<MessageBatch> collect_live();
  // Messages of rooms without history that another node sent: each gets the next id of its room
  // here, whatever it had there.
  void take_live(const std::vector<Message>& messages);
  // Something of that room may have been missed: an id is left out, if it had one.
  void leave_out(const RoomId& room);

  // What came for that loop since the last call, oldest first.
  std::vector<Published> collect(std::uint32_t loop);
  // That loop has encoded so many of them.
  void delivered(std::size_t messages) {
    undelivered_.fetch_sub(static_cast<std::int64_t>(messages), std::memory_order_relaxed);
  }

  // The newest id of a room without history; 0: it had no message since the process began.
  MessageId newest(const RoomId& room) const;
  // Names the ids of rooms without history; 16 letters and digits, others in each process.
  const std::string& live_epoch() const { return live_epoch_; }

  std::size_t loops() const { return boxes_.size(); }
  // Messages published and not yet encoded, summed over the loops.
  std::int64_t undelivered() const { return undelivered_.load(std::memory_order_relaxed); }
  // Messages of rooms without history that were sent here so far.
  std::uint64_t live_messages() const { return live_messages_.load(std::memory_order_relaxed); }

 private:
  struct Box {
    std::vector<Published> batches;
    std::function<void()> wake;
  };
  using Wakes = std::vector<const std::function<void()>*>;

  // Under the lock; adds whom to wake after it.
  void put(const Published& published, std::uint32_t by, Wakes& wakes);
  // Numbers and puts; `own`: and keeps it for other nodes.
  std::vector<MessageId> put_live(std::shared_ptr<std::vector<Message>> messages, std::uint32_t by,
                                  bool own);
  void count(std::size_t messages);

  const std::string live_epoch_;
  std::function<void()> live_published_;  // none: there are no other nodes
  std::atomic<std::int64_t> undelivered_{0};
  std::atomic<std::uint64_t> live_messages_{0};
  mutable std::mutex mutex_;
  std::vector<Box> boxes_;  // their contents guarded by mutex_, as the next two
  // By room, of those that were written to: at most rooms_max. None is forgotten, or its ids would
  // be given again.
  std::unordered_map<RoomId, MessageId> newest_;
  std::vector<MessageBatch> kept_live_;
};

}  // namespace rtc::chat
