// Nodes over a Redis Cluster: they find whoever has the people by themselves, after a crash, after an
// orderly change and after the slot was moved, and messages and people cross by it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Server, bearer, freePort, metric, newRoom, newUser, postRaw, request, stopAfter, waitFor } from './harness.mjs';
import { certificatesFor } from './certificates.mjs';
import { clientFor, memberFor } from './clients.mjs';
import { connected, disconnected, take, unhurried } from './cluster.mjs';
import { Postgres } from './postgres.mjs';
import { RedisCluster, nodesEnv } from './redis.mjs';

// A cluster takes a node that is back for a replica after some seconds.
const patience = 120_000;

async function nodesFor(t, count, url, more = {}) {
  const env = { ...nodesEnv(new Postgres(t), url), ...more };
  // What Redis does not bring is not looked for.
  const args = [...unhurried, '--relay-check-interval', '1h', '--presence-interval', '100ms'];
  const nodes = Array.from({ length: count }, () => new Server({ args, env }));
  for (const node of nodes) {
    stopAfter(t, node);
    await node.start();
  }
  return nodes;
}

it('nodes follow the people over a cluster', async (t) => {
  const cluster = await RedisCluster.for(t, { spares: 1 });
  // Nobody answers at the first, and the next is a spare that has nothing.
  const hosts = [await freePort(), cluster.servers.at(-1).port, cluster.servers[0].port].map((port) => `127.0.0.1:${port}`);
  const nodes = await nodesFor(t, 2, `redis+cluster://chat:a-password@${hosts.join(',')}`);
  await connected(nodes);
  const user = await newUser(nodes[0]);
  const other = await newUser(nodes[0]);
  const room = await newRoom(nodes[0], user);
  const reader = await memberFor(t, nodes[1], user, room);
  const writer = await clientFor(t, nodes[0], user);
  const live = (await postRaw(nodes[0], user, '/chatroom', { name: 'live only', history: false })).json.response.roomId;
  const liveReader = await clientFor(t, nodes[1], user);
  await liveReader.subscribe(`/sub/channel/${live}`, 'live');

  const people = async (node) => {
    const query = new URLSearchParams({ roomId: room });
    return (await request(node, `/chatroom/people?${query}`, { headers: bearer(user.token) })).json.response.people;
  };
  const all = async (count) => {
    for (const node of nodes) {
      await waitFor('the people to be shared', async () => (await metric(node, 'presence_connected')) === 1, patience);
      await waitFor(`${count} people`, async () => (await people(node)) === count, patience);
    }
  };
  const heard = (channel) => cluster.servers.some((each) => Number(each.ask('PUBSUB', 'NUMSUB', channel).split('\n')[1]) >= 1);
  let count = 0;
  const crosses = async (text) => {
    for (const each of [room, live]) await waitFor('the reader to be heard of', () => heard(`realtimechat:room:${each}`), patience);
    const before = await metric(nodes[1], 'relay_received_total');
    await writer.post(room, text);
    assert.deepEqual(await take(reader, 1), [`${++count} ${text}`]);
    await writer.post(live, text);
    assert.equal((await liveReader.message('live')).body.message, text);
    assert.ok((await metric(nodes[1], 'relay_received_total')) >= before + 2, 'by Redis');
    await all(1);
    // Who comes on one node and goes again is known on both.
    const guest = await memberFor(t, nodes[0], other, room);
    await all(2);
    guest.drop();
    await all(1);
  };
  await crosses('by the first');

  // The owner dies: its replica is made owner by the cluster.
  const first = cluster.owner;
  await first.kill9();
  for (const node of nodes) await disconnected(node);
  await writer.post(room, 'while there is none');
  await waitFor('another owner', () => cluster.owner !== undefined && cluster.owner !== first, patience);
  const second = cluster.owner;
  await connected(nodes);
  assert.deepEqual(await take(reader, 1), [`${++count} while there is none`]);
  await crosses('by the second');

  // The first is back, and made owner by order: no connection is closed.
  await first.start();
  await waitFor('the first to be a replica', () => cluster.replicasOf(second).includes(first), patience);
  await waitFor('the order to be taken', () => first.ask('CLUSTER', 'FAILOVER') === 'OK', patience);
  await waitFor('it to be owner', () => cluster.owner === first, patience);
  await crosses('by the first again');

  // The slot is moved to the spare.
  const spare = cluster.servers.at(-1);
  cluster.move(spare);
  await waitFor('the spare to be owner', () => cluster.owner === spare, patience);
  await crosses('by the spare');
  for (const node of nodes) {
    assert.doesNotMatch(node.log(), /a-password/);
    assert.equal(await metric(node, 'relay_refused_total'), 0);
    assert.equal(await metric(node, 'presence_refused_total'), 0);
    assert.equal(await metric(node, 'relay_connected'), 1);
  }
});

it('nodes follow the people over a cluster that speaks TLS', async (t) => {
  const certificates = certificatesFor(t);
  const cluster = await RedisCluster.for(t, { certificates });
  const hosts = cluster.servers.map(({ tlsPort }) => `127.0.0.1:${tlsPort}`);
  const url = `rediss+cluster://chat:a-password@${hosts.join(',')}`;
  const nodes = await nodesFor(t, 2, url, { RTC_REDIS_CA_FILE: certificates.ca });
  await connected(nodes);
  const user = await newUser(nodes[0]);
  const room = await newRoom(nodes[0], user);
  const reader = await memberFor(t, nodes[1], user, room);
  const writer = await clientFor(t, nodes[0], user);
  let count = 0;
  const crosses = async (text) => {
    await waitFor('the reader to be heard of', () => cluster.servers.some((each) =>
      Number(each.ask('PUBSUB', 'NUMSUB', `realtimechat:room:${room}`).split('\n')[1]) >= 1), patience);
    for (const node of nodes) {
      await waitFor('the people to be shared', async () => (await metric(node, 'presence_connected')) === 1, patience);
    }
    const before = await metric(nodes[1], 'relay_received_total');
    await writer.post(room, text);
    assert.deepEqual(await take(reader, 1), [`${++count} ${text}`]);
    assert.ok((await metric(nodes[1], 'relay_received_total')) > before, 'by Redis');
    // Every connection of the nodes, to whichever server, is one over TLS.
    let connections = 0;
    for (const each of cluster.servers) {
      const clients = each.ask('CLIENT', 'LIST').split('\n').filter((line) => line.includes('user=chat'));
      for (const line of clients) assert.match(line, new RegExp(` laddr=127\\.0\\.0\\.1:${each.tlsPort} `));
      connections += clients.length;
    }
    assert.ok(connections >= 4 * nodes.length, `${connections} connections`);
  };
  await crosses('by the first');
  const first = cluster.owner;
  await first.kill9();
  for (const node of nodes) await disconnected(node);
  await waitFor('another owner', () => cluster.owner !== undefined && cluster.owner !== first, patience);
  await connected(nodes);
  await crosses('by the second');
});

it('a node of a cluster that is taken for a Redis alone is left with a word', async (t) => {
  const cluster = await RedisCluster.for(t);
  const stranger = cluster.servers.find((each) => each !== cluster.owner);
  const [node] = await nodesFor(t, 1, `redis://chat:a-password@127.0.0.1:${stranger.port}`);
  await waitFor('the log to say it', () => /redis_url must begin with redis\+cluster/.test(node.log()));
  assert.equal(await metric(node, 'presence_connected'), 0);
});
