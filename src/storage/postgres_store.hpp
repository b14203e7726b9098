// Messages, rooms and bans in a PostgreSQL database (15 or later), through libpq: of one node or of
// several that share it.
//
// One connection writes (append, forget_keys and the room-making calls: one thread at a time), the
// others read. A batch is one statement, so one round trip and one commit; ids are given under the
// lock of the room's row, so their order is that of the commits, whichever node they come from. All
// lies in the schema `realtimechat` of that database.
//
// Every call ends in about PostgresOptions::timeout_ms, whatever becomes of the database or the
// network. A connection that breaks is made anew, with growing, random pauses. While the database
// cannot be reached the first call waits for it; those after it fail at once until one works, so
// that nobody waits for the sum of what the calls before him waited.
//
// A commit whose answer was lost is asked for before anything else is written (resolve_batch), so
// no message is stored twice and no receipt is false. When that is not known in time either, append
// fails; the messages may then be there nevertheless, and a retry with their key gets their ids.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "chat/ban_store.hpp"
#include "chat/message_store.hpp"
#include "chat/room_store.hpp"

namespace rtc::storage {

struct PostgresOptions {
  std::string url;                  // a libpq connection URI or string
  std::uint32_t connections = 4;    // one writes, the others read; at least 2
  std::uint32_t timeout_ms = 5000;  // of a call
  bool shared = true;               // other processes write to the database too
};

class PostgresStore final : public chat::MessageStore,
                            public chat::RoomStore,
                            public chat::BanStore {
 public:
  // Connects, brings the schema to this program's version (postgres_migrations.cpp; one node does
  // it, others that start meanwhile wait), makes the lobby. A schema of a newer version is refused.
  static Result<std::unique_ptr<PostgresStore>> open(const PostgresOptions& options);
  ~PostgresStore() override;

  Result<std::vector<chat::Stored>> append(std::span<const chat::Draft> drafts) override;
  Result<std::vector<chat::Message>> page_before(RoomId room, MessageId before,
                                                 std::uint32_t limit) override;
  Result<std::vector<RoomId>> grown(std::span<const chat::RoomMark> marks) override;
  Result<std::vector<chat::Message>> page_after(RoomId room, MessageId after,
                                                std::uint32_t limit) override;
  // The database's own, and the timeline of its write-ahead log: a restored or promoted one is
  // another, as it may give ids again.
  std::string epoch() const override;
  bool shared() const override;
  chat::ServerFigures server() const override;
  Result<std::uint64_t> forget_keys(std::int64_t before_ms, std::uint32_t limit) override;

  Result<void> create(const chat::Room& room, const chat::RoomBounds& bounds) override;
  Result<chat::Room> find_or_create_direct(const chat::Room& room,
                                           const chat::RoomBounds& bounds) override;
  Result<std::optional<chat::Room>> find(RoomId id) override;
  Result<std::vector<chat::Room>> list_open(std::optional<RoomId> after,
                                            std::uint32_t limit) override;
  Result<std::vector<chat::Room>> list_direct(UserId user, std::optional<RoomId> after,
                                              std::uint32_t limit) override;

  // By the reading connections: nothing waits for the writer.
  Result<void> put_ban(const chat::Ban& ban, std::uint32_t bans_max) override;
  Result<bool> remove_ban(const std::string& target) override;
  Result<std::vector<chat::Ban>> bans(std::int64_t now_ms) override;
  Result<std::int64_t> bans_version() override;

 private:
  struct State;
  explicit PostgresStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rtc::storage
