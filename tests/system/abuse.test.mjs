// What one client may try at the cost of others, and the bounds that hold against it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { claimsOf, history, lobby, metric, newRoom, newUser, openPrivateRoom, request, serverFor, waitFor } from './harness.mjs';
import { StompSocket, clientFor, memberFor } from './clients.mjs';

// The tests' own address is bounded like any other.
const strict = ['--rate-exempt', '192.0.2.1'];

describe('a page of history', () => {
  it('of the longest messages arrives whole, shorter in number, and pages on to the beginning', async (t) => {
    const server = await serverFor(t);
    const user = await newUser(server);
    const room = await newRoom(server, user);
    const writer = await clientFor(t, server, user);
    const text = '\u0001'.repeat(60_000); // six bytes each as JSON
    for (let n = 1; n <= 12; ++n) await writer.post(room, `${n}${text}`);
    const ids = [];
    let before;
    for (;;) {
      const page = await history(server, user, room, { limit: 100, before });
      if (page.length === 0) break;
      assert.ok(page.length < 12, 'a page is bounded in bytes');
      ids.push(...page.map((message) => message.id));
      before = ids.at(-1);
    }
    assert.deepEqual(ids, Array.from({ length: 12 }, (_, n) => 12 - n));
  });
});

describe('rates', () => {
  it('of messages are the identity\'s, not the connection\'s', async (t) => {
    const server = await serverFor(t, { args: [...strict, '--send-rate-max', '1', '--send-burst-max', '5'] });
    const user = await newUser(server);
    let refused = 0;
    let stored = 0;
    const begin = Date.now();
    // Three a connection, which alone would never be too many.
    while (refused < 4) {
      const client = await memberFor(t, server, user, lobby);
      for (let n = 0; n < 3; ++n) {
        client.send('SEND', { destination: '/pub/chat', receipt: `r${n}` },
          JSON.stringify({ roomId: lobby, message: 'again' }));
        const answer = await client.frames.take('an answer to SEND',
          (f) => (f.headers['receipt-id'] === `r${n}`));
        if (answer.command === 'MESSAGE') {
          assert.equal(JSON.parse(answer.body).type, 'TOO_MANY_REQUESTS');
          refused += 1;
        } else {
          stored += 1;
        }
      }
      await client.close();
      const seconds = (Date.now() - begin) / 1000;
      assert.ok(stored <= 5 + seconds + 1, `${stored} messages in ${seconds} s`);
    }
  });

  it('of frames slow their sender down and nobody else', async (t) => {
    const server = await serverFor(t, { args: [...strict, '--frame-rate-max', '50', '--frame-burst-max', '50'] });
    const user = await newUser(server);
    const flooder = await clientFor(t, server, user);
    const begin = Date.now();
    for (let n = 0; n < 150; ++n) {
      flooder.send('SUBSCRIBE', { destination: '/sub/channel/entry', id: `s${n}` });
      flooder.send('UNSUBSCRIBE', { id: `s${n}` });
    }
    await flooder.sendAndWait('SUBSCRIBE', { destination: '/sub/channel/entry', id: 'last' });
    assert.ok(Date.now() - begin > 2_000, '300 frames at 50 a second take their time');
  });

  it('of connections hold for a client behind a trusted proxy', async (t) => {
    const args = [...strict, '--trusted-proxies', '127.0.0.1', '--connections-per-address-max', '2'];
    const server = await serverFor(t, { args });
    const user = await newUser(server);
    const open = [];
    const from = (address) => new StompSocket(server, { headers: { 'X-Forwarded-For': address } });
    for (let n = 0; n < 2; ++n) {
      open.push(from('9.9.9.9'));
      await open[n].connect(user);
    }
    const third = from('9.9.9.9');
    await assert.rejects(third.opened);
    const other = from('9.9.9.8');
    await other.connect(user);
    await open[0].close();
    await waitFor('the place to be free again', async () => {
      const again = from('9.9.9.9');
      open.push(again);
      return again.connect(user).then(() => true, () => false);
    });
    [...open, other].forEach((client) => client.drop());
  });
});

it('others cannot use up the private rooms that somebody may open', async (t) => {
  const server = await serverFor(t, { args: ['--direct-rooms-per-identity-max', '2'] });
  const victim = await newUser(server);
  const id = claimsOf(victim.token).jti;
  for (let n = 0; n < 3; ++n) {
    const stranger = await newUser(server);
    const { json } = await openPrivateRoom(server, stranger, claimsOf(stranger.token).jti, id);
    assert.equal(json.success, true);
  }
  const friend = claimsOf((await newUser(server)).token).jti;
  assert.equal((await openPrivateRoom(server, victim, id, friend)).json.success, true);
});

it('who asks on and on without reading holds one connection\'s share of memory, and loses no answer', async (t) => {
  const server = await serverFor(t, { args: ['--outbox-time-max', '1h'] });
  const page = (await request(server, '/')).raw.toString();
  const asset = /\/assets\/[^"]+\.js/.exec(page)[0];
  const count = 2000;
  const socket = net.connect(server.port, '127.0.0.1');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.pause();
  socket.write(`GET ${asset} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(count));
  await waitFor('its requests to wait', async () => (await metric(server, 'http_pauses_total')) > 0);
  // The kernel's buffers may take some answers after the first pause, and are full then.
  await waitFor('no more of them to be taken', async () => {
    const taken = await metric(server, 'http_requests_total');
    await sleep(500);
    return (await metric(server, 'http_requests_total')) - taken < 20;
  });
  assert.ok((await metric(server, 'http_requests_total')) < count / 2, 'it waits for who asks');
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)[1]) / 1024;
  assert.ok(peak < 150, `${peak} MiB at the peak`);
  let answers = 0;
  let rest = '';
  socket.on('data', (bytes) => {
    const text = rest + bytes.toString('latin1');
    answers += text.split('HTTP/1.1 200 OK\r\n').length - 1;
    rest = text.slice(-16); // shorter than what is looked for
  });
  socket.resume();
  await waitFor('every answer', () => answers === count);
});

it('many subscriptions under ids of their own do not multiply a long message in memory', async (t) => {
  const server = await serverFor(t);
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const greedy = [];
  for (let n = 0; n < 20; ++n) {
    const client = await clientFor(t, server, user);
    for (let s = 0; s < 63; ++s) client.send('SUBSCRIBE', { destination: `/sub/channel/${room}`, id: `${n}-${s}` });
    await client.subscribe(`/sub/channel/${room}`, `${n}-last`);
    client.ws.pause();
    greedy.push(client);
  }
  const reader = await memberFor(t, server, user, room);
  const writer = await clientFor(t, server, user);
  const text = 'x'.repeat(60_000);
  await Promise.all(Array.from({ length: 16 }, () => writer.post(room, text)));
  for (let id = 1; id <= 16; ++id) assert.equal((await reader.message('room')).body.id, id);
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)[1]) / 1024;
  assert.ok(peak < 400, `${peak} MiB at the peak, for 1.2 GiB that were to be sent`);
});

it('the count is right again after one who came and went within one interval', async (t) => {
  const server = await serverFor(t, { args: ['--presence-interval', '300ms'] });
  const entry = async (client) => {
    await client.subscribe('/sub/channel/entry', 'entry');
  };
  const first = await clientFor(t, server, await newUser(server));
  await entry(first);
  const second = await clientFor(t, server, await newUser(server));
  await entry(second);
  first.drop();
  await second.take('MESSAGE', 'the count 1', (f) => f.headers.subscription === 'entry' && f.body === '1');
});
