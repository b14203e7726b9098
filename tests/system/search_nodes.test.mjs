// The search over several nodes: what is made and written on one is found on the others at once, as
// rooms are in the database and each search asks that for those it does not know. (Rooms are
// searched, by name and topic; messages are not: of a room that was found they are read.)
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bearer, history, metric, newUser, postRaw, request } from './harness.mjs';
import { clientFor, memberFor } from './clients.mjs';
import { range, take } from './cluster.mjs';
import { clusterFor } from './redis.mjs';

async function search(node, user, words = '', limit = 100) {
  const query = new URLSearchParams({ words, limit });
  const { status, json } = await request(node, `/chatroom/search?${query}`, { headers: bearer(user.token) });
  assert.equal(status, 200, JSON.stringify(json));
  return json.response;
}

async function make(node, user, name, topic = '') {
  const { status, json } = await postRaw(node, user, '/chatroom', { name, topic });
  assert.equal(status, 200, JSON.stringify(json));
  return json.response;
}

describe('the search, over two nodes', () => {
  it('finds the room that somebody writes in on the other node, and what he wrote', async (t) => {
    const { nodes: [here, there] } = await clusterFor(t, 2);
    const writer = await newUser(here);
    const reader = await newUser(there);
    // Both know the newest room so far.
    for (const node of [here, there]) assert.deepEqual(await search(node, reader), []);
    const room = await make(here, writer, 'Night train', 'to 부산, and back');
    const client = await clientFor(t, here, writer);
    await client.post(room.roomId, 'leaves at ten');

    for (const words of ['night', 'TRAIN 부산', 'back']) assert.deepEqual(await search(there, reader, words), [room], words);
    assert.deepEqual(await search(there, reader, 'night ferry'), []);
    const [found] = await search(there, reader, 'train');
    assert.deepEqual((await history(there, reader, found.roomId)).map(({ id, message }) => [id, message]), [[1, 'leaves at ten']]);
    const listener = await memberFor(t, there, reader, found.roomId);
    await client.post(room.roomId, 'platform 4');
    assert.deepEqual(await take(listener, 1), ['2 platform 4']);
  });

  it('lists the same on each, while rooms are made on both, up to its bound', async (t) => {
    const bound = 25;
    const { nodes } = await clusterFor(t, 2, ['--room-search-max', String(bound)]);
    const user = await newUser(nodes[0]);
    const made = await Promise.all(nodes.map(async (node, n) => {
      const names = [];
      for (const i of range(1, 20)) {
        const name = `room ${n}.${i}`;
        await make(node, user, name, i % 2 === 0 ? 'even' : 'odd');
        names.push(name);
        const found = await search(nodes[1 - n], user, name);
        assert.ok(found.some((room) => room.name === name), `${name} is known on the other node at once`);
      }
      return names;
    }));
    const [first, second] = await Promise.all(nodes.map((node) => search(node, user)));
    assert.deepEqual(second, first);
    assert.equal(first.length, bound);
    for (const [n, names] of made.entries()) {
      const own = first.map(({ name }) => name).filter((name) => name.startsWith(`room ${n}.`));
      assert.deepEqual(own, names.slice(names.length - own.length).reverse(), 'newest first');
    }
    const even = first.filter(({ topic }) => topic === 'even');
    for (const node of nodes) {
      assert.deepEqual(await search(node, user, 'EVEN'), even);
      assert.equal(await metric(node, 'room_search_rooms'), bound);
    }
  });
});
