// The port to durable messages. Adapters: storage/sqlite_store, storage/postgres_store, tests'
// memory_store; one contract suite (tests/contract/store_contract.hpp) holds for all.
//
// Calls block on disk or network: never from an event loop, only from the threads of
// chat::StoreQueue. append() is called by one thread at a time; the reads by any, at the same time
// as append().
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "chat/message.hpp"

namespace rtc::chat {

// What an adapter with a log of commits (a file that commits go to first) has in it. All 0: none.
struct LogFigures {
  std::uint64_t bytes = 0;                // committed, and not yet in its place
  std::uint64_t checkpoints = 0;          // that brought what they could to its place
  std::uint64_t checkpoint_failures = 0;  // tried again later; nothing is lost by them
  std::uint64_t waits = 0;                // commits that waited for one: the log was at its bound
};

// What an adapter whose store is another process has to do with it. All 0: none.
struct ServerFigures {
  std::uint64_t connections = 0;  // open now
  std::uint64_t reconnects = 0;   // connections made again after one was lost
  std::uint64_t timeouts = 0;     // calls that were given up after waiting for an answer
  std::uint64_t resolved = 0;  // commits whose answer was lost, and that were asked for afterwards
};

struct RoomMark {
  RoomId room;
  MessageId newest = 0;  // that is known of it
};

class MessageStore {
 public:
  virtual ~MessageStore() = default;

  // Stores all drafts in one durable commit, or none of them. The i-th answer is the i-th draft's:
  // its id is the next of its room, without holes, in the order given. None is live. A draft whose
  // key its sender has used in that room before (in this batch, or in any not yet forgotten) is a
  // retry: it is not stored again and gets the first one's id. Rooms must exist: a draft for
  // another room fails the whole batch with not_found_chatroom (the rules look rooms up
  // beforehand), one for a room that has no ids left with forbidden_action. Other failures:
  // internal_server_error; nothing was stored and the same call may be tried again. Only of a store
  // that is another process, which could not be asked any more, the batch may be stored all the
  // same; then a retry of a draft with a key gets its id.
  virtual Result<std::vector<Stored>> append(std::span<const Draft> drafts) = 0;

  // The newest messages with id < `before` (0: the newest of all), newest first, at most `limit`
  // (≥ 1). Empty when there are none or the room is unknown. By key: the cost does not grow with
  // depth.
  virtual Result<std::vector<Message>> page_before(RoomId room, MessageId before,
                                                   std::uint32_t limit) = 0;

  // The oldest messages with id > `after`, oldest first, at most `limit`.
  virtual Result<std::vector<Message>> page_after(RoomId room, MessageId after,
                                                  std::uint32_t limit) = 0;

  // Those of these rooms that have messages above their mark, in any order; rooms that are not
  // known have none. One question where others write to the store too, as then it is asked all the
  // time.
  virtual Result<std::vector<RoomId>> grown(std::span<const RoomMark> marks) {
    std::vector<RoomId> grown;
    for (const RoomMark& each : marks) {
      const auto page = page_after(each.room, each.newest, 1);
      if (!page) return page.error();
      if (!page->empty()) grown.push_back(each.room);
    }
    return grown;
  }

  // Names this store's ids: another value means that an id may mean another message than before. 1
  // to 32 letters and digits, the same for as long as this object lives.
  virtual std::string epoch() const = 0;

  // Whether other processes write to it too. Then nothing in front of it may keep its newest pages
  // by what this process writes. The same for as long as this object lives.
  virtual bool shared() const { return false; }

  // For metrics; any thread, without waiting.
  virtual LogFigures log() const { return {}; }
  virtual ServerFigures server() const { return {}; }

  // Forgets keys of messages made before `before_ms` (Unix time), at most `limit` of them; returns
  // how many. By the writing thread, as append().
  virtual Result<std::uint64_t> forget_keys(std::int64_t before_ms, std::uint32_t limit) = 0;
};

}  // namespace rtc::chat
