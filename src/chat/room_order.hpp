// The order of ids where several nodes write (docs/adr/0018): messages that this node commits and
// those that the relay brings of others go on to the loops once each, in the order of ids, room by
// room, for the rooms that somebody here listens to.
//
// Ids have no holes, so a message above the next id shows that something is missing. It waits a
// moment, as the other may only be slower; then what is missing is read from the store. The same
// reading finds what was lost without a trace: whenever the relay doubts, and now and then anyway.
//
// Any thread; the lock is held for look-ups only.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "chat/message_store.hpp"
#include "chat/relay.hpp"

namespace rtc::chat {

struct RoomOrderBounds {
  std::uint64_t hole_wait_ms = 20;         // how long a hole may fill by itself
  std::uint64_t check_interval_ms = 2000;  // a room of which nothing came is compared so often
  std::uint32_t checks_max = 100;          // of those comparisons, in a second
  std::size_t held_bytes_max = 16 << 20;   // of messages above holes; beyond it they are read later
};

// Read by any thread (metrics).
struct RoomOrderFigures {
  std::atomic<std::uint64_t> rooms{0};       // followed now
  std::atomic<std::uint64_t> repeats{0};     // messages that had come before
  std::atomic<std::uint64_t> holes{0};       // messages that came before an older one
  std::atomic<std::uint64_t> not_held{0};    // of them, those beyond held_bytes_max
  std::atomic<std::uint64_t> held_bytes{0};  // now
  std::atomic<std::uint64_t> reads{0};       // of the store
  std::atomic<std::uint64_t> fetched{0};     // messages that only the store had
};

class RoomOrder {
 public:
  // A room is followed for a while after its last listener: people come back, and what is on its
  // way to the loops has long arrived.
  static constexpr std::uint64_t kLingerMs = 10'000;
  static constexpr std::uint64_t kRetryMs = 200;  // of a reading that failed
  // Rooms are compared together, so often at most.
  static constexpr std::uint64_t kCompareMs = 100;
  static constexpr std::uint32_t kPage = 100;  // messages of one reading
  static constexpr unsigned kReadsAtOnce = 8;

  struct Ports {
    MessageStore& store;  // what all nodes share; no memory of its own
    Relay& relay;
    std::function<bool(std::function<void()>)> read;   // on a reading thread; false: not now
    std::function<void(const MessageBatch&)> deliver;  // to the loops; one call at a time
    std::function<bool()> overloaded;                  // the loops have too much waiting
  };

  RoomOrder(Ports ports, const RoomOrderBounds& bounds);
  RoomOrder(const RoomOrder&) = delete;
  RoomOrder& operator=(const RoomOrder&) = delete;

  // Takes a place for a listener: all that is committed from now on will be delivered, whole and in
  // order. False when the room has to be opened first.
  bool watch(const RoomId& room);
  void unwatch(const RoomId& room);  // once for each watch() that was true
  // Learns the room's newest id from the store: on a reading thread, as it waits.
  Result<void> open(const RoomId& room);

  // From the relay.
  void take(const MessageBatch& batch);
  void doubt(const RoomId& room);
  // Some ten times a second or more.
  void tick(std::uint64_t now_ms);
  // The reading threads are about to end.
  void stop_reading();

  const RoomOrderFigures& figures() const { return figures_; }

 private:
  struct Room {
    bool open = false;  // `newest` is known; until then all is held
    bool wanted = false;
    bool reading = false;
    bool again = false;     // wanted while reading
    bool doubtful = false;  // wanted, and not read since
    bool hole = false;      // in holes_
    std::uint32_t openers = 0;
    std::uint32_t listeners = 0;
    MessageId newest = 0;        // delivered up to it
    std::uint64_t sure_ms = 0;   // when that was last all there was, as far as known
    std::uint64_t empty_ms = 0;  // since when nobody listens
    std::map<MessageId, Message> held;
  };
  using Rooms = std::map<RoomId, Room>;
  using Lock = std::unique_lock<std::mutex>;
  // What is to be delivered of one batch: of the batch itself, and of what it released.
  struct Next {
    std::vector<const Message*> messages;
    std::deque<Message> released;
  };

  // All under mutex_; those that take the lock let it go for calls to others.
  void place(const RoomId& id, Room& room, const Message& message, Next& next);
  void hold(Room& room, const Message& message);
  void release(Room& room, Next& next);
  void drop_held(Room& room, MessageId up_to);
  void note_hole(const RoomId& id, Room& room, std::uint64_t wait_ms);
  void want(const RoomId& id, Room& room);
  std::vector<RoomMark> find_due();
  void compare_some(Lock& lock);
  void forget_empty(std::vector<RoomId>& forgotten);
  void deliver(Lock& lock);
  void read_some(Lock& lock);
  // The next two without the lock, on a reading thread.
  void compare(const std::vector<RoomMark>& due, std::uint64_t asked_ms);
  void read(const RoomId& id);
  void end_read(const RoomId& id, MessageId known, const Result<std::vector<Message>>& page);

  Ports ports_;
  const RoomOrderBounds bounds_;
  RoomOrderFigures figures_;

  std::mutex mutex_;
  Rooms rooms_;  // guarded by mutex_, as all below
  std::uint64_t now_ms_ = 0;
  std::size_t held_bytes_ = 0;
  double checks_ = 0;  // that may be made now
  bool comparing_ = false;
  std::uint64_t compare_ms_ = 0;  // when that may be done again
  RoomId cursor_{};               // the sweep has come so far
  RoomId empty_cursor_{};         // and that for rooms without listeners
  struct Hole {
    std::uint64_t due_ms;
    RoomId room;
  };
  std::deque<Hole> holes_;     // each room once, about in the order of due_ms
  std::deque<RoomId> wanted_;  // to be read, each once
  unsigned reads_ = 0;         // under way
  bool reads_no_more_ = false;
  std::deque<MessageBatch> ready_;
  bool delivering_ = false;  // somebody does, and takes what comes meanwhile
};

}  // namespace rtc::chat
