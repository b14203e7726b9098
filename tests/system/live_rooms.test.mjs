// Rooms without history: messages are live only. Real clients, over the real program.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertRefusal, bearer, createRoom, history, lobby, metric, newRoom, newUser, postRaw, request, serverFor } from './harness.mjs';
import { clientFor, memberFor } from './clients.mjs';

const fast = ['--send-rate-max', '1000000', '--send-burst-max', '1000000'];
const destination = (room) => `/sub/channel/${room}`;
const bodyOf = (room, message) => JSON.stringify({ roomId: room, message });
const send = (client, room, message, headers = {}) =>
  client.send('SEND', { destination: '/pub/chat', ...headers }, bodyOf(room, message));
const resume = (client, room, since, headers = {}) =>
  client.sendAndWait('SUBSCRIBE', { destination: destination(room), id: 'again', since, ...headers });

async function newLiveRoom(server, user, name = 'live only') {
  const { status, json } = await postRaw(server, user, '/chatroom', { name, history: false });
  assert.equal(status, 200, JSON.stringify(json));
  assert.equal(json.response.history, false);
  return json.response.roomId;
}
const takeReceipts = async (client, count) => {
  const names = [];
  for (let n = 0; n < count; ++n) names.push((await client.take('RECEIPT')).headers['receipt-id']);
  return names;
};
const takeMessages = async (client, id, count) => {
  const all = [];
  for (let n = 0; n < count; ++n) all.push(await client.message(id));
  return all;
};
const refusal = async (client, receipt) =>
  (await client.message('errors', (_, frame) => frame.headers['receipt-id'] === receipt)).body;

describe('a room without history', () => {
  it('is made by "history": false and shown so; others have it', async (t) => {
    const server = await serverFor(t);
    const user = await newUser(server);
    const live = await newLiveRoom(server, user);
    const { json: made } = await createRoom(server, user, 'stored');
    assert.equal(made.response.history, true);
    const listed = async () => {
      const { json } = await request(server, '/chatroom?limit=10', { headers: bearer(user.token) });
      return json.response.map(({ roomId, history: kept }) => [roomId, kept]);
    };
    const expected = [[lobby, true], [live, false], [made.response.roomId, true]];
    assert.deepEqual(await listed(), expected);
    await server.restart();
    assert.deepEqual(await listed(), expected);
    for (const wrong of [null, 0, 'false', []]) {
      const { status, json } = await postRaw(server, user, '/chatroom', { name: 'x', history: wrong });
      assert.equal(status, 400, JSON.stringify(wrong));
      assertRefusal(json, 'INVALID_PARAMETER');
    }
  });

  it('gives two clients the same messages in the same order, and keeps none', async (t) => {
    const server = await serverFor(t, { args: fast });
    const [one, two] = [await newUser(server), await newUser(server)];
    const room = await newLiveRoom(server, one);
    const a = await memberFor(t, server, one, room);
    const b = await memberFor(t, server, two, room);
    await Promise.all(Array.from({ length: 50 }, (_, n) =>
      Promise.all([a.post(room, `a ${n}`), b.post(room, `b ${n}`)])));
    const [heardByA, heardByB] = [await takeMessages(a, 'room', 100), await takeMessages(b, 'room', 100)];
    assert.deepEqual(heardByA.map(({ body }) => body), heardByB.map(({ body }) => body));
    assert.deepEqual(heardByA.map(({ body }) => body.id), Array.from({ length: 100 }, (_, n) => n + 1));
    const own = heardByA.filter(({ body }) => body.senderId === one.id).map(({ body }) => body.message);
    assert.deepEqual(own, Array.from({ length: 50 }, (_, n) => `a ${n}`));
    assert.match(heardByA[0].headers.epoch, /^[0-9a-f]{16}$/);
    assert.deepEqual(await history(server, one, room), []);
    assert.deepEqual(await history(server, one, room, { before: 50 }), []);
    assert.equal(await metric(server, 'live_messages_total'), 100);
    assert.equal(await metric(server, 'store_messages_total'), 0);
  });

  it('is under the rules of any room', async (t) => {
    const server = await serverFor(t, { args: ['--rate-exempt', '192.0.2.1', '--send-rate-max', '1', '--send-burst-max', '4'] });
    const user = await newUser(server);
    const room = await newLiveRoom(server, user);
    const client = await memberFor(t, server, user, room);
    assertRefusal((await client.attempt(room, '   ')).refusal, 'INVALID_MESSAGE_FORMAT');
    assertRefusal((await client.attempt(room, 'x'.repeat(65_537))).refusal, 'INVALID_MESSAGE_FORMAT');
    assertRefusal((await client.attempt(room, 'x', { 'message-key': 'k'.repeat(65) })).refusal, 'INVALID_MESSAGE_FORMAT');
    assert.equal((await client.attempt(room, 'x')).id, 1);
    // More than may be sent at once, and while this takes.
    const answers = await Promise.all(Array.from({ length: 60 }, () => client.attempt(room, 'x')));
    const refused = answers.flatMap(({ refusal }) => refusal ?? []);
    assert.ok(refused.length > 0);
    for (const each of refused) assertRefusal(each, 'TOO_MANY_REQUESTS');
  });

  it('acknowledges in the order of the requests, beside a stored room', async (t) => {
    const server = await serverFor(t, { args: fast });
    const user = await newUser(server);
    const [live, stored] = [await newLiveRoom(server, user), await newRoom(server, user)];
    const client = await clientFor(t, server, user);
    const expected = [];
    for (let n = 0; n < 300; ++n) {
      const receipt = `r${n}`;
      expected.push(receipt);
      send(client, n % 3 === 1 ? live : stored, `message ${n}`, { receipt });
    }
    assert.deepEqual(await takeReceipts(client, 300), expected);
    assert.deepEqual((await history(server, user, stored, { limit: 1 })).map(({ id }) => id), [200]);
  });

  it('a retry is a second message: message-key does not count', async (t) => {
    const server = await serverFor(t);
    const user = await newUser(server);
    const room = await newLiveRoom(server, user);
    const client = await memberFor(t, server, user, room);
    assert.equal((await client.attempt(room, 'x', { 'message-key': 'k' })).id, 1);
    assert.equal((await client.attempt(room, 'x', { 'message-key': 'k' })).id, 2);
  });

  it('since: nothing missed, a gap, or another epoch, which a restart begins', async (t) => {
    const server = await serverFor(t);
    const user = await newUser(server);
    const room = await newLiveRoom(server, user);
    const writer = await memberFor(t, server, user, room);
    for (let n = 1; n <= 3; ++n) await writer.post(room, `message ${n}`);
    const { epoch } = (await takeMessages(writer, 'room', 3))[2].headers;

    const [upToDate, late] = [await clientFor(t, server, user), await clientFor(t, server, user)];
    await resume(upToDate, room, 3, { epoch });
    await resume(late, room, 1, { epoch });
    const gap = await late.message('again');
    assert.equal(gap.headers.marker, 'HISTORY_GAP');
    assert.equal(gap.headers.epoch, epoch);
    assert.deepEqual(gap.body, { type: 'HISTORY_GAP', from: 2, to: 3 });
    await writer.post(room, 'message 4');
    for (const client of [upToDate, late]) assert.equal((await client.message('again')).body.id, 4);

    await server.restart();
    const again = await clientFor(t, server, user);
    await resume(again, room, 4, { epoch });
    const changed = await again.message('again');
    assert.equal(changed.headers.marker, 'EPOCH_CHANGED');
    assert.notEqual(changed.headers.epoch, epoch);
    assert.deepEqual(changed.body, { type: 'EPOCH_CHANGED', from: 1, to: 0 });
    await again.post(room, 'the first of this process');
    const first = await again.message('again');
    assert.equal(first.body.id, 1);
    assert.equal(first.headers.epoch, changed.headers.epoch);
  });

  it('in transactions: all or nothing, in one piece, with stored rooms too', async (t) => {
    const server = await serverFor(t, { args: fast });
    const user = await newUser(server);
    const [live, stored] = [await newLiveRoom(server, user), await newRoom(server, user)];
    const reader = await memberFor(t, server, user, live);
    const client = await memberFor(t, server, user, stored);
    const noise = await clientFor(t, server, user);
    const expected = [];
    for (let round = 0; round < 20; ++round) {
      send(client, live, `before ${round}`);
      client.send('BEGIN', { transaction: 't' });
      for (const room of [live, stored, live]) {
        send(client, room, `in ${round}`, { transaction: 't' });
        send(noise, room, 'noise');
      }
      client.send('COMMIT', { transaction: 't', receipt: `c${round}` });
      send(client, live, `after ${round}`);
      expected.push(`before ${round}`, `in ${round}`, `in ${round}`, `after ${round}`);
    }
    assert.deepEqual(await takeReceipts(client, 20), expected.filter((_, n) => n % 4 === 0).map((_, n) => `c${n}`));
    await noise.post(live, 'noise');  // acknowledged after all its others, so none comes later
    await client.post(live, 'the end');
    const heard = [];
    do heard.push((await reader.message('room')).body); while (heard.at(-1).message !== 'the end');
    assert.deepEqual(heard.map(({ id }) => id), heard.map((_, n) => n + 1));
    const texts = heard.map(({ message }) => message);
    assert.deepEqual(texts.filter((text) => text !== 'noise').slice(0, -1), expected);
    for (let round = 0; round < 20; ++round) {
      assert.equal(texts.lastIndexOf(`in ${round}`) - texts.indexOf(`in ${round}`), 1, 'in one piece');
    }

    // What is refused in it spoils it: nothing of it is there.
    await client.sendAndWait('BEGIN', { transaction: 'spoilt' });
    send(client, live, 'never', { transaction: 'spoilt' });
    send(client, stored, ' ', { transaction: 'spoilt', receipt: 'blank' });
    client.send('COMMIT', { transaction: 'spoilt', receipt: 'no' });
    assertRefusal(await refusal(client, 'blank'), 'INVALID_MESSAGE_FORMAT');
    assertRefusal(await refusal(client, 'no'), 'INVALID_MESSAGE_FORMAT');
    await client.sendAndWait('BEGIN', { transaction: 'aborted' });
    send(client, live, 'never', { transaction: 'aborted' });
    await client.sendAndWait('ABORT', { transaction: 'aborted' });
    await client.post(live, 'next');
    assert.equal((await reader.message('room')).body.message, 'next');
  });

  for (const loops of [2, 3]) {
    it(`has one order over ${loops} loops`, async (t) => {
      const server = await serverFor(t, { args: [...fast, '--loops', String(loops)] });
      const user = await newUser(server);
      const rooms = [await newLiveRoom(server, user), await newLiveRoom(server, user)];
      const clients = [];
      for (let n = 0; n < 8; ++n) {
        const client = await memberFor(t, server, user, rooms[0]);
        await client.subscribe(destination(rooms[1]), 'other');
        clients.push(client);
      }
      const each = 100;
      for (let n = 0; n < each; ++n) {
        clients.forEach((client, c) => send(client, rooms[n % 2], `${c} ${n}`, { receipt: `r${n}` }));
      }
      const expected = Array.from({ length: each }, (_, n) => `r${n}`);
      const heard = [];
      for (const client of clients) {
        assert.deepEqual(await takeReceipts(client, each), expected);
        const byRoom = [];
        for (const id of ['room', 'other']) {
          const messages = await takeMessages(client, id, (each * clients.length) / 2);
          assert.deepEqual(messages.map(({ body }) => body.id), messages.map((_, n) => n + 1));
          byRoom.push(messages.map(({ body }) => body.message));
        }
        heard.push(byRoom);
      }
      for (const other of heard) assert.deepEqual(other, heard[0]);
      clients.forEach((_, c) => {
        const numbers = heard[0].flat().filter((text) => text.startsWith(`${c} `)).map((text) => Number(text.split(' ')[1]));
        const even = numbers.filter((n) => n % 2 === 0);
        assert.deepEqual(even, [...even].sort((x, y) => x - y), 'a writer\'s own order');
        assert.equal(numbers.length, each);
      });
    });
  }

  it('cuts off who does not read, as any room', async (t) => {
    const server = await serverFor(t, { args: [...fast, '--outbox-bytes-max', '256KiB'] });
    const user = await newUser(server);
    const room = await newLiveRoom(server, user);
    const stalled = await memberFor(t, server, user, room);
    stalled.ws.pause();
    const writer = await clientFor(t, server, user);
    const text = 'x'.repeat(60_000);
    while ((await metric(server, 'slow_consumers_total')) === 0) await writer.post(room, text);
    await writer.post(room, 'still served');
  });
});
