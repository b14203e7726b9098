// Several nodes over one PostgreSQL and one Redis: every room has one order on all of them, whatever
// becomes of Redis or of another node, and it does not matter on which node somebody is.
//
// TEST_ROUNDS: how often Redis is killed under load; TEST_SEED: the choices of an earlier run.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { choices, history, lobby, metric, newRoom, newUser, openPrivateRoom, request, seed, waitFor } from './harness.mjs';
import { clientFor, memberFor } from './clients.mjs';
import { Writer, connected, inOrder, range, take } from './cluster.mjs';
import { clusterFor } from './redis.mjs';

const rounds = Number(process.env.TEST_ROUNDS ?? 3);
const choose = choices(seed);

describe('several nodes', () => {
  it('readers and writers on three nodes see one order', async (t) => {
    const { nodes } = await clusterFor(t, 3);
    const user = await newUser(nodes[0]);
    const room = await newRoom(nodes[0], user);
    const readers = await Promise.all(nodes.map((node) => memberFor(t, node, user, room)));
    const each = 60;
    await Promise.all(nodes.flatMap((node, index) => range(1, 3).map(async (lane) => {
      const writer = await clientFor(t, node, user);
      for (const n of range(1, each)) await writer.post(room, `${index} ${lane} ${n}`);
    })));
    const stored = await inOrder(nodes[0], user, room);
    assert.equal(stored.length, 9 * each);
    for (const reader of readers) assert.deepEqual(await take(reader, stored.length), stored);
    for (const reader of readers) {
      await reader.ping();
      assert.deepEqual(reader.frames.rest(), [], 'nothing twice');
    }
    assert.ok((await metric(nodes[0], 'relay_received_total')) > 0, 'by Redis, not by the database');
  });

  it('what is sent after the receipt of a SUBSCRIBE is heard, on whatever node', async (t) => {
    const { nodes } = await clusterFor(t, 2, ['--relay-check-interval', '1h']);
    const user = await newUser(nodes[0]);
    const writer = await clientFor(t, nodes[0], user);
    const reader = await clientFor(t, nodes[1], user);
    for (const n of range(1, 30)) {
      const room = await newRoom(nodes[0], user);
      await writer.post(room, 'before');
      await reader.subscribe(`/sub/channel/${room}`, `room-${n}`);
      await writer.post(room, 'after');
      const { body } = await reader.message(`room-${n}`);
      assert.deepEqual([body.id, body.message], [2, 'after']);
    }
  });

  it('resumes on another node than before, back and forth', async (t) => {
    const { nodes } = await clusterFor(t, 3);
    const user = await newUser(nodes[0]);
    const room = await newRoom(nodes[0], user);
    const writers = [];
    for (const [index, node] of nodes.entries()) {
      writers.push(new Writer(await clientFor(t, node, user), room, `writer ${index}`));
    }
    const seen = [];
    let epoch;
    for (const turn of range(1, 12)) {
      const reader = await clientFor(t, nodes[turn % 3], user);
      const headers = { destination: `/sub/channel/${room}`, id: 'room', since: seen.length };
      await reader.sendAndWait('SUBSCRIBE', epoch ? { ...headers, epoch } : headers);
      for (let count = 1 + choose(60); count > 0; --count) {
        const message = await reader.message('room');
        assert.equal(message.headers.marker, undefined, JSON.stringify(message));
        ({ epoch } = message.headers);
        seen.push(`${message.body.id} ${message.body.message}`);
      }
      reader.drop();
    }
    for (const writer of writers) await writer.stop();
    assert.deepEqual(seen, (await inOrder(nodes[0], user, room)).slice(0, seen.length));
  });

  it('a page read after a receipt has the message, on whatever node', async (t) => {
    const { nodes } = await clusterFor(t, 2);
    const user = await newUser(nodes[0]);
    const room = await newRoom(nodes[0], user);
    const listener = await memberFor(t, nodes[1], user, room);
    const writers = [await clientFor(t, nodes[0], user), await clientFor(t, nodes[1], user)];
    for (const n of range(1, 100)) {
      await writers[n % 2].post(room, `message ${n}`);
      const [newest] = await history(nodes[(n + 1) % 2], user, room, { limit: 5 });
      assert.equal(newest.message, `message ${n}`);
    }
    assert.equal((await take(listener, 100)).length, 100);
  });

  it('a private room works between two nodes', async (t) => {
    const { nodes } = await clusterFor(t, 2);
    const [ann, ben] = [await newUser(nodes[0]), await newUser(nodes[1])];
    const { json } = await openPrivateRoom(nodes[0], ann, ann.id, ben.id);
    const room = json.response.roomId;
    const [annHere, benThere] = [await memberFor(t, nodes[0], ann, room), await memberFor(t, nodes[1], ben, room)];
    await annHere.post(room, 'hello');
    await benThere.post(room, 'hello yourself');
    for (const reader of [annHere, benThere]) {
      assert.deepEqual(await take(reader, 2), ['1 hello', '2 hello yourself']);
    }
    const stranger = await memberFor(t, nodes[1], await newUser(nodes[1]), lobby);
    stranger.send('SUBSCRIBE', { destination: `/sub/channel/${room}`, id: 'not his' });
    assert.equal((await stranger.message('errors')).body.type, 'FORBIDDEN_ACCESS');
  });
});

describe('Redis fails', () => {
  it(`killed ${rounds} times under load: all that was receipted is seen once, in order, everywhere`, async (t) => {
    const { nodes, redis } = await clusterFor(t, 3);
    const user = await newUser(nodes[0]);
    const room = await newRoom(nodes[0], user);
    const readers = await Promise.all(nodes.map((node) => memberFor(t, node, user, room)));
    const writers = [];
    for (const [index, node] of nodes.entries()) {
      writers.push(new Writer(await clientFor(t, node, user), room, `writer ${index}`));
    }
    const some = async () => {
      const goal = writers.map(({ sent }) => sent.length + 20 + choose(30));
      await waitFor('some messages', () => writers.every(({ sent }, n) => sent.length >= goal[n]));
    };
    for (let round = 0; round < rounds; ++round) {
      await some();
      await redis.kill9();
      await some();
      await redis.start();
    }
    await some();
    const sent = (await Promise.all(writers.map((writer) => writer.stop()))).flat();
    const stored = await inOrder(nodes[0], user, room);
    assert.deepEqual(new Set(sent.map(([text, id]) => `${id} ${text}`)), new Set(stored));
    for (const reader of readers) assert.deepEqual(await take(reader, stored.length), stored);
    await connected(nodes);
    for (const reader of readers) {
      await reader.ping();
      assert.deepEqual(reader.frames.rest(), [], 'nothing twice');
    }
  });

  it('without Redis messages reach the other nodes by the database', async (t) => {
    const { nodes, redis } = await clusterFor(t, 2, ['--relay-check-interval', '100ms']);
    const user = await newUser(nodes[0]);
    const room = await newRoom(nodes[0], user);
    const reader = await memberFor(t, nodes[1], user, room);
    const writer = await clientFor(t, nodes[0], user);
    await redis.kill9();
    for (const n of range(1, 5)) {
      await writer.post(room, `message ${n}`);
      assert.deepEqual(await take(reader, 1), [`${n} message ${n}`]);
    }
    const late = await memberFor(t, nodes[1], user, await newRoom(nodes[0], user));
    await late.ping();
    await waitFor('the metric to say so', async () => (await metric(nodes[0], 'relay_connected')) === 0);
    assert.ok((await metric(nodes[1], 'relay_fetched_total')) >= 5);
    await redis.start();
    await connected(nodes);
    await writer.post(room, 'again');
    assert.deepEqual(await take(reader, 1), ['6 again']);
  });

  it('hanging, it costs nobody but time', async (t) => {
    const { nodes, redis } = await clusterFor(t, 2, ['--redis-timeout', '500ms', '--relay-check-interval', '200ms']);
    const user = await newUser(nodes[0]);
    const room = await newRoom(nodes[0], user);
    const readers = await Promise.all(nodes.map((node) => memberFor(t, node, user, room)));
    const writer = await clientFor(t, nodes[0], user);
    redis.freeze();
    for (const n of range(1, 50)) await writer.post(room, `message ${n}`);
    const expected = range(1, 50).map((n) => `${n} message ${n}`);
    for (const reader of readers) assert.deepEqual(await take(reader, 50), expected);
    await waitFor('the metric to say so', async () => (await metric(nodes[0], 'relay_connected')) === 0);
    redis.thaw();
    await connected(nodes);
    await writer.post(room, 'again');
    for (const reader of readers) assert.deepEqual(await take(reader, 1), ['51 again']);
  });

  it('payloads that nobody of the nodes made are dropped and counted', async (t) => {
    const { nodes, redis } = await clusterFor(t, 1);
    const user = await newUser(nodes[0]);
    const room = await newRoom(nodes[0], user);
    const reader = await memberFor(t, nodes[0], user, room);
    const channel = `realtimechat:room:${room}`;
    await waitFor('the subscription', () => redis.ask('PUBLISH', channel, 'forged') === '1');
    await waitFor('the count', async () => (await metric(nodes[0], 'relay_refused_total')) >= 1);
    const writer = await clientFor(t, nodes[0], user);
    await writer.post(room, 'true');
    assert.deepEqual(await take(reader, 1), ['1 true']);
    assert.match(nodes[0].log(), /payloads refused/);
  });
});

it('a node killed under load costs the readers on the others nothing', async (t) => {
  const { nodes } = await clusterFor(t, 3);
  const user = await newUser(nodes[0]);
  const room = await newRoom(nodes[0], user);
  const readers = await Promise.all([0, 2].map((n) => memberFor(t, nodes[n], user, room)));
  for (let round = 0; round < rounds; ++round) {
    const doomed = new Writer(await clientFor(t, nodes[1], user), room, `doomed ${round}`);
    doomed.ended.catch(() => {});
    const other = new Writer(await clientFor(t, nodes[0], user), room, `other ${round}`);
    const goal = 20 + choose(40);
    await waitFor('some messages', () => doomed.sent.length >= goal);
    await nodes[1].kill9();
    await other.stop();
    const stored = await inOrder(nodes[2], user, room);
    for (const [text, id] of doomed.sent) assert.equal(stored[id - 1], `${id} ${text}`);
    await nodes[1].restart();
  }
  const stored = await inOrder(nodes[2], user, room);
  for (const reader of readers) assert.deepEqual(await take(reader, stored.length), stored);
  assert.equal((await request(nodes[1], '/readyz')).status, 200);
});
