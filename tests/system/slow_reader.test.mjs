// One who does not read costs the others nothing, and is told why he was closed.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { metric, newRoom, newUser, serverFor, waitFor } from './harness.mjs';
import { clientFor, memberFor } from './clients.mjs';

const residentMiB = async (server) =>
  Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${server.pid}/status`, 'utf8'))[1]) / 1024;

it('a reader that stands still is bounded in bytes, told, closed and counted', async (t) => {
  const server = await serverFor(t, { args: ['--outbox-bytes-max', '256KiB'] });
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const stalled = await memberFor(t, server, user, room);
  const reader = await memberFor(t, server, user, room);
  const writer = await clientFor(t, server, user);
  const before = await residentMiB(server);
  stalled.ws.pause();

  // More than the kernel's buffers of both ends and the outbox hold; and never more than the outbox holds
  // that the other reader has not read.
  const text = 'x'.repeat(60_000);
  let sent = 0;
  await waitFor('the slow reader to be closed', async () => {
    await Promise.all(Array.from({ length: 3 }, () => writer.post(room, text)));
    for (let n = 0; n < 3; ++n) assert.equal((await reader.message('room')).body.id, ++sent);
    return (await metric(server, 'slow_consumers_total')) === 1;
  });
  assert.ok((await residentMiB(server)) - before < 64, 'the memory of the server stays flat');

  stalled.ws.resume();
  const { envelope, code } = await stalled.refused();
  assert.equal(envelope.type, 'SERVER_OVERLOAD');
  assert.equal(code, 1008);
  // What it got before is whole and in order.
  const ids = stalled.frames.rest().filter((f) => f.headers.subscription === 'room');
  ids.forEach((frame, n) => assert.equal(Number(frame.headers.id), n + 1));
});

it('a reader that takes too long over a little is closed by the time limit', async (t) => {
  const server = await serverFor(t, { args: ['--outbox-time-max', '300ms', '--outbox-bytes-max', '1GiB'] });
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const stalled = await memberFor(t, server, user, room);
  const writer = await clientFor(t, server, user);
  stalled.ws.pause();
  const text = 'x'.repeat(60_000);
  await waitFor('the slow reader to be closed', async () => {
    await Promise.all(Array.from({ length: 20 }, () => writer.post(room, text)));
    return (await metric(server, 'slow_consumers_total')) === 1;
  });
});

it('a burst that the bound covers costs nobody the connection', async (t) => {
  const server = await serverFor(t);
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const reader = await memberFor(t, server, user, room);
  const writer = await clientFor(t, server, user);
  await Promise.all(Array.from({ length: 400 }, (_, n) => writer.post(room, `${n} ${'x'.repeat(2_000)}`)));
  for (let id = 1; id <= 400; ++id) assert.equal((await reader.message('room')).body.id, id);
  assert.equal(await metric(server, 'slow_consumers_total'), 0);
});
