// Newest pages come from memory, and are what the store has: nothing old, nothing that is not stored.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { history, metric, newRoom, newUser, serverFor } from './harness.mjs';
import { memberFor } from './clients.mjs';

const figures = async (server) => ({
  hits: await metric(server, 'page_cache_hits_total'),
  misses: await metric(server, 'page_cache_misses_total'),
});

it('a room is read from the store once; the page follows each receipt', async (t) => {
  const server = await serverFor(t);
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const client = await memberFor(t, server, user, room);
  const ids = async (options) => (await history(server, user, room, options)).map(({ id }) => id);
  for (let n = 0; n < 60; ++n) await client.post(room, `before ${n}`);
  assert.deepEqual(await figures(server), { hits: 0, misses: 0 });
  assert.deepEqual(await ids({ limit: 2 }), [60, 59]);
  assert.deepEqual(await figures(server), { hits: 0, misses: 1 });
  for (let n = 61; n <= 80; ++n) {
    const { id } = await client.attempt(room, `after ${n}`);
    const page = await history(server, user, room, { limit: 3 });
    assert.deepEqual(page.map((each) => each.id), [id, id - 1, id - 2]);
    assert.equal(page[0].message, `after ${n}`);
  }
  assert.equal((await ids({})).length, 50);
  assert.deepEqual(await figures(server), { hits: 21, misses: 1 });

  // What a client missed a moment ago: the newest id and the page.
  const guest = await memberFor(t, server, await newUser(server), room);
  await guest.sendAndWait('SUBSCRIBE', { destination: `/sub/channel/${room}`, id: 'missed', since: 75 });
  for (let n = 76; n <= 80; ++n) assert.equal((await guest.message('missed')).body.id, n);
  assert.deepEqual(await figures(server), { hits: 23, misses: 1 });
});

it('who has a receipt sees his message, whoever writes and reads beside him', async (t) => {
  const server = await serverFor(t, { args: ['--loops', '2'] });
  const user = await newUser(server);
  const room = await newRoom(server, user);
  await Promise.all(Array.from({ length: 4 }, async (_, which) => {
    const client = await memberFor(t, server, user, room);
    for (let n = 0; n < 40; ++n) {
      const { id } = await client.attempt(room, `${which} ${n}`);
      const page = await history(server, user, room, { limit: 50 });
      assert.ok(page[0].id >= id, `the newest is ${page[0].id}, after the receipt of ${id}`);
      assert.equal(page.find((each) => each.id === id).message, `${which} ${n}`);
      page.forEach((each, i) => assert.equal(each.id, page[0].id - i, 'no hole'));
    }
  }));
  assert.equal((await figures(server)).misses, 1);
});

it('its bounds: the room that was read longest ago goes; without memory the store is asked', async (t) => {
  const server = await serverFor(t, { args: ['--page-cache-rooms-max', '1'] });
  const user = await newUser(server);
  const rooms = [await newRoom(server, user), await newRoom(server, user)];
  for (let n = 0; n < 3; ++n) for (const room of rooms) assert.deepEqual(await history(server, user, room), []);
  assert.deepEqual(await figures(server), { hits: 0, misses: 6 });
  assert.equal(await metric(server, 'page_cache_evictions_total'), 5);
  assert.equal(await metric(server, 'page_cache_rooms'), 1);

  const without = await serverFor(t, { args: ['--page-cache-bytes-max', '0B'] });
  const other = await newUser(without);
  const room = await newRoom(without, other);
  for (let n = 0; n < 3; ++n) assert.deepEqual(await history(without, other, room), []);
  assert.deepEqual(await figures(without), { hits: 0, misses: 0 });
});
