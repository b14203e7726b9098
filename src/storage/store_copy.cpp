#include "storage/store_copy.hpp"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <limits>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "storage/migrations/sqlite.hpp"
#include "storage/postgres_connection.hpp"
#include "storage/sqlite_bans.hpp"
#include "storage/sqlite_file.hpp"
#include "storage/sqlite_reader.hpp"
#include "storage/sqlite_rows.hpp"

namespace rtc::storage {
namespace {

constexpr std::uint32_t kRowsAtOnce = 500;
constexpr std::uint32_t kBusyTimeoutMs = 60'000;
constexpr std::chrono::minutes kCountingMost{30};

struct Key {
  Uuid sender;
  Uuid room;
  std::string key;
  std::int64_t id = 0;
  std::int64_t created_at_ms = 0;
  std::int64_t room_key = 0;
};

// Throws SQLite::Exception.
class Source {
 public:
  explicit Source(const std::filesystem::path& file)
      : database_(open_reader(file, kBusyTimeoutMs)),
        reader_(open_reader(file, kBusyTimeoutMs)),
        rooms_(database_, fmt::format("SELECT {}, key FROM rooms WHERE key > ? ORDER BY key "
                                      "LIMIT {}",
                                      kRoomColumns, kRowsAtOnce)),
        keys_(database_, fmt::format("SELECT sender, rooms.id, message_keys.key, message_keys.id, "
                                     "message_keys.created_at_ms, room FROM message_keys "
                                     "JOIN rooms ON rooms.key = room WHERE (sender, room, "
                                     "message_keys.key) > (?, ?, ?) "
                                     "ORDER BY sender, room, message_keys.key LIMIT {}",
                                     kRowsAtOnce)) {}

  bool is_of_this_version() {
    return database_.execAndGet("PRAGMA user_version").getInt() ==
           static_cast<int>(kSqliteMigrations.size());
  }
  // The next ones; none: all were given.
  std::vector<chat::Room> next_rooms() {
    Use row(rooms_);
    row.bind(1, after_room_);
    std::vector<chat::Room> rooms;
    while (row.next()) {
      rooms.push_back(read_room(row));
      after_room_ = row.integer(9);
    }
    return rooms;
  }
  std::vector<Key> next_keys() {
    Use row(keys_);
    row.bind(1, after_key_.sender).bind(2, after_key_.room_key).bind(3, after_key_.key);
    std::vector<Key> keys;
    while (row.next()) {
      keys.push_back(
          {row.uuid(0), row.uuid(1), row.text(2), row.integer(3), row.integer(4), row.integer(5)});
    }
    if (!keys.empty()) after_key_ = keys.back();
    return keys;
  }
  std::vector<chat::Message> messages(RoomId room, MessageId after) {
    return reader_.page_after(room, after, kRowsAtOnce);
  }

 private:
  SQLite::Database database_;
  SqliteReader reader_;
  SQLite::Statement rooms_;
  SQLite::Statement keys_;
  std::int64_t after_room_ = 0;
  Key after_key_;
};

PostgresParameters parameters_of(const std::vector<chat::Room>& rooms) {
  const std::size_t count = rooms.size();
  auto ids = PostgresArray::of_uuids(count);
  auto kinds = PostgresArray::of_integers(count);
  auto names = PostgresArray::of_bytes(count);
  auto created = PostgresArray::of_integers(count);
  auto creators = PostgresArray::of_uuids(count);
  auto low = PostgresArray::of_uuids(count);
  auto high = PostgresArray::of_uuids(count);
  auto history = PostgresArray::of_integers(count);
  auto topics = PostgresArray::of_bytes(count);
  for (const chat::Room& room : rooms) {
    ids.add(room.id.value);
    kinds.add(static_cast<std::int64_t>(room.kind));
    names.add(room.name);
    created.add(room.created_at_ms);
    creators.add(room.creator.value);
    low.add(room.members[0].value);
    high.add(room.members[1].value);
    history.add(std::int64_t{room.history});
    topics.add(room.topic);
  }
  PostgresParameters parameters;
  for (auto* each : {&ids, &kinds, &names, &created, &creators, &low, &high, &history, &topics}) {
    parameters.add(std::move(*each));
  }
  return parameters;
}

PostgresParameters parameters_of(RoomId room, MessageId after,
                                 const std::vector<chat::Message>& messages) {
  const std::size_t count = messages.size();
  auto ids = PostgresArray::of_integers(count);
  auto senders = PostgresArray::of_uuids(count);
  auto nicknames = PostgresArray::of_bytes(count);
  auto name_tags = PostgresArray::of_bytes(count);
  auto addresses = PostgresArray::of_bytes(count);
  auto texts = PostgresArray::of_bytes(count);
  auto created = PostgresArray::of_integers(count);
  for (const chat::Message& message : messages) {
    ids.add(static_cast<std::int64_t>(message.id));
    senders.add(message.sender.id().value);
    nicknames.add(message.sender.nickname());
    name_tags.add(message.sender.name_tag());
    addresses.add(message.sender.address());
    texts.add(message.text);
    created.add(message.created_at_ms);
  }
  PostgresParameters parameters;
  parameters.add(room.value).add(static_cast<std::int64_t>(after));
  parameters.add(static_cast<std::int64_t>(messages.back().id));
  for (auto* each : {&ids, &senders, &nicknames, &name_tags, &addresses, &texts, &created}) {
    parameters.add(std::move(*each));
  }
  return parameters;
}

PostgresParameters parameters_of(const std::vector<Key>& keys) {
  auto senders = PostgresArray::of_uuids(keys.size());
  auto rooms = PostgresArray::of_uuids(keys.size());
  auto texts = PostgresArray::of_bytes(keys.size());
  auto ids = PostgresArray::of_integers(keys.size());
  auto created = PostgresArray::of_integers(keys.size());
  for (const Key& key : keys) {
    senders.add(key.sender);
    rooms.add(key.room);
    texts.add(key.key);
    ids.add(key.id);
    created.add(key.created_at_ms);
  }
  PostgresParameters parameters;
  for (auto* each : {&senders, &rooms, &texts, &ids, &created}) parameters.add(std::move(*each));
  return parameters;
}

bool same(const chat::Room& a, const chat::Room& b) {
  return a.id == b.id && a.kind == b.kind && a.name == b.name && a.creator == b.creator &&
         a.members == b.members && a.history == b.history && a.topic == b.topic &&
         (a.created_at_ms == b.created_at_ms || a.id == chat::lobby_id());  // each made its own
}

bool same(const chat::Message& a, const chat::Message& b) {
  return a.id == b.id && a.sender.id() == b.sender.id() && a.text == b.text &&
         a.sender.nickname() == b.sender.nickname() && a.sender.name_tag() == b.sender.name_tag() &&
         a.sender.address() == b.sender.address() && a.created_at_ms == b.created_at_ms;
}

// Those that hold there are those that hold here: one that was ended since a copy before is ended.
Result<void> mirror_bans(const std::filesystem::path& file, PostgresStore& target) {
  const auto source = SqliteBans::open(file, kBusyTimeoutMs);
  if (!source) return source.error();
  const std::int64_t now_ms = unix_ms();
  const auto here = (*source)->bans(now_ms);
  if (!here) return here.error();
  const auto there = target.bans(now_ms);
  if (!there) return there.error();
  for (const chat::Ban& ban : *there) {
    const auto same_target = [&](const chat::Ban& each) { return each.target == ban.target; };
    if (std::any_of(here->begin(), here->end(), same_target)) continue;
    if (const auto removed = target.remove_ban(ban.target); !removed) return removed.error();
  }
  for (const chat::Ban& ban : *here) {
    if (std::find(there->begin(), there->end(), ban) != there->end()) continue;
    if (auto put = target.put_ban(ban, std::numeric_limits<std::uint32_t>::max()); !put) return put;
  }
  return {};
}

Error failed(std::string message) {
  return {ErrorCode::internal_server_error, std::move(message)};
}

class Copy {
 public:
  Copy(Source& source, PostgresStore& store, PostgresConnection& target)
      : source_(source), store_(store), target_(target) {}

  Result<CopyFigures> run() {
    for (auto rooms = source_.next_rooms(); !rooms.empty(); rooms = source_.next_rooms()) {
      if (auto copied = copy_rooms(rooms); !copied) return copied.error();
      for (const chat::Room& room : rooms) {
        if (auto copied = copy_messages(room.id); !copied) return copied.error();
      }
    }
    const auto counted = target_.run(
        "SET statement_timeout = 0; INSERT INTO room_members SELECT DISTINCT member, key FROM "
        "rooms, "
        "unnest(ARRAY[member_low, member_high]) AS member WHERE kind = 1 ON CONFLICT DO NOTHING; "
        "UPDATE store SET open_rooms = (SELECT count(*) - 1 FROM rooms WHERE kind = 0), "
        "direct_rooms = (SELECT count(*) FROM rooms WHERE kind = 1)",
        PostgresConnection::Clock::now() + kCountingMost);
    if (!counted.ok()) return counted.error();
    if (auto copied = copy_keys(); !copied) return copied.error();
    return figures_;
  }

 private:
  Result<void> copy_rooms(const std::vector<chat::Room>& rooms) {
    const auto copied = target_.ask(PostgresStatement::copy_rooms, parameters_of(rooms));
    if (!copied.ok()) return copied.error();
    for (const chat::Room& room : rooms) {
      const auto found = store_.find(room.id);
      if (!found) return found.error();
      if (!*found || !same(**found, room)) {
        return failed(fmt::format("room {} is another one there", room.id.to_string()));
      }
    }
    figures_.rooms += rooms.size();
    return {};
  }

  // From where a copy before has ended; all of them are compared.
  Result<void> copy_messages(RoomId room) {
    const auto newest =
        target_.ask(PostgresStatement::newest_of, PostgresParameters().add(room.value));
    if (!newest.ok()) return newest.error();
    const auto known = static_cast<MessageId>(newest.rows.integer(0, 0));
    MessageId compared = 0;
    for (auto messages = source_.messages(room, 0); !messages.empty();
         messages = source_.messages(room, compared)) {
      // A page that a copy before has brought over in part: its rest is the next one.
      if (compared < known) {
        while (messages.back().id > known) messages.pop_back();
      } else {
        const auto copied =
            target_.ask(PostgresStatement::copy_messages, parameters_of(room, compared, messages));
        if (!copied.ok()) return copied.error();
        if (copied.rows.affected() != messages.size()) return has_others(room);
        figures_.new_messages += messages.size();
      }
      if (auto equal = compare(room, compared, messages); !equal) return equal;
      compared = messages.back().id;
    }
    return compared < known ? has_others(room) : Result<void>();
  }

  static Error has_others(RoomId room) {
    return failed(
        fmt::format("room {} has messages there that are not in the file", room.to_string()));
  }

  Result<void> compare(RoomId room, MessageId after, const std::vector<chat::Message>& messages) {
    const auto there = store_.page_after(room, after, static_cast<std::uint32_t>(messages.size()));
    if (!there) return there.error();
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (i >= there->size() || !same(messages[i], (*there)[i])) {
        return failed(fmt::format("message {} of room {} is another one there", messages[i].id,
                                  room.to_string()));
      }
    }
    figures_.messages += messages.size();
    return {};
  }

  // Messages that came since theirs were copied, and rooms, are the next copy's, and so are their
  // keys.
  Result<void> copy_keys() {
    for (auto keys = source_.next_keys(); !keys.empty(); keys = source_.next_keys()) {
      const PostgresParameters parameters = parameters_of(keys);
      const auto copied = target_.ask(PostgresStatement::copy_keys, parameters);
      if (!copied.ok()) return copied.error();
      const auto known = target_.ask(PostgresStatement::known_keys, parameters);
      if (!known.ok()) return known.error();
      const std::int64_t there = known.rows.integer(0, 0);
      if (there + known.rows.integer(0, 1) != static_cast<std::int64_t>(keys.size())) {
        return failed("a message-key stands for another message there");
      }
      figures_.keys += static_cast<std::uint64_t>(there);
    }
    return {};
  }

  Source& source_;
  PostgresStore& store_;
  PostgresConnection& target_;
  CopyFigures figures_;
};

}  // namespace

Result<CopyFigures> copy_store(const std::filesystem::path& file, const PostgresOptions& options) {
  if (!std::filesystem::exists(file)) return failed("there is no " + file.string());
  const auto store = PostgresStore::open(options);
  if (!store) return store.error();
  PostgresFigures figures;
  PostgresConnection target(options, figures);
  if (const auto connected = target.connect(target.deadline()); !connected) {
    return connected.error();
  }
  try {
    Source source(file);
    if (!source.is_of_this_version()) {
      return failed(fmt::format("{} has another schema than this program: start it once on that",
                                file.string()));
    }
    const auto copied = Copy(source, **store, target).run();
    if (!copied) return copied.error();
    // Last: where somebody talks already, and the copy was refused, bans are nobody's to end.
    if (auto mirrored = mirror_bans(file, **store); !mirrored) return mirrored.error();
    return *copied;
  } catch (const SQLite::Exception& error) {
    return failed(fmt::format("{}: {}", file.string(), error.what()));
  }
}

}  // namespace rtc::storage
