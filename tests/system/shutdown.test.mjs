// SIGTERM: everybody is told when to come back, and the end has a bound, whatever holds the store.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { metric, newRoom, newUser, serverFor, waitFor, wholeHistory, within } from './harness.mjs';
import { clientFor, memberFor } from './clients.mjs';
import { lockStore } from './faults.mjs';

// The store waits for the lock much longer than the end may take. Of that the server keeps a quarter,
// and a second at most, for the good-bye: it gets the second, for a machine that is slow just then.
const args = (shutdownTimeout) => [
  '--loops', '2', '--store-lock-timeout', '60s', '--shutdown-timeout', shutdownTimeout,
];
const comeBack = /^restarting; retry-after-ms=\d+$/;

async function roomWith(t, options) {
  const server = await serverFor(t, options);
  const user = await newUser(server);
  return { server, user, room: await newRoom(server, user) };
}

// Sends a message that the server takes and cannot store yet.
async function sendInVain(server, client, room, text, waiting) {
  client.send('SEND', { destination: '/pub/chat', receipt: text },
    JSON.stringify({ roomId: room, message: text }));
  await waitFor(`${waiting} messages to wait`, async () =>
    (await metric(server, 'store_messages_waiting')) === waiting);
}

it('a locked database does not hold up the end: what waits is given up, without a receipt', async (t) => {
  const { server, user, room } = await roomWith(t, { args: args('5s') });
  const sockets = [
    await memberFor(t, server, user, room),
    await memberFor(t, server, user, room, { path: '/connect', sockjs: true }),
    await memberFor(t, server, user, room),
  ];
  const poller = await memberFor(t, server, user, room, { over: 'polls' });
  await sockets[0].post(room, 'receipted');
  const release = await lockStore(t, server);
  await sendInVain(server, sockets[0], room, 'in vain 1', 1);
  await sendInVain(server, sockets[1], room, 'in vain 2', 2);
  await sendInVain(server, poller, room, 'in vain 3', 3);

  const ended = server.terminate();
  for (const client of sockets) {
    const { code, reason } = await within('the close', client.closed);
    assert.equal(code, 1001);
    assert.match(reason, comeBack);
  }
  assert.match((await within('the last poll', poller.closed)).reason, comeBack);
  assert.equal(await ended, 3);
  assert.match(server.log(), /shutdown_timeout is over: 3 messages given up/);
  await release(); // it was held until now
  for (const client of [...sockets, poller]) {
    assert.deepEqual(client.frames.rest().filter(({ command }) => command === 'RECEIPT'), []);
    assert.deepEqual(client.frames.rest().filter(({ body }) => /in vain/.test(body)), []);
  }

  await server.start();
  const texts = (await wholeHistory(server, user, room)).map(({ message }) => message);
  assert.deepEqual(texts, ['receipted']);
  await (await clientFor(t, server, user)).post(room, 'goes on');
});

it('a locked database does not hold up the end when nothing waits for it', async (t) => {
  const { server, user, room } = await roomWith(t, { args: args('5s') });
  const client = await memberFor(t, server, user, room);
  await client.post(room, 'receipted');
  const release = await lockStore(t, server);
  assert.equal(await server.terminate(), 0);
  assert.equal((await client.closed).code, 1001);
  assert.match(server.log(), /shutdown_timeout is over: the database was not closed/);
  await release();
  await server.start();
  assert.equal((await wholeHistory(server, user, room)).length, 1);
});

it('a lock that is let go in time costs nothing', async (t) => {
  const { server, user, room } = await roomWith(t, { args: args('1h') });
  const client = await memberFor(t, server, user, room);
  const release = await lockStore(t, server);
  await sendInVain(server, client, room, 'in time', 1);
  let closed = false;
  client.closed.then(() => (closed = true));
  const ended = server.terminate();
  await waitFor('the end to begin', () => /stopping/.test(server.log()));
  assert.equal(closed, false, 'it is waited for');
  await release();
  const { headers } = await client.take('RECEIPT');
  assert.deepEqual(headers, { 'receipt-id': 'in time', id: '1' });
  assert.equal((await within('the close', client.closed)).code, 1001);
  assert.equal(await ended, 0);
  assert.doesNotMatch(server.log(), /given up|not closed/);
});
