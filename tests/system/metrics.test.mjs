// What /metrics says of the loops, scraped under traffic: every scrape is whole, and in the end the
// sums agree with each other and with what the clients got.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { metric, newRoom, newUser, request, serverFor, waitFor } from './harness.mjs';
import { memberFor } from './clients.mjs';

// Of /metrics: family → [{ labels, value }], under the names of the samples without the prefix.
async function scrape(server) {
  const { raw } = await request(server, '/metrics');
  const samples = {};
  for (const line of raw.toString().split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name, labelText = '', value] = /^realtimechat_(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    const labels = Object.fromEntries([...labelText.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]));
    (samples[name] ??= []).push({ labels, value: Number(value) });
  }
  return samples;
}

const sum = (samples, name) => samples[name].reduce((total, { value }) => total + value, 0);
const histograms = ['turn_seconds', 'commit_lag_seconds', 'messages_per_write', 'segments_per_write'];

// Prometheus' rules: buckets add up and end with all that were counted. And nothing goes back.
function assertWhole(samples, before, loops) {
  for (const name of histograms.map((each) => `loop_${each}`)) {
    for (let loop = 0; loop < loops; ++loop) {
      const own = ({ labels }) => labels.loop === String(loop);
      const buckets = samples[`${name}_bucket`].filter(own);
      assert.equal(buckets.at(-1).labels.le, '+Inf');
      for (let i = 1; i < buckets.length; ++i) {
        assert.ok(buckets[i].value >= buckets[i - 1].value, `${name} adds up`);
        if (i + 1 < buckets.length) assert.ok(Number(buckets[i].labels.le) > Number(buckets[i - 1].labels.le));
      }
      assert.equal(buckets.at(-1).value, samples[`${name}_count`].find(own).value);
    }
  }
  for (const name of Object.keys(before ?? {}).filter((each) => /_(total|count|bucket)$/.test(each))) {
    before[name].forEach(({ value }, i) => assert.ok(samples[name][i].value >= value, `${name} goes back`));
  }
}

it('the figures of the loops, scraped under traffic, agree', async (t) => {
  const loops = 2;
  const readersOfEach = 6;
  const messages = 60;
  const server = await serverFor(t, { args: ['--loops', String(loops)] });
  const user = await newUser(server);
  const rooms = [await newRoom(server, user), await newRoom(server, user)];
  const members = [];
  for (const room of rooms) {
    for (let n = 0; n < readersOfEach; ++n) members.push({ room, client: await memberFor(t, server, user, room) });
  }
  let last;
  let running = true;
  const scraping = (async () => {
    for (let scrapes = 0; running || scrapes < 3; ++scrapes) {
      const samples = await scrape(server);
      assertWhole(samples, last, loops);
      last = samples;
    }
  })();
  const writers = members.filter((_, n) => n % readersOfEach < 2);
  await Promise.all(writers.map(async ({ room, client }, which) => {
    const receipts = [];
    for (let n = 0; n < messages; ++n) receipts.push(client.post(room, `${which}: ${n}`));
    await Promise.all(receipts);
  }));
  for (const { client } of members) for (let n = 0; n < 2 * messages; ++n) await client.message('room');
  running = false;
  await scraping;

  // What is counted at a turn's end may follow what the clients got.
  const deliveries = rooms.length * readersOfEach * 2 * messages;
  await waitFor('every delivery to be counted', async () => (await metric(server, 'deliveries_total')) === deliveries);
  await waitFor('every batch to be counted', async () => {
    const [now, commits] = [await scrape(server), await metric(server, 'store_commits_total')];
    const lags = sum(now, 'loop_commit_lag_seconds_count');
    return lags >= commits && lags <= loops * commits;
  });
  // Nor does a loop count its writes and its turn at one stroke: a scrape on another loop may be between,
  // as one loop is still at the end of the answer before.
  const samples = await waitFor('the writes and turns to agree', async () => {
    const now = await scrape(server);
    const writes = sum(now, 'writes_total');
    return sum(now, 'loop_writes_total') === writes && sum(now, 'loop_segments_per_write_count') === writes &&
      sum(now, 'loop_turn_seconds_count') >= sum(now, 'loop_turns_total') && now;
  });
  assertWhole(samples, last, loops);
  assert.equal(sum(samples, 'loop_deliveries_total'), deliveries);
  assert.equal(sum(samples, 'loop_messages_per_write_sum'), deliveries, 'messages of all writes');
  assert.ok(sum(samples, 'loop_messages_per_write_count') <= deliveries);
  assert.ok(sum(samples, 'loop_messages_per_write_count') >= members.length);
  assert.ok(sum(samples, 'loop_segments_per_write_sum') >= sum(samples, 'writes_total'), 'none is empty');
  assert.ok(sum(samples, 'loop_commit_lag_seconds_sum') > 0);
  assert.equal(sum(samples, 'loop_outbox_bytes'), 0, 'everybody reads');
});
