// Nodes that ask a sentinel where Redis is: whoever is the primary, by a crash or by order, the nodes
// go there by themselves, and messages and people cross by it, not by the database.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Server, freePort, metric, newRoom, newUser, stopAfter, waitFor } from './harness.mjs';
import { clientFor, memberFor } from './clients.mjs';
import { connected, disconnected, take, unhurried } from './cluster.mjs';
import { Postgres } from './postgres.mjs';
import { Redis, Sentinel, nodesEnv } from './redis.mjs';

// A sentinel looks at its servers every ten seconds, and gives one that is back some time.
const patience = 120_000;

const isPrimary = (redis) => redis.ask('ROLE').startsWith('master');
const listeners = (redis, room) => Number(redis.ask('PUBSUB', 'NUMSUB', `realtimechat:room:${room}`).split('\n')[1]);

it('nodes follow the primary when it dies, and when another one is made primary', async (t) => {
  const first = await Redis.guarded(t);
  const second = await Redis.guarded(t, ['--replicaof', '127.0.0.1', String(first.port)]);
  await waitFor('the replica to be one', () => second.ask('INFO', 'replication').includes('master_link_status:up'), patience);
  const sentinel = await Sentinel.of(t, first.port);
  const knowsReplica = () => sentinel.ask('SENTINEL', 'replicas', 'chat').includes(String(second.port));
  await waitFor('the sentinel to know the replica', knowsReplica, patience);

  // Nobody answers at the first of the sentinels.
  const hosts = `127.0.0.1:${await freePort()},127.0.0.1:${sentinel.port}`;
  const env = {
    ...nodesEnv(new Postgres(t), `redis+sentinel://chat:a-password@${hosts}/chat`),
    RTC_REDIS_SENTINEL_LOGIN: `:${encodeURIComponent(sentinel.password)}`,
  };
  // What Redis does not bring is not looked for.
  const args = [...unhurried, '--relay-check-interval', '1h', '--presence-interval', '100ms'];
  const nodes = [new Server({ args, env }), new Server({ args, env })];
  for (const node of nodes) {
    stopAfter(t, node);
    await node.start();
  }
  await connected(nodes);
  const user = await newUser(nodes[0]);
  const room = await newRoom(nodes[0], user);
  const reader = await memberFor(t, nodes[1], user, room);
  const writer = await clientFor(t, nodes[0], user);
  let count = 0;
  const crosses = async (text) => {
    await waitFor('the reader to be heard of there', () => [first, second].some((redis) => isPrimary(redis) && listeners(redis, room) >= 1), patience);
    const before = await metric(nodes[1], 'relay_received_total');
    await writer.post(room, text);
    assert.deepEqual(await take(reader, 1), [`${++count} ${text}`]);
    assert.ok((await metric(nodes[1], 'relay_received_total')) > before, 'by Redis');
    for (const node of nodes) {
      await waitFor('the people to be shared', async () => (await metric(node, 'presence_connected')) === 1, patience);
    }
  };
  await crosses('by the first');

  await first.kill9();
  for (const node of nodes) await disconnected(node);
  await writer.post(room, 'while there is none');
  await waitFor('the replica to be promoted', () => isPrimary(second), patience);
  await connected(nodes);
  assert.deepEqual(await take(reader, 1), [`${++count} while there is none`]);
  await crosses('by the second');

  // The first one is back, empty, and takes the second one's place while both live.
  await first.start();
  assert.equal(first.ask('REPLICAOF', '127.0.0.1', String(second.port)), 'OK');
  const reconnects = await metric(nodes[1], 'relay_reconnects_total');
  await waitFor('the sentinel to take the first for a replica that can be promoted',
    () => sentinel.ask('SENTINEL', 'failover', 'chat') === 'OK', patience);
  await waitFor('it to be promoted', () => isPrimary(first) && !isPrimary(second), patience);
  await waitFor('the nodes to have gone there', () => listeners(first, room) >= 1 && listeners(second, room) === 0, patience);
  await connected(nodes);
  await crosses('by the first again');
  assert.ok((await metric(nodes[1], 'relay_reconnects_total')) > reconnects);
  for (const node of nodes) {
    assert.doesNotMatch(node.log(), /a-password|of the sentinel/);
    assert.equal(await metric(node, 'relay_refused_total'), 0);
  }
});

it('what is wrong about sentinels is said, and mended without a restart', async (t) => {
  const redis = await Redis.guarded(t);
  const sentinel = await Sentinel.of(t, redis.port);
  const postgres = new Postgres(t);
  const nodeFor = async (name, login) => {
    const url = `redis+sentinel://chat:a-password@127.0.0.1:${sentinel.port}/${name}`;
    const node = new Server({ env: { ...nodesEnv(postgres, url), RTC_REDIS_SENTINEL_LOGIN: login } });
    stopAfter(t, node);
    return node.start();
  };
  const login = `:${encodeURIComponent(sentinel.password)}`;
  for (const [node, message] of [
    [await nodeFor('chat', ''), /set redis_sentinel_login/],
    [await nodeFor('chat', ':another'), /WRONGPASS|invalid/],
    [await nodeFor('other', login), /knows no primary of the name other/],
  ]) {
    await waitFor(`the log to say ${message}`, () => message.test(node.log()));
    assert.equal(await metric(node, 'relay_connected'), 0);
    assert.doesNotMatch(node.log(), /a-password|of the sentinel|:another/);
    if (!message.test('knows no primary of the name other')) continue;
    assert.equal(sentinel.ask('SENTINEL', 'monitor', 'other', '127.0.0.1', String(redis.port), '1'), 'OK');
    await connected([node]);
  }
});
