// The store ports in memory, for tests. Any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "chat/ban_store.hpp"
#include "chat/message_store.hpp"
#include "chat/room_store.hpp"

namespace rtc::chat {

class MemoryStore final : public MessageStore, public RoomStore, public BanStore {
 public:
  std::atomic<bool> reads_fail{false};  // pages cannot be read, as from a broken disk

  std::atomic<std::size_t> compared{0};  // rooms that grown() was asked about

  explicit MemoryStore(bool shared = false) : shared_(shared) {
    rooms_.push_back({lobby_id(), Room::Kind::open, "Lobby", 0, {}, {}});
  }

  // From now on messages and rooms are neither stored nor read; or are again.
  void set_failing(bool failing) {
    const std::lock_guard lock(mutex_);
    failing_ = failing;
  }

  Result<std::vector<Stored>> append(std::span<const Draft> drafts) override {
    const std::lock_guard lock(mutex_);
    if (failing_) return failure();
    for (const Draft& draft : drafts) {
      if (position(draft.room) == rooms_.size()) return no_such_room();
    }
    std::vector<Stored> stored;
    for (const Draft& draft : drafts) {
      auto& log = messages_[draft.room];
      const MessageId next = log.size() + 1;
      if (!draft.key.empty()) {
        const auto [known, fresh] = keys_.try_emplace({draft.sender.id(), draft.room, draft.key},
                                                      Keyed{next, draft.created_at_ms});
        if (!fresh) {
          stored.push_back({known->second.id, true});
          continue;
        }
      }
      stored.push_back({next, false});
      log.push_back({draft.room, next, draft.sender, draft.text, draft.created_at_ms});
    }
    return stored;
  }

  Result<std::vector<RoomId>> grown(std::span<const RoomMark> marks) override {
    compared += marks.size();
    return MessageStore::grown(marks);
  }

  std::string epoch() const override { return "memory"; }
  bool shared() const override { return shared_; }

  Result<std::uint64_t> forget_keys(std::int64_t before_ms, std::uint32_t limit) override {
    const std::lock_guard lock(mutex_);
    std::uint64_t forgotten = 0;
    for (auto each = keys_.begin(); each != keys_.end() && forgotten < limit;) {
      const bool old = each->second.created_at_ms < before_ms;
      each = old ? keys_.erase(each) : std::next(each);
      forgotten += old ? 1 : 0;
    }
    return forgotten;
  }

  Result<std::vector<Message>> page_before(RoomId room, MessageId before,
                                           std::uint32_t limit) override {
    if (reads_fail) return failure();
    const std::lock_guard lock(mutex_);
    if (failing_) return failure();
    const auto& log = messages_[room];
    const MessageId end = before == 0 ? log.size() : std::min<MessageId>(before - 1, log.size());
    std::vector<Message> page;
    for (MessageId id = end; id > 0 && page.size() < limit; --id) page.push_back(log[id - 1]);
    return page;
  }

  Result<std::vector<Message>> page_after(RoomId room, MessageId after,
                                          std::uint32_t limit) override {
    if (reads_fail) return failure();
    const std::lock_guard lock(mutex_);
    if (failing_) return failure();
    const auto& log = messages_[room];
    std::vector<Message> page;
    for (MessageId at = after; at < log.size() && page.size() < limit; ++at) {
      page.push_back(log[at]);
    }
    return page;
  }

  Result<void> create(const Room& room, const RoomBounds& bounds) override {
    const std::lock_guard lock(mutex_);
    const auto own = [&](const Room& other) { return other.creator == room.creator; };
    if (auto within = check(Room::Kind::open, bounds, own); !within) return within;
    rooms_.push_back(room);
    return {};
  }

  Result<Room> find_or_create_direct(const Room& room, const RoomBounds& bounds) override {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(rooms_.begin(), rooms_.end(), [&](const Room& other) {
      return other.kind == Room::Kind::direct && other.members == room.members;
    });
    if (found != rooms_.end()) return *found;
    const auto own = [&](const Room& other) { return other.creator == room.creator; };
    if (auto within = check(Room::Kind::direct, bounds, own); !within) return within.error();
    rooms_.push_back(room);
    return room;
  }

  Result<std::optional<Room>> find(RoomId id) override {
    const std::lock_guard lock(mutex_);
    if (failing_) return failure();
    const std::size_t at = position(id);
    return at == rooms_.size() ? std::nullopt : std::optional<Room>(rooms_[at]);
  }

  Result<std::vector<Room>> list_open(std::optional<RoomId> after, std::uint32_t limit) override {
    return list(after, limit, [](const Room& room) { return room.kind == Room::Kind::open; });
  }

  Result<std::vector<Room>> list_direct(UserId user, std::optional<RoomId> after,
                                        std::uint32_t limit) override {
    return list(after, limit, [&](const Room& room) {
      return room.kind == Room::Kind::direct && has_member(room, user);
    });
  }

  Result<void> put_ban(const Ban& ban, std::uint32_t bans_max) override {
    const std::lock_guard lock(mutex_);
    if (failing_) return failure();
    auto kept = bans_;
    std::erase_if(kept, [&](const auto& each) {
      const Ban& other = each.second;
      return other.target == ban.target ||
             (other.until_ms != 0 && other.until_ms <= ban.created_at_ms);
    });
    if (kept.size() >= bans_max) return too_many_bans(bans_max);
    kept.emplace(std::pair{ban.created_at_ms, ban.target}, ban);
    bans_ = std::move(kept);
    ++bans_version_;
    return {};
  }

  Result<bool> remove_ban(const std::string& target) override {
    const std::lock_guard lock(mutex_);
    if (failing_) return failure();
    const bool removed =
        std::erase_if(bans_, [&](const auto& each) { return each.second.target == target; }) > 0;
    if (removed) ++bans_version_;
    return removed;
  }

  Result<std::vector<Ban>> bans(std::int64_t now_ms) override {
    const std::lock_guard lock(mutex_);
    if (failing_) return failure();
    std::vector<Ban> held;
    for (const auto& [order, ban] : bans_) {
      if (ban.until_ms == 0 || ban.until_ms > now_ms) held.push_back(ban);
    }
    return held;
  }

  Result<std::int64_t> bans_version() override {
    const std::lock_guard lock(mutex_);
    if (failing_) return failure();
    return bans_version_;
  }

 private:
  static bool has_member(const Room& room, UserId user) {
    return room.members[0] == user || room.members[1] == user;
  }
  static Error failure() { return {ErrorCode::internal_server_error, "disk I/O error"}; }
  static Error no_such_room() { return {ErrorCode::not_found_chatroom, "There is no such room."}; }

  std::size_t position(RoomId id) const {  // rooms_.size(): unknown
    const auto found =
        std::find_if(rooms_.begin(), rooms_.end(), [&](const Room& room) { return room.id == id; });
    return static_cast<std::size_t>(found - rooms_.begin());
  }

  template <class Own>
  Result<void> check(Room::Kind kind, const RoomBounds& bounds, Own own) const {
    std::uint64_t all = 0;
    std::uint64_t of_identity = 0;
    for (const Room& room : rooms_) {
      if (room.kind != kind || room.id == lobby_id()) continue;
      ++all;
      if (own(room)) ++of_identity;
    }
    const auto reached = [](const char* bound) {
      return Error{ErrorCode::too_many_requests, std::string(bound) + " is reached."};
    };
    if (all >= bounds.rooms_max) return reached("rooms_max");
    if (of_identity >= bounds.rooms_per_identity_max) return reached("rooms_per_identity_max");
    return {};
  }

  template <class Listed>
  Result<std::vector<Room>> list(std::optional<RoomId> after, std::uint32_t limit, Listed listed) {
    const std::lock_guard lock(mutex_);
    std::size_t at = 0;
    if (after) {
      at = position(*after);
      if (at == rooms_.size() || !listed(rooms_[at])) return no_such_room();
      ++at;
    }
    std::vector<Room> page;
    for (; at < rooms_.size() && page.size() < limit; ++at) {
      if (listed(rooms_[at])) page.push_back(rooms_[at]);
    }
    return page;
  }

  const bool shared_;
  std::mutex mutex_;
  bool failing_ = false;     // guarded by mutex_, as all below
  std::vector<Room> rooms_;  // in the order of making
  std::map<RoomId, std::vector<Message>> messages_;
  struct Keyed {
    MessageId id = 0;
    std::int64_t created_at_ms = 0;
  };
  std::map<std::tuple<UserId, RoomId, std::string>, Keyed> keys_;
  std::map<std::pair<std::int64_t, std::string>, Ban> bans_;  // in the order of making
  std::int64_t bans_version_ = 0;
};

}  // namespace rtc::chat
