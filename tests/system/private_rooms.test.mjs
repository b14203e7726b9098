// Private rooms: two identities, and nobody else.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  Server, assertRefusal, bearer, claimsOf, history, lobby, newUser, openPrivateRoom, postRaw, request,
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

  it('is told to the other one when it is opened, and again, and to nobody else', async (t) => {
    const [dan, fay] = [await newUser(server), await newUser(server)];
    const clients = [];
    for (const user of [fay, fay, dan, eve]) {
      const client = await clientFor(t, server, user);
      await client.subscribe('/user/queue/rooms', 'rooms');
      clients.push(client);
    }
    const [tab, otherTab, opener, third] = clients;
    const { jti, randId, sub } = claimsOf(dan.token);
    const opened = (await openPrivateRoom(server, dan, dan.id, fay.id)).json.response.roomId;
    const wanted = { roomId: opened, senderId: jti, randId, nameTag: sub };
    for (const client of [tab, otherTab]) assert.deepEqual((await client.message('rooms')).body, wanted);
    await openPrivateRoom(server, dan, dan.id, fay.id);
    assert.deepEqual((await tab.message('rooms')).body, wanted);
    // Answered in order after it, if anything had come.
    for (const client of [opener, third]) {
      await client.sendAndWait('UNSUBSCRIBE', { id: 'rooms' });
      assert.deepEqual(client.frames.rest().filter(({ command }) => command === 'MESSAGE'), []);
    }
  });

  it('is listed to its two people, each from his side, page by page', async () => {
    const gus = await newUser(server);
    const others = [];
    for (let n = 0; n < 3; ++n) others.push(await newUser(server));
    const made = [];
    for (const other of others) {
      const { json } = await openPrivateRoom(server, gus, gus.id, other.id);
      made.push({ senderId: gus.id, receiverId: other.id, roomId: json.response.roomId });
    }
    const list = async (user, query) =>
      (await request(server, `/chatroom/private?${query}`, { headers: bearer(user.token) })).json;
    const whole = await list(gus, 'limit=100');
    assert.equal(whole.type, 'SUCCESS_GET_ROOM_LIST');
    assert.deepEqual(whole.response, made);
    assert.deepEqual((await list(gus, `limit=2&after=${made[0].roomId}`)).response, made.slice(1));
    assert.deepEqual((await list(others[1], 'limit=9')).response, [
      { senderId: others[1].id, receiverId: gus.id, roomId: made[1].roomId },
    ]);
    assertRefusal(await list(others[1], `after=${made[0].roomId}`), 'NOT_FOUND_CHATROOM');
    assertRefusal(await list(gus, 'after=x'), 'INVALID_PARAMETER');
    assert.equal((await list({ token: undefined }, '')).type, 'SUCCESS_TOKEN_ISSUANCE');
  });

  it('is looked up by its two people only', async () => {
    const look = async (user, id) =>
      (await request(server, `/chatroom/room?roomId=${id}`, { headers: bearer(user.token) })).json;
    const { response, type } = await look(bob, room);
    assert.equal(type, 'SUCCESS_GET_ROOM');
    assert.deepEqual(response, { senderId: bob.id, receiverId: ann.id, roomId: room });
    assertRefusal(await look(eve, room), 'FORBIDDEN_ACCESS');
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
