// Private rooms: two identities, and nobody else.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  Server, assertRefusal, bearer, history, lobby, newUser, openPrivateRoom, postRaw, request,
} from './harness.mjs';
import { clientFor, memberFor } from './clients.mjs';

describe('a private room', () => {
  const server = new Server();
  let ann;
  let bob;
  let eve;
  let room;
  before(async () => {
    await server.start();
    [ann, bob, eve] = [await newUser(server), await newUser(server), await newUser(server)];
    room = (await openPrivateRoom(server, ann, ann.id, bob.id)).json.response.roomId;
  });
  after(() => server.stop());

  it('is made once and found again from both sides', async () => {
    for (const [user, sender, receiver] of [[ann, ann, bob], [ann, ann, bob], [bob, bob, ann]]) {
      const { status, json } = await openPrivateRoom(server, user, sender.id, receiver.id);
      assert.equal(status, 200);
      assert.equal(json.type, 'SUCCESS_ROOM_CREATE');
      assert.deepEqual(json.response, { senderId: sender.id, receiverId: receiver.id, roomId: room });
    }
    const other = await openPrivateRoom(server, ann, ann.id, eve.id);
    assert.notEqual(other.json.response.roomId, room);
  });

  it('carries what the two say to each other', async (t) => {
    const [one, two] = [await memberFor(t, server, ann, room), await memberFor(t, server, bob, room)];
    await one.post(room, 'only for you');
    const heard = await two.message('room');
    assert.equal(heard.body.message, 'only for you');
    assert.equal(heard.body.senderId, ann.id);
    const written = await history(server, bob, room);
    assert.deepEqual(written[0], heard.body);
  });

  it('is opened in nobody else\'s name', async () => {
    const { status, json } = await openPrivateRoom(server, eve, ann.id, bob.id);
    assert.equal(status, 403);
    assertRefusal(json, 'FORBIDDEN_ACCESS');
    assert.equal(json.response ?? null, null);
  });

  it('needs two different, well-formed ids', async () => {
    const bad = [
      { senderId: ann.id, receiverId: ann.id },
      { senderId: ann.id, receiverId: 'bob' },
      { senderId: ann.id },
      { receiverId: bob.id },
      { senderId: ann.id, receiverId: 7 },
      '{',
    ];
    for (const body of bad) {
      const { status, json } = await postRaw(server, ann, '/chatroom/private', body);
      assert.equal(status, 400, JSON.stringify(body));
      assertRefusal(json, 'INVALID_PARAMETER');
    }
  });

  it('refuses SUBSCRIBE, SEND and history of a third, who learns nothing', async (t) => {
    const member = await memberFor(t, server, ann, room);
    const spy = await memberFor(t, server, eve, lobby);
    const refusals = ['FORBIDDEN_ACCESS', 'FORBIDDEN_ACTION', 'NOT_FOUND_CHATROOM'];

    spy.send('SUBSCRIBE', { destination: `/sub/channel/${room}`, id: 'spy', receipt: 'spying' });
    const refused = await spy.message('errors');
    assertRefusal(refused.body, ...refusals);
    assert.equal(refused.headers['receipt-id'], 'spying');

    spy.send('SEND', { destination: '/pub/chat', receipt: 'intruding' }, JSON.stringify({ roomId: room, message: 'hello' }));
    const second = await spy.message('errors');
    assertRefusal(second.body, ...refusals);
    assert.equal(second.headers['receipt-id'], 'intruding');

    for (const target of ['/message?', '/message/lastMessageId?lastMessageId=99&']) {
      const { status, json } = await request(server, `${target}roomId=${room}&limit=9`, { headers: bearer(eve.token) });
      assert.ok(status === 403 || status === 404, `status ${status}`);
      assertRefusal(json, ...refusals);
      assert.equal(json.response ?? null, null);
    }

    // Nothing of what is said afterwards reaches the third; the lobby's message, sent later, does.
    await member.post(room, 'a secret');
    assert.equal((await member.message('room')).body.message, 'a secret');
    await member.post(lobby, 'not a secret');
    assert.equal((await spy.message('room')).body.message, 'not a secret');
    assert.ok(!JSON.stringify(spy.frames.rest()).includes('a secret'));
    assert.ok(!(await history(server, ann, room)).some(({ message }) => message === 'hello'));
  });

  it('is shut to who has no token', async () => {
    const { json } = await request(server, `/message?roomId=${room}&limit=9`);
    assert.ok(!Array.isArray(json?.response), JSON.stringify(json));
  });

  it('is not in the list of rooms', async () => {
    const { json } = await request(server, '/chatroom?limit=100', { headers: bearer(ann.token) });
    assert.ok(!json.response.some(({ roomId }) => roomId === room));
  });

  it('is not reached by sending to its subscription destination', async (t) => {
    const member = await memberFor(t, server, ann, room);
    const spy = await clientFor(t, server, eve);
    await spy.subscribe('/user/queue/errors', 'errors');
    spy.send('SEND', { destination: `/sub/channel/${room}` }, '{"message":"forged"}');
    assertRefusal((await spy.message('errors')).body, 'FORBIDDEN_ACTION', 'FORBIDDEN_ACCESS');
    await member.post(room, 'the next');
    assert.equal((await member.message('room')).body.message, 'the next');
  });
});
