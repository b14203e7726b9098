// Who is in a room: its count and roster, who came and went, who is typing.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  assertRefusal, bearer, claimsOf, lobby, newRoom, newUser, openPrivateRoom, request, serverFor,
} from './harness.mjs';
import { clientFor, memberFor } from './clients.mjs';

const often = { args: ['--presence-interval', '20ms'] };

const nameOf = (user) => {
  const { jti, randId, sub } = claimsOf(user.token);
  return { senderId: jti, randId, nameTag: sub };
};

async function roster(server, user, room, { after, limit } = {}) {
  const query = new URLSearchParams({ roomId: room });
  if (after) query.set('after', after);
  if (limit) query.set('limit', limit);
  return (await request(server, `/chatroom/people?${query}`, { headers: bearer(user.token) })).json;
}

// A member who listens to the room's people as well, and has been told how it stands.
async function listenerFor(t, server, user, room) {
  const client = await memberFor(t, server, user, room);
  await client.subscribe(`/sub/channel/${room}/presence`, 'people');
  return client;
}
const change = (client, wanted) => client.message('people', wanted);
const typing = (client, room, on = true) =>
  client.sendAndWait('SEND', { destination: '/pub/typing' }, JSON.stringify({ roomId: room, typing: on }));

it('a listener is told how the room stands, then who came and who went', async (t) => {
  const server = await serverFor(t, often);
  const [first, second] = [await newUser(server), await newUser(server)];
  const room = await newRoom(server, first);
  const listener = await listenerFor(t, server, first, room);
  const now = await change(listener, ({ people }) => people === 1);
  assert.equal(now.headers.destination, `/sub/channel/${room}/presence`);
  assert.deepEqual(now.body, { people: 1, joined: [], left: [], typing: [], complete: false });

  const other = await memberFor(t, server, second, room);
  const came = await change(listener, ({ people }) => people === 2);
  assert.deepEqual(came.body, { people: 2, joined: [nameOf(second)], left: [], typing: [], complete: true });

  const tab = await memberFor(t, server, second, room);
  other.drop();
  await tab.sendAndWait('UNSUBSCRIBE', { id: 'room' });
  const went = await change(listener, ({ people }) => people === 1);
  assert.deepEqual(went.body, { people: 1, joined: [], left: [second.id], typing: [], complete: true });
});

it('the roster is paged by id, and names people once', async (t) => {
  const server = await serverFor(t);
  const users = [];
  for (let n = 0; n < 5; ++n) users.push(await newUser(server));
  const room = await newRoom(server, users[0]);
  for (const user of [...users, users[0]]) await memberFor(t, server, user, room);
  const wanted = users.map(nameOf).sort((a, b) => (a.senderId < b.senderId ? -1 : 1));
  const whole = await roster(server, users[0], room);
  assert.equal(whole.type, 'SUCCESS_GET_PEOPLE');
  assert.deepEqual(whole.response, { people: 5, page: wanted });

  const paged = [];
  for (;;) {
    const { response } = await roster(server, users[0], room, { after: paged.at(-1)?.senderId, limit: 2 });
    if (response.page.length === 0) break;
    assert.ok(response.page.length <= 2);
    paged.push(...response.page);
  }
  assert.deepEqual(paged, wanted);
  assert.deepEqual((await roster(server, users[0], lobby)).response, { people: 0, page: [] });
});

it('who types is told once, until he sends, stops, leaves or is silent', async (t) => {
  const server = await serverFor(t, { args: [...often.args, '--typing-lifetime', '5s'] });
  const [first, second] = [await newUser(server), await newUser(server)];
  const room = await newRoom(server, first);
  const listener = await listenerFor(t, server, first, room);
  const writer = await memberFor(t, server, second, room);
  const named = ({ typing: people }) => people.length === 1;
  const nobody = ({ typing: people, left, complete }) => complete && people.length === 0 && left.length === 0;
  await change(listener, ({ people }) => people === 2);

  await typing(writer, room);
  assert.deepEqual((await change(listener, named)).body.typing, [nameOf(second)]);
  await change(listener, nobody); // by itself

  await typing(writer, room);
  await change(listener, named);
  await typing(writer, room, false);
  await change(listener, nobody);

  await typing(writer, room);
  await change(listener, named);
  await writer.post(room, 'here it is');
  await change(listener, nobody);

  await typing(writer, room);
  await change(listener, named);
  writer.drop();
  await change(listener, ({ people, typing: who }) => people === 1 && who.length === 0);
});

it('a message ends the typing of its room and of no other; a transaction that of each of its rooms', async (t) => {
  // Nobody's typing ends by itself so soon.
  const server = await serverFor(t, { args: [...often.args, '--typing-lifetime', '1m'] });
  const [first, second] = [await newUser(server), await newUser(server)];
  const rooms = [];
  for (const name of ['a', 'b', 'c']) {
    const room = await newRoom(server, first, name);
    rooms.push({ id: room, listener: await listenerFor(t, server, first, room) });
  }
  const [a, b, c] = rooms;
  const writer = await memberFor(t, server, second, a.id);
  for (const { id } of [b, c]) await writer.subscribe(`/sub/channel/${id}`, id);
  for (const { listener } of rooms) await change(listener, ({ people }) => people === 2);
  const types = ({ typing: who }) => who.length === 1;
  const isTold = ({ typing: who, complete }) => complete && who.length === 0;
  const begin = async (...those) => {
    for (const { id } of those) await typing(writer, id);
    for (const { listener } of those) await change(listener, types);
  };
  // The room says who types there to somebody who comes now, and has told nobody of an end before.
  const stillTypes = async ({ id, listener }) => {
    const guest = await clientFor(t, server, first);
    await guest.subscribe(`/sub/channel/${id}/presence`, 'people');
    assert.deepEqual((await change(guest)).body.typing, [nameOf(second)]);
    guest.drop();
    const told = listener.frames.rest().filter(({ headers }) => headers.subscription === 'people');
    assert.deepEqual(told.map(({ body }) => JSON.parse(body)).filter(isTold), []);
  };
  const send = (room, message, headers) =>
    writer.sendAndWait('SEND', { destination: '/pub/chat', ...headers },
      JSON.stringify({ roomId: room.id, message }));

  await begin(a, b);
  await send(b, 'said in b');
  await change(b.listener, isTold);
  await stillTypes(a);

  await begin(b, c);
  await writer.sendAndWait('BEGIN', { transaction: 't' });
  await send(a, 'said in a', { transaction: 't' });
  await send(b, 'said in b', { transaction: 't' });
  await stillTypes(a); // nothing is said yet
  await stillTypes(b);
  const { headers } = await writer.sendAndWait('COMMIT', { transaction: 't' });
  assert.equal(headers.ids, '1,2');
  await change(a.listener, isTold);
  await change(b.listener, isTold);
  await stillTypes(c);
});

it('a typing notice must come from somebody in the room, and be one', async (t) => {
  const server = await serverFor(t);
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const client = await memberFor(t, server, user, lobby);
  const refusal = async (body, type) => {
    client.send('SEND', { destination: '/pub/typing', receipt: 'never' }, body);
    const frame = await client.message('errors');
    assertRefusal(frame.body, type);
    assert.equal(frame.headers['receipt-id'], 'never');
  };
  await refusal(JSON.stringify({ roomId: room, typing: true }), 'FORBIDDEN_ACTION');
  await refusal('typing', 'INVALID_MESSAGE_FORMAT');
  await refusal('[]', 'INVALID_MESSAGE_FORMAT');
  await refusal(JSON.stringify({ roomId: lobby }), 'INVALID_MESSAGE_FORMAT');
  await refusal(JSON.stringify({ roomId: 'lobby', typing: true }), 'INVALID_MESSAGE_FORMAT');
  await refusal(JSON.stringify({ typing: true }), 'INVALID_MESSAGE_FORMAT');
  await typing(client, lobby);
});

it("a private room's people are for the two alone", async (t) => {
  const server = await serverFor(t);
  const [first, second, third] = [await newUser(server), await newUser(server), await newUser(server)];
  const { roomId } = (await openPrivateRoom(server, first, first.id, second.id)).json.response;
  assert.equal((await roster(server, second, roomId)).success, true);
  assertRefusal(await roster(server, third, roomId), 'FORBIDDEN_ACCESS');
  assertRefusal(await roster(server, third, '00000000-0000-4000-8000-000000000000'), 'NOT_FOUND_CHATROOM');
  assertRefusal(await roster(server, third, lobby, { after: 'me' }), 'INVALID_PARAMETER');
  const stranger = await clientFor(t, server, third);
  await stranger.subscribe('/user/queue/errors', 'errors');
  stranger.send('SUBSCRIBE', { destination: `/sub/channel/${roomId}/presence`, id: 'people' });
  assertRefusal((await stranger.message('errors')).body, 'FORBIDDEN_ACCESS');
});

it('a crowd that comes at once is told in few, short changes', async (t) => {
  const server = await serverFor(t, { args: ['--presence-interval', '200ms', '--presence-names-max', '10'] });
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const listener = await listenerFor(t, server, user, room);
  const crowd = await Promise.all(Array.from({ length: 100 }, () => newUser(server)));
  const begin = Date.now();
  const sessions = await Promise.all(crowd.map((each) => memberFor(t, server, each, room)));
  await change(listener, ({ people }) => people === 101);
  for (const session of sessions) session.drop();
  await change(listener, ({ people }) => people === 1);
  const intervals = Math.ceil((Date.now() - begin) / 200) + 1;
  const told = listener.frames.rest().filter(({ headers }) => headers.subscription === 'people');
  assert.ok(told.length <= intervals + 2, `${told.length} changes in ${intervals} intervals`);
  for (const { body } of told) assert.ok(JSON.parse(body).joined.length <= 10);
});
