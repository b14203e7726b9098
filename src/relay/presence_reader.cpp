#include "relay/presence_reader.hpp"

#include <algorithm>
#include <array>
#include <hiredis/hiredis.h>
#include <utility>

#include "base/log.hpp"

namespace rtc::relay {
namespace {

// Channels of one SUBSCRIBE.
constexpr std::size_t kChannelsAtOnce = 200;
constexpr std::size_t kVersionBytesMax = 16;  // 2^53 at most, as Lua's numbers

bool is_version(std::string_view text) {
  return !text.empty() && text.size() <= kVersionBytesMax &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_later(std::string_view version, std::string_view than) {
  return version.size() != than.size() ? version.size() > than.size() : version > than;
}

std::optional<UserId> user_of(const redisReply& reply) {
  const auto id = uuid_of(text_of(reply));
  return id ? std::optional<UserId>(UserId{*id}) : std::nullopt;
}

}  // namespace

void PresenceReader::tick(std::uint64_t now_ms, bool settled) {
  now_ms_ = now_ms;
  follow_watched();
  if (!settled) return;
  const std::uint64_t check_ms = subscriber_.up() ? kCheckMs : kBlindMs;
  for (auto& [room, watched] : watched_) {
    if (context_.redis.busy()) return;
    const bool due = watched.stale || now_ms - watched.read_ms >= check_ms;
    if (due && !watched.reading) read(room, watched);
  }
}

void PresenceReader::forget() {
  for (auto& [room, watched] : watched_) {
    watched.version = "-1";
    watched.stale = true;
  }
}

// --- the channels

void PresenceReader::follow_watched() {
  const auto changes = context_.own.take_watched();
  for (const auto& [room, on] : changes) {
    if (on) {
      watched_.try_emplace(room);
    } else {
      watched_.erase(room);
    }
  }
  if (!subscriber_.up()) return;
  if (ups_ != subscriber_.ups()) {
    ups_ = subscriber_.ups();
    std::vector<RoomId> rooms;
    rooms.reserve(watched_.size());
    for (const auto& [room, watched] : watched_) rooms.push_back(room);
    subscribe("SUBSCRIBE", rooms);
    return;
  }
  for (std::size_t from = 0; from < changes.size();) {
    std::vector<RoomId> rooms;
    const bool on = changes[from].second;
    for (; from < changes.size() && changes[from].second == on; ++from) {
      rooms.push_back(changes[from].first);
    }
    subscribe(on ? "SUBSCRIBE" : "UNSUBSCRIBE", rooms);
  }
}

void PresenceReader::subscribe(std::string_view command, const std::vector<RoomId>& rooms) {
  std::vector<std::string> channels;
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    channels.push_back(context_.keys.channel(rooms[i]));
    if (channels.size() < kChannelsAtOnce && i + 1 < rooms.size()) continue;
    std::vector<std::string_view> words{command};
    words.insert(words.end(), channels.begin(), channels.end());
    subscriber_.command(words);
    channels.clear();
  }
  subscriber_.write();
}

void PresenceReader::on_reply(const redisReply& reply) {
  if (is_error(reply)) {
    subscriber_.fail(text_of(reply));
    return;
  }
  if (reply.type != REDIS_REPLY_ARRAY || reply.elements != 3) return;
  const std::string_view kind = text_of(*reply.element[0]);
  std::string_view name = text_of(*reply.element[1]);
  name.remove_prefix(std::min(context_.keys.prefix.size() + kKeysTag.size(), name.size()));
  const auto room = RoomId::parse(name.substr(0, Uuid::kTextSize));
  const auto watched = room ? watched_.find(*room) : watched_.end();
  if (watched == watched_.end()) return;  // not any more
  const std::string_view payload = text_of(*reply.element[2]);
  if (kind == "subscribe") {
    watched->second.stale = true;  // of what came before nothing was heard
  } else if (kind != "message") {
    return;
  } else if (is_version(payload)) {
    if (is_later(payload, watched->second.version)) watched->second.stale = true;
  } else if (auto typing = context_.seal.open_typing(*room, payload)) {
    if (typing->own) return;
    context_.own.tell_typing(*room, typing->node, std::move(typing->people));
  } else {
    refuse();
  }
}

void PresenceReader::refuse() {
  static log::Throttle throttle;
  context_.counts.refused.fetch_add(1, std::memory_order_relaxed);
  if (const auto times = throttle.take(); times > 0) {
    log::warn(
        "redis (people): {} refused: forged, broken, or of nodes with another token_secret or "
        "store",
        times);
  }
}

// --- what is in the rooms

std::optional<chat::Person> PresenceReader::person(const RoomId& room, const UserId& id,
                                                   std::string_view entry) {
  auto opened = context_.seal.open_person(room, id, entry);
  if (!opened) refuse();
  return opened;
}

void PresenceReader::read(const RoomId& room, Watched& watched) {
  watched.stale = false;
  watched.reading = true;
  watched.read_ms = now_ms_;
  context_.counts.reads.fetch_add(1, std::memory_order_relaxed);
  const auto& keys = context_.keys;
  context_.redis.run(context_.scripts.read,
                     std::array{keys.room(room, "people"), keys.room(room, "names"),
                                keys.room(room, "version"), keys.room(room, "changes")},
                     std::array{watched.version, std::to_string(context_.names_max)},
                     [this, room](const redisReply* reply) {
                       const auto found = watched_.find(room);
                       if (found == watched_.end()) return;
                       found->second.reading = false;
                       if (reply == nullptr) {
                         found->second.stale = true;
                       } else {
                         on_read(room, *reply);
                       }
                     });
}

void PresenceReader::on_read(const RoomId& room, const redisReply& reply) {
  Watched& watched = watched_.at(room);
  if (reply.type != REDIS_REPLY_ARRAY || reply.elements < 3 ||
      !is_version(text_of(*reply.element[0]))) {
    watched.stale = true;  // an error; at the next tick again
    return;
  }
  std::string version(text_of(*reply.element[0]));
  if (version == watched.version) return;
  watched.version = std::move(version);
  chat::PresenceChange news{room, static_cast<std::uint64_t>(reply.element[1]->integer),
                            {},   {},
                            {},   reply.element[2]->integer == 1};
  for (std::size_t i = 3; i + 1 < reply.elements; i += 2) {
    const auto id = user_of(*reply.element[i]);
    if (!id) continue;
    const std::string_view entry = text_of(*reply.element[i + 1]);
    if (entry.empty()) {
      news.left.push_back(*id);
    } else if (auto found = person(room, *id, entry)) {
      news.joined.push_back(std::move(*found));
    }
  }
  context_.own.tell(news);
}

void PresenceReader::read_page(PageRequest request) {
  context_.counts.reads.fetch_add(1, std::memory_order_relaxed);
  const auto& keys = context_.keys;
  const RoomId room = request.room;
  context_.redis.run(
      context_.scripts.page, std::array{keys.room(room, "people"), keys.room(room, "names")},
      std::array{request.after ? "(" + bytes_of(request.after->value) : std::string("-"),
                 std::to_string(request.limit)},
      [this, room, told = std::move(request.told)](const redisReply* reply) {
        if (reply == nullptr || reply->type != REDIS_REPLY_ARRAY || reply->elements == 0) {
          told(std::nullopt);
          return;
        }
        chat::Roster roster{static_cast<std::uint64_t>(reply->element[0]->integer), {}};
        for (std::size_t i = 1; i + 1 < reply->elements; i += 2) {
          const auto id = user_of(*reply->element[i]);
          auto found = id ? person(room, *id, text_of(*reply->element[i + 1])) : std::nullopt;
          if (found) roster.page.push_back(std::move(*found));
        }
        told(std::move(roster));
      });
}

}  // namespace rtc::relay
