// Public rooms: making and listing them, and their bounds.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  Server, assertRefusal, bearer, createRoom, lobby, metric, newRoom, newUser, postRaw, request, serverFor,
} from './harness.mjs';
import { clientFor } from './clients.mjs';

async function list(server, user, query = '') {
  const { status, json } = await request(server, `/chatroom${query}`, { headers: bearer(user.token) });
  assert.equal(status, 200, JSON.stringify(json));
  assert.equal(json.type, 'SUCCESS_GET_ROOM_LIST');
  return json.response;
}

describe('rooms', () => {
  const server = new Server();
  before(() => server.start());
  after(() => server.stop());

  it('are made with a name by anyone who has a token', async () => {
    const user = await newUser(server);
    const { status, json } = await createRoom(server, user, '방 하나 🎈');
    assert.equal(status, 200);
    assert.equal(json.type, 'SUCCESS_ROOM_CREATE');
    assert.equal(json.success, true);
    assert.match(json.response.roomId, /^[0-9a-f-]{36}$/);
    assert.equal(json.response.name, '방 하나 🎈');
    assert.ok(Math.abs(new Date(json.response.createdAt) - Date.now()) < 60_000);
  });

  it('have ids of their own: each begins at 1', async (t) => {
    const user = await newUser(server);
    const client = await clientFor(t, server, user);
    for (const room of [await newRoom(server, user), await newRoom(server, user)]) {
      await client.subscribe(`/sub/channel/${room}`, room);
      await client.post(room, 'first');
      assert.equal((await client.message(room)).body.id, 1);
      await client.post(room, 'second');
      assert.equal((await client.message(room)).body.id, 2);
    }
  });

  it('refuse a name that is missing, blank, too long or no text', async () => {
    const user = await newUser(server);
    for (const name of [undefined, null, '', '   ', 'x'.repeat(61), 7, ['a'], 'line\nbreak']) {
      const { status, json } = await createRoom(server, user, name);
      assert.equal(status, 400, JSON.stringify(name));
      assertRefusal(json, 'INVALID_PARAMETER');
    }
    for (const body of ['', '{', '[]', '"name"', 'name=a', '{"name":"\xff"}']) {
      const { status, json } = await postRaw(server, user, '/chatroom', body === '{"name":"\xff"}' ? Buffer.from(body, 'latin1') : body);
      assert.equal(status, 400, body);
      assertRefusal(json, 'INVALID_PARAMETER');
    }
    assert.equal((await createRoom(server, user, '가'.repeat(60))).status, 200);
  });

  it('have a topic, when somebody gave them one', async () => {
    const user = await newUser(server);
    const make = (more) => postRaw(server, user, '/chatroom', { name: 'about', ...more });
    const made = (await make({ topic: '  이번 주의 책 <b>🎈</b> ' })).json.response;
    assert.equal(made.topic, '이번 주의 책 <b>🎈</b>');
    const without = await Promise.all([make({}), make({ topic: '' }), make({ topic: ' \u200b ' })]);
    for (const { json } of without) assert.equal(json.response.topic, '');
    const listed = await list(server, user, '?limit=100');
    assert.deepEqual(listed.find(({ roomId }) => roomId === made.roomId), made);
    assert.equal(listed[0].topic, '', 'of the lobby');
    for (const topic of [null, 7, ['a'], {}, 'x'.repeat(121), 'line\nbreak', 'a\u202eb']) {
      const { status, json } = await make({ topic });
      assert.equal(status, 400, JSON.stringify(topic));
      assertRefusal(json, 'INVALID_PARAMETER');
      assert.match(json.error.message, /^topic: /);
    }
    assert.equal((await make({ topic: '가'.repeat(120) })).status, 200);
    await server.restart();
    const { json } = await request(server, `/chatroom/room?roomId=${made.roomId}`, { headers: bearer(user.token) });
    assert.deepEqual(json.response, made);
  });

  it('are looked up by their id', async () => {
    const user = await newUser(server);
    const look = (id) =>
      request(server, `/chatroom/room?roomId=${id}`, { headers: bearer(user.token) });
    const made = (await createRoom(server, user, 'a <b>name</b>')).json.response;
    const { status, json } = await look(made.roomId.toUpperCase());
    assert.equal(status, 200);
    assert.equal(json.type, 'SUCCESS_GET_ROOM');
    assert.deepEqual(json.response, made);
    assert.equal((await look(lobby)).json.response.roomId, lobby);
    const none = await look('00000000-0000-4000-8000-000000000000');
    assert.equal(none.status, 404);
    assertRefusal(none.json, 'NOT_FOUND_CHATROOM');
    assertRefusal((await look('x')).json, 'INVALID_PARAMETER');
  });

  it('refuse who has an invalid token', async () => {
    const { status, json } = await createRoom(server, { token: 'nonsense' }, 'mine');
    assert.equal(status, 401);
    assertRefusal(json, 'INVALID_TOKEN');
  });
});

describe('the search of rooms', () => {
  const server = new Server({ args: ['--room-search-max', '5'] });
  before(() => server.start());
  after(() => server.stop());
  const search = async (user, query) => {
    const { status, json } = await request(server, `/chatroom/search${query}`, { headers: bearer(user.token) });
    assert.equal(status, 200, JSON.stringify(json));
    assert.equal(json.type, 'SUCCESS_GET_ROOM_LIST');
    return json.response;
  };
  const words = (text) => `?words=${encodeURIComponent(text)}`;
  const names = (rooms) => rooms.map(({ name }) => name);

  it('finds words in names and topics, newest first, and what was made since', async () => {
    const user = await newUser(server);
    assert.deepEqual(await search(user, ''), []);
    const made = [];
    for (const [name, topic] of [['Book Club', 'Novels'], ['책 읽는 방', '이번 달: 소설 (novels)'], ['Chess', '']]) {
      made.push((await postRaw(server, user, '/chatroom', { name, topic })).json.response);
    }
    assert.deepEqual(await search(user, ''), [...made].reverse());
    assert.deepEqual(await search(user, words('NOVELS')), [made[1], made[0]]);
    assert.deepEqual(names(await search(user, words('club novel'))), ['Book Club']);
    assert.deepEqual(names(await search(user, `${words('novel')}&limit=1`)), ['책 읽는 방']);
    assert.deepEqual(await search(user, words('club chess')), []);
    for (const name of ['4', '5', '6']) await newRoom(server, user, name);
    assert.deepEqual(names(await search(user, '')), ['6', '5', '4', 'Chess', '책 읽는 방']);
    assert.equal(await metric(server, 'room_search_rooms'), 5);
    await server.restart();
    assert.deepEqual(names(await search(user, words('방'))), ['책 읽는 방']);
  });

  it('refuses what is no text or no number, and who has no valid token', async () => {
    const user = await newUser(server);
    for (const query of ['?words=%ff', '?limit=few']) {
      const { status, json } = await request(server, `/chatroom/search${query}`, { headers: bearer(user.token) });
      assert.equal(status, 400, query);
      assertRefusal(json, 'INVALID_PARAMETER');
    }
    const { status } = await request(server, '/chatroom/search', { headers: bearer('nonsense') });
    assert.equal(status, 401);
  });
});

describe('the list of rooms', () => {
  const server = new Server();
  before(() => server.start());
  after(() => server.stop());

  it('begins with the lobby, also on a fresh database', async () => {
    const user = await newUser(server);
    const [first] = await list(server, user);
    assert.equal(first.roomId, lobby);
    assert.equal(typeof first.name, 'string');
    assert.ok(!Number.isNaN(Date.parse(first.createdAt)));
  });

  it('is paged by the last room seen', async () => {
    const user = await newUser(server);
    const made = [lobby];
    for (let n = 0; n < 12; ++n) made.push(await newRoom(server, user, `room ${n}`));
    const seen = [];
    for (let page = await list(server, user, '?limit=5'); page.length > 0; ) {
      assert.ok(page.length <= 5);
      seen.push(...page.map(({ roomId }) => roomId));
      page = await list(server, user, `?limit=5&after=${seen.at(-1)}`);
    }
    assert.deepEqual(seen, made);
  });

  it('names a bad parameter and an unknown room', async () => {
    const user = await newUser(server);
    for (const [query, status, type] of [
      ['?limit=few', 400, 'INVALID_PARAMETER'],
      ['?after=nonsense', 400, 'INVALID_PARAMETER'],
      ['?after=00000000-0000-4000-8000-000000000000', 404, 'NOT_FOUND_CHATROOM'],
    ]) {
      const answer = await request(server, `/chatroom${query}`, { headers: bearer(user.token) });
      assert.equal(answer.status, status, query);
      assertRefusal(answer.json, type);
    }
  });
});

it('rooms are bounded for each identity and in all', async (t) => {
  const server = await serverFor(t, { args: ['--rooms-per-identity-max', '2', '--rooms-max', '3'] });
  const [first, second] = [await newUser(server), await newUser(server)];
  const statuses = [];
  for (const user of [first, first, first, second, second]) {
    const { status, json } = await createRoom(server, user, 'another');
    statuses.push(status);
    if (status !== 200) assertRefusal(json, 'TOO_MANY_REQUESTS', 'FORBIDDEN_ACCESS');
  }
  assert.deepEqual(statuses.map((status) => status === 200), [true, true, false, true, false]);
});
