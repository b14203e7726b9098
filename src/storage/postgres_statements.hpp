// All that is asked of PostgreSQL while the program runs, once. Each connection prepares what it
// uses. The schema and the functions: postgres_migrations.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace rtc::storage {

enum class PostgresStatement : std::uint8_t {
  append,
  resolve,
  forget_keys,
  make_room,
  page_before,
  page_after,
  grown,
  find_room,
  open_key,
  list_open,
  direct_key,
  list_direct,
  copy_rooms,
  newest_of,
  copy_messages,
  copy_keys,
  known_keys,
  put_ban,
  remove_ban,
  bans,
  bans_version,
};

inline constexpr std::array<const char*, 21> kPostgresStatements = {
    "SELECT append_messages($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    "SELECT resolve_batch($1, $2)",
    // Nodes that do it at once take others' rows, not each other's.
    "DELETE FROM message_keys WHERE ctid = ANY (ARRAY(SELECT ctid FROM message_keys "
    "WHERE created_at_ms < $1 ORDER BY created_at_ms LIMIT $2 FOR UPDATE SKIP LOCKED))",
    "SELECT id, kind, name, created_at_ms, creator, member_low, member_high, history, topic "
    "FROM make_room($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    "SELECT id, sender, nickname, name_tag, address, text, created_at_ms FROM messages "
    "WHERE room = (SELECT key FROM rooms WHERE rooms.id = $1) AND id < $2 ORDER BY id DESC LIMIT "
    "$3",
    "SELECT id, sender, nickname, name_tag, address, text, created_at_ms FROM messages "
    "WHERE room = (SELECT key FROM rooms WHERE rooms.id = $1) AND id > $2 ORDER BY id LIMIT $3",
    "SELECT rooms.id FROM unnest($1::uuid[], $2::bigint[]) AS d (id, newest) "
    "JOIN rooms ON rooms.id = d.id WHERE rooms.newest > d.newest",
    "SELECT id, kind, name, created_at_ms, creator, member_low, member_high, history, topic "
    "FROM rooms WHERE id = $1",
    "SELECT key FROM rooms WHERE id = $1 AND kind = 0",
    "SELECT id, kind, name, created_at_ms, creator, member_low, member_high, history, topic "
    "FROM rooms WHERE kind = 0 AND key > $1 ORDER BY key LIMIT $2",
    "SELECT key FROM rooms JOIN room_members ON room = key WHERE id = $1 AND member = $2",
    "SELECT id, kind, name, created_at_ms, creator, member_low, member_high, history, topic "
    "FROM room_members JOIN rooms ON key = room WHERE member = $1 AND room > $2 "
    "ORDER BY room LIMIT $3",
    // Of storage/store_copy.hpp; each may be made again.
    "INSERT INTO rooms (id, kind, name, created_at_ms, creator, member_low, member_high, history, "
    "topic) "
    "SELECT id, kind, name, created_at_ms, creator, member_low, member_high, history = 1, topic "
    "FROM unnest($1::uuid[], $2::bigint[], $3::bytea[], $4::bigint[], $5::uuid[], $6::uuid[], "
    "$7::uuid[], $8::bigint[], $9::bytea[]) WITH ORDINALITY "
    "AS d (id, kind, name, created_at_ms, creator, member_low, member_high, history, topic, n) "
    "ORDER BY n ON CONFLICT (id) DO NOTHING",
    "SELECT newest FROM rooms WHERE id = $1",
    // Only behind the newest message that was there: nobody else has written to that room.
    "WITH room AS (UPDATE rooms SET newest = $3 WHERE id = $1 AND newest = $2 RETURNING key) "
    "INSERT INTO messages SELECT room.key, d.* FROM room, unnest($4::bigint[], $5::uuid[], "
    "$6::bytea[], $7::bytea[], $8::bytea[], $9::bytea[], $10::bigint[]) AS d",
    "INSERT INTO message_keys SELECT sender, rooms.key, d.key, d.id, d.created_at_ms "
    "FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bigint[], $5::bigint[]) "
    "AS d (sender, room, key, id, created_at_ms) JOIN rooms ON rooms.id = d.room "
    "WHERE d.id <= rooms.newest ON CONFLICT DO NOTHING",
    // Those that are there, and those whose message is not there yet.
    "SELECT count(*) FILTER (WHERE k.id = d.id), count(*) FILTER (WHERE k.id IS DISTINCT FROM d.id "
    "AND (rooms.id IS NULL OR d.id > rooms.newest)) "
    "FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bigint[], $5::bigint[]) "
    "AS d (sender, room, key, id, created_at_ms) LEFT JOIN rooms ON rooms.id = d.room "
    "LEFT JOIN message_keys AS k ON k.sender = d.sender AND k.room = rooms.key AND k.key = d.key",
    "SELECT put_ban($1, $2, $3, $4, $5)",
    "WITH gone AS (DELETE FROM bans WHERE target = $1 RETURNING target), "
    "told AS (UPDATE store SET bans_version = bans_version + 1 WHERE EXISTS (SELECT FROM gone)) "
    "SELECT count(*) FROM gone",
    "SELECT target, until_ms, reason, created_at_ms FROM bans "
    "WHERE until_ms = 0 OR until_ms > $1 ORDER BY created_at_ms, target",
    "SELECT bans_version FROM store",
};

inline constexpr const char* text_of(PostgresStatement statement) {
  return kPostgresStatements[static_cast<std::size_t>(statement)];
}

// Besides PostgreSQL's own: what the functions refuse with (SQLSTATE).
inline constexpr char kNoSuchRoom[] = "RT001";
inline constexpr char kSuperseded[] = "RT002";  // the batch was given up, and is not to be stored
inline constexpr char kRoomsBound[] = "RT003";
inline constexpr char kOwnRoomsBound[] = "RT004";
inline constexpr char kBansBound[] = "RT005";
inline constexpr char kRoomIsFull[] = "23514";  // check_violation: the only check it can violate

}  // namespace rtc::storage
