// Rooms without history where there are several nodes (docs/adr/0019). Each node numbers a room's
// messages for itself, its own and those that the relay brings of others, while somebody here
// listens. What may have been missed leaves an id out: at the relay's word that a room comes from
// now on, and when too much waits.
//
// Any thread; the lock is held for look-ups only.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "chat/fanout.hpp"
#include "chat/relay.hpp"

namespace rtc::chat {

// Read by any thread (metrics).
struct LiveRoomFigures {
  std::atomic<std::uint64_t> rooms{0};     // followed now
  std::atomic<std::uint64_t> received{0};  // messages of other nodes
  std::atomic<std::uint64_t> dropped{0};   // of them: too much waited to be delivered
  std::atomic<std::uint64_t> doubts{0};    // times that messages of a room may have been missed
  std::atomic<std::uint64_t> unsure{0};    // listeners who waited for the relay in vain
};

class LiveRooms {
 public:
  // A room is followed for a while after its last listener: people come back, and miss nothing.
  static constexpr std::uint64_t kLingerMs = 10'000;
  // So long a first listener waits for the relay at most.
  static constexpr std::uint64_t kWaitMs = 1000;

  struct Ports {
    Relay& relay;
    Fanout& fanout;
    std::function<bool()> overloaded;  // too much waits to be delivered
  };

  // From now on what the fan-out publishes of such rooms goes to the relay too.
  explicit LiveRooms(Ports ports);
  LiveRooms(const LiveRooms&) = delete;
  LiveRooms& operator=(const LiveRooms&) = delete;

  // Takes a place for a listener. False when the room has to be opened first.
  bool watch(const RoomId& room);
  void unwatch(const RoomId& room);  // once for each watch() that was true
  // Calls `then` once, now or on any thread: when all that other nodes send is heard from now on;
  // without the relay, or when it takes too long, all the same.
  void open(const RoomId& room, std::function<void()> then);

  // From the relay.
  void take(const MessageBatch& batch);
  void doubt(const RoomId& room);
  // Some ten times a second.
  void tick(std::uint64_t now_ms);

  const LiveRoomFigures& figures() const { return figures_; }

 private:
  using Waiters = std::vector<std::function<void()>>;
  struct Room {
    bool open = false;     // listeners need not wait
    bool leaving = false;  // in left_
    bool closing = false;  // the relay is being told
    std::uint32_t listeners = 0;
    std::uint64_t empty_ms = 0;  // since when nobody listens
    Waiters waiters;
  };
  struct Due {
    std::uint64_t due_ms;
    RoomId room;
  };

  void send();
  // Under the lock.
  void note_empty(const RoomId& id, Room& room);
  void give_up_waiting(bool all, Waiters& waiters);
  std::vector<RoomId> close_empty();

  Ports ports_;
  LiveRoomFigures figures_;

  std::mutex mutex_;
  std::unordered_map<RoomId, Room> rooms_;  // guarded by mutex_, as all below
  std::uint64_t now_ms_ = 0;
  std::deque<Due> opening_;  // each room once
  std::deque<Due> left_;     // each room once
  bool sending_ = false;     // somebody does, and takes what comes meanwhile
};

}  // namespace rtc::chat
