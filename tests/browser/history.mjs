// History written into the store of a server while it stands still: sooner than by saying it, and with
// the times that a history has.
import { execFileSync } from 'node:child_process';
import path from 'node:path';

const lobbyKey = 1;
const senders = 7;

/**
 * Gives the lobby of an empty server `count` messages, `line 1` to `line <count>`, the newest an hour
 * old, `secondsApart` from each other, in groups of one to four of a sender, some of several lines.
 */
export async function writeHistory(server, count, secondsApart) {
  await server.terminate();
  const newest = Date.now() - 3_600_000;
  const sql = `
    WITH RECURSIVE each(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM each WHERE id < ${count})
    INSERT INTO messages SELECT
      ${lobbyKey} * (1 << 36) + id,
      CAST(printf('%016d', 1 + (id / 3 + id / 4) % ${senders}) AS BLOB),
      printf('Person%d', 1 + (id / 3 + id / 4) % ${senders}),
      printf('#%06X', 1 + (id / 3 + id / 4) % ${senders}),
      '203.0',
      'line ' || id || CASE id % 5 WHEN 3 THEN char(10) || '한 줄 더' || char(10) || 'and one more'
                                   WHEN 4 THEN ' ' || printf('%.*c', 40 + id % 300, 'x') ELSE '' END,
      ${newest} - (${count} - id) * ${secondsApart * 1000}
    FROM each;`;
  execFileSync('sqlite3', [path.join(server.dataDir, 'realtimechat.sqlite')], { input: sql });
  await server.restart();
}

/** Gives all messages the times of a conversation: in each room the first two are of the day before, the
    others two minutes apart, the newest four minutes old. */
export async function spreadHistory(server) {
  await server.terminate();
  const sql = `
    UPDATE messages SET created_at_ms = ${Date.now()} - 240000 - CASE WHEN place & 0xFFFFFFFFF <= 2
      THEN 86400000 ELSE 0 END - 120000 * (
        (SELECT max(place) FROM messages AS other WHERE other.place >> 36 = messages.place >> 36) - place);`;
  execFileSync('sqlite3', [path.join(server.dataDir, 'realtimechat.sqlite')], { input: sql });
  await server.restart();
}
