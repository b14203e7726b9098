// The SQLite schema, as the steps that lead to it. Entry i takes a file from `PRAGMA user_version`
// i to i + 1, in one transaction. Entries are only ever added at the end; a released one is fixed.
#pragma once

#include <array>
#include <string_view>

namespace rtc::storage {

inline constexpr std::array<std::string_view, 7> kSqliteMigrations = {
    // 1: rooms and messages
    R"sql(
CREATE TABLE rooms (
  key           INTEGER PRIMARY KEY,  -- in the order of making; the lobby is 1
  id            BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
  kind          INTEGER NOT NULL,     -- chat::Room::Kind: 0 open, 1 direct
  name          TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL,
  creator       BLOB    NOT NULL CHECK (length(creator) = 16),
  member_low    BLOB    NOT NULL CHECK (length(member_low) = 16),
  member_high   BLOB    NOT NULL CHECK (member_low <= member_high)
) STRICT;
CREATE INDEX        open_rooms         ON rooms (key)                     WHERE kind = 0;
CREATE INDEX        open_rooms_creator ON rooms (creator)                 WHERE kind = 0;
CREATE INDEX        direct_rooms_creator ON rooms (creator)               WHERE kind = 1;
CREATE UNIQUE INDEX direct_rooms_pair  ON rooms (member_low, member_high) WHERE kind = 1;

-- The direct rooms of a user, in order, by key.
CREATE TABLE room_members (
  user BLOB    NOT NULL CHECK (length(user) = 16),
  room INTEGER NOT NULL REFERENCES rooms (key),
  PRIMARY KEY (user, room)
) STRICT, WITHOUT ROWID;

-- A page of a room lies in one place, at any depth.
CREATE TABLE messages (
  room          INTEGER NOT NULL REFERENCES rooms (key),
  id            INTEGER NOT NULL,     -- 1, 2, 3 ... in each room
  sender        BLOB    NOT NULL CHECK (length(sender) = 16),
  nickname      TEXT    NOT NULL,
  name_tag      TEXT    NOT NULL,
  address       TEXT    NOT NULL,     -- masked
  text          TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL,
  PRIMARY KEY (room, id)
) STRICT, WITHOUT ROWID;

INSERT INTO rooms VALUES (1, x'723a2a33577b43808116a1aa8e5868d3', 0, 'Lobby',
                          CAST(strftime('%s') AS INTEGER) * 1000,
                          zeroblob(16), zeroblob(16), zeroblob(16));
)sql",
    // 2: what makes a retry harmless, and what tells this store's ids from another's
    R"sql(
CREATE TABLE message_keys (
  sender        BLOB    NOT NULL CHECK (length(sender) = 16),
  room          INTEGER NOT NULL REFERENCES rooms (key),
  key           TEXT    NOT NULL,
  id            INTEGER NOT NULL,     -- of the message
  created_at_ms INTEGER NOT NULL,     -- of the message
  PRIMARY KEY (sender, room, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_keys_age ON message_keys (created_at_ms);

CREATE TABLE store (epoch TEXT NOT NULL) STRICT;
INSERT INTO store VALUES (lower(hex(randomblob(8))));
)sql",
    // 3: what tells that ids may be given again
    R"sql(
ALTER TABLE store ADD COLUMN boot TEXT NOT NULL DEFAULT '';  -- of the machine, while the file is
                                        -- open for commits that a loss of power may take back
ALTER TABLE store ADD COLUMN file TEXT NOT NULL DEFAULT '';  -- inode and birth of this very file
)sql",
    // 4: rooms without history
    R"sql(
ALTER TABLE rooms ADD COLUMN history INTEGER NOT NULL DEFAULT 1;  -- 0: messages are live only
)sql",
    // 5: a message is found by one number; the writer knows its room, and whose it is, already
    R"sql(
CREATE TABLE messages_by_place (
  place         INTEGER PRIMARY KEY,  -- the room's key * 2^36 + the id (storage/sqlite_place.hpp)
  sender        BLOB    NOT NULL,
  nickname      TEXT    NOT NULL,
  name_tag      TEXT    NOT NULL,
  address       TEXT    NOT NULL,     -- masked
  text          TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO messages_by_place
  SELECT (room << 36) | id, sender, nickname, name_tag, address, text, created_at_ms
  FROM messages ORDER BY room, id;
DROP TABLE messages;
ALTER TABLE messages_by_place RENAME TO messages;
)sql",
    // 6: what a room is about
    R"sql(
ALTER TABLE rooms ADD COLUMN topic TEXT NOT NULL DEFAULT '';  -- '': nobody said
)sql",
    // 7: who may not be here
    R"sql(
CREATE TABLE bans (
  target        TEXT    PRIMARY KEY,  -- 'user:…', 'address:…'
  until_ms      INTEGER NOT NULL,     -- 0: for ever
  reason        TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE store ADD COLUMN bans_version INTEGER NOT NULL DEFAULT 0;  -- grows with each change
)sql",
};

}  // namespace rtc::storage
