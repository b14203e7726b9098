// permessage-deflate with a real client, what it may cost, and the bounds of control frames.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import WebSocket from 'ws';
import { lobby, newRoom, newUser, request, serverFor, waitFor, within } from './harness.mjs';
import { clientFor, memberFor } from './clients.mjs';

const mib = 1 << 20;
// The tests' own address is bounded like any other.
const strict = ['--rate-exempt', '192.0.2.1'];
// Everything that the client sends is compressed, also CONNECT.
const deflate = { threshold: 0 };

const residentMiB = async (server) =>
  Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${server.pid}/status`, 'utf8'))[1]) / 1024;

async function metric(server, name) {
  const { raw } = await request(server, '/metrics');
  return Number(new RegExp(`^realtimechat_${name} (.+)$`, 'm').exec(raw.toString())[1]);
}

describe('compressed and plain clients in one room', () => {
  it('hear the same, however each of them asked for it', async (t) => {
    const server = await serverFor(t);
    const user = await newUser(server);
    const room = await newRoom(server, user);
    const members = {};
    for (const [name, options] of Object.entries({
      plain: {},
      deflate: { deflate },
      small: { deflate: { ...deflate, serverMaxWindowBits: 9, clientMaxWindowBits: 9 } },
      sockjs: { path: '/connect', sockjs: true, deflate },
      sockjsPlain: { path: '/connect', sockjs: true },
    })) {
      members[name] = await memberFor(t, server, user, room, options);
      const agreed = members[name].ws.extensions;
      assert.equal(agreed, 'deflate' in options ? 'permessage-deflate' : '', name);
    }
    // Short and long, with what UTF-8 and JSON make of it.
    const texts = ['안녕', '👋🏽 "hello"\n', '긴 글과 emoji 👨‍👩‍👧‍👦 and English. '.repeat(500), 'x'.repeat(60_000), '끝'];
    for (const sender of Object.values(members)) {
      for (const text of texts) await sender.post(room, text);
    }
    const expected = Object.keys(members).flatMap(() => texts);
    for (const [name, member] of Object.entries(members)) {
      for (const [n, text] of expected.entries()) {
        const { body } = await member.message('room');
        assert.equal(body.id, n + 1, name);
        assert.equal(body.message, text, name);
      }
    }
    // And it was worth it.
    const read = ({ ws }) => ws._socket.bytesRead;
    assert.ok(read(members.deflate) < read(members.plain) / 10);
    assert.ok(read(members.small) < read(members.plain) / 10);
    assert.ok(read(members.sockjs) < read(members.sockjsPlain) / 10);
    // What was missed comes compressed too.
    const late = await clientFor(t, server, user, { deflate });
    await late.sendAndWait('SUBSCRIBE', { destination: `/sub/channel/${room}`, id: 'room', since: 0 });
    for (const text of expected) assert.equal((await late.message('room')).body.message, text);
    assert.ok(read(late) < read(members.plain) / 10);
  });

  it('are counted: once a message, not once a subscriber', async (t) => {
    const server = await serverFor(t, { args: ['--loops', '1'] });
    const user = await newUser(server);
    const room = await newRoom(server, user);
    const members = [];
    for (let n = 0; n < 5; ++n) members.push(await memberFor(t, server, user, room, { deflate }));
    await memberFor(t, server, user, room);
    const before = await metric(server, 'inflate_messages_total');
    assert.ok(before >= 10, 'CONNECT and SUBSCRIBE of five');
    for (const text of ['short', 'x'.repeat(20_000), 'y'.repeat(20_000)]) {
      await members[0].post(room, text);
      for (const member of members) assert.equal((await member.message('room')).body.message, text);
    }
    assert.equal(await metric(server, 'deflate_messages_total'), 2, 'the short one is not worth it');
    const [plain, compressed] = [await metric(server, 'deflate_plain_bytes_total'), await metric(server, 'deflate_compressed_bytes_total')];
    assert.ok(plain > 40_000 && plain < 42_000, `${plain}`);
    assert.ok(compressed > 0 && compressed < plain / 10, `${compressed}`);
    assert.equal(await metric(server, 'inflate_messages_total'), before + 3);
    assert.ok((await metric(server, 'inflate_plain_bytes_total')) > 40_000);
    assert.ok((await metric(server, 'inflate_compressed_bytes_total')) < 10_000);
    assert.equal(await metric(server, 'inflate_refused_total'), 0);
  });

  it('hear a topic compressed, and a queue plain', async (t) => {
    const server = await serverFor(t, { args: ['--broker', 'true'] });
    const user = await newUser(server);
    const open = (options) => clientFor(t, server, user, options);
    const members = [await open({}), await open({ deflate }), await open({ deflate }), await open({ path: '/connect', sockjs: true, deflate })];
    const read = ({ ws }) => ws._socket.bytesRead;
    for (const member of members) await member.subscribe('/topic/**', 't');
    const before = members.map(read);
    const text = '긴 글과 emoji 👨‍👩‍👧‍👦 and English. '.repeat(500);
    const bytes = Buffer.byteLength(text);
    await members[0].sendAndWait('SEND', { destination: '/topic/a', mine: 'x' }, text);
    for (const [index, member] of members.entries()) {
      const { body, headers } = await member.take('MESSAGE');
      assert.equal(body, text);
      assert.equal(headers.mine, 'x');
      assert.equal(Number(headers['content-length']), bytes);
      const cost = read(member) - before[index];
      assert.ok(index === 0 ? cost > bytes : cost < bytes / 10, `${index}: ${cost}`);
    }
    const plain = read(members[1]);
    await members[1].subscribe('/queue/a', 'q');
    await members[0].sendAndWait('SEND', { destination: '/queue/a' }, text);
    assert.equal((await members[1].take('MESSAGE')).body, text);
    assert.ok(read(members[1]) - plain > bytes);
  });

  it('when the first fragment says so and the others follow', async (t) => {
    const server = await serverFor(t);
    const user = await newUser(server);
    const member = await memberFor(t, server, user, lobby, { deflate });
    const text = '조각난 글 🧩 '.repeat(2000);
    const frame = `SEND\ndestination:/pub/chat\n\n${JSON.stringify({ roomId: lobby, message: text })}\0`;
    const bytes = Buffer.from(frame);
    for (let at = 0; at < bytes.length; at += 997) {
      const fin = at + 997 >= bytes.length;
      member.ws.send(bytes.subarray(at, at + 997), { binary: false, compress: true, fin });
      if (at % 5 === 0) member.ws.ping();
    }
    assert.equal((await member.message('room')).body.message, text);
  });

  it('is not offered when it is off', async (t) => {
    const server = await serverFor(t, { args: ['--websocket-deflate', 'false'] });
    const user = await newUser(server);
    const member = await memberFor(t, server, user, lobby, { deflate });
    assert.equal(member.ws.extensions, '');
    await member.post(lobby, 'plain');
    assert.equal((await member.message('room')).body.message, 'plain');
  });

  it('is refused when it is asked for in no known grammar', async (t) => {
    const server = await serverFor(t);
    const headers = {
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Extensions': 'permessage-deflate; =',
    };
    assert.equal((await request(server, '/ws', { headers })).status, 400);
  });
});

describe('what inflates to much', () => {
  it('ends its sender with 1009 and costs nobody else anything', async (t) => {
    const server = await serverFor(t, { args: ['--loops', '1'] });
    const user = await newUser(server);
    const member = await memberFor(t, server, user, lobby, { deflate });
    const before = await residentMiB(server);
    const bomb = Buffer.alloc(48 * mib, '\n'); // heart-beats, as far as STOMP is concerned
    const ends = [];
    for (let n = 0; n < 10; ++n) {
      const attacker = await clientFor(t, server, user, { deflate });
      attacker.ws.send(bomb, { binary: false, compress: true });
      await member.post(lobby, `still here ${n}`);
      assert.equal((await member.message('room')).body.message, `still here ${n}`);
      ends.push(await within('the bomb to be refused', attacker.closed));
    }
    assert.deepEqual(ends, Array(10).fill({ code: 1009, reason: 'the message is too big' }));
    assert.ok((await residentMiB(server)) - before < 32, 'the memory of the server stays flat');
    assert.equal(await metric(server, 'inflate_refused_total'), 10);
  });

  it('within the limit, again and again, leaves the others their turns', async (t) => {
    const server = await serverFor(t, { args: ['--loops', '1'] });
    const user = await newUser(server);
    const member = await memberFor(t, server, user, lobby, { deflate });
    const flooder = await clientFor(t, server, user, { deflate });
    const before = await residentMiB(server);
    const beats = Buffer.alloc(mib, '\n');
    // How many are posted during one flood. Where the others wait for its end that is one, every time; and
    // now and then where this process stands still until then.
    const during = async (flood) => {
      for (let n = 0; n < 200; ++n) flooder.ws.send(beats, { binary: false, compress: true });
      const done = flooder.sendAndWait('SUBSCRIBE', { destination: '/sub/channel/entry', id: `${flood}` });
      let flooding = true;
      done.then(() => (flooding = false));
      let posted = 0;
      for (; flooding; ++posted) await member.post(lobby, 'meanwhile');
      await done;
      return posted;
    };
    let posted = 0;
    for (let flood = 1; flood <= 5 && posted < 2; ++flood) posted = await during(flood);
    assert.ok(posted > 1, `${posted} messages meanwhile`);
    assert.ok((await residentMiB(server)) - before < 32, 'the memory of the server stays flat');
  });
});

describe('control frames', () => {
  it('faster than websocket_control_rate_max end the connection with 1008', async (t) => {
    const server = await serverFor(t, { args: [...strict, '--websocket-control-rate-max', '20'] });
    const user = await newUser(server);
    for (const kind of ['ping', 'pong']) {
      const flooder = await clientFor(t, server, user);
      for (let n = 0; n < 1000; ++n) flooder.ws[kind]('x');
      const { code, reason } = await within('the flood to be refused', flooder.closed);
      assert.deepEqual({ code, reason }, { code: 1008, reason: 'too many control frames' });
    }
    assert.equal(await metric(server, 'rate_limited_total'), 2);
    const polite = await clientFor(t, server, user);
    let pongs = 0;
    polite.ws.on('pong', () => (pongs += 1));
    for (let n = 0; n < 20; ++n) polite.ws.ping();
    await waitFor('the pongs', () => pongs === 20);
  });
});

describe('the conformance profile', () => {
  const echo = (server) =>
    new WebSocket(`${server.wsUrl}/websocket_echo`, { perMessageDeflate: deflate, maxPayload: 17 * mib });

  it('is not there unless it is asked for', async (t) => {
    const server = await serverFor(t);
    assert.equal((await request(server, '/websocket_echo')).status, 404);
    assert.doesNotMatch(server.log(), /CONFORMANCE/);
  });

  it('says so loudly, and echoes 16 MiB and no more', async (t) => {
    const server = await serverFor(t, { args: ['--conformance', 'true'] });
    assert.match(server.log(), /warning.*CONFORMANCE IS ON/);
    const socket = echo(server);
    t.after(() => socket.terminate());
    await within('the echo to open', new Promise((resolve) => socket.once('open', resolve)));
    const large = Buffer.alloc(16 * mib, 'sixteen MiB of something');
    const back = new Promise((resolve) => socket.once('message', resolve));
    socket.send(large);
    assert.ok(large.equals(await within('16 MiB to come back', back, 60_000)));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send(Buffer.alloc(16 * mib + 1));
    assert.equal(await within('one byte more to be refused', closed), 1009);
  });
});
