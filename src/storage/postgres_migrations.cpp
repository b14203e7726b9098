#include "storage/postgres_migrations.hpp"

#include <array>

namespace rtc::storage {

namespace {

constexpr std::array<std::string_view, 3> kMigrations = {
    // 1: rooms, messages, keys; what makes a lost answer harmless
    R"sql(
-- Immutable but for `newest`: whoever holds a room's row lock gives its ids, in the order of the
-- commits. Updates leave the indexes alone and find room on the row's own page (fillfactor).
CREATE TABLE rooms (
  key           bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- in the order of making
  id            uuid     NOT NULL UNIQUE,
  kind          smallint NOT NULL,            -- chat::Room::Kind: 0 open, 1 direct
  name          bytea    NOT NULL,
  created_at_ms bigint   NOT NULL,
  creator       uuid     NOT NULL,
  member_low    uuid     NOT NULL,
  member_high   uuid     NOT NULL CHECK (member_low <= member_high),
  history       boolean  NOT NULL,
  newest        bigint   NOT NULL DEFAULT 0   -- id of its newest message
                CONSTRAINT room_is_full CHECK (newest < 9007199254740992)
) WITH (fillfactor = 70);
CREATE INDEX        open_rooms           ON rooms (key)                     WHERE kind = 0;
CREATE INDEX        open_rooms_creator   ON rooms (creator)                 WHERE kind = 0;
CREATE INDEX        direct_rooms_creator ON rooms (creator)                 WHERE kind = 1;
CREATE UNIQUE INDEX direct_rooms_pair    ON rooms (member_low, member_high) WHERE kind = 1;

CREATE TABLE room_members (
  member uuid   NOT NULL,
  room   bigint NOT NULL REFERENCES rooms (key),
  PRIMARY KEY (member, room)
);

-- Without a foreign key: it would cost a look-up and a lock for each message, of a room whose row
-- append_messages() holds anyway, and no room is ever deleted.
CREATE TABLE messages (
  room          bigint NOT NULL,
  id            bigint NOT NULL,              -- 1, 2, 3 ... in each room
  sender        uuid   NOT NULL,
  nickname      bytea  NOT NULL,
  name_tag      bytea  NOT NULL,
  address       bytea  NOT NULL,              -- masked
  text          bytea  NOT NULL,
  created_at_ms bigint NOT NULL,
  PRIMARY KEY (room, id)
);

-- What makes a retry harmless.
CREATE TABLE message_keys (
  sender        uuid   NOT NULL,
  room          bigint NOT NULL,
  key           bytea  NOT NULL,
  id            bigint NOT NULL,              -- of the message
  created_at_ms bigint NOT NULL,              -- of the message
  PRIMARY KEY (sender, room, key)
);
CREATE INDEX message_keys_age ON message_keys (created_at_ms);

-- One row. Its lock is held to make a room, so that keys are given in the order of the commits and
-- the bounds hold over all nodes.
CREATE TABLE store (
  single       boolean PRIMARY KEY DEFAULT true CHECK (single),
  epoch        text    NOT NULL,
  open_rooms   bigint  NOT NULL DEFAULT 0,    -- without the lobby
  direct_rooms bigint  NOT NULL DEFAULT 0
);
INSERT INTO store (epoch) VALUES (left(replace(gen_random_uuid()::text, '-', ''), 16));

-- The last batch of each process that writes, so that one whose answer was lost can be asked for.
CREATE TABLE writers (
  id      uuid        PRIMARY KEY,
  batch   bigint      NOT NULL,
  answer  bigint[],                           -- append_messages()'s; null: given up
  used_at timestamptz NOT NULL
) WITH (fillfactor = 50);

INSERT INTO rooms (id, kind, name, created_at_ms, creator, member_low, member_high, history)
VALUES ('723a2a33-577b-4380-8116-a1aa8e5868d3', 0, 'Lobby',
        floor(extract(epoch FROM now()))::bigint * 1000, '00000000-0000-0000-0000-000000000000',
        '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000', true);

-- A whole batch: the i-th element of each array is of the i-th message. Answers with their ids;
-- that of a retry, which is not stored again, is negative. Batches of a writer are numbered upwards.
CREATE FUNCTION append_messages(
    p_writer uuid, p_batch bigint, p_rooms uuid[], p_senders uuid[], p_nicknames bytea[],
    p_name_tags bytea[], p_addresses bytea[], p_texts bytea[], p_created bigint[], p_keys bytea[])
RETURNS bigint[] LANGUAGE plpgsql AS $function$
DECLARE
  v_answer bigint[];
BEGIN
  -- All nodes lock in one order, so none waits for another in a circle. The next statement sees
  -- whatever was committed before the locks were had, so also the keys of another node's batch.
  PERFORM key FROM rooms WHERE id = ANY (p_rooms) ORDER BY key FOR NO KEY UPDATE;

  WITH drafts AS (
    SELECT d.*, r.key AS room, r.newest,
           (SELECT k.id FROM message_keys k WHERE d.message_key <> '' AND k.sender = d.sender
            AND k.room = r.key AND k.key = d.message_key) AS known,
           d.message_key <> '' AND row_number() OVER
             (PARTITION BY r.key, d.sender, d.message_key ORDER BY d.n) > 1 AS again
    FROM unnest(p_rooms, p_senders, p_nicknames, p_name_tags, p_addresses, p_texts, p_created,
                p_keys) WITH ORDINALITY
           AS d (room_id, sender, nickname, name_tag, address, text, created_at_ms, message_key, n)
    JOIN rooms r ON r.id = d.room_id
  ), numbered AS (
    SELECT *, known IS NULL AND NOT again AS fresh,
           newest + count(*) FILTER (WHERE known IS NULL AND NOT again)
             OVER (PARTITION BY room ORDER BY n) AS next
    FROM drafts
  ), placed AS (
    SELECT *, CASE WHEN fresh THEN next
                   WHEN known IS NOT NULL THEN known
                   ELSE first_value(next) OVER (PARTITION BY room, sender, message_key ORDER BY n)
              END AS id
    FROM numbered
  ), stored AS (
    INSERT INTO messages
    SELECT room, id, sender, nickname, name_tag, address, text, created_at_ms
    FROM placed WHERE fresh ORDER BY n
  ), remembered AS (
    INSERT INTO message_keys
    SELECT sender, room, message_key, id, created_at_ms
    FROM placed WHERE fresh AND message_key <> ''
  ), counted AS (
    UPDATE rooms SET newest = used.newest
    FROM (SELECT room, max(id) AS newest FROM placed WHERE fresh GROUP BY room) AS used
    WHERE rooms.key = used.room
  )
  SELECT array_agg(CASE WHEN fresh THEN id ELSE -id END ORDER BY n) INTO v_answer FROM placed;

  IF coalesce(cardinality(v_answer), 0) < cardinality(p_rooms) THEN
    RAISE EXCEPTION 'there is no such room' USING ERRCODE = 'RT001';
  END IF;
  INSERT INTO writers AS w (id, batch, answer, used_at)
    VALUES (p_writer, p_batch, v_answer, now())
    ON CONFLICT (id) DO UPDATE
      SET batch = excluded.batch, answer = excluded.answer, used_at = excluded.used_at
      WHERE w.batch < excluded.batch;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the batch was given up' USING ERRCODE = 'RT002';
  END IF;
  RETURN v_answer;
END
$function$;

-- What became of a batch whose answer was lost: its answer, or null: it is not stored, and from now
-- on never will be, even if it is still on its way. Waits while it is being committed.
CREATE FUNCTION resolve_batch(p_writer uuid, p_batch bigint)
RETURNS bigint[] LANGUAGE plpgsql AS $function$
BEGIN
  INSERT INTO writers AS w (id, batch, answer, used_at) VALUES (p_writer, p_batch, NULL, now())
    ON CONFLICT (id) DO UPDATE
      SET batch = excluded.batch, answer = NULL, used_at = excluded.used_at
      WHERE w.batch < excluded.batch;
  IF FOUND THEN RETURN NULL; END IF;
  RETURN (SELECT answer FROM writers WHERE id = p_writer AND batch = p_batch);
END
$function$;

-- The room of that id, or, a direct one, of those members; made when there is none. So a call may be
-- made again when its answer was lost.
CREATE FUNCTION make_room(
    p_id uuid, p_kind smallint, p_name bytea, p_created bigint, p_creator uuid, p_low uuid,
    p_high uuid, p_history boolean, p_rooms_max bigint, p_own_max bigint)
RETURNS SETOF rooms LANGUAGE plpgsql AS $function$
DECLARE
  v_rooms bigint;
BEGIN
  FOR v_try IN 1..2 LOOP
    IF p_kind = 1 THEN
      RETURN QUERY SELECT * FROM rooms
        WHERE kind = 1 AND member_low = p_low AND member_high = p_high;
    ELSE
      RETURN QUERY SELECT * FROM rooms WHERE id = p_id;
    END IF;
    IF FOUND THEN RETURN; END IF;
    EXIT WHEN v_try = 2;
    SELECT CASE p_kind WHEN 1 THEN direct_rooms ELSE open_rooms END INTO v_rooms
      FROM store FOR UPDATE;
  END LOOP;
  IF v_rooms >= p_rooms_max THEN
    RAISE EXCEPTION 'the bound on rooms is reached' USING ERRCODE = 'RT003';
  END IF;
  IF p_own_max <= (CASE p_kind
      WHEN 1 THEN (SELECT count(*) FROM
        (SELECT FROM rooms WHERE kind = 1 AND creator = p_creator LIMIT p_own_max) AS own)
      ELSE (SELECT count(*) FROM
        (SELECT FROM rooms WHERE kind = 0 AND creator = p_creator LIMIT p_own_max) AS own)
      END) THEN
    RAISE EXCEPTION 'the bound on rooms of an identity is reached' USING ERRCODE = 'RT004';
  END IF;
  UPDATE store SET open_rooms = open_rooms + (p_kind = 0)::int,
                   direct_rooms = direct_rooms + (p_kind = 1)::int;
  RETURN QUERY INSERT INTO rooms
      (id, kind, name, created_at_ms, creator, member_low, member_high, history)
    VALUES (p_id, p_kind, p_name, p_created, p_creator, p_low, p_high, p_history)
    RETURNING *;
  IF p_kind = 1 THEN
    INSERT INTO room_members SELECT DISTINCT member, key
      FROM rooms, unnest(ARRAY[p_low, p_high]) AS member WHERE id = p_id;
  END IF;
END
$function$;
)sql",
    // 2: what a room is about
    R"sql(
ALTER TABLE rooms ADD COLUMN topic bytea NOT NULL DEFAULT '';  -- '': nobody said

DROP FUNCTION make_room(uuid, smallint, bytea, bigint, uuid, uuid, uuid, boolean, bigint, bigint);

-- The room of that id, or, a direct one, of those members; made when there is none. So a call may be
-- made again when its answer was lost. A node of the version before gives no topic.
CREATE FUNCTION make_room(
    p_id uuid, p_kind smallint, p_name bytea, p_created bigint, p_creator uuid, p_low uuid,
    p_high uuid, p_history boolean, p_rooms_max bigint, p_own_max bigint,
    p_topic bytea DEFAULT '')
RETURNS SETOF rooms LANGUAGE plpgsql AS $function$
DECLARE
  v_rooms bigint;
BEGIN
  FOR v_try IN 1..2 LOOP
    IF p_kind = 1 THEN
      RETURN QUERY SELECT * FROM rooms
        WHERE kind = 1 AND member_low = p_low AND member_high = p_high;
    ELSE
      RETURN QUERY SELECT * FROM rooms WHERE id = p_id;
    END IF;
    IF FOUND THEN RETURN; END IF;
    EXIT WHEN v_try = 2;
    SELECT CASE p_kind WHEN 1 THEN direct_rooms ELSE open_rooms END INTO v_rooms
      FROM store FOR UPDATE;
  END LOOP;
  IF v_rooms >= p_rooms_max THEN
    RAISE EXCEPTION 'the bound on rooms is reached' USING ERRCODE = 'RT003';
  END IF;
  IF p_own_max <= (CASE p_kind
      WHEN 1 THEN (SELECT count(*) FROM
        (SELECT FROM rooms WHERE kind = 1 AND creator = p_creator LIMIT p_own_max) AS own)
      ELSE (SELECT count(*) FROM
        (SELECT FROM rooms WHERE kind = 0 AND creator = p_creator LIMIT p_own_max) AS own)
      END) THEN
    RAISE EXCEPTION 'the bound on rooms of an identity is reached' USING ERRCODE = 'RT004';
  END IF;
  UPDATE store SET open_rooms = open_rooms + (p_kind = 0)::int,
                   direct_rooms = direct_rooms + (p_kind = 1)::int;
  RETURN QUERY INSERT INTO rooms
      (id, kind, name, created_at_ms, creator, member_low, member_high, history, topic)
    VALUES (p_id, p_kind, p_name, p_created, p_creator, p_low, p_high, p_history, p_topic)
    RETURNING *;
  IF p_kind = 1 THEN
    INSERT INTO room_members SELECT DISTINCT member, key
      FROM rooms, unnest(ARRAY[p_low, p_high]) AS member WHERE id = p_id;
  END IF;
END
$function$;
)sql",
    // 3: who may not be here
    R"sql(
CREATE TABLE bans (
  target        text   PRIMARY KEY,           -- 'user:…', 'address:…'
  until_ms      bigint NOT NULL,              -- 0: for ever
  reason        bytea  NOT NULL,
  created_at_ms bigint NOT NULL
);
ALTER TABLE store ADD COLUMN bans_version bigint NOT NULL DEFAULT 0;  -- grows with each change

-- May be called again when its answer was lost.
CREATE FUNCTION put_ban(
    p_target text, p_until bigint, p_reason bytea, p_created bigint, p_bans_max bigint)
RETURNS bigint LANGUAGE plpgsql AS $function$
DECLARE
  v_version bigint;
BEGIN
  -- One at a time, over all nodes, so that the bound holds.
  UPDATE store SET bans_version = bans_version + 1 RETURNING bans_version INTO v_version;
  DELETE FROM bans WHERE until_ms <> 0 AND until_ms <= p_created;
  IF (SELECT count(*) FROM bans WHERE target <> p_target) >= p_bans_max THEN
    RAISE EXCEPTION 'the bound on bans is reached' USING ERRCODE = 'RT005';
  END IF;
  INSERT INTO bans VALUES (p_target, p_until, p_reason, p_created)
    ON CONFLICT (target) DO UPDATE
      SET until_ms = excluded.until_ms, reason = excluded.reason,
          created_at_ms = excluded.created_at_ms;
  RETURN v_version;
END
$function$;
)sql",
};

}  // namespace

std::span<const std::string_view> postgres_migrations() {
  return kMigrations;
}

}  // namespace rtc::storage
