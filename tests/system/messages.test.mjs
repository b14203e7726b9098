// History: what was said in a room, page by page.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { StompSocket } from './clients.mjs';
import { Server, assertRefusal, bearer, history, lobby, newRoom, newUser, request, wholeHistory } from './harness.mjs';

describe('history', () => {
  const server = new Server({ args: ['--send-rate-max', '100000', '--send-burst-max', '100000'] });
  let user;
  let room;
  const count = 230;

  before(async () => {
    await server.start();
    user = await newUser(server);
    room = await newRoom(server, user);
    const writer = new StompSocket(server);
    await writer.connect(user);
    const written = [];
    for (let n = 1; n <= count; ++n) written.push(writer.post(room, `message ${n}`));
    await Promise.all(written);
    await writer.close();
  });
  after(() => server.stop());

  it('shows the newest first, each with what the client reads', async () => {
    const page = await history(server, user, room, { limit: 10 });
    assert.deepEqual(page.map(({ id }) => id), [230, 229, 228, 227, 226, 225, 224, 223, 222, 221]);
    const [newest] = page;
    assert.equal(newest.message, 'message 230');
    assert.equal(newest.randId, user.claims.randId);
    assert.equal(newest.nameTag, user.claims.sub);
    assert.equal(newest.senderId, user.id);
    assert.equal(newest.ipAddress, '127.0');
    assert.ok(Math.abs(new Date(newest.createdAt) - Date.now()) < 120_000, newest.createdAt);
  });

  it('pages back to the beginning without a hole or a repeat', async () => {
    for (const limit of [7, 50, 100]) {
      const ids = (await wholeHistory(server, user, room, limit)).map(({ id }) => id);
      assert.deepEqual(ids, Array.from({ length: count }, (_, n) => count - n), `limit ${limit}`);
    }
    assert.deepEqual(await history(server, user, room, { before: 1 }), []);
  });

  it('begins anywhere, also beyond the newest', async () => {
    const ids = (page) => page.map(({ id }) => id);
    assert.deepEqual(ids(await history(server, user, room, { before: 4, limit: 2 })), [3, 2]);
    for (const before of [2 ** 53 - 1, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, 10n ** 40n]) {
      assert.deepEqual(ids(await history(server, user, room, { before, limit: 1 })), [count], `${before}`);
    }
  });

  it('clamps the limit to 1..100', async () => {
    assert.equal((await history(server, user, room, { limit: 1 })).length, 1);
    assert.equal((await history(server, user, room, { limit: 0 })).length, 1);
    assert.equal((await history(server, user, room, { limit: 100 })).length, 100);
    assert.equal((await history(server, user, room, { limit: 1_000_000 })).length, 100);
    assert.equal((await history(server, user, room, { limit: '99999999999999999999' })).length, 100);
    assert.equal((await history(server, user, room, { limit: '-99999999999999999999' })).length, 1);
  });

  it('has a limit of its own when none is given', async () => {
    const { status, json } = await request(server, `/message?roomId=${room}`, { headers: bearer(user.token) });
    assert.equal(status, 200);
    assert.ok(json.response.length >= 1 && json.response.length <= 100);
    assert.equal(json.response[0].id, count);
  });

  it('is empty in a room where nobody spoke', async () => {
    assert.deepEqual(await history(server, user, lobby), []);
  });

  it('names a parameter that is missing or malformed', async () => {
    const bad = [
      '/message',
      '/message?roomId=',
      '/message?roomId=nonsense',
      `/message?roomId=${room}&limit=many`,
      `/message?roomId=${room}&limit=1e3`,
      `/message/lastMessageId?roomId=${room}&limit=5`,
      `/message/lastMessageId?roomId=${room}&limit=5&lastMessageId=`,
      `/message/lastMessageId?roomId=${room}&limit=5&lastMessageId=last`,
      `/message/lastMessageId?roomId=${room}&limit=5&lastMessageId=-1`,
    ];
    for (const target of bad) {
      const { status, json } = await request(server, target, { headers: bearer(user.token) });
      assert.equal(status, 400, target);
      assertRefusal(json, 'INVALID_PARAMETER');
    }
  });

  it('knows no room that is not there', async () => {
    for (const target of ['/message?', '/message/lastMessageId?lastMessageId=5&']) {
      const { status, json } = await request(
        server,
        `${target}roomId=00000000-0000-4000-8000-000000000000&limit=5`,
        { headers: bearer(user.token) },
      );
      assert.equal(status, 404);
      assertRefusal(json, 'NOT_FOUND_CHATROOM');
    }
  });

  it('refuses an invalid token', async () => {
    const { status, json } = await request(server, `/message?roomId=${room}`, { headers: bearer('nonsense') });
    assert.equal(status, 401);
    assertRefusal(json, 'INVALID_TOKEN');
  });
});
