// Three nodes over one PostgreSQL and one Redis, under load, while one of the five after the other, or
// several at once, are killed, or the nodes are restarted in turn: who loses his node goes on at another,
// and every message that was receipted is seen once, in one order, by the readers of every node.
//
// TEST_ROUNDS: how often something is killed; TEST_SEED: the choices of an earlier run (the moment
// itself is also the machine's).
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { choices, metric, newRoom, newUser, seed, waitFor, wholeHistory, within } from './harness.mjs';
import { StompSocket } from './clients.mjs';
import { connected, disconnected } from './cluster.mjs';
import { clusterFor } from './redis.mjs';

const rounds = Number(process.env.TEST_ROUNDS ?? 100);
const choose = choices(seed);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Somebody with a connection to one of the nodes, at first that of his number, and when it is lost to
// another, until he is sent home. What he does with it is do(client), which does not end by itself.
class Roamer {
  moves = -1; // from one node to another
  at = null; // the node that he is connected to
  #goesOn = true;
  #client;
  #next;

  constructor(nodes, number, user) {
    Object.assign(this, { nodes, number, user });
    this.#next = number;
  }

  async run() {
    while (this.#goesOn) {
      const node = this.nodes[this.#next++ % this.nodes.length];
      const client = (this.#client = new StompSocket(node));
      try {
        await client.connect(this.user);
        this.moves += 1;
        this.at = node;
        await this.do(client);
      } catch (error) {
        // The end of a connection is what a crash does to its client; any other failure is one of the test.
        if (!/closed with|closed before|ECONNREFUSED|ECONNRESET|EPIPE|socket hang up/.test(error.message)) throw error;
        await pause(choose(20));
      } finally {
        this.at = null;
        client.drop();
      }
    }
  }

  // Whether he is there.
  goHome() {
    if (this.at === this.nodes[this.number % this.nodes.length]) return true;
    if (this.at !== null) {
      this.#next = this.number;
      this.#client.drop();
    }
    return false;
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
  const people = [...writers, ...readers];
  const all = people.map((each) => each.run().catch((error) => (failure.error ??= error)));
  const receipts = () => writers.reduce((sum, { receipted }) => sum + receipted.length, 0);
  const until = async (what, check) => {
    await waitFor(what, () => failure.error || check());
    if (failure.error) throw failure.error;
  };
  const more = (count) => {
    const goal = receipts() + count;
    return until('more receipts', () => receipts() >= goal);
  };
  const sum = (list, key) => list.reduce((total, each) => total + each[key], 0);
  const progress = () => ({ refusals: sum(writers, 'refusals'), moves: sum(people, 'moves') });
  const at = (node) => people.filter((each) => each.at === node).length;
  const home = () => until('all to be at home', () => people.map((each) => each.goHome()).every(Boolean));
  await trouble({ more, until, progress, at, home });
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
  const { refusals, moves } = progress();
  t.diagnostic(`${texts.length} messages, ${refusals} refusals, ${moves} moves to another node`);
  return { refusals, moves };
}

// What a round kills: one of them mostly, else several at once. In this order they are started again: a
// node that finds no database ends, by design.
function victimsOf(round) {
  const each = [['node'], ['redis'], ['postgres'], ['redis', 'node', 'node'], ['postgres', 'redis'], ['postgres', 'node']];
  if (round < each.length) return each[round];
  return each[choose(4) > 0 ? choose(3) : choose(each.length)];
}

it(`nodes, Redis and PostgreSQL killed ${rounds} times at random moments, one or several at once`, async (t) => {
  const cluster = await clusterFor(t, 3, ['--relay-check-interval', '500ms', '--postgres-timeout', '2s']);
  const { nodes, redis, postgres } = cluster;
  const tally = { node: 0, redis: 0, postgres: 0, several: 0, long: 0, people: 0 };
  const whole = await load(t, cluster, async ({ more, until, progress, at, home }) => {
    for (let round = 0; round < rounds; ++round) {
      await home(); // else all would soon be at one node
      await more(1 + choose(200));
      await pause(choose(10));
      const victims = victimsOf(round);
      const doomed = choose(3);
      let dead = 0;
      const servers = victims.map((kind) => ({ node: () => nodes[(doomed + dead++) % 3], redis: () => redis, postgres: () => postgres })[kind]());
      // Each of the first rounds is a long one: it lasts until somebody has noticed.
      const long = round < 6 || choose(12) === 0;
      const before = progress();
      const hit = servers.reduce((sum, each) => sum + at(each), 0);
      await Promise.all(servers.map((server) => server.kill9()));
      for (const kind of victims) tally[kind] += 1;
      tally.people += hit;
      if (victims.length > 1) tally.several += 1;
      if (long) {
        tally.long += 1;
        // Until then PostgreSQL was away for longer than postgres_timeout.
        if (victims.includes('postgres')) await until('sends to be refused', () => progress().refusals > before.refusals);
        else await until('people to go elsewhere', () => progress().moves >= before.moves + hit);
        if (victims.includes('redis')) {
          for (const node of nodes.filter((each) => !servers.includes(each))) await disconnected(node);
        }
        if (!victims.includes('postgres')) await more(100);
      } else if (!victims.includes('postgres') && choose(2) === 0) {
        await more(1 + choose(100)); // or back at once, or after a moment
      } else {
        await pause(choose(300));
      }
      for (const server of servers) await (server === redis ? redis.start() : server.restart());
    }
  });
  t.diagnostic(`killed: ${JSON.stringify(tally)}`);
  assert.equal(await metric(nodes[0], 'relay_refused_total'), 0);
  if (rounds < 6) return;
  for (const [what, times] of Object.entries(tally)) assert.ok(times > 0, `${what} was hit`);
  assert.ok(whole.refusals > 0, 'sends were refused');
  assert.ok(whole.moves >= tally.people, `all of them went on: ${whole.moves} moves`);
});

it('the nodes restarted one after the other: who is sent away goes on elsewhere', async (t) => {
  const cluster = await clusterFor(t, 3);
  await load(t, cluster, async ({ more }) => {
    for (const node of cluster.nodes) {
      await more(100);
      assert.equal(await node.terminate(), 0);
      await more(100);
      await node.start();
    }
  });
});
