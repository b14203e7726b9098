// Joins the file's lock, the writer and the readers into the two ports.
#include "storage/sqlite_store.hpp"

#include <SQLiteCpp/Exception.h>

#include "storage/pool.hpp"
#include "storage/sqlite_file.hpp"
#include "storage/sqlite_reader.hpp"
#include "storage/sqlite_rows.hpp"
#include "storage/sqlite_writer.hpp"

namespace rtc::storage {

// Closed in the reverse order: the lock is given up last.
struct SqliteStore::State {
  State(FileLock held, SQLite::Database database, const std::filesystem::path& file,
        const SqliteOptions& options)
      : lock(std::move(held)),
        writer(std::move(database), file, options),
        readers(open_readers(file, options.readers, options.busy_timeout_ms)) {}

  // Any read: an exception of SQLite's becomes an error.
  template <class T, class Function>
  Result<T> read(Function use) {
    try {
      return readers.with(use);
    } catch (const SQLite::Exception& error) {
      return storage_failure(error);
    }
  }

  FileLock lock;
  SqliteWriter writer;
  Pool<SqliteReader> readers;
};

SqliteStore::SqliteStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const SqliteOptions& options) {
  const auto file = std::filesystem::absolute(options.file);
  auto lock = FileLock::take(file);
  if (!lock) return lock.error();
  try {
    auto database = open_writer(file, options);
    if (!database) return database.error();
    auto state = std::make_unique<State>(std::move(*lock), std::move(*database), file, options);
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(state)));
  } catch (const SQLite::Exception& error) {
    return {ErrorCode::internal_server_error, "cannot open " + file.string() + ": " + error.what()};
  }
}

Result<std::vector<chat::Stored>> SqliteStore::append(std::span<const chat::Draft> drafts) {
  return state_->writer.append(drafts);
}

std::string SqliteStore::epoch() const {
  return state_->writer.epoch();
}

chat::LogFigures SqliteStore::log() const {
  return state_->writer.log();
}

Result<std::uint64_t> SqliteStore::forget_keys(std::int64_t before_ms, std::uint32_t limit) {
  return state_->writer.forget_keys(before_ms, limit);
}

Result<std::vector<chat::Message>> SqliteStore::page_before(RoomId room, MessageId before,
                                                            std::uint32_t limit) {
  return state_->read<std::vector<chat::Message>>(
      [&](SqliteReader& reader) { return reader.page_before(room, before, limit); });
}

Result<std::vector<chat::Message>> SqliteStore::page_after(RoomId room, MessageId after,
                                                           std::uint32_t limit) {
  return state_->read<std::vector<chat::Message>>(
      [&](SqliteReader& reader) { return reader.page_after(room, after, limit); });
}

Result<void> SqliteStore::create(const chat::Room& room, const chat::RoomBounds& bounds) {
  return state_->writer.create(room, bounds);
}

Result<chat::Room> SqliteStore::find_or_create_direct(const chat::Room& room,
                                                      const chat::RoomBounds& bounds) {
  return state_->writer.find_or_create_direct(room, bounds);
}

Result<std::optional<chat::Room>> SqliteStore::find(RoomId id) {
  return state_->read<std::optional<chat::Room>>(
      [&](SqliteReader& reader) { return reader.find(id); });
}

Result<std::vector<chat::Room>> SqliteStore::list_open(std::optional<RoomId> after,
                                                       std::uint32_t limit) {
  return state_->read<std::vector<chat::Room>>(
      [&](SqliteReader& reader) { return reader.list_open(after, limit); });
}

Result<std::vector<chat::Room>> SqliteStore::list_direct(UserId user, std::optional<RoomId> after,
                                                         std::uint32_t limit) {
  return state_->read<std::vector<chat::Room>>(
      [&](SqliteReader& reader) { return reader.list_direct(user, after, limit); });
}

}  // namespace rtc::storage
