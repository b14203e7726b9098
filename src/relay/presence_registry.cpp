#include "relay/presence_registry.hpp"

#include <algorithm>
#include <array>
#include <hiredis/hiredis.h>
#include <utility>

#include "base/log.hpp"

namespace rtc::relay {
namespace {

// Of own people whose changes are told in one tick, before Redis answered some of it.
constexpr std::size_t kChangesAtOnce = 2000;
// Rooms of a dead session that are asked for at once.
constexpr std::string_view kRoomsAtOnce = "50";
// A node says so often in its lifetime that it lives, and looks for dead ones.
constexpr std::uint64_t kBeats = 10;
// Sessions of this node that still wait to be removed; older ones are left to the other nodes.
constexpr std::size_t kBeforeMax = 100;
// Dead sessions that one beat tells of.
constexpr std::string_view kDeadAtOnce = "100";
constexpr std::string_view kThoughtDead = "this node was thought dead";

}  // namespace

void PresenceRegistry::tick(std::uint64_t now_ms) {
  now_ms_ = now_ms;
  if (!session_.empty() && (!context_.redis.up() || connection_ != context_.redis.ups())) {
    give_up("the connection was lost");
    resume_ms_ = now_ms;  // the link has its own pauses
  }
  if (!context_.redis.up()) return;
  if (session_.empty() && !ending_ && now_ms >= resume_ms_) begin();
  if (!session_.empty()) {
    if (now_ms >= beat_ms_) beat();
    tell_all();
    tell_changes();
    tell_typing();
    if (settled()) {
      std::move(before_.begin(), before_.end(), std::back_inserter(dead_));
      before_.clear();
    }
  }
  remove_dead();
}

void PresenceRegistry::begin() {
  session_ = Uuid::random().to_string();
  connection_ = context_.redis.ups();
  begun_ms_ = now_ms_;
  occupied_ = context_.own.keep_changes();
  after_.reset();
  open_.clear();
  context_.counts.starts.fetch_add(1, std::memory_order_relaxed);
  const PresenceScripts& scripts = context_.scripts;
  for (const RedisScript* each : {&scripts.change, &scripts.remove, &scripts.read, &scripts.page,
                                  &scripts.beat, &scripts.forget}) {
    context_.redis.load(*each);
  }
  beat("begin");
}

void PresenceRegistry::give_up(std::string_view why) {
  static log::Throttle throttle;
  if (throttle.take() > 0) log::warn("redis (people): {}; all are told again", why);
  context_.own.keep_no_changes();
  before_.push_back(std::exchange(session_, {}));
  lives_ = false;
  if (before_.size() > kBeforeMax) before_.pop_front();
  resume_ms_ = now_ms_ + kPauseMs;
}

void PresenceRegistry::beat(std::string_view first) {
  beat_ms_ = now_ms_ + context_.lifetime_ms / kBeats;
  tell_life(context_.lifetime_ms, sessions_(), first);
}

void PresenceRegistry::tell_life(std::uint64_t lifetime_ms, std::uint64_t sessions,
                                 std::string_view first) {
  const auto& keys = context_.keys;
  context_.redis.run(context_.scripts.beat, std::array{keys.nodes("lives"), keys.nodes("clients")},
                     std::array{session_, std::to_string(lifetime_ms), std::to_string(sessions),
                                std::string(first), std::string(kDeadAtOnce)},
                     [this, session = session_](const redisReply* reply) {
                       if (reply != nullptr && session == session_) on_nodes(*reply);
                     });
}

void PresenceRegistry::on_nodes(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ARRAY || reply.elements == 0) {
    give_up(is_error(reply) ? text_of(reply) : kThoughtDead);
    return;
  }
  lives_ = true;
  context_.counts.sessions_elsewhere.store(static_cast<std::uint64_t>(reply.element[0]->integer),
                                           std::memory_order_relaxed);
  // What kept this node away may have kept others away: they are given time to come back.
  if (now_ms_ - begun_ms_ < context_.lifetime_ms / 2) return;
  for (std::size_t i = 1; i < reply.elements; ++i) {
    PresenceSession found(text_of(*reply.element[i]));
    if (!known_dead(found)) dead_.push_back(std::move(found));
  }
}

bool PresenceRegistry::known_dead(const PresenceSession& session) const {
  const auto among = [&](const std::deque<PresenceSession>& sessions) {
    return std::find(sessions.begin(), sessions.end(), session) != sessions.end();
  };
  return session == session_ || among(dead_) || among(before_);
}

// --- the own people

void PresenceRegistry::tell_all() {
  while (!occupied_.empty() && !context_.redis.busy()) {
    const RoomId room = occupied_.back();
    chat::OwnPeople people{room, context_.own.page(room, after_, kChunk).page, {}, false};
    if (people.here.empty()) {
      occupied_.pop_back();
      after_.reset();
      continue;
    }
    after_ = people.here.back().id;
    tell(people);
  }
}

void PresenceRegistry::tell_changes() {
  while (!context_.redis.busy()) {
    const auto changes = context_.own.take_own(kChangesAtOnce);
    if (!changes) {
      give_up("too many changes waited (presence_waiting_max)");
      return;
    }
    if (changes->empty()) return;
    for (const chat::OwnPeople& each : *changes) tell(each);
  }
}

void PresenceRegistry::tell(const chat::OwnPeople& people) {
  const RoomId& room = people.room;
  const bool opens = !open_.contains(room);
  if (opens && people.here.empty()) return;  // Redis knows none of them
  // Who came and went while he was looked up is told next, and the room closed then.
  const bool closes = people.empty && !opens;
  const std::string id = bytes_of(room.value);
  const std::string rooms = context_.keys.nodes("rooms:" + session_);
  if (opens) {
    // Before the room's own keys: whoever removes this session finds all of its rooms, also when it
    // was thought dead and is forgotten: then it is dead once more.
    context_.redis.ask({"ZADD", context_.keys.nodes("lives"), "NX", "0", session_});
    context_.redis.ask({"SADD", rooms, id});
    open_.insert(room);
  }
  const auto keys = context_.keys.room_keys(room, session_);
  const std::string kept = std::to_string(std::max<std::size_t>(1, context_.names_max));
  const std::size_t count = people.here.size() + people.gone.size();
  for (std::size_t from = 0; from < count; from += kChunk) {
    const std::size_t to = std::min(from + kChunk, count);
    std::vector<std::string> arguments{"", context_.keys.channel(room), kept};
    if (opens && from == 0) arguments[0] = "open";
    if (closes && to == count) arguments[0] = "close";
    for (std::size_t i = from; i < to; ++i) {
      if (i < people.here.size()) {
        const chat::Person& person = people.here[i];
        arguments.push_back(bytes_of(person.id.value));
        arguments.push_back(context_.seal.person(room, person));
      } else {
        arguments.push_back(bytes_of(people.gone[i - people.here.size()].value));
        arguments.emplace_back();
      }
    }
    context_.redis.run(context_.scripts.change, keys, arguments,
                       [this, session = session_](const redisReply* reply) {
                         if (reply == nullptr || session != session_ || reply->integer == 1) return;
                         give_up(is_error(*reply) ? text_of(*reply) : kThoughtDead);
                       });
  }
  context_.counts.told.fetch_add(count, std::memory_order_relaxed);
  if (!closes) return;
  open_.erase(room);
  context_.redis.ask({"SREM", rooms, id});
}

void PresenceRegistry::tell_typing() {
  for (const chat::OwnTyping& each : context_.own.take_own_typing()) {
    context_.redis.ask({"PUBLISH", context_.keys.channel(each.room), context_.seal.typing(each)});
  }
}

void PresenceRegistry::end() {
  ending_ = true;
  context_.own.keep_no_changes();
  if (session_.empty()) return;
  // First of all: should time be over before all is removed, the others go on with it.
  tell_life(0, 0, "");
  last_ = std::exchange(session_, {});
  lives_ = false;
  const bool busy = asked_ || removing_ > 0;
  dead_.insert(busy ? std::next(dead_.begin()) : dead_.begin(), last_);
}

bool PresenceRegistry::done() const {
  return std::find(dead_.begin(), dead_.end(), last_) == dead_.end();
}

// --- the dead

void PresenceRegistry::remove_dead() {
  if (asked_ || removing_ > 0 || dead_.empty() || !context_.redis.up()) return;
  if (now_ms_ < remove_ms_) return;
  asked_ = true;
  const PresenceSession dead = dead_.front();
  const std::string rooms = context_.keys.nodes("rooms:" + dead);
  // Any of them: others that remove it as well take other ones, mostly.
  context_.redis.ask({"SRANDMEMBER", rooms, kRoomsAtOnce}, [this, dead](const redisReply* reply) {
    asked_ = false;
    if (reply == nullptr) return;
    if (reply->type != REDIS_REPLY_ARRAY) {
      remove_ms_ = now_ms_ + kPauseMs;
      return;
    }
    std::vector<RoomId> found;
    for (std::size_t i = 0; i < reply->elements; ++i) {
      if (const auto id = uuid_of(text_of(*reply->element[i]))) found.push_back(RoomId{*id});
    }
    remove_from(dead, found);
  });
}

void PresenceRegistry::remove_from(const PresenceSession& dead, const std::vector<RoomId>& rooms) {
  removing_ = rooms.size();
  for (const RoomId& room : rooms) remove_room(dead, room);
  if (!rooms.empty()) return;
  const auto& keys = context_.keys;
  context_.redis.run(
      context_.scripts.forget,
      std::array{keys.nodes("lives"), keys.nodes("clients"), keys.nodes("rooms:" + dead)},
      std::array{dead}, [this](const redisReply* reply) {
        if (reply == nullptr || reply->integer != 1) return;
        context_.counts.nodes_removed.fetch_add(1, std::memory_order_relaxed);
      });
  std::erase(dead_, dead);
  remove_dead();
}

void PresenceRegistry::remove_room(const PresenceSession& dead, const RoomId& room) {
  const std::string kept = std::to_string(std::max<std::size_t>(1, context_.names_max));
  context_.redis.run(
      context_.scripts.remove, context_.keys.room_keys(room, dead),
      std::array{context_.keys.channel(room), kept, std::to_string(kChunk)},
      [this, dead, room](const redisReply* reply) {
        if (reply != nullptr && reply->integer > 0) {
          remove_room(dead, room);
          return;
        }
        if (reply != nullptr && is_error(*reply)) {
          remove_ms_ = now_ms_ + kPauseMs;
        } else if (reply != nullptr) {
          context_.redis.ask({"SREM", context_.keys.nodes("rooms:" + dead), bytes_of(room.value)});
        }
        --removing_;
        remove_dead();
      });
}

}  // namespace rtc::relay
