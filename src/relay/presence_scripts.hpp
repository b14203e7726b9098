// What nodes keep of their people in Redis, and the scripts that change and read it
// (docs/adr/0022). Each is short: a bounded number of people a call. `prefix` is the setting
// redis_prefix.
//
// All keys are in one hash slot of a Redis Cluster (kKeysTag). Of a room, <prefix>:{people}:<room>:
//   people     sorted set of ids (16 bytes), all of score 0, so in their order
//   names      hash: id to what PresenceSeal::person() made
//   more       hash: id to the number of sessions beyond the first that have him there
//   version    how many changes there were, counted on from the time of the first in microseconds,
//              so that it never comes again; gone a minute after the last person
//   changes    list of the ids that came or went in the newest of these changes
//   on:<s>     set of the ids that session s has there, and "", which says that it may change them
// A message to the channel <prefix>:{people}:<room>:presence is the version after a change, or who
// types.
//
// Of the nodes, <prefix>:{people}:
//   lives      sorted set of the sessions that may have people somewhere: until when each lives, in
//              milliseconds of Redis' clock
//   clients    hash: of the sessions that have some, how many clients; and "", how many all have
//   rooms:<s>  set of the rooms (16 bytes) where session s has people
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.hpp"
#include "relay/redis_caller.hpp"
#include "relay/redis_url.hpp"

namespace rtc::relay {

// A node's registration: new with each connection, so what an older one left behind can be told
// apart and removed.
using PresenceSession = std::string;

struct PresenceScripts {
  PresenceScripts();

  // keys: room_keys(); arguments: "open" (the session's first in the room), "close" (and nobody
  // else of the session is there) or "", the channel, how many changes to keep, then of each person
  // his id and what is kept of him, "" when he left. Answers 1; or 0, and did nothing: the
  // session's time in this room is over.
  RedisScript change;
  // keys: room_keys(); arguments: the channel, how many changes to keep, how many people at most.
  // The session's people leave. Answers how many of them are left to remove.
  RedisScript remove;
  // keys: people, names, version, changes; arguments: the version that is known, how many changes
  // at most. Answers the version (text), the number of people, 1 if what follows is all that
  // changed since, and of each change the id and what is kept of him, "" when he is not there.
  RedisScript read;
  // keys: people, names; arguments: as ZRANGEBYLEX' lower end, how many at most. Answers the number
  // of people, and of each his id and what is kept of him.
  RedisScript page;
  // keys: lives, clients; arguments: the session, how many milliseconds it lives from now on, how
  // many clients it has, "begin" (its first) or "", how many of the dead at most. Answers how many
  // clients the other nodes have, and sessions of the dead, the oldest first; or 0, and did
  // nothing: the session is dead itself. What it takes does not go with the number of nodes.
  RedisScript beat;
  // keys: lives, clients, rooms:<s>; arguments: s. Forgets a session without rooms; answers 1 if it
  // was known.
  RedisScript forget;
};

struct PresenceKeys {
  std::string prefix;

  std::string room(const RoomId& room, std::string_view what) const {
    return nodes(room.to_string() + ":" + std::string(what));
  }
  std::string channel(const RoomId& id) const { return room(id, "presence"); }
  std::vector<std::string> room_keys(const RoomId& id, const PresenceSession& session) const {
    return {room(id, "people"),  room(id, "names"),   room(id, "more"),
            room(id, "version"), room(id, "changes"), room(id, "on:" + session)};
  }
  std::string nodes(std::string_view what) const {
    return prefix + std::string(kKeysTag) + std::string(what);
  }
};

// An id as Redis keeps it.
inline std::string bytes_of(const Uuid& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}
std::optional<Uuid> uuid_of(std::string_view bytes);

}  // namespace rtc::relay
