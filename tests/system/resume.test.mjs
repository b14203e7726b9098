// SUBSCRIBE with `since`: what was missed, then live, one stream without a hole or a repeat.
//
// TEST_CUTS: how many cuts; TEST_SEED: after how many messages each, as in an earlier run.
import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { choices, lobby, newRoom, newUser, seed, serverFor } from './harness.mjs';
import { StompPoller, StompSocket, clientFor, memberFor } from './clients.mjs';

const destination = (room) => `/sub/channel/${room}`;
const resume = (client, room, since, headers = {}) =>
  client.sendAndWait('SUBSCRIBE', { destination: destination(room), id: 'room', since, ...headers });
const takeIds = async (client, count) => {
  const ids = [];
  for (let n = 0; n < count; ++n) ids.push((await client.message('room')).body.id);
  return ids;
};
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

async function roomWith(t, count, options) {
  const server = await serverFor(t, options);
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const writer = await clientFor(t, server, user);
  await Promise.all(range(1, count).map((n) => writer.post(room, `message ${n}`)));
  return { server, user, room, writer };
}

describe('resume', () => {
  it('replays what was missed, then goes on live', async (t) => {
    const { server, user, room, writer } = await roomWith(t, 250);
    const reader = await clientFor(t, server, user);
    await resume(reader, room, 7);
    assert.deepEqual(await takeIds(reader, 243), range(8, 250));
    await writer.post(room, 'live');
    assert.equal((await reader.message('room')).body.id, 251);
  });

  it('replays nothing when nothing was missed, and everything since 0', async (t) => {
    const { server, user, room, writer } = await roomWith(t, 3);
    const [upToDate, fresh] = [await clientFor(t, server, user), await clientFor(t, server, user)];
    await resume(upToDate, room, 3);
    await resume(fresh, room, 0);
    await writer.post(room, 'live');
    assert.deepEqual(await takeIds(upToDate, 1), [4]);
    assert.deepEqual(await takeIds(fresh, 4), [1, 2, 3, 4]);
  });

  it('tells id and epoch with every message, live and replayed', async (t) => {
    const { server, user, room, writer } = await roomWith(t, 1);
    const reader = await clientFor(t, server, user);
    await resume(reader, room, 0);
    const replayed = await reader.message('room');
    await writer.post(room, 'live');
    const live = await reader.message('room');
    assert.equal(replayed.headers.id, '1');
    assert.equal(live.headers.id, '2');
    assert.match(live.headers.epoch, /^[0-9a-f]{16}$/);
    assert.equal(replayed.headers.epoch, live.headers.epoch);
    assert.equal(replayed.headers['message-id'], `${room}-1`);
  });

  it('beyond history_replay_max one marker tells the client to page', async (t) => {
    const { server, user, room, writer } = await roomWith(t, 30, { args: ['--history-replay-max', '10'] });
    const reader = await clientFor(t, server, user);
    await resume(reader, room, 5);
    const marker = await reader.message('room');
    assert.equal(marker.headers.marker, 'HISTORY_GAP');
    assert.deepEqual(marker.body, { type: 'HISTORY_GAP', from: 6, to: 30 });
    await writer.post(room, 'live');
    assert.equal((await reader.message('room')).body.id, 31);

    const near = await clientFor(t, server, user);
    await resume(near, room, 21);
    assert.deepEqual(await takeIds(near, 10), range(22, 31));
  });

  it('ids of another store are told by a marker, not taken for ours', async (t) => {
    const { server, user, room, writer } = await roomWith(t, 3);
    for (const [since, epoch] of [[2, 'anotherepoch'], [9, undefined]]) {
      const reader = await clientFor(t, server, user);
      await resume(reader, room, since, epoch ? { epoch } : {});
      const marker = await reader.message('room');
      assert.equal(marker.headers.marker, 'EPOCH_CHANGED');
      assert.equal(marker.body.to, 3);
      await reader.close();
    }
    const reader = await clientFor(t, server, user);
    await resume(reader, room, 0);
    const { epoch } = (await reader.message('room')).headers;
    const same = await clientFor(t, server, user);
    await resume(same, room, 2, { epoch });
    assert.deepEqual(await takeIds(same, 1), [3]);
    await writer.post(room, 'live');
    assert.deepEqual(await takeIds(same, 1), [4]);
  });

  it('after a restart and a kill -9 the epoch is the same, on a copy of the data it is another', async (t) => {
    const { server, user, room } = await roomWith(t, 3);
    const reader = await clientFor(t, server, user);
    await resume(reader, room, 2);
    const { epoch } = (await reader.message('room')).headers;
    for (const end of ['restart', 'kill9']) {
      if (end === 'kill9') await server.kill9();
      await server.restart();
      const same = await clientFor(t, server, user);
      await resume(same, room, 2, { epoch });
      const message = await same.message('room');
      assert.deepEqual([message.body.id, message.headers.epoch], [3, epoch], end);
    }

    const backup = path.join(server.cwd, 'backup');
    await server.kill9();
    await cp(server.dataDir, backup, { recursive: true });
    const copy = await serverFor(t, { dataDir: backup });
    assert.match(copy.log(), /new epoch.*copy/);
    const told = await clientFor(t, copy, user);
    await resume(told, room, 2, { epoch });
    const marker = await told.message('room');
    assert.equal(marker.headers.marker, 'EPOCH_CHANGED');
    assert.notEqual(marker.headers.epoch, epoch);
    assert.equal(marker.body.to, 3);
    await copy.stop(); // before its data goes with the first server's
    await server.restart();
  });

  it('a malformed since is refused', async (t) => {
    const { server, user, room } = await roomWith(t, 1);
    const member = await memberFor(t, server, user, lobby);
    for (const since of ['x', '-1', '1.5', '']) {
      member.send('SUBSCRIBE', { destination: destination(room), id: 'r', since, receipt: 'r' });
      const refusal = await member.message('errors');
      assert.equal(refusal.body.type, 'INVALID_PARAMETER', since);
      assert.equal(refusal.headers['receipt-id'], 'r');
    }
  });

  it('can be unsubscribed and taken again while it is replayed', async (t) => {
    const { server, user, room } = await roomWith(t, 500);
    const reader = await clientFor(t, server, user);
    for (let round = 0; round < 20; ++round) {
      reader.send('SUBSCRIBE', { destination: destination(room), id: `r${round}`, since: 0 });
      reader.send('UNSUBSCRIBE', { id: `r${round}` });
    }
    await resume(reader, room, 490);
    assert.deepEqual(await takeIds(reader, 10), range(491, 500));
  });

  const transports = { 'a WebSocket': StompSocket, 'SockJS polls': StompPoller };
  for (const [transport, Client] of Object.entries(transports)) it(`cuts of ${transport} under load: nothing lost, nothing twice, nothing out of order`, async (t) => {
    // The writers outrun the reader that is cut again and again.
    t.diagnostic(`TEST_SEED=${seed}`);
    const choose = choices(seed);
    const options = { args: ['--history-replay-max', '1000000'] };
    const { server, user, room } = await roomWith(t, 1, options);
    const cuts = Number(process.env.TEST_CUTS ?? 60);
    const writers = await Promise.all([1, 2, 3].map(() => clientFor(t, server, user)));
    let writing = true;
    let written = 1;
    const lanes = writers.flatMap((writer) => [1, 2, 3, 4].map(async () => {
      while (writing) {
        await writer.post(room, 'x');
        written += 1;
      }
    }));
    const others = await Promise.all([1, 2].map(async () => {
      const other = await clientFor(t, server, user);
      await resume(other, room, 0);
      return other;
    }));

    let last = 0;
    for (let cut = 0; cut < cuts; ++cut) {
      const reader = new Client(server);
      await reader.connect(user);
      reader.send('SUBSCRIBE', { destination: destination(room), id: 'room', since: last });
      const before = last;
      for (let n = choose(40); n >= 0; --n) {
        const { body } = await reader.message('room');
        assert.equal(body.id, last + 1, `after cut ${cut}, resumed since ${before}`);
        last = body.id;
      }
      reader.drop();
    }
    writing = false;
    await Promise.all(lanes);
    const reader = await clientFor(t, server, user);
    await resume(reader, room, last);
    assert.deepEqual(await takeIds(reader, written - last), range(last + 1, written));
    for (const other of others) assert.deepEqual(await takeIds(other, written), range(1, written));
  });
});

describe('message-key', () => {
  it('a retry is stored and delivered once, and gets the first receipt\'s id', async (t) => {
    const { server, user, room, writer } = await roomWith(t, 0);
    const reader = await memberFor(t, server, user, room);
    const headers = { 'message-key': 'a-key' };
    assert.equal((await writer.post(room, 'once', headers)).headers.id, '1');
    assert.equal((await writer.post(room, 'once', headers)).headers.id, '1');
    assert.equal((await writer.post(room, 'next')).headers.id, '2');
    assert.deepEqual(await takeIds(reader, 2), [1, 2]);
  });

  it('is remembered after kill -9, is its sender\'s own, and bounded', async (t) => {
    const { server, user, room, writer } = await roomWith(t, 0);
    const headers = { 'message-key': 'k'.repeat(64) };
    await writer.post(room, 'once', headers);
    await server.kill9();
    await server.restart();
    const again = await memberFor(t, server, user, room);
    assert.equal((await again.post(room, 'once', headers)).headers.id, '1');
    const other = await clientFor(t, server, await newUser(server));
    assert.equal((await other.post(room, 'mine', headers)).headers.id, '2');
    again.send('SEND', { destination: '/pub/chat', 'message-key': 'k'.repeat(65), receipt: 'r' },
      JSON.stringify({ roomId: room, message: 'x' }));
    const refusal = await again.message('errors');
    assert.equal(refusal.body.type, 'INVALID_MESSAGE_FORMAT');
    assert.equal(refusal.headers['receipt-id'], 'r');
  });
});

for (const over of ['websocket', 'polls']) {
  it(`long messages, more than the outbox holds, are resumed in one piece over ${over}`, async (t) => {
    const server = await serverFor(t);
    const user = await newUser(server);
    const room = await newRoom(server, user);
    const writer = await memberFor(t, server, user, room);
    const count = 40;
    for (let n = 1; n <= count; ++n) await writer.post(room, `${n} ${'x'.repeat(60_000)}`);
    const reader = await clientFor(t, server, user, over === 'polls' ? { over } : {});
    reader.send('SUBSCRIBE', { destination: `/sub/channel/${room}`, id: 'room', since: 0 });
    for (let n = 1; n <= count; ++n) {
      const { body } = await reader.message('room', () => true);
      assert.equal(body.id, n);
    }
  });
}
