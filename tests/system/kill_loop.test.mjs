// kill -9 at random moments under load, again and again: what was receipted is there once and in
// order, a retry is harmless, and who resumes sees every message once, over all the crashes.
//
// TEST_ROUNDS: how many crashes; TEST_SEED: the choices of an earlier run (the moment itself is also
// the machine's).
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import {
  Server, choices, history, lobby, newRoom, newUser, seed, waitFor, wholeHistory,
} from './harness.mjs';
import { StompSocket } from './clients.mjs';

const rounds = Number(process.env.TEST_ROUNDS ?? 10);
const sendersPerRoom = 2;
const lanes = 8; // messages in flight of a sender
const receiptsMax = 400; // a round ends after fewer than so many, and up to some ms more
const delayMsMax = 5;
const repeatsPerRound = 5; // of each sender: receipted already, sent again
const args = ['--send-rate-max', '1000000', '--send-burst-max', '1000000', '--history-replay-max', '1000000'];

const choose = choices(seed);

// The end of a connection is what a crash does to its client; any other failure is one of the test.
function brokenOff(error) {
  if (!/closed with|closed before|ECONNREFUSED|ECONNRESET|EPIPE|socket hang up/.test(error.message)) throw error;
}

// All of them to their ends; then the failure that a crash does not explain, or any.
async function everyEnd(promises) {
  const failures = (await Promise.allSettled(promises)).flatMap(({ reason }) => reason ?? []);
  failures.forEach(brokenOff);
  if (failures.length > 0) throw failures[0];
}

// One who writes, and after a crash sends again, before anything new and in the old order, whatever
// he knows no receipt of; what had no key he has to leave.
class Sender {
  sent = []; // { text, key, id, retry }: the id is the receipt's; the n-th text ends in n
  unsure = []; // of these, with a key and without a receipt
  tally = { receipted: 0, retried: 0, 'stored before the crash': 0, repeated: 0 };
  #client;

  constructor(name, user, room) {
    Object.assign(this, { name, user, room });
  }

  // What is unsure and some more of the old, then new messages in so many lanes until the connection
  // breaks.
  async run(server, lanes, onReceipt) {
    const client = (this.#client = new StompSocket(server));
    const newest = this.room.texts.length;
    const post = async (message) => {
      const headers = message.key ? { 'message-key': message.key } : {};
      const receipt = await client.post(this.room.id, message.text, headers);
      this.#receipted(message, Number(receipt.headers.id), newest);
      onReceipt();
    };
    const lane = async () => {
      for (;;) await post(this.#next());
    };
    try {
      await client.connect(this.user);
      const old = [...this.unsure, ...this.#someReceipted()].map(post);
      await everyEnd([...old, ...Array.from({ length: lanes }, lane)]);
    } catch (error) {
      brokenOff(error);
    } finally {
      this.leave();
    }
    this.unsure = this.unsure.filter(({ id }) => id === undefined);
    for (const message of this.unsure) message.retry = true;
  }

  leave() {
    this.#client.drop();
  }

  #next() {
    const text = `${this.name} ${this.sent.length}`;
    const message = { text, key: choose(3) > 0 ? text : undefined, id: undefined };
    this.sent.push(message);
    if (message.key) this.unsure.push(message);
    return message;
  }

  #someReceipted() {
    const known = this.sent.slice(-200).filter(({ key, id }) => key && id !== undefined);
    return known.length === 0 ? [] : Array.from({ length: repeatsPerRound }, () => known[choose(known.length)]);
  }

  #receipted(message, id, newest) {
    if (message.id !== undefined) {
      assert.equal(id, message.id, `the retry of '${message.text}' gets the first one's id`);
      this.tally.repeated += 1;
      return;
    }
    message.id = id;
    this.room.receipted.push(message);
    this.tally.receipted += 1;
    if (message.retry) this.tally.retried += 1;
    if (id <= newest) this.tally['stored before the crash'] += 1;
  }
}

// One who reads, and resumes after each crash where he was.
class Reader {
  texts = []; // the text of id n at n - 1
  #epoch;
  #client;

  // Until the connection breaks.
  async run(server, user, room) {
    this.#client = new StompSocket(server);
    try {
      await this.#client.connect(user);
      const since = { since: this.texts.length, ...(this.#epoch && { epoch: this.#epoch }) };
      this.#client.send('SUBSCRIBE', { destination: `/sub/channel/${room}`, id: 'room', ...since });
      for (;;) {
        const { body, headers } = await this.#client.message('room');
        assert.equal(headers.marker, undefined, JSON.stringify(body));
        assert.equal(body.id, this.texts.length + 1, 'the reader sees every id once and in order');
        this.texts.push(body.message);
        this.#epoch = headers.epoch;
      }
    } catch (error) {
      brokenOff(error);
    } finally {
      this.leave();
    }
  }

  leave() {
    this.#client.drop();
  }
}

// What a room must be, checked round by round over what is new in it.
class Room {
  texts = []; // the text of id n at n - 1
  reader = new Reader();
  receipted = []; // since the last check
  #all = new Set();
  #lastOf = new Map(); // of each sender, the number of his last message
  #compared = 0;

  constructor(id) {
    this.id = id;
  }

  async check(server, user, senders) {
    const news = [];
    for (let before; ;) {
      const page = await history(server, user, this.id, { limit: 100, before });
      const unknown = page.filter(({ id }) => id > this.texts.length);
      news.push(...unknown);
      if (unknown.length < page.length || page.length === 0) break;
      before = page.at(-1).id;
    }
    for (const { id, message, senderId } of news.reverse()) {
      assert.equal(id, this.texts.length + 1, 'ids have no hole');
      assert.ok(!this.#all.has(message), `'${message}' is there once`);
      const [name, number] = message.split(' ');
      const sender = senders.find((each) => each.name === name);
      assert.ok(sender?.sent[number], `'${message}' was sent`);
      assert.equal(senderId, sender.user.id);
      assert.ok(Number(number) > (this.#lastOf.get(name) ?? -1), `'${message}' comes after those before it`);
      this.#lastOf.set(name, Number(number));
      this.#all.add(message);
      this.texts.push(message);
    }
    for (const { id, text } of this.receipted.splice(0)) {
      assert.equal(this.texts[id - 1], text, `receipted as ${id}`);
    }
    const { texts } = this.reader;
    assert.ok(texts.length <= this.texts.length, 'nobody saw what is not stored');
    for (; this.#compared < texts.length; ++this.#compared) {
      assert.equal(texts[this.#compared], this.texts[this.#compared], 'the reader saw what is stored');
    }
  }
}

// As the crash left the file, and without mending it before the server does: in a copy.
async function checkIntegrity(dataDir) {
  const name = 'realtimechat.sqlite';
  const copy = await mkdtemp(path.join(tmpdir(), 'rtc-test-'));
  try {
    for (const file of [name, `${name}-wal`]) {
      if (existsSync(path.join(dataDir, file))) await copyFile(path.join(dataDir, file), path.join(copy, file));
    }
    const { stdout } = await promisify(execFile)('sqlite3', [path.join(copy, name), 'PRAGMA integrity_check']);
    assert.equal(stdout, 'ok\n');
  } finally {
    await rm(copy, { recursive: true });
  }
}

it(`kill -9 at ${rounds} random moments: receipted means there, once and in order`, async (t) => {
  t.diagnostic(`TEST_ROUNDS=${rounds} TEST_SEED=${seed}`);
  const server = new Server({ args });
  t.after(() => server.stop());
  await server.start();
  const users = [];
  for (let n = 0; n < 2 * sendersPerRoom; ++n) users.push(await newUser(server));
  const rooms = [new Room(lobby), new Room(await newRoom(server, users[0]))];
  const senders = users.map((user, n) => new Sender(`sender${n}`, user, rooms[n % 2]));

  for (let round = 0; round < rounds; ++round) {
    let left = choose(receiptsMax + 1);
    let enough;
    const reached = new Promise((resolve) => (enough = resolve));
    if (left === 0) enough();
    const onReceipt = () => --left === 0 && enough();
    const clients = [
      ...rooms.map((room) => room.reader.run(server, users[0], room.id)),
      ...senders.map((sender) => sender.run(server, lanes, onReceipt)),
    ];
    const early = Promise.race(clients).then(() => assert.fail('somebody was cut off before the crash'));
    await Promise.race([reached, early]);
    early.catch(() => {});
    // Some have lost their connection, and with it the receipts on their way, when the server dies.
    senders.filter(() => choose(2) === 0).forEach((sender) => sender.leave());
    await new Promise((resolve) => setTimeout(resolve, choose(delayMsMax + 1)));
    await server.kill9();
    await Promise.all(clients);
    await checkIntegrity(server.dataDir);
    await server.restart();
    for (const room of rooms) await room.check(server, users[0], senders);
  }

  // A last time, to its end: then nothing is unsure.
  const readers = rooms.map((room) => room.reader.run(server, users[0], room.id));
  for (const sender of senders) {
    await sender.run(server, 0, () => {});
    assert.deepEqual(sender.unsure, []);
  }
  for (const room of rooms) {
    await room.check(server, users[0], senders);
    await waitFor('the reader to have all', () => room.reader.texts.length === room.texts.length);
    assert.deepEqual(room.reader.texts, room.texts);
    const whole = (await wholeHistory(server, users[0], room.id)).reverse();
    assert.deepEqual(whole.map(({ id }) => id), room.texts.map((_, n) => n + 1));
    assert.deepEqual(whole.map(({ message }) => message), room.texts);
    room.reader.leave();
  }
  await Promise.all(readers);
  const total = (values) => values.reduce((sum, value) => sum + value, 0);
  const tallies = Object.keys(senders[0].tally)
    .map((name) => `${total(senders.map(({ tally }) => tally[name]))} ${name}`);
  const stored = total(rooms.map(({ texts }) => texts.length));
  t.diagnostic(`${rounds} crashes, ${stored} messages stored, ${tallies.join(', ')}`);
});
