// STOMP over plain TCP (stomp_listen): the same sessions as over WebSocket, with stompit, a client
// package that speaks nothing else, and with bare sockets.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { it } from 'node:test';
import stompit from 'stompit';
import { StompTcp, clientFor, memberFor } from './clients.mjs';
import {
  Inbox, assertRefusal, bearer, freePort, history, metric, newRoom, newUser, request, runToEnd, serverFor,
  waitFor, within,
} from './harness.mjs';

const text = 'Hello, 안녕하세요 👩‍👩‍👧‍👦 "quoted" \\ back\u2028slash\tand: colon\nnew line é e\u0301';

async function tcpServer(t, args = []) {
  const stompPort = await freePort();
  const server = await serverFor(t, { args: ['--stomp-listen', `127.0.0.1:${stompPort}`, ...args] });
  return Object.assign(server, { stompPort });
}

async function stompitClient(t, server, connectHeaders) {
  const client = await new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: server.stompPort, connectHeaders: { host: 'h', ...connectHeaders } };
    stompit.connect(options, (error, connected) => (error ? reject(error) : resolve(connected)));
  });
  t.after(() => client.destroy());
  const inbox = new Inbox();
  client.on('error', (error) => inbox.end(error.message));
  return {
    client,
    subscribe: (destination) =>
      client.subscribe({ destination }, (error, message) => {
        if (error) return;
        message.readString('utf-8', (problem, body) => inbox.push({ destination, body, headers: message.headers }));
      }),
    send: (body) =>
      new Promise((resolve) => client.sendString({ destination: '/pub/chat' }, body, { onReceipt: resolve })),
    take: (destination) => inbox.take(destination, (item) => item.destination === destination),
  };
}

it('stompit in one conversation, with the token as passcode or Authorization', async (t) => {
  const server = await tcpServer(t);
  const [user, other] = [await newUser(server), await newUser(server)];
  const room = await newRoom(server, other);
  const witness = await memberFor(t, server, other, room);
  const channel = `/sub/channel/${room}`;
  for (const [round, headers] of [
    { login: 'anybody', passcode: user.token },
    { ...bearer(user.token), 'heart-beat': '5000,5000' },
  ].entries()) {
    const { client, subscribe, send, take } = await stompitClient(t, server, headers);
    subscribe('/user/queue/errors');
    const subscription = subscribe(channel);
    await within('a receipt', send(JSON.stringify({ roomId: room, message: text })));
    const heard = await take(channel);
    const message = JSON.parse(heard.body);
    assert.equal(message.message, text);
    assert.equal(message.senderId, user.id);
    assert.equal(heard.headers['content-type'], 'application/json');
    assert.deepEqual((await witness.message('room')).body, message);

    await witness.post(room, `답장 ${text}`);
    assert.equal(JSON.parse((await take(channel)).body).message, `답장 ${text}`);

    // Over many segments in both directions.
    const long = '가나다라'.repeat(5_000);
    await within('a receipt', send(JSON.stringify({ roomId: room, message: long })));
    assert.ok(JSON.parse((await take(channel)).body).message === long);

    client.sendString({ destination: '/pub/chat' }, '{}');
    assertRefusal(JSON.parse((await take('/user/queue/errors')).body), 'INVALID_MESSAGE_FORMAT');
    subscription.unsubscribe();
    await within('the end', new Promise((resolve) => client.disconnect(resolve)));
    assert.equal((await history(server, user, room)).length, 3 * (round + 1));
    for (let n = 0; n < 2; ++n) await witness.message('room');
  }
  assert.equal(await metric(server, 'stomp_connections_total'), 2);
});

it('stompit is told why it may not come in', async (t) => {
  const server = await tcpServer(t);
  await assert.rejects(stompitClient(t, server, { passcode: 'guest' }), /token/);
  await assert.rejects(stompitClient(t, server, {}), /Authorization/);
});

it('is off by default', async (t) => {
  const server = await serverFor(t);
  assert.doesNotMatch(server.log(), /stomp:/);
  assert.equal(await metric(server, 'stomp_connections_total'), 0);
});

it('refuses to start where it cannot listen, and names the setting', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const address = `127.0.0.1:${taken.address().port}`;
  const listen = ['--listen', `127.0.0.1:${await freePort()}`];
  for (const [value, expected] of [[address, /in use/i], ['127.0.0.1', /HOST:PORT/]]) {
    const { code, stderr } = await runToEnd([...listen, '--stomp-listen', value]);
    assert.equal(code, 2);
    assert.match(stderr, /stomp_listen: /);
    assert.match(stderr, expected);
  }
  taken.close();
});

it('people over TCP, WebSocket and SockJS are in one room', async (t) => {
  const server = await tcpServer(t);
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const members = [];
  for (const options of [{ over: 'tcp' }, {}, { path: '/connect', sockjs: true }, { over: 'polls' }]) {
    members.push(await memberFor(t, server, user, room, options));
  }
  // One body beyond the size from which all share one tail, and one below.
  for (const [n, message] of [text, text.repeat(40)].entries()) {
    await members[0].post(room, message);
    for (const member of members) {
      const { body } = await member.message('room');
      assert.equal(body.message, message);
      assert.equal(body.id, n + 1);
    }
  }
});

it('frames in any pieces, and many at once', async (t) => {
  const server = await tcpServer(t);
  const user = await newUser(server);
  const client = await clientFor(t, server, user, { over: 'tcp' });
  client.socket.setNoDelay(true);
  for (const byte of Buffer.from('BEGIN\ntransaction:안녕\nreceipt:👋\n\n\0')) {
    await new Promise((resolve) => client.socket.write(Buffer.of(byte), resolve));
  }
  await client.take('RECEIPT', 'the receipt', (frame) => frame.headers['receipt-id'] === '👋');
  const pair = (n) => `ABORT\ntransaction:안녕\nreceipt:${n}\n\n\0\n\nBEGIN\ntransaction:안녕\n\n\0`;
  client.sendRaw(Array.from({ length: 400 }, (_, n) => pair(n)).join(''));
  for (let n = 0; n < 400; ++n) {
    assert.equal((await client.take('RECEIPT')).headers['receipt-id'], String(n));
  }
});

it('the bounds of frames hold, and the ERROR arrives before the end', async (t) => {
  const server = await tcpServer(t, ['--stomp-body-bytes-max', '1MiB', '--websocket-message-bytes-max', '2MiB']);
  const user = await newUser(server);
  const body = (bytes) => `SEND\ndestination:/pub/chat\nreceipt:r\n\n${'x'.repeat(bytes)}\0`;
  const fits = await clientFor(t, server, user, { over: 'tcp' });
  await fits.subscribe('/user/queue/errors', 'errors');
  fits.sendRaw(body(1 << 20));
  const { body: refused } = await fits.message('errors');
  assertRefusal(refused, 'INVALID_MESSAGE_FORMAT');

  const beyond = await clientFor(t, server, user, { over: 'tcp' });
  beyond.sendRaw(body((1 << 20) + 1) + 'x'.repeat(4 << 20));
  const { envelope } = await beyond.refused();
  assert.equal(envelope.type, 'PAYLOAD_TOO_LARGE');
  assert.equal((await beyond.closed).reset, false);
});

it('what is not STOMP is told so and ends', async (t) => {
  const server = await tcpServer(t);
  for (const bytes of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\n', '\0']) {
    const client = new StompTcp(server);
    await within('the connection', client.opened);
    client.sendRaw(bytes);
    const { envelope } = await client.refused();
    assert.equal(envelope.type, 'INVALID_MESSAGE_FORMAT');
  }
  const silent = await tcpServer(t, ['--connect-timeout', '300ms']);
  const client = new StompTcp(silent);
  const { envelope } = await client.refused();
  assert.equal(envelope.type, 'CONNECTION_TIMEOUT');
});

it('DISCONNECT is answered after all before it, and ends', async (t) => {
  const server = await tcpServer(t);
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const client = await clientFor(t, server, user, { over: 'tcp' });
  const body = JSON.stringify({ roomId: room, message: text });
  for (let n = 0; n < 50; ++n) client.send('SEND', { destination: '/pub/chat', receipt: `s${n}` }, body);
  client.send('DISCONNECT', { receipt: 'bye' });
  client.send('SEND', { destination: '/pub/chat', receipt: 'late' }, body);
  await within('the end', client.closed);
  const ids = client.frames.rest().map((frame) => frame.headers['receipt-id']);
  assert.deepEqual(ids, [...Array.from({ length: 50 }, (_, n) => `s${n}`), 'bye']);
  assert.equal((await history(server, user, room)).length, 50);
});

it('heart-beats go both ways, and who promised some and falls silent is cut off', async (t) => {
  // Who beats more often than that is late by two intervals only where the machine stands still as long.
  const server = await tcpServer(t, ['--heart-beat-interval', '3s']);
  const user = await newUser(server);
  const silent = new StompTcp(server);
  t.after(() => silent.drop());
  await silent.connect(user, { 'heart-beat': '3000,3000' });
  const beating = setInterval(() => silent.sendRaw('\n'), 50);
  t.after(() => clearInterval(beating));
  await waitFor('heart-beats', () => silent.heartBeats >= 3);
  assert.deepEqual(silent.frames.rest(), []);
  clearInterval(beating);
  const { envelope } = await silent.refused();
  assert.equal(envelope.type, 'CONNECTION_TIMEOUT');
});

it('who promised none may be silent, and is asked by the kernel', async (t) => {
  const server = await tcpServer(t, ['--ping-interval', '1s', '--heart-beat-interval', '200ms']);
  const user = await newUser(server);
  const quiet = new StompTcp(server);
  t.after(() => quiet.drop());
  await quiet.connect(user, { 'heart-beat': '0,200' });
  // Silent for longer than a WebSocket that answers no pings may be.
  await waitFor('three seconds of heart-beats', () => quiet.heartBeats >= 15);
  assert.deepEqual(quiet.frames.rest(), []);
  await quiet.subscribe('/user/queue/errors', 'errors');
  // Whose timer runs is in the sixth column: 02 is keepalive (proc(5), net/tcp).
  const port = (number) => number.toString(16).toUpperCase().padStart(4, '0');
  const ends = `:${port(server.stompPort)} 0100007F:${port(quiet.socket.localPort)} 01`;
  await waitFor('the keepalive timer', async () => {
    const line = (await readFile('/proc/net/tcp', 'utf8')).split('\n').find((each) => each.includes(ends));
    return line.trim().split(/\s+/)[5].startsWith('02:');
  });
});

it('a client killed with -9 is gone at once, and what it had sent is stored', async (t) => {
  const server = await tcpServer(t);
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const script = `
    const socket = require('net').connect(${server.stompPort}, '127.0.0.1');
    socket.write('CONNECT\\naccept-version:1.2\\nhost:h\\npasscode:${user.token}\\n\\n\\0');
    socket.write('SEND\\ndestination:/pub/chat\\nreceipt:r\\n\\n{"roomId":"${room}","message":"안녕"}\\0SEND\\nhalf:');
    socket.on('data', (data) => String(data).includes('RECEIPT') && console.log('stored'));`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await within('the receipt', once(child.stdout, 'data'));
  assert.equal(await metric(server, 'sessions'), 1);
  child.kill('SIGKILL');
  await waitFor('the session to end', async () => (await metric(server, 'sessions')) === 0);
  await waitFor('the connection to end', async () => (await metric(server, 'connections')) === 1); // ours
  assert.equal((await history(server, user, room)).length, 1);
});

it('a reader that stands still is told, closed and counted', async (t) => {
  const server = await tcpServer(t, ['--outbox-bytes-max', '256KiB']);
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const stalled = await memberFor(t, server, user, room, { over: 'tcp' });
  const writer = await clientFor(t, server, user);
  stalled.socket.pause();
  await waitFor('the slow reader to be closed', async () => {
    await Promise.all(Array.from({ length: 20 }, () => writer.post(room, 'x'.repeat(60_000))));
    return (await metric(server, 'slow_consumers_total')) === 1;
  });
  stalled.socket.resume();
  const { envelope } = await stalled.refused();
  assert.equal(envelope.type, 'SERVER_OVERLOAD');
  const ids = stalled.frames.rest().filter((frame) => frame.headers.subscription === 'room');
  ids.forEach((frame, n) => assert.equal(Number(frame.headers.id), n + 1));
});

it('connections of an address are bounded together with those of HTTP', async (t) => {
  const server = await tcpServer(t, ['--rate-exempt', '', '--connections-per-address-max', '2']);
  // Asked from another address; and the connections of the start are to be gone.
  const elsewhere = { localAddress: '127.0.0.2' };
  const { json } = await request(server, '/init', elsewhere);
  const user = { token: json.response };
  await waitFor('the connections to end', async () =>
    /^realtimechat_connections 1$/m.test((await request(server, '/metrics', elsewhere)).raw));
  const first = await clientFor(t, server, user, { over: 'tcp' });
  const second = await clientFor(t, server, user);
  const third = new StompTcp(server);
  const error = await third.take('ERROR');
  assert.match(error.headers.message, /too many/);
  await within('the end', third.closed);
  second.drop();
  await waitFor('a place', async () => {
    const again = new StompTcp(server);
    t.after(() => again.drop());
    return again.connect(user).then(() => true, () => false);
  });
  await first.subscribe('/user/queue/errors', 'errors');
});

it('connections an address makes are rated together with its requests', async (t) => {
  const args = ['--rate-exempt', '', '--request-rate-max', '1', '--request-burst-max', '5'];
  const server = await tcpServer(t, args);
  await waitFor('a refusal', async () => {
    const client = new StompTcp(server);
    t.after(() => client.drop());
    await within('the connection', client.opened);
    client.send('HELLO');
    return (await client.take('ERROR')).headers.message.startsWith('too many');
  });
});

it('a server that goes down says when to come back, after what it accepted is stored', async (t) => {
  const server = await tcpServer(t);
  const user = await newUser(server);
  const client = await clientFor(t, server, user, { over: 'tcp' });
  process.kill(server.pid, 'SIGTERM');
  const error = await client.take('ERROR');
  assert.match(error.headers.message, /^restarting; retry-after-ms=\d+$/);
  assert.equal((await within('the end', client.closed)).reset, false);
});
