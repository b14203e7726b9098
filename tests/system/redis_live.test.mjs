// Several nodes: what is stored nowhere. Rooms without history, and news to a person, reach everybody on
// whatever node; and what must hold on every node at once.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  bearer, claimsOf, history, lobby, metric, newRoom, newUser, openPrivateRoom, postRaw, request, waitFor,
} from './harness.mjs';
import { clientFor, memberFor } from './clients.mjs';
import { connected, keptWithin } from './cluster.mjs';
import { clusterFor } from './redis.mjs';

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const destination = (room) => `/sub/channel/${room}`;

async function newLiveRoom(server, user) {
  const { status, json } = await postRaw(server, user, '/chatroom', { name: 'live only', history: false });
  assert.equal(status, 200, JSON.stringify(json));
  assert.equal(json.response.history, false);
  return json.response.roomId;
}
async function take(client, count, id = 'room') {
  const messages = [];
  for (let n = 0; n < count; ++n) messages.push(await client.message(id));
  return messages;
}
async function nothingMore(clients) {
  for (const client of clients) {
    await client.ping();
    assert.deepEqual(client.frames.rest(), [], 'nothing twice');
  }
}
const resume = (client, room, since, epoch) =>
  client.sendAndWait('SUBSCRIBE', { destination: destination(room), id: 'room', since, epoch });

describe('a room without history over nodes', () => {
  it('is heard on all of them, once, in the order of each node and the ids of the reader\'s', async (t) => {
    const { nodes } = await clusterFor(t, 3);
    const user = await newUser(nodes[0]);
    const room = await newLiveRoom(nodes[0], user);
    const readers = await Promise.all(nodes.map((node) => memberFor(t, node, user, room)));
    const each = 60;
    const receipts = await Promise.all(nodes.map(async (node, index) => {
      const writer = await clientFor(t, node, user);
      const ids = [];
      for (const n of range(1, each)) ids.push(Number((await writer.post(room, `${index} ${n}`)).headers.id));
      return ids;
    }));
    const epochs = new Set();
    for (const [index, reader] of readers.entries()) {
      const heard = await take(reader, 3 * each);
      assert.deepEqual(heard.map(({ body }) => body.id), range(1, 3 * each));
      for (const from of [0, 1, 2]) {
        const own = heard.filter(({ body }) => body.message.startsWith(`${from} `));
        assert.deepEqual(own.map(({ body }) => body.message), range(1, each).map((n) => `${from} ${n}`));
        if (from === index) assert.deepEqual(own.map(({ body }) => body.id), receipts[index]);
      }
      for (const { headers, body } of heard) {
        epochs.add(headers.epoch);
        assert.equal(headers['message-id'], `${room}-${body.id}`);
      }
    }
    assert.equal(epochs.size, 3, 'each node says whose its numbers are');
    await nothingMore(readers);
    assert.deepEqual(await history(nodes[1], user, room), []);
    assert.equal(await metric(nodes[0], 'live_messages_total'), each);
    assert.equal(await metric(nodes[0], 'live_received_total'), 2 * each);
    assert.equal(await metric(nodes[0], 'store_messages_total'), 0);
  });

  it('what is sent after the receipt of a SUBSCRIBE is heard, on whatever node', async (t) => {
    const { nodes } = await clusterFor(t, 2);
    const user = await newUser(nodes[0]);
    const writer = await clientFor(t, nodes[0], user);
    const reader = await clientFor(t, nodes[1], user);
    for (const n of range(1, 30)) {
      const room = await newLiveRoom(nodes[0], user);
      await writer.post(room, 'before');
      await reader.subscribe(destination(room), `room-${n}`);
      await writer.post(room, 'after');
      let heard = (await reader.message(`room-${n}`)).body.message;
      // What was said just before may be on its way yet.
      if (heard === 'before') heard = (await reader.message(`room-${n}`)).body.message;
      assert.equal(heard, 'after');
    }
    assert.equal(await metric(nodes[1], 'live_unsure_total'), 0);
  });

  it('since: nothing missed, a gap, another node\'s epoch', async (t) => {
    const { nodes } = await clusterFor(t, 2);
    const user = await newUser(nodes[0]);
    const room = await newLiveRoom(nodes[0], user);
    const writer = await clientFor(t, nodes[0], user);
    const listener = await memberFor(t, nodes[1], user, room);
    for (const n of range(1, 3)) await writer.post(room, `message ${n}`);
    const { epoch } = (await take(listener, 3))[2].headers;

    const [upToDate, late] = [await clientFor(t, nodes[1], user), await clientFor(t, nodes[1], user)];
    await resume(upToDate, room, 3, epoch);
    await resume(late, room, 1, epoch);
    assert.deepEqual((await late.message('room')).body, { type: 'HISTORY_GAP', from: 2, to: 3 });
    const other = await clientFor(t, nodes[0], user);
    await resume(other, room, 3, epoch);
    const changed = await other.message('room');
    assert.deepEqual(changed.body, { type: 'EPOCH_CHANGED', from: 1, to: changed.body.to });
    assert.notEqual(changed.headers.epoch, epoch);
    await writer.post(room, 'message 4');
    for (const client of [listener, upToDate, late]) {
      assert.deepEqual([(await client.message('room')).body.id], [4]);
    }
    const next = await other.message('room');
    assert.deepEqual([next.body.id, next.headers.epoch], [changed.body.to + 1, changed.headers.epoch]);
  });

  it('who left a node that nobody of the room was at is told of a gap when he comes back', async (t) => {
    const { nodes } = await clusterFor(t, 2);
    const user = await newUser(nodes[0]);
    const room = await newLiveRoom(nodes[0], user);
    const writer = await clientFor(t, nodes[0], user);
    const reader = await memberFor(t, nodes[1], user, room);
    await writer.post(room, 'heard');
    const { headers } = await reader.message('room');
    reader.drop();
    await waitFor('the node to let go of it', async () => (await metric(nodes[1], 'live_rooms')) === 0);
    await writer.post(room, 'missed');
    // Else it is not missed: a receipt does not wait for Redis.
    await waitFor('Redis to take both', async () => (await metric(nodes[0], 'relay_published_total')) === 2);
    const again = await clientFor(t, nodes[1], user);
    await resume(again, room, 1, headers.epoch);
    assert.deepEqual((await again.message('room')).body, { type: 'HISTORY_GAP', from: 2, to: 2 });
    await writer.post(room, 'heard again');
    assert.deepEqual((await again.message('room')).body.id, 3);
  });

  it('a transaction comes in one piece, with stored rooms too', async (t) => {
    const { nodes } = await clusterFor(t, 2);
    const user = await newUser(nodes[0]);
    const [live, stored] = [await newLiveRoom(nodes[0], user), await newRoom(nodes[0], user)];
    const reader = await memberFor(t, nodes[1], user, live);
    const noises = [await clientFor(t, nodes[0], user), await clientFor(t, nodes[1], user)];
    const client = await clientFor(t, nodes[0], user);
    const post = (who, room, message, headers = {}) =>
      who.send('SEND', { destination: '/pub/chat', ...headers }, JSON.stringify({ roomId: room, message }));
    for (const round of range(1, 20)) {
      client.send('BEGIN', { transaction: 't' });
      for (const room of [live, stored, live]) {
        post(client, room, `in ${round}`, { transaction: 't' });
        for (const noise of noises) post(noise, live, 'noise');
      }
      await client.sendAndWait('COMMIT', { transaction: 't' });
    }
    await client.post(live, 'the end');
    const texts = [];
    do texts.push((await reader.message('room')).body.message); while (texts.at(-1) !== 'the end');
    for (const round of range(1, 20)) {
      assert.equal(texts.lastIndexOf(`in ${round}`) - texts.indexOf(`in ${round}`), 1, 'in one piece');
    }
  });

  it('without Redis each node is by itself; afterwards an id left out says so', async (t) => {
    const { nodes, redis } = await clusterFor(t, 2);
    const user = await newUser(nodes[0]);
    const room = await newLiveRoom(nodes[0], user);
    const here = await memberFor(t, nodes[0], user, room);
    const there = await memberFor(t, nodes[1], user, room);
    const writer = await clientFor(t, nodes[0], user);
    await writer.post(room, 'before');
    for (const reader of [here, there]) assert.equal((await reader.message('room')).body.id, 1);
    await redis.kill9();
    for (const node of nodes) {
      await waitFor('the metric to say so', async () => (await metric(node, 'relay_connected')) === 0);
    }
    await writer.post(room, 'meanwhile');
    assert.equal((await here.message('room')).body.id, 2);
    const other = await newLiveRoom(nodes[1], user);
    const late = await memberFor(t, nodes[1], user, other);
    await late.post(other, 'not held up');
    assert.equal((await late.message('room')).body.id, 1);
    assert.equal(await metric(nodes[1], 'live_unsure_total'), 1);
    await redis.start();
    await connected(nodes);
    await waitFor('the node to hear the room again', async () =>
      (await metric(nodes[1], 'live_doubts_total')) >= 3);
    await writer.post(room, 'after');
    const heard = [];
    do heard.push((await there.message('room')).body); while (heard.at(-1).message !== 'after');
    assert.equal(heard.at(-1).id, 2 + heard.length, 'one left out');
    await nothingMore([there]);
  });
});

describe('news to a person', () => {
  it('reach his sessions on all nodes, once each, and nobody else', async (t) => {
    const { nodes } = await clusterFor(t, 3);
    const [ann, ben, eve] = [await newUser(nodes[0]), await newUser(nodes[1]), await newUser(nodes[2])];
    const listening = async (user, node) => {
      const client = await clientFor(t, node, user);
      await client.subscribe('/user/queue/rooms', 'rooms');
      return client;
    };
    const bens = await Promise.all(nodes.map((node) => listening(ben, node)));
    const others = await Promise.all([listening(ann, nodes[1]), listening(eve, nodes[0]), listening(eve, nodes[1])]);
    const { jti, randId, sub } = claimsOf(ann.token);
    for (const node of nodes) {
      const { json } = await openPrivateRoom(node, ann, ann.id, ben.id);
      const expected = { roomId: json.response.roomId, senderId: jti, randId, nameTag: sub };
      for (const client of bens) assert.deepEqual((await client.message('rooms')).body, expected);
    }
    await nothingMore([...bens, ...others]);
  });

  it('come within a second, on whatever node he is', async (t) => {
    const { nodes } = await clusterFor(t, 3);
    const ben = await newUser(nodes[0]);
    const sessions = await Promise.all(nodes.map((node) => clientFor(t, node, ben)));
    for (const session of sessions) await session.subscribe('/user/queue/rooms', 'rooms');
    await keptWithin(t, 1000, 'news on all nodes', async (round) => {
      const ann = await newUser(nodes[round % 3]);
      const begin = performance.now();
      await openPrivateRoom(nodes[round % 3], ann, ann.id, ben.id);
      await Promise.all(sessions.map((session) => session.message('rooms', ({ senderId }) => senderId === ann.id)));
      return performance.now() - begin;
    });
  });
});

describe('what is decided on one node', () => {
  it('a private room is there, and shut to others, on every node at once', async (t) => {
    const { nodes } = await clusterFor(t, 3);
    const [ann, ben, eve] = [await newUser(nodes[0]), await newUser(nodes[1]), await newUser(nodes[2])];
    for (const n of range(0, 5)) {
      // Both call each other at once, on two nodes, and each goes to a third one.
      const friend = await newUser(nodes[n % 3]);
      const opened = await Promise.all([
        openPrivateRoom(nodes[n % 3], ann, ann.id, friend.id),
        openPrivateRoom(nodes[(n + 1) % 3], friend, friend.id, ann.id),
      ]);
      const [room, same] = opened.map(({ json }) => json.response.roomId);
      assert.equal(room, same);
      const third = nodes[(n + 2) % 3];
      const [one, two] = [await memberFor(t, third, ann, room), await memberFor(t, nodes[n % 3], friend, room)];
      await one.post(room, 'hello');
      assert.equal((await two.message('room')).body.message, 'hello');
      for (const node of nodes) {
        const { status } = await request(node, `/message?roomId=${room}`, { headers: bearer(eve.token) });
        assert.equal(status, 403);
        const { json } = await request(node, '/chatroom/private?limit=100', { headers: bearer(ann.token) });
        assert.ok(json.response.some(({ roomId }) => roomId === room));
      }
    }
    const stranger = await memberFor(t, nodes[1], eve, lobby);
    const { json } = await openPrivateRoom(nodes[0], ann, ann.id, ben.id);
    stranger.send('SUBSCRIBE', { destination: destination(json.response.roomId), id: 'not his' });
    assert.equal((await stranger.message('errors')).body.type, 'FORBIDDEN_ACCESS');
  });

  it('a room made on one node can be entered on the others at once, and a token of one is good on all', async (t) => {
    const { nodes } = await clusterFor(t, 3);
    for (const n of range(0, 8)) {
      const user = await newUser(nodes[n % 3]);
      const room = await newRoom(nodes[n % 3], user);
      for (const node of nodes) {
        const client = await memberFor(t, node, user, room);
        await client.post(room, 'here');
      }
      const other = await request(nodes[(n + 1) % 3], '/chatroom?limit=100', { headers: bearer(user.token) });
      assert.ok(other.json.response.some(({ roomId }) => roomId === room));
    }
  });
});
