// Messages and rooms in one SQLite file (WAL), through SQLiteCpp. No server, no administration.
//
// One connection writes (append and the room-making calls: one thread at a time), a small pool of
// read-only connections reads, beside it. Ids come from the file alone, so they have no holes after
// a kill -9. The file is locked against a second process for as long as the store lives.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "chat/message_store.hpp"
#include "chat/room_store.hpp"

namespace rtc::storage {

// What a commit survives. Both survive kill -9 of the process.
enum class Durability {
  commit,  // not the loss of power: the last commits may be gone, none is broken
  fsync,   // the loss of power as well, for one fsync a commit
};

struct SqliteOptions {
  std::filesystem::path file;            // made, with its directory, when it is not there
  std::uint32_t readers = 2;             // read connections
  std::uint32_t busy_timeout_ms = 5000;  // how long a call waits for another process that writes
  Durability durability = Durability::commit;
  std::uint64_t log_bytes_max = 256 << 20;  // of the log of commits, and one commit
  std::string boot = {};                    // names the machine's boot; "": the kernel's boot_id
};

class SqliteStore final : public chat::MessageStore, public chat::RoomStore {
 public:
  // Opens or makes the file, brings its schema to this program's version (migrations/, one
  // transaction each, `PRAGMA user_version`), makes the lobby. A file of a newer version, one that
  // is no database, and one in use by another process are refused with what to do about it.
  static Result<std::unique_ptr<SqliteStore>> open(const SqliteOptions& options);
  ~SqliteStore() override;

  Result<std::vector<chat::Stored>> append(std::span<const chat::Draft> drafts) override;
  Result<std::vector<chat::Message>> page_before(RoomId room, MessageId before,
                                                 std::uint32_t limit) override;
  Result<std::vector<chat::Message>> page_after(RoomId room, MessageId after,
                                                std::uint32_t limit) override;
  std::string epoch() const override;
  chat::LogFigures log() const override;
  Result<std::uint64_t> forget_keys(std::int64_t before_ms, std::uint32_t limit) override;

  Result<void> create(const chat::Room& room, const chat::RoomBounds& bounds) override;
  Result<chat::Room> find_or_create_direct(const chat::Room& room,
                                           const chat::RoomBounds& bounds) override;
  Result<std::optional<chat::Room>> find(RoomId id) override;
  Result<std::vector<chat::Room>> list_open(std::optional<RoomId> after,
                                            std::uint32_t limit) override;
  Result<std::vector<chat::Room>> list_direct(UserId user, std::optional<RoomId> after,
                                              std::uint32_t limit) override;

 private:
  struct State;
  explicit SqliteStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace rtc::storage
