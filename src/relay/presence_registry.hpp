// Tells Redis which people are here, and that this node lives; removes those of nodes that do not
// (docs/adr/0022). On the thread of RedisPresence.
//
// A session is one registration of all own people. Whenever it is not certain that Redis has what
// it was told (the connection was lost, Redis forgot, this node was thought dead, too much waited),
// the next session begins from nothing and the one before is removed as a dead node's is.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "chat/presence.hpp"
#include "relay/presence_scripts.hpp"
#include "relay/presence_seal.hpp"
#include "relay/redis_caller.hpp"

namespace rtc::relay {

// Written by the thread of RedisPresence, read by any.
struct PresenceCounts {
  std::atomic<bool> connected{false};
  std::atomic<std::uint64_t> told{0};
  std::atomic<std::uint64_t> starts{0};
  std::atomic<std::uint64_t> reads{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> nodes_removed{0};
  std::atomic<std::uint64_t> sessions_elsewhere{0};  // STOMP's
};

// What the parts of RedisPresence share.
struct PresenceContext {
  RedisCaller& redis;
  chat::Presence& own;
  const PresenceScripts& scripts;
  const PresenceKeys& keys;
  const PresenceSeal& seal;
  PresenceCounts& counts;
  std::uint64_t lifetime_ms;
  std::size_t names_max;
};

class PresenceRegistry {
 public:
  // People of one script, so that none takes long.
  static constexpr std::size_t kChunk = 200;
  // Between a session that failed and the next, so that what fails at once is not tried for ever.
  static constexpr std::uint64_t kPauseMs = 1000;

  // `sessions`: how many clients have a session on this node.
  PresenceRegistry(const PresenceContext& context, std::function<std::uint64_t()> sessions)
      : context_(context), sessions_(std::move(sessions)) {}

  // Again and again, a few times a second.
  void tick(std::uint64_t now_ms);
  // Redis knows this session, and all own people have been told to this connection, so what is read
  // from it has them.
  bool settled() const { return lives_ && occupied_.empty(); }
  // The end: the own people are removed. tick() goes on until done().
  void end();
  bool done() const;

 private:
  void begin();
  void give_up(std::string_view why);
  void beat(std::string_view first = {});
  void tell_life(std::uint64_t lifetime_ms, std::uint64_t sessions, std::string_view first);
  void on_nodes(const redisReply& reply);
  void tell_all();
  void tell_changes();
  void tell_typing();
  void tell(const chat::OwnPeople& people);
  void remove_dead();
  void remove_from(const PresenceSession& dead, const std::vector<RoomId>& rooms);
  void remove_room(const PresenceSession& dead, const RoomId& room);
  bool known_dead(const PresenceSession& session) const;

  const PresenceContext context_;
  const std::function<std::uint64_t()> sessions_;
  bool ending_ = false;
  PresenceSession session_;       // "": none
  bool lives_ = false;            // Redis said so
  PresenceSession last_;          // that end() ended
  std::uint64_t connection_ = 0;  // that it was begun on
  std::uint64_t now_ms_ = 0;
  std::uint64_t begun_ms_ = 0;
  std::uint64_t resume_ms_ = 0;
  std::uint64_t beat_ms_ = 0;
  std::vector<RoomId> occupied_;     // whose people are still to be told, all or from after_ on
  std::optional<UserId> after_;      // of the last one
  std::unordered_set<RoomId> open_;  // rooms that the session may change
  std::deque<PresenceSession>
      before_;  // sessions of this node, to be removed when this one is settled
  std::deque<PresenceSession> dead_;  // to be removed
  bool asked_ = false;                // for rooms of the first of them
  std::size_t removing_ = 0;          // rooms of it, under way
  std::uint64_t remove_ms_ = 0;       // not before
};

}  // namespace rtc::relay
