// What nodes over Kafka do not have of each other, as docs/operations.md says it: rooms without history
// are refused, and each node knows the people, the sessions and the news of its own alone. And that bans
// need neither Redis nor Kafka.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  assertRefusal, bearer, history, newRoom, newUser, openPrivateRoom, postRaw, request, runToEnd, within,
} from './harness.mjs';
import { clientFor, memberFor } from './clients.mjs';
import { clusterFor } from './kafka.mjs';

async function listening(t, node, user, destination, id) {
  const client = await clientFor(t, node, user);
  await client.subscribe(destination, id);
  return client;
}

it('rooms without history are refused, with a reason; others are made', async (t) => {
  const { nodes } = await clusterFor(t, 1);
  const user = await newUser(nodes[0]);
  const refused = await postRaw(nodes[0], user, '/chatroom', { name: 'live only', history: false });
  assert.equal(refused.status, 403);
  assertRefusal(refused.json, 'FORBIDDEN_ACTION');
  assert.equal(refused.json.error.message, 'rooms without history are not offered by these nodes');
  const { json } = await postRaw(nodes[0], user, '/chatroom', { name: 'kept', history: true });
  assert.equal(json.response.history, true);
});

it('each node knows its own people, sessions and news alone; messages are everybody\'s', async (t) => {
  const { nodes } = await clusterFor(t, 2, ['--presence-interval', '50ms']);
  const people = await Promise.all([newUser(nodes[0]), newUser(nodes[1])]);
  const room = await newRoom(nodes[0], people[0]);
  const presence = await Promise.all(nodes.map((node, n) => listening(t, node, people[n], `/sub/channel/${room}/presence`, 'people')));
  const entry = await Promise.all(nodes.map((node, n) => listening(t, node, people[n], '/sub/channel/entry', 'entry')));
  const news = await Promise.all(nodes.map((node) => listening(t, node, people[1], '/user/queue/rooms', 'rooms')));
  const members = await Promise.all(nodes.map((node, n) => memberFor(t, node, people[n], room)));
  const told = []; // counts of people that came before those that are waited for here
  const untilOne = (client) => client.message('people', (body) => (told.push(body.people), body.people === 1));
  await Promise.all(presence.map(untilOne));
  // One of each kind above on each node.
  await Promise.all(entry.map((client) => client.message('entry', (count) => count === 4)));

  // What crosses comes after all of that, on both nodes.
  for (const member of members) {
    await member.post(room, 'hello');
    for (const reader of members) assert.equal((await reader.message('room')).body.message, 'hello');
  }
  assert.equal((await history(nodes[1], people[1], room)).length, 2);
  for (const [n, node] of nodes.entries()) {
    const { json } = await request(node, `/chatroom/people?roomId=${room}`, { headers: bearer(people[n].token) });
    assert.deepEqual([json.response.people, json.response.page.map(({ senderId }) => senderId)], [1, [people[n].id]]);
  }
  // He who was alone there goes, and only his node notices.
  members[0].drop();
  await presence[0].message('people', (body) => body.people === 0);
  const { json } = await request(nodes[1], `/chatroom/people?roomId=${room}`, { headers: bearer(people[1].token) });
  assert.equal(json.response.people, 1);
  for (const client of presence) {
    await client.ping();
    for (const { body } of client.frames.rest()) told.push(JSON.parse(body).people);
  }
  assert.ok(told.every((count) => count <= 1), `never two: ${told}`);

  // News to a person come where they were asked for; the list of his rooms has them everywhere.
  const first = await openPrivateRoom(nodes[0], people[0], people[0].id, people[1].id);
  assert.equal((await news[0].message('rooms')).body.roomId, first.json.response.roomId);
  const third = await newUser(nodes[1]);
  const second = await openPrivateRoom(nodes[1], third, third.id, people[1].id);
  assert.equal((await news[1].message('rooms')).body.roomId, second.json.response.roomId, 'not the first');
  const list = await request(nodes[1], '/chatroom/private?limit=100', { headers: bearer(people[1].token) });
  assert.ok(list.json.response.some(({ roomId }) => roomId === first.json.response.roomId));
});

it('a ban ends the sessions on all nodes', async (t) => {
  const { nodes, postgres } = await clusterFor(t, 2);
  const eve = await newUser(nodes[0]);
  const sessions = await Promise.all(nodes.map((node) => clientFor(t, node, eve)));
  const { code, stderr } = await runToEnd(['--ban', `user:${eve.id}`], { env: { RTC_POSTGRES_URL: postgres.url } });
  assert.equal(code, 0, stderr);
  for (const session of sessions) {
    assertRefusal(JSON.parse((await session.take('ERROR')).body), 'BANNED');
    assert.equal((await within('the end', session.closed)).code, 1008);
  }
});
