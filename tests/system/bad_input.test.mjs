// Whatever is wrong with what one client sends: a clear answer to that client, and nobody else
// notices. After every test here a bystander, connected all the time, looks whether that held.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { StompSocket, clientFor, frameText, memberFor, overSocket } from './clients.mjs';
import {
  Server, assertRefusal, bearer, mintToken, newRoom, newUser, postRaw, request, within,
} from './harness.mjs';

const secret = 'a secret of the tests, longer than thirty-two bytes';
const nowhere = '00000000-0000-4000-8000-000000000000';
const server = new Server({ env: { RTC_TOKEN_SECRET: secret } });
let user;
let room;
let bystander;
let spoken = 0;

async function bystanderNoticedNothing() {
  await bystander.post(room, `still here ${++spoken}`);
  const { body } = await bystander.message('room');
  assert.equal(body.message, `still here ${spoken}`);
  assert.equal(body.id, spoken, 'nothing else was written into the room');
  assert.deepEqual(bystander.frames.rest(), []);
  assert.equal((await request(server, '/healthz')).status, 200);
}

describe('bad input', () => {
  before(async () => {
    await server.start();
    user = await newUser(server);
    const owner = await newUser(server);
    room = await newRoom(server, owner);
    bystander = new StompSocket(server);
    await bystander.connect(owner);
    await bystander.subscribe('/user/queue/errors', 'errors');
    await bystander.subscribe(`/sub/channel/${room}`, 'room');
  });
  after(async () => {
    await bystander?.close();
    await server.stop();
  });
  afterEach(bystanderNoticedNothing);

  describe('over HTTP', () => {
    it('an unknown path is 404', async () => {
      for (const target of ['/no/such/path', '/messages', '/init/', '/chatroom/other', '//init']) {
        const { status, json } = await request(server, target, { headers: bearer(user.token) });
        assert.equal(status, 404, target);
        assertRefusal(json, 'NOT_FOUND');
      }
    });

    it('a wrong method is 405 and says which are right', async () => {
      for (const [method, target, allowed] of [
        ['DELETE', '/init', 'GET'],
        ['POST', '/message', 'GET'],
        ['PUT', '/chatroom', 'POST'],
        ['PUT', '/chatroom/private', 'POST'],
        ['POST', '/chatroom/room', 'GET'],
        ['POST', '/healthz', 'GET'],
        ['POST', '/', 'GET'],
      ]) {
        const { status, headers, json } = await request(server, target, { method, headers: bearer(user.token) });
        assert.equal(status, 405, `${method} ${target}`);
        assert.ok((headers.allow ?? '').split(/,\s*/).includes(allowed), `${method} ${target}: ${headers.allow}`);
        assertRefusal(json, 'METHOD_NOT_ALLOWED');
      }
    });

    it('too long a path is 414', async () => {
      const { status } = await request(server, `/message?roomId=${'x'.repeat(5_000)}`);
      assert.equal(status, 414);
    });

    it('too long a header block is 431', async () => {
      for (const headers of [
        { 'X-Long': 'x'.repeat(17_000) },
        Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`X-Long-${n}`, 'x'.repeat(500)])),
      ]) {
        assert.equal((await request(server, '/init', { headers })).status, 431);
      }
    });

    it('too long a body is 413, announced or not', async () => {
      const body = JSON.stringify({ name: 'x'.repeat(70_000) });
      const announced = await postRaw(server, user, '/chatroom', body);
      assert.equal(announced.status, 413);
      assertRefusal(announced.json, 'PAYLOAD_TOO_LARGE');
      const size = body.length.toString(16);
      const head = `POST /chatroom HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${user.token}\r\n`;
      const answer = await overSocket(
        server,
        `${head}Transfer-Encoding: chunked\r\n\r\n${size}\r\n${body}\r\n0\r\n\r\n`,
        (text) => text.includes('\r\n\r\n'),
      );
      assert.match(answer, /^HTTP\/1\.1 413 /);
    });

    it('what is no HTTP is 400 and the end of the connection', async () => {
      for (const bytes of [
        'GET /init HTTP/1.1\r\n\r\n',
        'GET /init HTTP/1.1\r\nno colon here\r\n\r\n',
        'POST /chatroom HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n',
        'POST /chatroom HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n',
      ]) {
        assert.match(await overSocket(server, bytes), /^HTTP\/1\.[01] 400 /, JSON.stringify(bytes));
      }
    });

    it('lines that end in LF only, and two hosts, are 400 with a word about it', async () => {
      for (const [bytes, why] of [
        ['GET /init HTTP/1.1\nHost: a\n\n', /without CR LF/],
        ['GET /init HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', /more than one header Host/],
      ]) {
        const answer = await overSocket(server, bytes);
        assert.match(answer, /^HTTP\/1\.1 400 /);
        assert.match(answer, why);
      }
    });

    it('an address as the target is its path, and its host counts', async () => {
      const own = (Origin) =>
        overSocket(server, `GET http://chat.example/healthz HTTP/1.1\r\nHost: other\r\nOrigin: ${Origin}\r\nConnection: close\r\n\r\n`);
      const answer = await own('http://chat.example');
      assert.match(answer, /^HTTP\/1\.1 200 /);
      assert.match(answer, /^Access-Control-Allow-Origin: http:\/\/chat\.example\r$/m);
      assert.doesNotMatch(await own('http://other'), /Access-Control-Allow-Origin/);
    });

    it('an empty line before a request is skipped', async () => {
      const get = 'GET /healthz HTTP/1.1\r\nHost: a\r\n';
      const answer = await overSocket(server, `\r\n${get}\r\n\r\n${get}Connection: close\r\n\r\n`);
      assert.equal(answer.match(/^HTTP\/1\.1 200 /gm)?.length, 2, answer);
    });

    it('a page of another origin can read why its request was refused', async () => {
      const Origin = 'http://localhost:5500';
      const head = `POST /chatroom HTTP/1.1\r\nHost: a\r\nOrigin: ${Origin}\r\n`;
      for (const [rest, status] of [
        ['Content-Length: 70000\r\n\r\n', 413],
        ['Transfer-Encoding: gzip\r\n\r\n', 501],
        ['Host: b\r\n\r\n', 400],
      ]) {
        const answer = await overSocket(server, head + rest);
        assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
        assert.ok(answer.includes(`\r\nAccess-Control-Allow-Origin: ${Origin}\r\n`), answer);
      }
    });

    it('another HTTP version is 505', async () => {
      for (const bytes of ['GET /init HTTP/9.9\r\nHost: a\r\n\r\n', 'GET /init HTTP/2.0\r\nHost: a\r\n\r\n']) {
        assert.match(await overSocket(server, bytes), /^HTTP\/1\.[01] 505 /, JSON.stringify(bytes));
      }
    });

    it('a target with a broken escape is refused', async () => {
      for (const target of ['/message?roomId=%zz', '/%', '/%2']) {
        const { status, json } = await request(server, target, { headers: bearer(user.token) });
        assert.equal(status, 400, target);
        assertRefusal(json, 'INVALID_PARAMETER');
      }
    });

    it('half a request is not waited for without end', async (t) => {
      const hasty = new Server({ args: ['--request-timeout', '1s'] });
      t.after(() => hasty.stop());
      await hasty.start();
      const answer = await overSocket(hasty, 'GET /init HTTP/1.1\r\nHost: a\r\n');
      assert.match(answer, /^($|HTTP\/1\.1 408 )/);
    });
  });

  describe('in the WebSocket handshake', () => {
    const upgrade = (change) => ({
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...change,
    });
    const handshake = (headers, method = 'GET', target = '/ws') => {
      const lines = Object.entries({ Host: 'localhost', ...headers })
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name}: ${value}\r\n`);
      return overSocket(server, `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, (text) => text.includes('\r\n\r\n'));
    };

    it('all is well without a fault', async () => {
      const answer = await handshake(upgrade({}));
      assert.match(answer, /^HTTP\/1\.1 101 /);
      assert.match(answer, /s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
    });
    it('a missing or malformed key is 400', async () => {
      for (const key of [undefined, 'short', 'not base64 at all!!!!===']) {
        assert.match(await handshake(upgrade({ 'Sec-WebSocket-Key': key })), /^HTTP\/1\.1 400 /, key);
      }
    });
    it('another version is 426 and says which is right', async () => {
      const answer = await handshake(upgrade({ 'Sec-WebSocket-Version': '8' }));
      assert.match(answer, /^HTTP\/1\.1 426 /);
      assert.match(answer, /^Sec-WebSocket-Version: 13\r$/im);
    });
    it('a plain GET of /ws is refused', async () => {
      const { status } = await request(server, '/ws');
      assert.ok(status === 400 || status === 426, `status ${status}`);
    });
    it('a page of a foreign origin is refused', async () => {
      for (const Origin of ['http://evil.example', 'http://localhost:5501', 'null']) {
        for (const target of ['/ws', '/connect/000/abc/websocket']) {
          assert.match(await handshake(upgrade({ Origin }), 'GET', target), /^HTTP\/1\.1 403 /, Origin);
        }
      }
      const own = upgrade({ Origin: 'http://localhost' });
      assert.match(await handshake(own), /^HTTP\/1\.1 101 /, 'its own page');
    });
    it('an unknown SockJS path is 404', async () => {
      for (const target of ['/connect/a/b/nothing', '/connect/a', '/connect/a.b/c/websocket', '/connect//c/websocket']) {
        assert.match(await handshake(upgrade({}), 'GET', target), /^HTTP\/1\.1 404 /, target);
      }
    });
  });

  describe('in WebSocket frames', () => {
    const masked = (first, payload) =>
      Buffer.concat([Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]), Buffer.from(payload)]);
    const length64 = (bytes) => {
      const head = Buffer.alloc(14);
      head.set([0x81, 0xff]);
      head.writeBigUInt64BE(BigInt(bytes), 2);
      return head;
    };
    const faults = {
      'an unmasked frame': [Buffer.from([0x81, 2, 0x68, 0x69]), 1002],
      'a reserved bit': [masked(0xc1, 'hi'), 1002],
      'an unknown opcode': [masked(0x83, 'hi'), 1002],
      'a continuation of nothing': [masked(0x80, 'hi'), 1002],
      'a fragmented control frame': [masked(0x09, 'hi'), 1002],
      'a new message within a message': [Buffer.concat([masked(0x01, 'a'), masked(0x81, 'b')]), 1002],
      'a close frame of one byte': [masked(0x88, 'x'), 1002],
      'a close code that nobody may send': [masked(0x88, [0x03, 0xee]), 1002],
      'invalid UTF-8': [masked(0x81, [0x61, 0xff, 0xfe]), 1007],
      'an overlong UTF-8 sequence': [masked(0x81, [0xc0, 0xaf]), 1007],
      'a surrogate as UTF-8': [masked(0x81, [0xed, 0xa0, 0x80]), 1007],
      'a message longer than 1 MiB': [length64(2 ** 20 + 1), 1009],
      'a length with the highest bit': [
        Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]), [1002, 1009],
      ],
    };
    for (const [name, [bytes, expected]] of Object.entries(faults)) {
      it(name, async (t) => {
        const client = await clientFor(t, server, user);
        client.ws._socket.write(bytes);
        const { code } = await within(`the close after ${name}`, client.closed);
        assert.ok([expected].flat().includes(code), `closed with ${code}, expected ${expected}`);
      });
    }

    it('an oversize message that is really sent', async (t) => {
      const client = await clientFor(t, server, user);
      client.sendRaw(Buffer.alloc(2 ** 20 + 1, 'x'));
      const { code } = await within('the close', client.closed);
      assert.equal(code, 1009);
    });

    it('a connection that breaks in the middle of a frame', async (t) => {
      const client = await clientFor(t, server, user);
      client.ws._socket.write(length64(1000));
      client.drop();
      await client.closed;
    });

    it('what is no SockJS', async (t) => {
      for (const text of ['{', '{"a":1}', '[1]', '["a"', 'plain']) {
        const client = new StompSocket(server, { path: '/connect', sockjs: true });
        t.after(() => client.drop());
        await client.connect(user);
        client.ws.send(text);
        await within(`the close after ${text}`, client.closed);
      }
    });
  });

  describe('in CONNECT', () => {
    const refusedConnect = async (t, headers, types, command = 'CONNECT') => {
      const client = new StompSocket(server);
      t.after(() => client.drop());
      await client.opened;
      client.send(command, { 'accept-version': '1.2', host: 'localhost', ...headers });
      const { error, envelope } = await client.refused();
      assertRefusal(envelope, ...types);
      assert.ok(error.headers.message.length > 0);
      return error;
    };
    const noToken = ['NO_TOKEN', 'UNAUTHORIZED_ACCESS', 'INVALID_TOKEN'];
    const badToken = ['INVALID_TOKEN', 'UNAUTHORIZED_ACCESS'];

    for (const command of ['CONNECT', 'STOMP']) {
      it(`${command} without a token`, async (t) => {
        await refusedConnect(t, {}, noToken, command);
        await refusedConnect(t, { Authorization: 'Bearer null' }, noToken, command);
        await refusedConnect(t, { Authorization: '' }, noToken, command);
      });
      it(`${command} with a bad token`, async (t) => {
        const forged = mintToken('some other secret, also longer than 32 bytes', user.claims);
        const unsigned = mintToken(secret, user.claims, { alg: 'none', typ: 'JWT' });
        for (const token of ['nonsense', forged, unsigned, `${user.token}x`]) {
          await refusedConnect(t, bearer(token), badToken, command);
        }
        await refusedConnect(t, { Authorization: user.token.slice(0, 50) }, [...badToken, ...noToken], command);
      });
      it(`${command} with an expired token`, async (t) => {
        const { iat, nbf } = user.claims;
        const old = mintToken(secret, { ...user.claims, iat: iat - 200, nbf: nbf - 200, exp: iat - 100 });
        await refusedConnect(t, bearer(old), ['EXPIRED_TOKEN'], command);
      });
    }

    it('no version in common', async (t) => {
      const error = await refusedConnect(
        t, { ...bearer(user.token), 'accept-version': '3.0' }, ['INVALID_PARAMETER', 'SOCKET_ERROR', 'INVALID_MESSAGE_FORMAT'],
      );
      assert.match(error.headers.version, /1\.2/);
    });

    it('another command before it', async (t) => {
      for (const command of ['SEND', 'SUBSCRIBE', 'DISCONNECT']) {
        const client = new StompSocket(server);
        t.after(() => client.drop());
        await client.opened;
        client.send(command, { destination: `/sub/channel/${room}`, id: 'x' });
        const { envelope } = await client.refused();
        assert.equal(envelope.success, false);
      }
    });

    it('a second one', async (t) => {
      const client = await clientFor(t, server, user);
      client.send('CONNECT', { 'accept-version': '1.2', host: 'localhost', ...bearer(user.token) });
      assert.equal((await client.refused()).envelope.success, false);
    });

    it('a client that never sends it', async (t) => {
      const hasty = new Server({ args: ['--connect-timeout', '100ms'] });
      t.after(() => hasty.stop());
      await hasty.start();
      const client = new StompSocket(hasty);
      t.after(() => client.drop());
      await within('the close', client.closed);
    });
  });

  describe('in STOMP frames', () => {
    const destination = '/pub/chat';
    const faults = {
      'an unknown command': 'SHOUT\n\n\0',
      'a header without a colon': `SEND\ndestination:${destination}\nnonsense\n\n\0`,
      'an unknown escape': `SEND\ndestination:${destination}\nx:a\\tb\n\n\0`,
      'a content-length that is no number': `SEND\ndestination:${destination}\ncontent-length:many\n\n\0`,
      'a content-length that is negative': `SEND\ndestination:${destination}\ncontent-length:-1\n\n\0`,
      'no NUL where content-length ends': `SEND\ndestination:${destination}\ncontent-length:2\n\nabcd\0`,
      'SEND without a destination': frameText('SEND', {}, '{}'),
      'SUBSCRIBE without a destination': frameText('SUBSCRIBE', { id: '1' }),
      'SUBSCRIBE without an id': frameText('SUBSCRIBE', { destination: '/sub/channel/entry' }),
      'UNSUBSCRIBE without an id': frameText('UNSUBSCRIBE'),
      'a body where none may be': frameText('SUBSCRIBE', { destination: '/sub/channel/entry', id: '1' }, 'body'),
      'a frame that only servers send': frameText('MESSAGE', { destination, 'message-id': '1', subscription: '1' }, '{}'),
      'too long a header': frameText('SEND', { destination, x: 'x'.repeat(20_000) }, '{}'),
      'too many headers': frameText('SEND', { destination, ...Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`x${n}`, n])) }, '{}'),
      'too long a body': frameText('SEND', { destination }, 'x'.repeat(600_000)),
    };
    for (const [name, text] of Object.entries(faults)) {
      for (const options of [{}, { path: '/connect', sockjs: true }]) {
        it(`${name}${options.sockjs ? ', over SockJS' : ''}`, async (t) => {
          const client = await memberFor(t, server, user, room, options);
          client.sendRaw(text);
          const { error, envelope, code } = await client.refused();
          assert.equal(envelope.success, false);
          assert.equal(typeof envelope.type, 'string');
          assert.ok(envelope.error.message.length > 0);
          assert.ok(error.headers.message.length > 0);
          assert.ok(code === 1000 || (code >= 1002 && code <= 1009 && code !== 1006), `closed with ${code}`);
        });
      }
    }
  });

  describe('in what a frame asks for', () => {
    const json = (value) => JSON.stringify(value);
    const chat = (value) => ['SEND', { destination: '/pub/chat' }, typeof value === 'string' ? value : json(value)];
    const format = ['INVALID_MESSAGE_FORMAT', 'INVALID_PARAMETER'];
    const forbidden = ['FORBIDDEN_ACTION', 'FORBIDDEN_ACCESS', 'UNAUTHORIZED_ACCESS'];
    const unknown = ['INVALID_PARAMETER', 'NOT_FOUND', 'FORBIDDEN_ACTION'];
    const noRoom = ['NOT_FOUND_CHATROOM'];
    // Functions, because user and room are not there before the server is.
    const faults = {
      'an unknown SEND destination': [() => ['SEND', { destination: '/pub/nothing' }, '{}'], unknown],
      'an unknown SUBSCRIBE destination': [() => ['SUBSCRIBE', { destination: '/sub/nothing', id: 'x' }], unknown],
      'SEND straight to subscribers': [
        () => ['SEND', { destination: `/sub/channel/${room}` }, json({ roomId: room, message: 'x' })], forbidden,
      ],
      'SEND to the count': [() => ['SEND', { destination: '/sub/channel/entry' }, '99'], forbidden],
      'SEND to an error queue': [() => ['SEND', { destination: '/user/queue/errors' }, '{}'], [...forbidden, ...unknown]],
      'SEND to an unknown room': [() => chat({ roomId: nowhere, message: 'x' }), noRoom],
      'SUBSCRIBE to an unknown room': [() => ['SUBSCRIBE', { destination: `/sub/channel/${nowhere}`, id: 'x' }], noRoom],
      'SUBSCRIBE to what is no room': [() => ['SUBSCRIBE', { destination: '/sub/channel/nonsense', id: 'x' }], [...noRoom, ...unknown]],
      'a room that is no UUID': [() => chat({ roomId: 'lobby', message: 'x' }), [...format, ...noRoom]],
      'no room': [() => chat({ message: 'x' }), format],
      'no message': [() => chat({ roomId: room }), format],
      'a message that is no text': [() => chat({ roomId: room, message: 7 }), format],
      'an empty message': [() => chat({ roomId: room, message: '' }), format],
      'a blank message': [() => chat({ roomId: room, message: ' \t\n\u3000' }), format],
      'too long a message': [() => chat({ roomId: room, message: 'x'.repeat(65_537) }), [...format, 'PAYLOAD_TOO_LARGE']],
      'too long a message in Korean': [() => chat({ roomId: room, message: '가'.repeat(21_846) }), [...format, 'PAYLOAD_TOO_LARGE']],
      'no JSON': [() => chat('hello'), format],
      'half a JSON': [() => chat('{"roomId":'), format],
      'an array': [() => chat('[]'), format],
      'no body': [() => chat(''), format],
      'JSON too deep to be meant': [() => chat('['.repeat(100_000)), format],
      'half a surrogate pair': [() => chat(`{"roomId":"${room}","message":"\\ud83d"}`), format],
    };
    for (const [name, [make, types]] of Object.entries(faults)) {
      it(`${name}: told on the error queue, and the session goes on`, async (t) => {
        const client = await clientFor(t, server, user);
        await client.subscribe('/user/queue/errors', 'errors');
        const [command, headers, body] = make();
        client.send(command, { ...headers, receipt: 'asked' }, body);
        const refused = await client.message('errors');
        assertRefusal(refused.body, ...types);
        assert.equal(refused.headers['receipt-id'], 'asked');
        // The next receipt is the next frame's: the refused one gets none, and nothing else came.
        await client.subscribe('/sub/channel/entry', 'entry');
        assert.ok(!client.frames.rest().some((frame) => frame.command === 'RECEIPT'));
      });
    }

    it('without an error queue: ERROR and the end of the session', async (t) => {
      const client = await clientFor(t, server, user);
      client.send('SEND', { destination: '/pub/chat', receipt: 'asked' }, json({ roomId: nowhere, message: 'x' }));
      const { error, envelope } = await client.refused();
      assertRefusal(envelope, 'NOT_FOUND_CHATROOM');
      assert.equal(error.headers['receipt-id'], 'asked');
    });

    it('a token of another identity, or a broken one, in SEND', async (t) => {
      const other = await newUser(server);
      const client = await clientFor(t, server, user);
      await client.subscribe('/user/queue/errors', 'errors');
      for (const token of [other.token, 'nonsense']) {
        client.send('SEND', { destination: '/pub/chat', token }, json({ roomId: room, message: 'x' }));
        assertRefusal((await client.message('errors')).body, ...forbidden, 'INVALID_TOKEN');
      }
    });

    it('what a body claims about its sender does not count', async (t) => {
      const own = await newRoom(server, user);
      const client = await memberFor(t, server, user, own);
      const claims = { randId: 'somebody', nameTag: '#FFFFFF', senderId: nowhere, id: 99, ipAddress: '9.9.9.9', createdAt: 0 };
      client.send('SEND', { destination: '/pub/chat', token: user.token }, json({ roomId: own, message: 'x', ...claims }));
      const { body } = await client.message('room');
      assert.equal(body.randId, user.claims.randId);
      assert.equal(body.nameTag, user.claims.sub);
      assert.equal(body.senderId, user.id);
      assert.equal(body.id, 1);
      assert.equal(body.ipAddress, '127.0');
      assert.ok(Math.abs(new Date(body.createdAt) - Date.now()) < 60_000);
    });

    it('the longest message that is allowed', async (t) => {
      const own = await newRoom(server, user);
      const client = await memberFor(t, server, user, own);
      const message = 'x'.repeat(65_536);
      await client.post(own, message);
      assert.ok((await client.message('room')).body.message === message);
    });
  });
});
