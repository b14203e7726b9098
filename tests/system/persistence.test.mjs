// What was receipted is there after the power went out, once, in order, and people are who they were.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Server, init, lobby, newRoom, newUser, wholeHistory } from './harness.mjs';
import { StompSocket, memberFor } from './clients.mjs';

const rates = ['--send-rate-max', '1000000', '--send-burst-max', '1000000'];
const rounds = 5;
const senders = 4;
const killAfter = 150; // receipts

// Sends as fast as receipts allow (a window of open ones) until the connection breaks. `sent` and
// `receipted` are the texts, over all rounds.
function sendUntilBroken(client, room, name, round, sent, receipted, onReceipt) {
  let number = 0;
  async function lane() {
    for (;;) {
      const text = `${name} ${round} ${++number}`;
      sent.add(text);
      await client.post(room, text);
      receipted.add(text);
      onReceipt();
    }
  }
  return Promise.allSettled(Array.from({ length: 8 }, lane));
}

it(`kill -9 under load, ${rounds} times: nothing receipted is lost, doubled or out of order`, async (t) => {
  const server = new Server({ args: rates });
  t.after(() => server.stop());
  await server.start();
  const users = [];
  for (let n = 0; n < senders; ++n) users.push(await newUser(server));
  const room = await newRoom(server, users[0]);
  const rooms = [lobby, room];
  const sent = rooms.map(() => new Set());
  const receipted = rooms.map(() => new Set());

  for (let round = 1; round <= rounds; ++round) {
    let count = 0;
    let enough;
    const reached = new Promise((resolve) => (enough = resolve));
    const onReceipt = () => ++count === killAfter && enough();
    const running = [];
    for (const [n, user] of users.entries()) {
      const client = new StompSocket(server);
      t.after(() => client.drop());
      await client.connect(user);
      const which = n % rooms.length;
      running.push(sendUntilBroken(client, rooms[which], `sender ${n}`, round, sent[which], receipted[which], onReceipt));
    }
    await reached;
    await server.kill9();
    await Promise.all(running);
    await server.restart();

    for (const [which, id] of rooms.entries()) {
      const messages = (await wholeHistory(server, users[0], id)).reverse();
      assert.deepEqual(messages.map((m) => m.id), messages.map((_, n) => n + 1), 'ids without holes');
      const texts = messages.map((m) => m.message);
      assert.equal(new Set(texts).size, texts.length, 'nothing twice');
      const there = new Set(texts);
      const lost = [...receipted[which]].filter((text) => !there.has(text));
      assert.deepEqual(lost, [], 'nothing receipted is lost');
      assert.deepEqual(texts.filter((text) => !sent[which].has(text)), [], 'nothing but what was sent');
      const numbers = {};
      for (const text of texts) {
        const [, name, at, number] = /^(sender \d+) (\d+) (\d+)$/.exec(text);
        const key = `${name} ${at}`;
        assert.equal(Number(number), (numbers[key] ?? 0) + 1, `the order of ${key}`);
        numbers[key] = Number(number);
      }
    }
  }
});

it('after a restart everyone is who he was, and can go on', async (t) => {
  const server = new Server();
  t.after(() => server.stop());
  await server.start();
  const user = await newUser(server);
  const room = await newRoom(server, user, '남는 방');
  const before = await memberFor(t, server, user, room);
  await before.post(room, 'before');
  await server.kill9();
  await server.restart();
  assert.equal((await init(server, user.token)).success, true, 'the token still holds');
  const again = await memberFor(t, server, user, room);
  await again.post(room, 'after');
  const { body } = await again.message('room');
  assert.equal(body.id, 2);
  assert.equal(body.senderId, user.id);
  const [second, first] = await wholeHistory(server, user, room);
  assert.deepEqual([first.message, second.message], ['before', 'after']);
  assert.equal(first.senderId, second.senderId);
});

it('an orderly end loses nothing that was receipted either', async (t) => {
  const server = new Server({ args: rates });
  t.after(() => server.stop());
  await server.start();
  const user = await newUser(server);
  const client = await memberFor(t, server, user, lobby);
  const texts = Array.from({ length: 100 }, (_, n) => `message ${n}`);
  await Promise.all(texts.map((text) => client.post(lobby, text)));
  await server.restart();
  const found = (await wholeHistory(server, user, lobby)).reverse().map(({ message }) => message);
  assert.deepEqual(found, texts);
});
