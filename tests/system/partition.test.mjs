// Two nodes, one of which the network cuts off from Redis, from PostgreSQL, and from both: packets are
// dropped, and no connection is closed. It behaves as the table in docs/operations.md says, the other
// node notices nothing, and all is well by itself when the network is.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Server, assertRefusal, history, metric, newRoom, newUser, stopAfter, waitFor, wholeHistory } from './harness.mjs';
import { memberFor } from './clients.mjs';
import { readiness } from './faults.mjs';
import { hostFor } from './network.mjs';
import { Postgres } from './postgres.mjs';
import { connected } from './cluster.mjs';
import { Redis } from './redis.mjs';

const [near, far] = [0, 1]; // the node that stays, and the one that is cut off

// A reader and a writer on each of the two nodes, and what cuts the second node off.
async function twoNodes(t) {
  const redis = await Redis.for(t, await hostFor(t, 2));
  const postgres = new Postgres(t, await hostFor(t, 2));
  const nodes = [];
  for (const n of [near, far]) {
    const node = new Server({
      args: ['--loops', '2', '--redis-timeout', '5s', '--relay-check-interval', '200ms', '--postgres-timeout', '5s',
        '--send-rate-max', '1000000', '--send-burst-max', '1000000'],
      env: {
        RTC_POSTGRES_URL: postgres.urlOver(n),
        RTC_REDIS_URL: redis.urlOver(n),
        RTC_TOKEN_SECRET: 'a secret of the tests that all nodes know',
      },
    });
    stopAfter(t, node);
    nodes.push(await node.start());
  }
  await connected(nodes);
  const user = await newUser(nodes[near]);
  const room = await newRoom(nodes[near], user);
  const readers = [];
  const writers = [];
  for (const node of nodes) {
    readers.push(await memberFor(t, node, user, room));
    writers.push(await memberFor(t, node, user, room));
  }
  let count = 0;
  // All readers hear it, or those of these nodes.
  const heard = async (text, by = readers) => {
    for (const reader of by) assert.equal((await reader.message('room')).body.message, text);
  };
  const post = async (n) => {
    const text = `message ${++count}`;
    await writers[n].post(room, text, { 'message-key': text });
    return text;
  };
  for (const n of [near, far]) await heard(await post(n));
  return { redis, postgres, nodes, user, room, readers, writers, heard, post };
}

const unreachable = (node, name) =>
  waitFor(`${name} to be 0`, async () => (await metric(node, name)) === 0);

describe('a node is cut off', () => {
  it('from Redis: messages go and come by the database', async (t) => {
    const { redis, nodes, heard, post } = await twoNodes(t);
    redis.host.cut(far);
    for (let n = 0; n < 10; ++n) await heard(await post(n % 2));
    await unreachable(nodes[far], 'relay_connected');
    for (let n = 0; n < 4; ++n) await heard(await post(n % 2));
    assert.equal(await metric(nodes[near], 'relay_connected'), 1);
    assert.ok((await metric(nodes[far], 'relay_fetched_total')) > 0);
    assert.equal(await readiness(nodes[far]), '200 ready\n');
    redis.host.heal(far);
    await connected(nodes);
    for (let n = 0; n < 4; ++n) await heard(await post(n % 2));
  });

  it('from PostgreSQL: it reads on and refuses to write, with a reason', async (t) => {
    const { postgres, nodes, user, room, readers, writers, heard, post } = await twoNodes(t);
    postgres.host.cut(far);
    const lost = [];
    for (let n = 0; n < 3; ++n) {
      const text = `lost ${n}`;
      const { id, refusal } = await writers[far].attempt(room, text, { 'message-key': text });
      assert.equal(id, undefined, 'no false receipt');
      assertRefusal(refusal, 'INTERNAL_SERVER_ERROR');
      lost.push(text);
    }
    // The others' messages still come by Redis, and the other node is as it was.
    for (let n = 0; n < 5; ++n) await heard(await post(near));
    assert.match(await readiness(nodes[far]), /^200 ready to read; messages are not stored/);
    assert.equal(await readiness(nodes[near]), '200 ready\n');
    postgres.host.heal(far);
    // A retry with the same key is stored once, whatever became of the first.
    for (const text of lost) {
      await waitFor('it to be stored', async () =>
        (await writers[far].attempt(room, text, { 'message-key': text })).id);
    }
    await waitFor('the node to be ready', async () => (await readiness(nodes[far])) === '200 ready\n');
    const texts = (await wholeHistory(nodes[near], user, room)).map(({ message }) => message).reverse();
    assert.equal(new Set(texts).size, texts.length, 'nothing twice');
    for (const text of lost) assert.ok(texts.includes(text));
    const seen = texts.slice(7); // what came before was taken
    for (const reader of readers) {
      for (const text of seen) assert.equal((await reader.message('room')).body.message, text);
    }
  });

  it('from both: its people hear nothing and are told so when they write; then all comes, in order', async (t) => {
    const { redis, postgres, nodes, user, room, readers, writers, heard, post } = await twoNodes(t);
    redis.host.cut(far);
    postgres.host.cut(far);
    const texts = [];
    for (let n = 0; n < 20; ++n) {
      texts.push(await post(near));
      await heard(texts.at(-1), [readers[near]]);
    }
    const { refusal } = await writers[far].attempt(room, 'cut off');
    assertRefusal(refusal, 'INTERNAL_SERVER_ERROR');
    await unreachable(nodes[far], 'relay_connected');
    redis.host.heal(far);
    postgres.host.heal(far);
    for (const text of texts) await heard(text, [readers[far]]);
    await connected(nodes);
    await waitFor('it to store again', async () => (await writers[far].attempt(room, 'again', { 'message-key': 'k' })).id);
    // What was refused may have been on its way, and be stored after all.
    const newest = await history(nodes[near], user, room, { limit: 2 });
    assert.equal(newest.find(({ message }) => message !== 'cut off').message, 'again');
  });
});
