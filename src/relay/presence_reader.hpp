// Reads from Redis how the rooms stand that somebody here watches, and the pages of rosters
// (docs/adr/0022). On the thread of RedisPresence.
//
// A message to a room's channel only says that something changed: what did is read, so that it does
// not matter whether messages are lost, come twice or are forged.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "chat/shared_presence.hpp"
#include "relay/presence_registry.hpp"
#include "relay/redis_link.hpp"

namespace rtc::relay {

class PresenceReader {
 public:
  // A watched room of which nothing came is read so often; and so while no messages come at all.
  static constexpr std::uint64_t kCheckMs = 30'000;
  static constexpr std::uint64_t kBlindMs = 1000;

  // `subscriber` is the connection for the channels; this object's alone.
  PresenceReader(const PresenceContext& context, RedisLink& subscriber)
      : context_(context), subscriber_(subscriber) {}

  // A few times a second; `settled`: what is read would have the own people.
  void tick(std::uint64_t now_ms, bool settled);
  // What Redis said to the subscriber.
  void on_reply(const redisReply& reply);
  // What was known is told no more: everything is read anew.
  void forget();

  struct PageRequest {
    RoomId room;
    std::optional<UserId> after;
    std::size_t limit;
    chat::SharedPresence::OnRoster told;
  };
  void read_page(PageRequest request);

 private:
  struct Watched {
    std::string version = "-1";  // that is known
    bool stale = true;           // something changed since
    bool reading = false;
    std::uint64_t read_ms = 0;
  };

  void follow_watched();
  void subscribe(std::string_view command, const std::vector<RoomId>& rooms);
  void read(const RoomId& room, Watched& watched);
  void on_read(const RoomId& room, const redisReply& reply);
  std::optional<chat::Person> person(const RoomId& room, const UserId& id, std::string_view entry);
  void refuse();

  const PresenceContext context_;
  RedisLink& subscriber_;
  std::uint64_t ups_ = 0;
  std::uint64_t now_ms_ = 0;
  std::unordered_map<RoomId, Watched> watched_;
};

}  // namespace rtc::relay
