// Joins the writing connection and the reading ones into the two ports.
#include "storage/postgres_store.hpp"

#include <algorithm>
#include <libpq-fe.h>
#include <limits>

#include "storage/pool.hpp"
#include "storage/postgres_connection.hpp"
#include "storage/postgres_rows.hpp"
#include "storage/postgres_schema.hpp"
#include "storage/postgres_writer.hpp"

namespace rtc::storage {
namespace {

constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();  // above all ids

std::int64_t column_of(MessageId id) {
  return static_cast<std::int64_t>(std::min(id, static_cast<MessageId>(kEnd)));
}

std::vector<std::unique_ptr<PostgresConnection>> readers_of(const PostgresOptions& options,
                                                            PostgresFigures& figures) {
  std::vector<std::unique_ptr<PostgresConnection>> readers(std::max(options.connections, 2U) - 1);
  for (auto& each : readers) each = std::make_unique<PostgresConnection>(options, figures);
  return readers;
}

Error no_such_room() {
  return {ErrorCode::not_found_chatroom, "There is no such room."};
}

// What is wrong with it in libpq's words could name a password.
bool is_understood(const std::string& url) {
  PQconninfoOption* const parsed = PQconninfoParse(url.c_str(), nullptr);
  PQconninfoFree(parsed);
  return parsed != nullptr;
}

}  // namespace

struct PostgresStore::State {
  explicit State(const PostgresOptions& given)
      : options(given), writer(options, figures), readers(readers_of(options, figures)) {}

  PostgresAnswer read(PostgresStatement statement, const PostgresParameters& parameters) {
    return readers.with(
        [&](PostgresConnection& reader) { return reader.ask(statement, parameters); });
  }
  Result<std::vector<chat::Message>> page(PostgresStatement statement, RoomId room, std::int64_t id,
                                          std::uint32_t limit) {
    const auto answer =
        read(statement, PostgresParameters().add(room.value).add(id).add(std::int64_t{limit}));
    if (!answer.ok()) return answer.error();
    return messages_of(answer.rows, room);
  }
  // The key of the room behind which a list goes on; 0: from its beginning.
  Result<std::int64_t> key_of(std::optional<RoomId> after, PostgresStatement statement,
                              PostgresParameters parameters) {
    if (!after) return std::int64_t{0};
    const auto answer = read(statement, parameters);
    if (!answer.ok()) return answer.error();
    if (answer.rows.count() == 0) return no_such_room();
    return answer.rows.integer(0, 0);
  }

  const PostgresOptions options;
  PostgresFigures figures;
  PostgresWriter writer;
  Pool<PostgresConnection> readers;
  std::string epoch;
};

PostgresStore::PostgresStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
PostgresStore::~PostgresStore() = default;

Result<std::unique_ptr<PostgresStore>> PostgresStore::open(const PostgresOptions& options) {
  if (!is_understood(options.url)) {
    return {ErrorCode::invalid_parameter,
            "not a PostgreSQL connection URI, such as postgresql://user@host/database"};
  }
  auto state = std::make_unique<State>(options);
  PostgresConnection& writer = state->writer.connection();
  if (const auto connected = writer.connect(writer.deadline()); !connected) {
    return {ErrorCode::internal_server_error,
            "PostgreSQL does not answer, or cannot be reached: " + writer.words()};
  }
  auto epoch = open_postgres_schema(writer);
  if (!epoch) return epoch.error();
  state->epoch = std::move(*epoch);
  return std::unique_ptr<PostgresStore>(new PostgresStore(std::move(state)));
}

Result<std::vector<chat::Stored>> PostgresStore::append(std::span<const chat::Draft> drafts) {
  return state_->writer.append(drafts);
}

std::string PostgresStore::epoch() const {
  return state_->epoch;
}

bool PostgresStore::shared() const {
  return state_->options.shared;
}

chat::ServerFigures PostgresStore::server() const {
  const PostgresFigures& figures = state_->figures;
  return {.connections = figures.connections.load(std::memory_order_relaxed),
          .reconnects = figures.reconnects.load(std::memory_order_relaxed),
          .timeouts = figures.timeouts.load(std::memory_order_relaxed),
          .resolved = figures.resolved.load(std::memory_order_relaxed)};
}

Result<std::uint64_t> PostgresStore::forget_keys(std::int64_t before_ms, std::uint32_t limit) {
  return state_->writer.forget_keys(before_ms, limit);
}

Result<std::vector<chat::Message>> PostgresStore::page_before(RoomId room, MessageId before,
                                                              std::uint32_t limit) {
  return state_->page(PostgresStatement::page_before, room, before == 0 ? kEnd : column_of(before),
                      limit);
}

Result<std::vector<chat::Message>> PostgresStore::page_after(RoomId room, MessageId after,
                                                             std::uint32_t limit) {
  return state_->page(PostgresStatement::page_after, room, column_of(after), limit);
}

Result<std::vector<RoomId>> PostgresStore::grown(std::span<const chat::RoomMark> marks) {
  auto rooms = PostgresArray::of_uuids(marks.size());
  auto newest = PostgresArray::of_integers(marks.size());
  for (const chat::RoomMark& each : marks) {
    rooms.add(each.room.value);
    newest.add(column_of(each.newest));
  }
  const auto answer =
      state_->read(PostgresStatement::grown,
                   std::move(PostgresParameters().add(std::move(rooms)).add(std::move(newest))));
  if (!answer.ok()) return answer.error();
  std::vector<RoomId> grown;
  for (int row = 0; row < answer.rows.count(); ++row) {
    grown.push_back(RoomId{answer.rows.uuid(row, 0)});
  }
  return grown;
}

Result<void> PostgresStore::create(const chat::Room& room, const chat::RoomBounds& bounds) {
  return state_->writer.create(room, bounds);
}

Result<chat::Room> PostgresStore::find_or_create_direct(const chat::Room& room,
                                                        const chat::RoomBounds& bounds) {
  return state_->writer.find_or_create_direct(room, bounds);
}

Result<std::optional<chat::Room>> PostgresStore::find(RoomId id) {
  const auto answer =
      state_->read(PostgresStatement::find_room, PostgresParameters().add(id.value));
  if (!answer.ok()) return answer.error();
  if (answer.rows.count() == 0) return std::optional<chat::Room>();
  return std::optional(room_of(answer.rows, 0));
}

Result<std::vector<chat::Room>> PostgresStore::list_open(std::optional<RoomId> after,
                                                         std::uint32_t limit) {
  const auto key = state_->key_of(after, PostgresStatement::open_key,
                                  PostgresParameters().add(after.value_or(RoomId{}).value));
  if (!key) return key.error();
  const auto answer = state_->read(PostgresStatement::list_open,
                                   PostgresParameters().add(*key).add(std::int64_t{limit}));
  if (!answer.ok()) return answer.error();
  return rooms_of(answer.rows);
}

Result<std::vector<chat::Room>> PostgresStore::list_direct(UserId user, std::optional<RoomId> after,
                                                           std::uint32_t limit) {
  const auto key =
      state_->key_of(after, PostgresStatement::direct_key,
                     PostgresParameters().add(after.value_or(RoomId{}).value).add(user.value));
  if (!key) return key.error();
  const auto answer =
      state_->read(PostgresStatement::list_direct,
                   PostgresParameters().add(user.value).add(*key).add(std::int64_t{limit}));
  if (!answer.ok()) return answer.error();
  return rooms_of(answer.rows);
}

Result<void> PostgresStore::put_ban(const chat::Ban& ban, std::uint32_t bans_max) {
  const auto answer = state_->read(PostgresStatement::put_ban, PostgresParameters()
                                                                   .add(ban.target)
                                                                   .add(ban.until_ms)
                                                                   .add(ban.reason)
                                                                   .add(ban.created_at_ms)
                                                                   .add(std::int64_t{bans_max}));
  if (answer.ok()) return {};
  if (answer.state != kBansBound) return answer.error();
  return chat::too_many_bans(bans_max);
}

Result<bool> PostgresStore::remove_ban(const std::string& target) {
  const auto answer = state_->read(PostgresStatement::remove_ban, PostgresParameters().add(target));
  if (!answer.ok()) return answer.error();
  return answer.rows.integer(0, 0) > 0;
}

Result<std::vector<chat::Ban>> PostgresStore::bans(std::int64_t now_ms) {
  const auto answer = state_->read(PostgresStatement::bans, PostgresParameters().add(now_ms));
  if (!answer.ok()) return answer.error();
  std::vector<chat::Ban> bans;
  for (int row = 0; row < answer.rows.count(); ++row) {
    bans.push_back({answer.rows.text(row, 0), answer.rows.integer(row, 1), answer.rows.text(row, 2),
                    answer.rows.integer(row, 3)});
  }
  return bans;
}

Result<std::int64_t> PostgresStore::bans_version() {
  const auto answer = state_->read(PostgresStatement::bans_version, PostgresParameters());
  if (!answer.ok()) return answer.error();
  return answer.rows.integer(0, 0);
}

}  // namespace rtc::storage
