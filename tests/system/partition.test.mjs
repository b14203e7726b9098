// Three nodes, one of which the network cuts off from Redis, from PostgreSQL, and from both: packets are
// dropped, and no connection is closed. It behaves as the table in docs/operations.md says, the other
// nodes go on, and all is well by itself when the network is.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Server, assertRefusal, bearer, history, metric, newRoom, newUser, request, stopAfter, waitFor, wholeHistory,
} from './harness.mjs';
import { clientFor, memberFor } from './clients.mjs';
import { readiness } from './faults.mjs';
import { hostFor } from './network.mjs';
import { Postgres } from './postgres.mjs';
import { connected, disconnected, keptWithin, range } from './cluster.mjs';
import { Redis } from './redis.mjs';

const [near, other, far] = [0, 1, 2]; // those that stay, and the one that is cut off
const all = [near, other, far];
const lifetimeMs = 10_000; // node_lifetime as it comes
const postgresMs = 5000;

// The numbers of people that are not everybody's.
const away = (told) => told.filter((count) => count !== all.length);

// On each of the nodes somebody with a reader, a writer and a look at the number of people; and what cuts
// the last node off.
async function threeNodes(t) {
  const redis = await Redis.for(t, await hostFor(t, all.length));
  const postgres = new Postgres(t, await hostFor(t, all.length));
  const nodes = [];
  for (const n of all) {
    const node = new Server({
      args: ['--loops', '2', '--redis-timeout', '5s', '--relay-check-interval', '200ms', '--postgres-timeout', `${postgresMs}ms`,
        '--presence-interval', '100ms', '--send-rate-max', '1000000', '--send-burst-max', '1000000'],
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
  const users = [];
  for (const _ of all) users.push(await newUser(nodes[near]));
  const room = await newRoom(nodes[near], users[near]);
  const readers = [];
  const writers = [];
  const watchers = [];
  for (const n of all) {
    readers.push(await memberFor(t, nodes[n], users[n], room));
    writers.push(await memberFor(t, nodes[n], users[n], room));
    watchers.push(await clientFor(t, nodes[n], users[n]));
    await watchers[n].subscribe(`/sub/channel/${room}/presence`, 'people');
  }
  // The numbers of people that are told on that node, until it is this one.
  const peopleUntil = async (n, count) => {
    const told = [];
    while (told.at(-1) !== count) told.push((await watchers[n].message('people')).body.people);
    return told;
  };
  for (const n of all) await peopleUntil(n, all.length);
  let count = 0;
  // The readers of these nodes hear it.
  const heard = async (text, by = all) => {
    for (const n of by) assert.equal((await readers[n].message('room')).body.message, text);
  };
  const post = async (n) => {
    const text = `message ${++count}`;
    await writers[n].post(room, text, { 'message-key': text });
    return text;
  };
  for (const n of all) await heard(await post(n));
  // Whoever writes there is told that it was not stored.
  const refused = async (n, text) => {
    const { id, refusal } = await writers[n].attempt(room, text, { 'message-key': text });
    assert.equal(id, undefined, 'no false receipt');
    assertRefusal(refusal, 'INTERNAL_SERVER_ERROR');
  };
  const stored = (n, text) => waitFor('it to be stored', async () =>
    (await writers[n].attempt(room, text, { 'message-key': text })).id);
  return { redis, postgres, nodes, users, room, readers, peopleUntil, heard, post, refused, stored };
}

const millisecondsOf = async (deed) => {
  const begin = performance.now();
  await deed();
  return performance.now() - begin;
};

describe('a node is cut off', () => {
  it('from Redis: messages go and come by the database, and its people leave the others', async (t) => {
    const { redis, nodes, peopleUntil, heard, post } = await threeNodes(t);
    const begin = performance.now();
    redis.host.cut(far);
    for (let n = 0; n < 12; ++n) await heard(await post(n % 3));
    await disconnected(nodes[far]);
    for (let n = 0; n < 6; ++n) await heard(await post(n % 3));
    for (const n of [near, other]) assert.equal(await metric(nodes[n], 'relay_connected'), 1);
    assert.ok((await metric(nodes[far], 'relay_fetched_total')) > 0);
    assert.equal(await readiness(nodes[far]), '200 ready\n');
    for (const n of [near, other]) assert.deepEqual(away(await peopleUntil(n, 2)), [2]);
    // Until then they stood still.
    assert.deepEqual(away(await peopleUntil(far, 1)), [1]);
    const took = performance.now() - begin;
    assert.ok(took >= lifetimeMs, `its own people alone after ${took} ms`);
    await heard(await post(far));
    redis.host.heal(far);
    await connected(nodes);
    for (const n of all) await peopleUntil(n, 3);
    const received = await metric(nodes[far], 'relay_received_total');
    for (let n = 0; n < 6; ++n) await heard(await post(n % 3));
    assert.ok((await metric(nodes[far], 'relay_received_total')) > received, 'by Redis again');
  });

  it('from Redis: it is back by itself, mostly within 2 s', async (t) => {
    const { redis, nodes } = await threeNodes(t);
    await keptWithin(t, 2000, 'the connections made again', async () => {
      redis.host.cut(far);
      await disconnected(nodes[far]);
      redis.host.heal(far);
      return millisecondsOf(async () => {
        await connected(nodes);
        await waitFor('the people to be shared', async () => (await metric(nodes[far], 'presence_connected')) === 1);
      });
    });
  });

  it('from PostgreSQL: it hears on, reads what is in memory and refuses to write, with a reason', async (t) => {
    const { postgres, nodes, users, room, readers, heard, post, refused, stored } = await threeNodes(t);
    const pageOf = (target) => request(nodes[far], target, { headers: bearer(users[far].token) });
    const newest = `/message?roomId=${room}&limit=20`;
    const before = (id) => `/message/lastMessageId?roomId=${room}&limit=20&lastMessageId=${id}`;
    for (let n = 0; n < 130; ++n) await heard(await post(near)); // more than memory keeps
    // Both loops know the room then.
    for (let n = 0; n < 30; ++n) assert.equal((await pageOf(newest)).status, 200);
    postgres.host.cut(far);
    const lost = ['lost 0', 'lost 1', 'lost 2', 'lost 3'];
    const times = [];
    for (const text of lost) times.push(Math.round(await millisecondsOf(() => refused(far, text))));
    t.diagnostic(`refused after ${times} ms`);
    assert.ok(times[0] >= postgresMs, 'the first was tried');
    assert.ok(Math.min(...times.slice(1)) < 1000, 'later ones are refused at once');
    // The others' messages still come by Redis, and the other nodes are as they were.
    for (let n = 0; n < 6; ++n) await heard(await post([near, other][n % 2]));
    for (const target of [newest, before(20)]) {
      const { status, json } = await pageOf(target);
      assert.equal(status, 500, target);
      assertRefusal(json, 'INTERNAL_SERVER_ERROR');
    }
    assert.deepEqual((await pageOf(before(120))).json.response.map(({ id }) => id), range(100, 119).reverse());
    assert.match(await readiness(nodes[far]), /^200 ready to read; messages are not stored/);
    for (const n of [near, other]) {
      assert.equal(await readiness(nodes[n]), '200 ready\n');
      assert.equal((await history(nodes[n], users[n], room, { limit: 20 })).length, 20);
    }
    postgres.host.heal(far);
    // A retry with the same key is stored once, whatever became of the first.
    for (const text of lost) await stored(far, text);
    await waitFor('the node to be ready', async () => (await readiness(nodes[far])) === '200 ready\n');
    const texts = (await wholeHistory(nodes[near], users[near], room)).map(({ message }) => message).reverse();
    assert.equal(new Set(texts).size, texts.length, 'nothing twice');
    for (const text of lost) assert.ok(texts.includes(text));
    const seen = texts.slice(139); // what came before was taken
    assert.deepEqual([...seen].sort(), lost);
    for (const reader of readers) {
      for (const text of seen) assert.equal((await reader.message('room')).body.message, text);
    }
  });

  it('from both: its people hear nothing and are told so when they write; then all comes, in order', async (t) => {
    const { redis, postgres, nodes, users, room, readers, peopleUntil, heard, post, refused, stored } = await threeNodes(t);
    redis.host.cut(far);
    postgres.host.cut(far);
    const texts = [];
    for (let n = 0; n < 20; ++n) {
      texts.push(await post([near, other][n % 2]));
      await heard(texts.at(-1), [near, other]);
    }
    await refused(far, 'cut off');
    await disconnected(nodes[far]);
    for (const n of [near, other]) {
      assert.deepEqual(away(await peopleUntil(n, 2)), [2]);
      assert.equal(await readiness(nodes[n]), '200 ready\n');
    }
    await readers[far].ping();
    assert.deepEqual(readers[far].frames.rest(), [], 'nothing comes');
    redis.host.heal(far);
    postgres.host.heal(far);
    for (const text of texts) await heard(text, [far]);
    await connected(nodes);
    for (const n of all) await peopleUntil(n, 3);
    await stored(far, 'again');
    // What was refused may have been on its way, and be stored after all.
    const newest = await history(nodes[near], users[near], room, { limit: 2 });
    assert.equal(newest.find(({ message }) => message !== 'cut off').message, 'again');
  });
});
