// The command --copy-store as an operator runs it: beside a server on SQLite in which people talk and
// make rooms, several times, and once more when that has ended. What it says is so: all that had its
// receipt when it was started is in PostgreSQL when it ends with code 0.
//
// TEST_ROUNDS: how often it is run beside the server.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import { Server, freePort, history, newRoom, newUser, openPrivateRoom, runToEnd, serverFor, stopAfter, waitFor, wholeHistory } from './harness.mjs';
import { clientFor } from './clients.mjs';
import { Postgres } from './postgres.mjs';

const rounds = Number(process.env.TEST_ROUNDS ?? 5);
const rates = ['--send-rate-max', '1000000', '--send-burst-max', '1000000', '--rooms-max', '100000',
  '--rooms-per-identity-max', '100000'];
const secret = { RTC_TOKEN_SECRET: 'a secret of the tests that both know' };

const copy = (server, url) => runToEnd(['--copy-store', '--data-dir', server.dataDir], { env: { RTC_POSTGRES_URL: url } });
const said = /^(\d+) messages copied\. The same in both now: (\d+) rooms, (\d+) messages, (\d+) message keys\n$/;

// All messages of the database, as "room id text".
const inPostgres = (postgres) => postgres.ask(`SELECT rooms.id || ' ' || messages.id || ' ' || convert_from(text, 'UTF8')
  FROM messages JOIN rooms ON rooms.key = room ORDER BY room, messages.id`).split('\n').filter((line) => line !== '');

it('brings over all that was receipted, while people talk', async (t) => {
  const postgres = new Postgres(t);
  const server = await serverFor(t, { args: rates, env: secret });
  const user = await newUser(server);
  const direct = (await openPrivateRoom(server, user, user.id, (await newUser(server)).id)).json.response.roomId;
  const old = [direct, await newRoom(server, user, '오래된 방')];
  const receipted = []; // as inPostgres() has them
  const keyOf = new Map();
  let goesOn = true;
  const say = async (client, room) => {
    const key = randomUUID();
    const text = `남는 말 ${receipted.length} ${key}`;
    const { headers } = await client.post(room, text, { 'message-key': key });
    receipted.push(`${room} ${headers.id} ${text}`);
    keyOf.set(key, { room, text, id: headers.id });
  };
  // In rooms that were there, and in new ones, which a copy may meet half made.
  const talk = async (roomFor) => {
    const client = await clientFor(t, server, user);
    while (goesOn) await say(client, await roomFor());
  };
  const talks = Promise.all([...old.map((room) => talk(() => room)), ...[0, 1].map(() => talk(() => newRoom(server, user)))]);
  let copied = 0;
  for (let round = 0; round < rounds; ++round) {
    const goal = receipted.length + 200;
    await waitFor('people to talk', () => receipted.length >= goal);
    const before = [...receipted];
    const { code, stdout, stderr } = await copy(server, postgres.url);
    assert.deepEqual([code, stderr], [0, ''], stdout);
    assert.match(stdout, said);
    const [fresh, , messages] = said.exec(stdout).slice(1).map(Number);
    copied += fresh;
    assert.equal(messages, copied, 'each of them once');
    assert.ok(receipted.length > before.length, 'they talked meanwhile');
    const there = new Set(inPostgres(postgres));
    assert.equal(there.size, messages, 'as many as it says');
    assert.deepEqual(before.filter((each) => !there.has(each)), [], 'nothing that was receipted before is missing');
  }
  goesOn = false;
  await talks;

  // The short end of it: the program stops, and what came meanwhile is brought over.
  assert.equal(await server.terminate(), 0);
  const { code, stdout } = await copy(server, postgres.url);
  assert.equal(code, 0);
  assert.deepEqual(inPostgres(postgres).sort(), [...receipted].sort(), 'all, and nothing else');
  assert.match(stdout, said);
  assert.deepEqual(said.exec(stdout).slice(3, 5).map(Number), [receipted.length, keyOf.size]);
  const again = await copy(server, postgres.url);
  assert.equal(again.code, 0);
  assert.match(again.stdout, /^0 messages copied\./);

  // Tokens hold, rooms go on where they were, and a retry is the message that is there.
  const node = new Server({ args: rates, env: { ...secret, RTC_POSTGRES_URL: postgres.url } });
  stopAfter(t, node);
  await node.start();
  const client = await clientFor(t, node, user);
  const [key, { room, text, id }] = [...keyOf].at(-1);
  assert.equal((await client.post(room, text, { 'message-key': key })).headers.id, id);
  const kept = await wholeHistory(node, user, direct);
  const { headers } = await client.post(direct, 'and on');
  assert.equal(Number(headers.id), kept[0].id + 1);
  assert.equal((await history(node, user, direct))[0].message, 'and on');

  // People have spoken there: nothing is brought over them.
  const late = await copy(server, postgres.url);
  assert.deepEqual([late.code, late.stdout], [2, '']);
  assert.equal(late.stderr, `realtimechat: --copy-store: room ${direct} has messages there that are not in the file\n`);
});

it('says what it lacks, and no password', async (t) => {
  const server = await serverFor(t);
  const end = async (env, args = ['--data-dir', server.dataDir]) => {
    const { code, stdout, stderr } = await runToEnd(['--copy-store', '--postgres-timeout', '2s', ...args], { env });
    assert.deepEqual([code, stdout], [2, '']);
    assert.doesNotMatch(stderr, /hush/);
    return stderr;
  };
  assert.match(await end({}), /^realtimechat: --copy-store: postgres_url says where to; set it\n$/);
  const away = { RTC_POSTGRES_URL: `postgresql://me:hush@127.0.0.1:${await freePort()}/chat` };
  assert.match(await end(away), /PostgreSQL does not answer, or cannot be reached: .*refused/);
  assert.match(await end(away, ['--data-dir', `${server.dataDir}/nowhere`]), /--copy-store: there is no .*nowhere\/realtimechat\.sqlite/);
});
