// Several nodes over one PostgreSQL and one Kafka: every room has one order on all of them, whatever
// becomes of Kafka or of another node, and it does not matter on which node somebody is.
//
// TEST_ROUNDS: how often Kafka goes down under load; TEST_SEED: the choices of an earlier run;
// TEST_KAFKA: a real one (kafka.mjs).
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { choices, freePort, metric, newRoom, newUser, request, runToEnd, seed, waitFor } from './harness.mjs';
import { clientFor, memberFor } from './clients.mjs';
import { Writer, connected, disconnected, inOrder, range, take } from './cluster.mjs';
import { MockKafka, clusterFor } from './kafka.mjs';
import { Postgres } from './postgres.mjs';

const rounds = Number(process.env.TEST_ROUNDS ?? 3);
const choose = choices(seed);
const mock = (t) => MockKafka.for(t);

async function writersOn(t, nodes, user, room) {
  const writers = [];
  for (const [index, node] of nodes.entries()) {
    writers.push(new Writer(await clientFor(t, node, user), room, `writer ${index}`));
  }
  return writers;
}

async function someFrom(writers) {
  const goal = writers.map(({ sent }) => sent.length + 20 + choose(30));
  await waitFor('some messages', () => writers.every(({ sent }, n) => sent.length >= goal[n]));
}

async function nothingMore(readers) {
  for (const reader of readers) {
    await reader.ping();
    assert.deepEqual(reader.frames.rest(), [], 'nothing twice');
  }
}

describe('several nodes over Kafka', () => {
  it('readers and writers on three nodes see one order', async (t) => {
    const { nodes } = await clusterFor(t, 3);
    const user = await newUser(nodes[0]);
    const rooms = [];
    for (let n = 0; n < 5; ++n) rooms.push(await newRoom(nodes[n % 3], user));
    const readers = await Promise.all(
      rooms.map((room) => Promise.all(nodes.map((node) => memberFor(t, node, user, room)))),
    );
    const each = 40;
    await Promise.all(rooms.flatMap((room) => nodes.map(async (node, index) => {
      const writer = await clientFor(t, node, user);
      for (const n of range(1, each)) await writer.post(room, `${index} ${n}`);
    })));
    for (const [n, room] of rooms.entries()) {
      const stored = await inOrder(nodes[0], user, room);
      assert.equal(stored.length, 3 * each);
      for (const reader of readers[n]) assert.deepEqual(await take(reader, stored.length), stored);
    }
    await nothingMore(readers.flat());
    assert.ok((await metric(nodes[0], 'relay_received_total')) > 0, 'by Kafka, not by the database');
    assert.equal(await metric(nodes[0], 'relay_refused_total'), 0);
  });

  it('what is sent after the receipt of a SUBSCRIBE is heard, on whatever node', async (t) => {
    const { nodes } = await clusterFor(t, 2, ['--relay-check-interval', '1h']);
    const user = await newUser(nodes[0]);
    const writer = await clientFor(t, nodes[0], user);
    const reader = await clientFor(t, nodes[1], user);
    for (const n of range(1, 20)) {
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
    const writers = await writersOn(t, nodes, user, room);
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
});

// After so long a node goes on without Kafka.
const soon = ['--kafka-timeout', '1500ms'];

describe('Kafka fails', () => {
  it(`down ${rounds} times under load: all that was receipted is seen once, in order, everywhere`, async (t) => {
    const { nodes, kafka } = await clusterFor(t, 3, soon, mock);
    const user = await newUser(nodes[0]);
    const room = await newRoom(nodes[0], user);
    const readers = await Promise.all(nodes.map((node) => memberFor(t, node, user, room)));
    const writers = await writersOn(t, nodes, user, room);
    for (let round = 0; round < rounds; ++round) {
      await someFrom(writers);
      await kafka.down();
      await someFrom(writers);
      // Shorter and longer than the nodes' timeout.
      if (round % 2 === 1) await disconnected(nodes[0]);
      await kafka.up();
    }
    await someFrom(writers);
    const sent = (await Promise.all(writers.map((writer) => writer.stop()))).flat();
    const stored = await inOrder(nodes[0], user, room);
    assert.deepEqual(new Set(sent.map(([text, id]) => `${id} ${text}`)), new Set(stored));
    for (const reader of readers) assert.deepEqual(await take(reader, stored.length), stored);
    await connected(nodes);
    await nothingMore(readers);
  });

  it('a broker goes down under load: the others do without it, and all is seen once, in order, everywhere', async (t) => {
    const { nodes, kafka } = await clusterFor(t, 3, soon, mock);
    await kafka.lead(1, 2, 3);
    await connected(nodes);
    const user = await newUser(nodes[0]);
    // In all partitions.
    const rooms = [];
    for (let n = 0; n < 12; ++n) rooms.push(await newRoom(nodes[n % 3], user));
    const readers = await Promise.all(rooms.map((room, n) => memberFor(t, nodes[(n + 1) % 3], user, room)));
    const writers = [];
    for (const [n, room] of rooms.entries()) writers.push(new Writer(await clientFor(t, nodes[n % 3], user), room, `writer ${n}`));
    for (const broker of [1, 2]) {
      const others = [1, 2, 3].filter((each) => each !== broker);
      await someFrom(writers);
      await kafka.down(broker);
      for (const node of nodes) await disconnected(node);
      await someFrom(writers);
      await kafka.lead(...others);
      await connected(nodes);
      await someFrom(writers);
      await kafka.up(broker);
      await kafka.lead(1, 2, 3);
    }
    await someFrom(writers);
    await Promise.all(writers.map((writer) => writer.stop()));
    for (const [n, room] of rooms.entries()) {
      const stored = await inOrder(nodes[0], user, room);
      assert.deepEqual(stored, writers[n].sent.map(([text, id]) => `${id} ${text}`));
      assert.deepEqual(await take(readers[n], stored.length), stored);
    }
    await nothingMore(readers);
    await connected(nodes);
  });

  it('without Kafka messages reach the other nodes by the database', async (t) => {
    const { nodes, kafka } = await clusterFor(t, 2, [...soon, '--relay-check-interval', '100ms'], mock);
    const user = await newUser(nodes[0]);
    const room = await newRoom(nodes[0], user);
    const reader = await memberFor(t, nodes[1], user, room);
    const writer = await clientFor(t, nodes[0], user);
    await kafka.down();
    for (const n of range(1, 5)) {
      await writer.post(room, `message ${n}`);
      assert.deepEqual(await take(reader, 1), [`${n} message ${n}`]);
    }
    const late = await memberFor(t, nodes[1], user, await newRoom(nodes[0], user));
    await late.ping();
    await disconnected(nodes[0]);
    assert.ok((await metric(nodes[1], 'relay_fetched_total')) >= 5);
    await waitFor('what waited to be given up', async () => (await metric(nodes[0], 'relay_dropped_total')) >= 5);
    assert.match(nodes[0].log(), /kafka: what goes out does not come back/);
    await kafka.up();
    await connected(nodes);
    await writer.post(room, 'again');
    assert.deepEqual(await take(reader, 1), ['6 again']);
    assert.ok((await metric(nodes[0], 'relay_reconnects_total')) >= 1);
  });

  it('hanging, it costs nobody but time', async (t) => {
    const { nodes, kafka } = await clusterFor(t, 2, [...soon, '--relay-check-interval', '200ms'], mock);
    const user = await newUser(nodes[0]);
    const room = await newRoom(nodes[0], user);
    const readers = await Promise.all(nodes.map((node) => memberFor(t, node, user, room)));
    const writer = await clientFor(t, nodes[0], user);
    kafka.freeze();
    for (const n of range(1, 50)) await writer.post(room, `message ${n}`);
    const expected = range(1, 50).map((n) => `${n} message ${n}`);
    for (const reader of readers) assert.deepEqual(await take(reader, 50), expected);
    await disconnected(nodes[0]);
    kafka.thaw();
    await connected(nodes);
    await writer.post(room, 'again');
    for (const reader of readers) assert.deepEqual(await take(reader, 1), ['51 again']);
  });

  it('away at the start, it is waited for', async (t) => {
    const { nodes, kafka } = await clusterFor(t, 1, soon, mock);
    await nodes[0].kill9();
    await kafka.down();
    await nodes[0].restart();
    const user = await newUser(nodes[0]);
    const room = await newRoom(nodes[0], user);
    const reader = await memberFor(t, nodes[0], user, room);
    const writer = await clientFor(t, nodes[0], user);
    await writer.post(room, 'alone');
    assert.deepEqual(await take(reader, 1), ['1 alone']);
    await kafka.up();
    await connected(nodes);
  });
});

it('what is wrong in the file of properties is said at the start, and no secret', async (t) => {
  const postgres = new Postgres(t);
  const directory = mkdtempSync(path.join(tmpdir(), 'rtc-kafka-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'kafka.properties');
  const port = await freePort();
  const start = (text) => {
    writeFileSync(file, text);
    return runToEnd(['--data-dir', directory, '--listen', `127.0.0.1:${port}`], {
      env: {
        RTC_POSTGRES_URL: postgres.url,
        RTC_KAFKA_BROKERS: '127.0.0.1:1',
        RTC_KAFKA_PROPERTIES: file,
        RTC_TOKEN_SECRET: 'a secret of the tests that all nodes know',
      },
    });
  };
  for (const [text, said] of [
    ['sasl.password=hidden\nno.such.property=1', /kafka_properties: .*no\.such\.property/],
    ['sasl.password hidden', /kafka_properties: .*kafka\.properties: line 1/],
    ['sasl.password=hidden\ngroup.id=chat', /line 2: group\.id/],
    ['sasl.password=hidden\nsecurity.protocol=ssl\nssl.ca.location=/no/such.pem', /ssl\.ca\.location/],
  ]) {
    const { code, output } = await start(text);
    assert.equal(code, 2, output);
    assert.match(output, said);
    assert.doesNotMatch(output, /hidden/);
  }
});
