// The program on PostgreSQL: as on SQLite while all is well; and with a database that dies or hangs no
// false receipt, clear errors within a bound, and by itself well again.
//
// TEST_ROUNDS: how often the database is killed; TEST_SEED: the choices of an earlier run.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import {
  Server, assertRefusal, choices, createRoom, freePort, history, init, metric, newRoom, newUser, openPrivateRoom,
  request, runToEnd, seed, stopAfter, waitFor, wholeHistory, within,
} from './harness.mjs';
import { memberFor } from './clients.mjs';
import { Sender, assertKept, readiness, storeLines } from './faults.mjs';
import { Postgres } from './postgres.mjs';

const rounds = Number(process.env.TEST_ROUNDS ?? 5);
// Longer than a busy machine stands still: what took longer would rightly be refused.
const timeoutMs = 6000 * Number(process.env.TEST_PATIENCE ?? 1);
const rates = ['--send-rate-max', '1000000', '--send-burst-max', '1000000'];
const tokenSecret = 'a secret of the tests that all nodes know';

// A node, stopped when the test ends.
async function nodeFor(t, postgres, args = [], timeout = timeoutMs) {
  const server = new Server({
    args: [...rates, '--loops', '2', '--postgres-timeout', `${timeout}ms`, ...args],
    env: { RTC_POSTGRES_URL: postgres.url, RTC_TOKEN_SECRET: tokenSecret },
  });
  stopAfter(t, server);
  return server.start();
}

it('rooms, messages, retries and what was missed outlive the program', async (t) => {
  const postgres = new Postgres(t);
  const server = await nodeFor(t, postgres);
  const ann = await newUser(server);
  const ben = await newUser(server);
  const room = await newRoom(server, ann, '남는 방');
  const client = await memberFor(t, server, ann, room);
  const first = await client.post(room, '안녕\0하세요 👋', { 'message-key': 'k' });
  assert.equal((await client.message('room')).body.message, '안녕\0하세요 👋');
  const direct = await openPrivateRoom(server, ann, ann.id, ben.id);
  assert.equal(direct.status, 200, JSON.stringify(direct.json));
  const { headers } = await client.sendAndWait('SUBSCRIBE', { destination: `/sub/channel/${room}`, id: 'again', since: 1 });
  assert.ok(headers);

  await server.kill9();
  await server.restart();
  assert.ok(!existsSync(path.join(server.dataDir, 'realtimechat.sqlite')), 'SQLite is not used');
  assert.equal((await init(server, ann.token)).success, true);
  const again = await memberFor(t, server, ann, room);
  const retry = await again.post(room, '안녕\0하세요 👋', { 'message-key': 'k' });
  assert.equal(retry.headers.id, first.headers.id, 'the retry is the first one');
  await again.post(room, 'after');
  const [second, kept] = await wholeHistory(server, ann, room);
  assert.deepEqual([kept.id, kept.message, kept.senderId], [1, '안녕\0하세요 👋', ann.id]);
  assert.deepEqual([second.id, second.message], [2, 'after']);
  const reader = await memberFor(t, server, ben, room);
  reader.send('SUBSCRIBE', { destination: `/sub/channel/${room}`, id: 'missed', since: 0 });
  assert.equal((await reader.message('missed')).body.id, 1);
  assert.equal((await reader.message('missed')).body.id, 2);
  const reopened = await openPrivateRoom(server, ben, ben.id, ann.id);
  assert.equal(reopened.json.response.roomId, direct.json.response.roomId);
  const connections = await metric(server, 'store_connections');
  assert.ok(connections >= 2 && connections <= 4, `${connections}: made when they are needed`);
  assert.equal(postgres.ask('SELECT count(*) FROM messages'), '2');
});

it('what one node has stored, another one reads at once and goes on from', async (t) => {
  const postgres = new Postgres(t);
  const nodes = [await nodeFor(t, postgres), await nodeFor(t, postgres)];
  const user = await newUser(nodes[0]);
  const room = await newRoom(nodes[0], user);
  const clients = [];
  for (const node of nodes) clients.push(await memberFor(t, node, user, room));
  for (let n = 1; n <= 6; ++n) {
    const { headers } = await clients[n % 2].post(room, `message ${n}`);
    assert.equal(Number(headers.id), n);
    for (const node of nodes) {
      const [newest] = await history(node, user, room);
      assert.deepEqual([newest.id, newest.message], [n, `message ${n}`], 'no page is older than a receipt');
    }
  }
  const twice = await clients[0].post(room, 'message 7', { 'message-key': 'k' });
  const again = await clients[1].post(room, 'message 7', { 'message-key': 'k' });
  assert.equal(again.headers.id, twice.headers.id, 'a retry at another node');
});

it(`PostgreSQL killed ${rounds} times under load: receipted means there, once and in order`, async (t) => {
  t.diagnostic(`TEST_ROUNDS=${rounds} TEST_SEED=${seed}`);
  const choose = choices(seed);
  const postgres = new Postgres(t);
  const server = await nodeFor(t, postgres, [], 2000); // they send again whatever is refused
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const senders = [];
  for (const name of ['ann', 'ben', 'cem', 'dan']) {
    senders.push(new Sender(name, await memberFor(t, server, user, room), room));
  }
  let goesOn = true;
  let receipts = 0;
  let refusals = 0;
  // One message after the other, each sent again until it has its receipt.
  const run = async (sender) => {
    for (let n = 1; goesOn; ++n) {
      const text = `${sender.name} ${n}`;
      while (!(await sender.sendText(text, { 'message-key': text }))) {
        refusals += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      receipts += 1;
    }
  };
  const running = Promise.all(senders.map(run));
  for (let round = 0; round < rounds; ++round) {
    const until = receipts + 1 + choose(200);
    await waitFor('more receipts', () => receipts >= until);
    await new Promise((resolve) => setTimeout(resolve, choose(10)));
    await postgres.kill9();
    // Back at once, which nobody need notice, or after it was found to be away.
    if (choose(2) === 0) await waitFor('a refusal', ((before) => () => refusals > before)(refusals));
    await postgres.restart();
  }
  const until = receipts + 20;
  await waitFor('all to go on', () => receipts >= until);
  goesOn = false;
  await within('the last receipts', running);
  const messages = await assertKept(server, user, room, senders);
  assert.equal(await readiness(server), '200 ready\n');
  assert.ok((await metric(server, 'store_reconnects_total')) > 0);
  t.diagnostic(`${messages.length} messages stored, ${refusals} refusals, ` +
    `${await metric(server, 'store_resolved_total')} commits asked for afterwards`);
});

it('PostgreSQL hangs: bounded queue, clear errors, no false receipt; goes on when it does', async (t) => {
  const queueMax = 40;
  const batchMax = 10;
  const postgres = new Postgres(t);
  const server = await nodeFor(t, postgres, ['--store-queue-max', String(queueMax),
    '--transaction-messages-max', String(batchMax), '--sends-in-flight-max', '1000']);
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const ann = new Sender('ann', await memberFor(t, server, user, room), room);
  const flood = new Sender('flood', await memberFor(t, server, user, room), room);
  for (let n = 0; n < 3; ++n) assert.ok(await ann.send());
  postgres.freeze();

  // One on its way, and many behind it: beyond the bound they are refused at once.
  const first = ann.send();
  await waitFor('the first to wait', async () => (await metric(server, 'store_messages_waiting')) > 0);
  const many = Array.from({ length: 3 * queueMax }, (_, n) => {
    flood.refused.add(`flood ${n}`);
    return flood.client.attempt(room, `flood ${n}`);
  });
  await waitFor('the bound', async () => (await metric(server, 'store_refused_total')) > 0);
  assert.ok((await metric(server, 'store_messages_waiting')) <= queueMax);
  // No loop waits for it.
  await ann.client.ping();
  assert.equal((await init(server, user.token)).success, true);
  assert.equal((await request(server, '/healthz')).status, 200);
  assert.equal(await first, false, 'a clear error');
  for (const { id, refusal } of await within('all refusals', Promise.all(many), 10 * timeoutMs)) {
    assert.equal(id, undefined, 'no false receipt');
    assertRefusal(refusal, 'INTERNAL_SERVER_ERROR', 'SERVER_OVERLOAD');
  }
  for (let n = 0; n < 20; ++n) assert.equal(await ann.send(), false);
  const made = await createRoom(server, user, 'in vain');
  assert.equal(made.status, 500);
  assertRefusal(made.json, 'INTERNAL_SERVER_ERROR');
  assert.match(await readiness(server), /^200 ready to read; messages are not stored: .*PostgreSQL/);
  assert.equal(await metric(server, 'store_failing'), 1);
  assert.doesNotMatch(await readiness(server), /127\.0\.0\.1|port|user/, 'nothing of how to reach it');

  postgres.thaw();
  await ann.untilStored();
  assert.equal(await readiness(server), '200 ready\n');
  assert.ok((await metric(server, 'store_timeouts_total')) > 0);
  assert.match(storeLines(server).join('\n'), /not stored, .*PostgreSQL[^]*stored again/);
  // The one batch that was on its way when it froze may have been stored after all: the first, and
  // as many of the flood as came before the batch was closed.
  const kept = await assertKept(server, user, room, [ann, flood], { refusedMayBe: true });
  assert.ok(kept.length <= 3 + batchMax + 1, `${kept.length} messages`);
  assert.equal((await createRoom(server, user, 'one more')).status, 200);
});

it('a start without PostgreSQL, or with a URL that is none, ends with a reason', async (t) => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'rtc-test-'));
  t.after(() => rm(dataDir, { recursive: true }));
  const listen = `127.0.0.1:${await freePort()}`;
  const end = (url) => runToEnd(['--listen', listen, '--postgres-timeout', '5s', '--data-dir', dataDir],
    { env: { RTC_POSTGRES_URL: url } });
  const away = await end('postgresql://me:hush@127.0.0.1:1/chat');
  assert.equal(away.code, 2);
  assert.match(away.output, /postgres_url: PostgreSQL does not answer, or cannot be reached: .*refused/);
  const rubbish = await end('postgresql://me:hush@[::1/chat');
  assert.equal(rubbish.code, 2);
  assert.match(rubbish.output, /postgres_url: not a PostgreSQL connection URI/);
  for (const { output } of [away, rubbish]) assert.doesNotMatch(output, /hush/);
});
