// Who is in a room, over three nodes: its count and roster, while nodes, their people and Redis come
// and go.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bearer, claimsOf, metric, newRoom, newUser, request, waitFor } from './harness.mjs';
import { clientFor, memberFor } from './clients.mjs';
import { keptWithin } from './cluster.mjs';
import { clusterFor } from './redis.mjs';

const often = ['--presence-interval', '50ms'];

const nameOf = (user) => {
  const { jti, randId, sub } = claimsOf(user.token);
  return { senderId: jti, randId, nameTag: sub };
};
const byId = (a, b) => (a.senderId < b.senderId ? -1 : 1);
const namesOf = (users) => users.map(nameOf).sort(byId);

async function page(node, user, room, { after, limit } = {}) {
  const query = new URLSearchParams({ roomId: room });
  if (after) query.set('after', after);
  if (limit) query.set('limit', limit);
  return (await request(node, `/chatroom/people?${query}`, { headers: bearer(user.token) })).json.response;
}

async function roster(node, user, room, limit = 2) {
  const all = [];
  for (;;) {
    const { page: some } = await page(node, user, room, { after: all.at(-1)?.senderId, limit });
    if (some.length === 0) return all;
    assert.ok(some.length <= limit);
    all.push(...some);
  }
}

// Listens to the room's people, and keeps who they are as a page does.
class Listener {
  people = null;
  typing = [];
  #known = new Map();

  static async for(t, node, user, room) {
    const listener = new Listener();
    listener.client = await clientFor(t, node, user);
    Object.assign(listener, { node, user, room });
    await listener.client.subscribe(`/sub/channel/${room}/presence`, 'people');
    return listener;
  }

  // Until it knows of exactly these.
  async knows(users) {
    const wanted = namesOf(users);
    while (this.people !== wanted.length || JSON.stringify(this.names) !== JSON.stringify(wanted)) {
      const { body } = await this.client.message('people');
      this.people = body.people;
      this.typing = body.typing.map(({ senderId }) => senderId);
      for (const id of body.left) this.#known.delete(id);
      for (const person of body.joined) this.#known.set(person.senderId, person);
      if (!body.complete) {
        const whole = await roster(this.node, this.user, this.room, 100);
        this.#known = new Map(whole.map((person) => [person.senderId, person]));
      }
    }
  }

  get names() {
    return [...this.#known.values()].sort(byId);
  }
}

async function worldFor(t, users, args = often) {
  const { nodes, redis } = await clusterFor(t, 3, args);
  for (const node of nodes) {
    await waitFor('the people to be shared', async () => (await metric(node, 'presence_connected')) === 1);
  }
  const people = [];
  for (let n = 0; n < users; ++n) people.push(await newUser(nodes[0]));
  const room = await newRoom(nodes[0], people[0]);
  const listeners = [];
  for (const node of nodes) listeners.push(await Listener.for(t, node, people[0], room));
  return { nodes, redis, people, room, listeners };
}

const allKnow = (listeners, users) => Promise.all(listeners.map((listener) => listener.knows(users)));

describe('the people of a room, over three nodes', () => {
  it('are counted once each, on however many nodes they are', async (t) => {
    const { nodes, people, room, listeners } = await worldFor(t, 3);
    const [ann, ben, cem] = people;
    const first = await memberFor(t, nodes[0], ann, room);
    await memberFor(t, nodes[1], ben, room);
    await allKnow(listeners, [ann, ben]);
    const second = await memberFor(t, nodes[2], ann, room);
    await memberFor(t, nodes[2], cem, room);
    await allKnow(listeners, people);
    for (const node of nodes) assert.equal((await page(node, ann, room)).people, 3);
    await first.sendAndWait('UNSUBSCRIBE', { id: 'room' });
    const late = await memberFor(t, nodes[0], ben, room);
    await late.sendAndWait('UNSUBSCRIBE', { id: 'room' });
    second.drop();
    await allKnow(listeners, [ben, cem]);
  });

  it('are listed in pages by id, the same on each node', async (t) => {
    const { nodes, people, room, listeners } = await worldFor(t, 7);
    for (const [index, user] of people.entries()) await memberFor(t, nodes[index % 3], user, room);
    await memberFor(t, nodes[1], people[0], room);
    await allKnow(listeners, people);
    for (const node of nodes) assert.deepEqual(await roster(node, people[0], room), namesOf(people));
  });

  it('are seen typing', async (t) => {
    const { nodes, people, room, listeners } = await worldFor(t, 2);
    const writer = await memberFor(t, nodes[0], people[0], room);
    await allKnow(listeners, [people[0]]);
    const typing = (on) =>
      writer.sendAndWait('SEND', { destination: '/pub/typing' }, JSON.stringify({ roomId: room, typing: on }));
    const told = (listener, wanted) =>
      listener.client.message('people', (body) => JSON.stringify(body.typing) === JSON.stringify(wanted));
    await typing(true);
    await Promise.all(listeners.map((listener) => told(listener, namesOf([people[0]]))));
    await writer.post(room, 'written');
    await Promise.all(listeners.map((listener) => told(listener, [])));
  });

  it('vanish when their node is killed, but for those who are on another as well', async (t) => {
    const { nodes, people, room, listeners } = await worldFor(t, 4, [...often, '--node-lifetime', '10s']);
    for (const [index, user] of people.entries()) await memberFor(t, nodes[index % 2], user, room);
    await memberFor(t, nodes[2], people[1], room);
    await allKnow(listeners, people);
    await nodes[1].kill9();
    const left = [people[0], people[1], people[2]];
    await waitFor('the dead to go', async () => (await page(nodes[2], people[0], room)).people === 3);
    const others = [listeners[0], listeners[2]];
    await allKnow(others, left);
    await nodes[1].restart();
    await memberFor(t, nodes[1], people[3], room);
    await allKnow(others, people);
  });

  it('are gone within 15 s when their node is killed, with the settings as they come', async (t) => {
    const { nodes, people, room } = await worldFor(t, 2, []);
    const watcher = await clientFor(t, nodes[0], people[0]);
    await watcher.subscribe(`/sub/channel/${room}/presence`, 'count');
    const counts = (count) => watcher.message('count', (body) => body.people === count);
    await counts(0);
    await keptWithin(t, 15_000, 'a dead node\'s people gone', async () => {
      await memberFor(t, nodes[1], people[1], room);
      await counts(1);
      assert.deepEqual(watcher.frames.rest(), []);
      const begin = performance.now();
      await nodes[1].kill9();
      await counts(0);
      const took = performance.now() - begin;
      await nodes[1].restart();
      await waitFor('its people to be shared', async () => (await metric(nodes[1], 'presence_connected')) === 1);
      return took;
    }, 3);
  });

  it('are gone at once when their node is stopped', async (t) => {
    // Longer than patience: not because it is thought dead.
    const { nodes, people, room, listeners } = await worldFor(t, 4, [...often, '--node-lifetime', '5m']);
    for (const [index, user] of people.entries()) await memberFor(t, nodes[index % 2], user, room);
    await allKnow(listeners, people);
    await nodes[1].stop();
    await allKnow([listeners[0], listeners[2]], [people[0], people[2]]);
    assert.deepEqual(await roster(nodes[0], people[0], room), namesOf([people[0], people[2]]));
  });

  it('are found again when Redis was killed, and came back empty', async (t) => {
    const { nodes, redis, people, room, listeners } = await worldFor(t, 5);
    for (const [index, user] of people.slice(0, 3).entries()) await memberFor(t, nodes[index], user, room);
    await allKnow(listeners, people.slice(0, 3));
    await redis.kill9();
    for (const node of nodes) {
      await waitFor('a node to see it', async () => (await metric(node, 'presence_connected')) === 0);
    }
    await memberFor(t, nodes[1], people[3], room);
    await redis.start();
    await allKnow(listeners, people.slice(0, 4));
    await memberFor(t, nodes[2], people[4], room);
    await allKnow(listeners, people);
    for (const node of nodes) assert.deepEqual(await roster(node, people[0], room), namesOf(people));
  });

  it('are those of the node alone while Redis is away for long', async (t) => {
    const { nodes, redis, people, room, listeners } = await worldFor(t, 4, [...often, '--node-lifetime', '1s']);
    for (const [index, user] of people.slice(0, 3).entries()) await memberFor(t, nodes[index], user, room);
    await allKnow(listeners, people.slice(0, 3));
    await redis.kill9();
    await Promise.all(listeners.map((listener, n) => listener.knows([people[n]])));
    await memberFor(t, nodes[0], people[3], room);
    await listeners[0].knows([people[0], people[3]]);
    await redis.start();
    await allKnow(listeners, people);
  });

  it('the number of sessions is that of all nodes', async (t) => {
    const { nodes, people } = await worldFor(t, 1, [...often, '--node-lifetime', '2s']);
    const watchers = [];
    for (const node of nodes) {
      const client = await clientFor(t, node, people[0]);
      await client.subscribe('/sub/channel/entry', 'entry');
      watchers.push(client);
    }
    // Theirs, and those of the listeners.
    await Promise.all(watchers.map((client) => client.message('entry', (count) => count === 6)));
    watchers[2].drop();
    await Promise.all(watchers.slice(0, 2).map((client) => client.message('entry', (count) => count === 5)));
    await nodes[2].kill9();
    await Promise.all(watchers.slice(0, 2).map((client) => client.message('entry', (count) => count === 4)));
    await nodes[2].restart();
  });

  it('what is forged in Redis is dropped and counted', async (t) => {
    const { nodes, redis, people, room, listeners } = await worldFor(t, 1);
    await memberFor(t, nodes[0], people[0], room);
    await allKnow(listeners, people);
    const key = `realtimechat:{people}:${room}`;
    await waitFor('the subscriptions', () => redis.ask('PUBLISH', `${key}:presence`, 'forged') === '3');
    await waitFor('the count', async () => (await metric(nodes[1], 'presence_refused_total')) >= 1);
    const admin = '0123456789abcdef';
    redis.ask('ZADD', `${key}:people`, '0', admin);
    redis.ask('HSET', `${key}:names`, admin, `${'x'.repeat(16)}\u0005admin\u0001#`);
    await waitFor('the entry to be looked at', async () => (await page(nodes[2], people[0], room)).people === 2);
    assert.deepEqual(await roster(nodes[2], people[0], room), namesOf(people));
    assert.ok((await metric(nodes[2], 'presence_refused_total')) >= 1);
  });
});
