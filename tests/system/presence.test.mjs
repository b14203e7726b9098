// The number of connected sessions on /sub/channel/entry.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newUser, serverFor } from './harness.mjs';
import { clientFor } from './clients.mjs';

async function watcherFor(t, server, options) {
  const client = await clientFor(t, server, await newUser(server), options);
  await client.subscribe('/sub/channel/entry', 'entry');
  return client;
}

const count = (client, wanted) => client.message('entry', (number) => number === wanted);

it('the count follows who subscribes and who leaves, however they leave', async (t) => {
  const server = await serverFor(t, { args: ['--presence-interval', '10ms'] });
  const first = await watcherFor(t, server);
  const alone = await count(first, 1);
  assert.equal(alone.headers.destination, '/sub/channel/entry');

  const second = await watcherFor(t, server);
  await Promise.all([count(first, 2), count(second, 2)]);

  const third = await watcherFor(t, server, { path: '/connect', sockjs: true });
  await Promise.all([first, second, third].map((client) => count(client, 3)));

  await second.sendAndWait('DISCONNECT');
  await second.close();
  await Promise.all([count(first, 2), count(third, 2)]);

  third.drop();
  await count(first, 1);
});

it('the body is a bare integer', async (t) => {
  const server = await serverFor(t);
  const client = await clientFor(t, server, await newUser(server));
  client.send('SUBSCRIBE', { destination: '/sub/channel/entry', id: 'entry' });
  const frame = await client.take('MESSAGE');
  assert.match(frame.body, /^[0-9]+$/);
});

it('a HTTP request or a socket without a session is not counted', async (t) => {
  const server = await serverFor(t, { args: ['--presence-interval', '10ms'] });
  const watcher = await watcherFor(t, server);
  await count(watcher, 1);
  for (let n = 0; n < 5; ++n) await newUser(server);
  const other = await watcherFor(t, server);
  await Promise.all([count(watcher, 2), count(other, 2)]);
  const seen = watcher.frames.rest().map(({ body }) => Number(body));
  assert.ok(seen.every((number) => number <= 2), `${seen}`);
});
