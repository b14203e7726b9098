// The example of three nodes in docs/operations.md as a whole, from its files in docs/examples/: two
// Redis and three sentinels, PostgreSQL and HAProxy, TLS between all of them, and no rights but those
// there. Only names, ports and files are the test's.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { it } from 'node:test';
import { Server, freePort, metric, newRoom, newUser, request, stopAfter, waitFor } from './harness.mjs';
import { certificatesFor } from './certificates.mjs';
import { clientFor, memberFor } from './clients.mjs';
import { connected, disconnected, take, unhurried } from './cluster.mjs';
import { example, linesOf } from './examples.mjs';
import { Postgres } from './postgres.mjs';
import { proxyFor } from './proxies.mjs';
import { Redis } from './redis.mjs';

const patience = 120_000; // of sentinels, which look at their servers every ten seconds

// `text` with each of these put in its place, which must be there.
function put(text, places) {
  for (const [from, to] of places) {
    assert.ok(text.includes(from), `${from} in the example`);
    text = text.replaceAll(from, to);
  }
  return text;
}

// A redis-server or a sentinel by its file of docs/examples/. All are on localhost, by that name.
class FromFile extends Redis {
  static of(t, certificates, file, { login, places, sentinel = false }) {
    const { ca, certificate, key } = certificates;
    const kind = sentinel ? 'sentinel' : 'redis';
    return this.for(t, undefined, [], {
      login: [...login, '--no-auth-warning', '--tls', '--cacert', ca],
      sentinel,
      text: (port, directory) => put(example(file), [
        ['bind 0.0.0.0', 'bind 127.0.0.1 -::1'], ['dir /var/lib/redis', `dir ${directory}`],
        [`tls-port ${sentinel ? 26379 : 6379}`, `tls-port ${port}`], ...places,
        ['/etc/redis/ca.pem', ca], [`/etc/redis/${kind}.pem`, certificate], [`/etc/redis/${kind}.key`, key],
      ]),
    });
  }

  async words() {
    const file = path.join(this.directory, 'its.conf');
    // What it wrote into its file itself is kept.
    this.written ??= writeFile(file, this.text(this.port, this.directory));
    await this.written;
    return this.sentinel ? [file, '--sentinel'] : [file];
  }
}

const isPrimary = (redis) => redis.ask('ROLE').startsWith('master');
const operator = ['--user', 'operator', '-a', 'a-password-of-yours'];

async function redisFor(t, certificates, primary) {
  const places = [['replica-announce-ip redis-1.example', 'replica-announce-ip localhost'],
    ['#replicaof redis-1.example 6379', primary ? `replicaof localhost ${primary.port}` : '']];
  return FromFile.of(t, certificates, 'three-nodes.redis.conf', { login: operator, places });
}

function sentinelFor(t, certificates, primary) {
  return FromFile.of(t, certificates, 'three-nodes.sentinel.conf', {
    sentinel: true,
    login: ['-a', 'a-password-of-sentinels'],
    places: [['monitor chat redis-1.example 6379', `monitor chat localhost ${primary.port}`]],
  });
}

it('the example of three nodes works as it is written, and goes on when its Redis dies', async (t) => {
  const certificates = certificatesFor(t, 'DNS:localhost');
  const postgres = new Postgres(t);
  postgres.overTls(certificates);
  postgres.ask("CREATE ROLE chat LOGIN PASSWORD 'a-password'");
  postgres.ask('CREATE DATABASE chat OWNER chat ENCODING UTF8');
  const first = await redisFor(t, certificates);
  const second = await redisFor(t, certificates, first);
  await waitFor('the replica to be one', () => second.ask('INFO', 'replication').includes('master_link_status:up'), patience);
  const sentinels = [];
  for (let n = 0; n < 3; ++n) sentinels.push(await sentinelFor(t, certificates, first));
  await waitFor('the sentinels to know each other and both Redis', () => sentinels.every((each) =>
    each.ask('SENTINEL', 'ckquorum', 'chat').startsWith('OK 3 usable') &&
    each.ask('SENTINEL', 'replicas', 'chat').includes(`localhost:${second.port}`)), patience);

  const text = put(example('three-nodes.env'), [
    ['@db.example/', `@localhost:${new URL(postgres.url).port}/`],
    ['a.example,b.example,c.example', sentinels.map(({ port }) => `localhost:${port}`).join(',')],
    ['/etc/realtimechat/ca.pem', certificates.ca],
  ]);
  const env = Object.fromEntries(linesOf(text).map((line) => line.split(/=(.*)/s).slice(0, 2)));
  const args = [...unhurried, '--trusted-proxies', '127.0.0.1', '--relay-check-interval', '1h', '--presence-interval', '100ms'];
  const nodes = [0, 1, 2].map(() => new Server({ args, env }));
  for (const node of nodes) {
    stopAfter(t, node);
    await node.start();
  }
  await connected(nodes);
  assert.equal(postgres.ask(`SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
    WHERE application_name = 'realtimechat'`), 't');

  const proxy = await proxyFor(t, 'haproxy', nodes, { trustful: true });
  const user = await newUser(proxy);
  const room = await newRoom(proxy, user);
  const readers = await Promise.all(nodes.map((node) => memberFor(t, node, user, room)));
  const writer = await clientFor(t, proxy, user);
  let count = 0;
  const crosses = async (words) => {
    for (const node of nodes) {
      await waitFor('the people to be shared', async () => (await metric(node, 'presence_connected')) === 1, patience);
    }
    await waitFor('all readers to be heard of there', () => [first, second].some((redis) => isPrimary(redis) &&
      redis.ask('PUBSUB', 'NUMSUB', `realtimechat:room:${room}`).split('\n')[1] === '3'), patience);
    const before = await Promise.all(nodes.map((node) => metric(node, 'relay_received_total')));
    await writer.post(room, words);
    count += 1;
    for (const reader of readers) assert.deepEqual(await take(reader, 1), [`${count} ${words}`]);
    const after = await Promise.all(nodes.map((node) => metric(node, 'relay_received_total')));
    assert.equal(after.filter((each, n) => each > before[n]).length, 2, 'by Redis to the two that have not the writer');
  };
  await crosses('by the first');

  // The sentinels make the other one primary, and the nodes go there.
  await first.kill9();
  for (const node of nodes) await disconnected(node);
  await waitFor('the replica to be promoted', () => isPrimary(second), patience);
  await connected(nodes);
  await crosses('by the second');
  // The first comes back, and is told to copy the second.
  await first.start();
  await waitFor('the first to be a replica', () => first.ask('INFO', 'replication').includes('master_link_status:up'), patience);
  await second.kill9();
  await waitFor('the first to be promoted again', () => isPrimary(first), patience);
  await connected(nodes);
  await crosses('by the first again');
  for (const node of nodes) {
    assert.equal((await request(node, '/readyz')).raw.toString(), 'ready\n');
    assert.doesNotMatch(node.log(), /a-password/);
    assert.equal(await metric(node, 'relay_refused_total'), 0);
    assert.equal(await metric(node, 'presence_refused_total'), 0);
  }
});
