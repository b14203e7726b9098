// Three nodes over one PostgreSQL and one Redis, under load, while one of the five after the other is
// killed, or the nodes are restarted in turn: who loses his node goes on at another, and every message
// that was receipted is seen once, in one order, by the readers of every node.
//
// TEST_ROUNDS: how often something is killed; TEST_SEED: the choices of an earlier run (the moment
// itself is also the machine's).
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { choices, metric, newRoom, newUser, seed, waitFor, wholeHistory, within } from './harness.mjs';
import { StompSocket } from './clients.mjs';
import { connected } from './cluster.mjs';
import { clusterFor } from './redis.mjs';

const rounds = Number(process.env.TEST_ROUNDS ?? 100);
const choose = choices(seed);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Somebody with a connection to one of the nodes, at first that of his number, and when it is lost to
// another. What he does with it is do(client), which does not end by itself.
class Roamer {
  moves = -1; // from one node to another
  #goesOn = true;
  #client;

  constructor(nodes, number, user) {
    Object.assign(this, { nodes, number, user });
  }

  async run() {
    for (let turn = this.number; this.#goesOn; ++turn) {
      const client = (this.#client = new StompSocket(this.nodes[turn % this.nodes.length]));
      try {
        await client.connect(this.user);
        this.moves += 1;
        await this.do(client);
      } catch (error) {
        // The end of a connection is what a crash does to its client; any other failure is one of the test.
        if (!/closed with|closed before|ECONNREFUSED|ECONNRESET|EPIPE|socket hang up/.test(error.message)) throw error;
        await pause(choose(20));
      } finally {
        client.drop();
      }
    }
  }

  stop() {
    this.#goesOn = false;
    this.#client.drop();
  }
}

// Sends one message after the other, each until it has its receipt.
class Writer extends Roamer {
  receipted = []; // [text, id]
  refusals = 0;
  #left = Infinity;

  constructor(nodes, number, user, room) {
    super(nodes, number, user);
    Object.assign(this, { room, name: `writer${number}` });
  }

  // After the message that is on its way.
  finish() {
    this.#left = this.receipted.length + 1;
  }

  async do(client) {
    await client.subscribe('/user/queue/errors', 'errors');
    while (this.receipted.length < this.#left) {
      const text = `${this.name} ${this.receipted.length}`;
      const { id, refusal } = await client.attempt(this.room, text, { 'message-key': text });
      if (id) {
        this.receipted.push([text, id]);
        continue;
      }
      assert.match(refusal.type, /^(INTERNAL_SERVER_ERROR|SERVER_OVERLOAD)$/);
      this.refusals += 1;
      await pause(20);
    }
    this.stop();
  }
}

// Reads all of the room, and resumes where it was.
class Reader extends Roamer {
  seen = []; // the text of id n at n - 1
  #epoch;

  constructor(nodes, number, user, room) {
    super(nodes, number, user);
    this.room = room;
  }

  async do(client) {
    await client.subscribe('/user/queue/errors', 'errors');
    const since = { since: this.seen.length, ...(this.#epoch && { epoch: this.#epoch }) };
    client.send('SUBSCRIBE', { destination: `/sub/channel/${this.room}`, id: 'room', ...since });
    for (;;) {
      const { headers, body } = await client.frames.take('a message, or a refusal', ({ command }) => command === 'MESSAGE');
      // The store is away: what was missed cannot be read.
      if (headers.subscription === 'errors') return pause(50);
      assert.equal(headers.marker, undefined, body);
      const { id, message } = JSON.parse(body);
      assert.equal(id, this.seen.length + 1, 'every id once, in order');
      this.seen.push(message);
      this.#epoch = headers.epoch;
    }
  }
}

// Writers and readers on each node until `trouble` is over; then all is compared.
async function load(t, cluster, trouble) {
  t.diagnostic(`TEST_ROUNDS=${rounds} TEST_SEED=${seed}`);
  const { nodes } = cluster;
  const user = await newUser(nodes[0]);
  const room = await newRoom(nodes[0], user);
  const writers = [0, 1, 2, 3, 4, 5].map((n) => new Writer(nodes, n, user, room));
  const readers = [0, 1, 2].map((n) => new Reader(nodes, n, user, room));
  const failure = { error: null };
  const all = [...writers, ...readers].map((each) => each.run().catch((error) => (failure.error ??= error)));
  const receipts = () => writers.reduce((sum, { receipted }) => sum + receipted.length, 0);
  const more = async (count) => {
    const goal = receipts() + count;
    await waitFor('more receipts', () => failure.error || receipts() >= goal);
    if (failure.error) throw failure.error;
  };
  await trouble(more);
  await more(50);
  for (const writer of writers) writer.finish();
  await within('the last receipts', Promise.all(all.slice(0, writers.length)));
  const stored = (await wholeHistory(nodes[0], user, room)).reverse();
  await waitFor('the readers to have all', () =>
    failure.error || readers.every(({ seen }) => seen.length >= stored.length));
  for (const reader of readers) reader.stop();
  await Promise.all(all);
  if (failure.error) throw failure.error;

  const texts = stored.map(({ message }) => message);
  assert.equal(new Set(texts).size, texts.length, 'nothing twice');
  assert.equal(texts.length, receipts(), 'nothing but what was receipted');
  for (const { name, receipted } of writers) {
    for (const [text, id] of receipted) assert.equal(texts[id - 1], text, `receipted as ${id}`);
    assert.deepEqual(texts.filter((text) => text.startsWith(`${name} `)), receipted.map(([text]) => text), 'in his order');
  }
  for (const { seen } of readers) assert.deepEqual(seen, texts);
  await connected(nodes);
  const sum = (list, key) => list.reduce((total, each) => total + each[key], 0);
  t.diagnostic(`${texts.length} messages, ${sum(writers, 'refusals')} refusals, ` +
    `${sum([...writers, ...readers], 'moves')} moves to another node`);
}

it(`a node, Redis or PostgreSQL killed ${rounds} times at random moments`, async (t) => {
  const cluster = await clusterFor(t, 3, ['--relay-check-interval', '500ms', '--postgres-timeout', '2s']);
  const { nodes, redis, postgres } = cluster;
  const tally = { node: 0, redis: 0, postgres: 0 };
  await load(t, cluster, async (more) => {
    for (let round = 0; round < rounds; ++round) {
      await more(1 + choose(200));
      await pause(choose(10));
      const node = nodes[choose(3)];
      const [victim, kill, revive] = [
        ['node', () => node.kill9(), () => node.restart()],
        ['redis', () => redis.kill9(), () => redis.start()],
        ['postgres', () => postgres.kill9(), () => postgres.restart()],
      ][choose(3)];
      tally[victim] += 1;
      await kill();
      // Back at once, or when the others have lived without it for a while.
      if (victim !== 'postgres' && choose(2) === 0) await more(1 + choose(100));
      else await pause(choose(300));
      await revive();
    }
  });
  t.diagnostic(`killed: ${JSON.stringify(tally)}`);
  assert.equal(await metric(nodes[0], 'relay_refused_total'), 0);
});

it('the nodes restarted one after the other: who is sent away goes on elsewhere', async (t) => {
  const cluster = await clusterFor(t, 3);
  await load(t, cluster, async (more) => {
    for (const node of cluster.nodes) {
      await more(100);
      assert.equal(await node.terminate(), 0);
      await more(100);
      await node.start();
    }
  });
});
