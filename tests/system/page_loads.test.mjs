// Newest pages of a database that nodes share: as new as the database when they were asked for, read once
// for all who ask together, and kept in Redis for who has none in memory.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { history, metric, newRoom, newUser, waitFor } from './harness.mjs';
import { clientFor, memberFor } from './clients.mjs';
import { clusterFor } from './redis.mjs';

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

it('a page holds all that was receipted when it was asked for, whoever loads it beside', async (t) => {
  const { nodes } = await clusterFor(t, 3);
  const user = await newUser(nodes[0]);
  const room = await newRoom(nodes[0], user);
  await memberFor(t, nodes[2], user, room);  // there the relay fills the memory
  const writers = await Promise.all([0, 1].map((n) => clientFor(t, nodes[n], user)));
  let receipted = 0;
  let pages = 0;
  let writing = true;
  const writes = Promise.all(writers.map(async (writer, which) => {
    // Until there was enough to see.
    for (let n = 1; n <= 80 || pages <= 50; ++n) {
      const { headers } = await writer.post(room, `${which} ${n}`);
      receipted = Math.max(receipted, Number(headers.id));
    }
  })).finally(() => (writing = false));
  await Promise.all(nodes.flatMap((node) => range(1, 6).map(async () => {
    while (writing) {
      const least = receipted;
      const page = await history(node, user, room, { limit: 30 });
      assert.ok((page[0]?.id ?? 0) >= least, `the newest is ${page[0]?.id}, after the receipt of ${least}`);
      page.forEach((each, i) => assert.equal(each.id, page[0].id - i, 'no hole'));
      assert.equal(page.length, Math.min(30, page[0]?.id ?? 0));
      pages += 1;
    }
  })));
  await writes;
});

it('however many ask for a page at once, it is read once for all who wait', async (t) => {
  const threads = 3;
  const { nodes, postgres } = await clusterFor(t, 1, [
    '--postgres-connections-max', String(threads + 1), '--postgres-timeout', '60s',
    '--ban-check-interval', '1h', // which is a read as well
  ]);
  const user = await newUser(nodes[0]);
  const room = await newRoom(nodes[0], user);
  const writer = await clientFor(t, nodes[0], user);
  for (const n of range(1, 40)) await writer.post(room, `message ${n}`);
  // Both loops know the room then.
  for (let n = 0; n < 30; ++n) assert.equal((await history(nodes[0], user, room)).length, 40);
  const figures = async () => [
    await metric(nodes[0], 'store_reads_total'), await metric(nodes[0], 'page_requests_joined_total'),
  ];
  const [reads, joined] = await figures();
  const asked = 100;
  postgres.freeze();
  const pages = range(1, asked).map(() => history(nodes[0], user, room));
  // Each thread is stuck with a page, and all others wait for one more.
  await waitFor('all of them to wait', async () => (await figures())[1] >= joined + asked - threads - 1);
  postgres.thaw();
  for (const page of await Promise.all(pages)) assert.deepEqual(page.map(({ id }) => id), range(1, 40).reverse());
  const alone = asked - ((await figures())[1] - joined);
  assert.ok(alone >= 1 && alone <= threads + 1, `${alone} reads for ${asked} pages`);
  // A read is counted when its answer is on its way.
  await waitFor('a read for each that did not join', async () => (await figures())[0] - reads === alone);
});

it('a node that is started anew finds pages in Redis, and asks the database for what came since', async (t) => {
  const { nodes, redis } = await clusterFor(t, 2, ['--redis-page-timeout', '3s']);
  const user = await newUser(nodes[0]);
  const rooms = [];
  for (let n = 0; n < 3; ++n) rooms.push(await newRoom(nodes[0], user));
  const writer = await clientFor(t, nodes[0], user);
  for (const room of rooms) for (const n of range(1, 120)) await writer.post(room, `message ${n}`);
  const figure = (name) => metric(nodes[1], `redis_pages_${name}`);
  await waitFor('Redis', async () => (await figure('connected')) === 1);
  const load = async (room, newest) => assert.deepEqual((await history(nodes[1], user, room, { limit: 50 })).map(({ id }) => id), range(newest - 49, newest).reverse());
  for (const room of rooms) await load(room, 120);
  await waitFor('the pages to be kept', async () => (await figure('kept_total')) === 3);
  assert.equal(redis.ask('--scan', '--pattern', 'realtimechat:{people}:page:*').split('\n').length, 3);
  await nodes[1].terminate();
  for (const n of range(121, 125)) await writer.post(rooms[1], `message ${n}`);
  await nodes[1].restart();
  await waitFor('Redis', async () => (await figure('connected')) === 1);
  await load(rooms[0], 120);
  await load(rooms[1], 125);
  assert.equal(await figure('found_total'), 2);
  // What others wrote there is not believed, and mended.
  const key = `realtimechat:{people}:page:${rooms[2]}`;
  assert.equal(redis.ask('SET', key, 'forged'), 'OK');
  await load(rooms[2], 120);
  assert.equal(await figure('refused_total'), 1);
  await waitFor('the page to be kept anew', async () => redis.ask('GET', key) !== 'forged');
  // A Redis that hangs or is gone costs a moment, and no page.
  for (const fails of ['hangs', 'is gone']) {
    const another = await newRoom(nodes[0], user);
    for (const n of range(1, 60)) await writer.post(another, `message ${n}`);
    if (fails === 'hangs') redis.freeze();
    else await redis.kill9();
    await load(another, 60);
    if (fails === 'hangs') redis.thaw();
  }
  assert.ok((await figure('late_total')) >= 1);
});
