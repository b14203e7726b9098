// Another process holds the database for half a minute: messages are refused within a bounded time,
// reads and everything else are answered meanwhile, and all goes on when it lets go.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  assertRefusal, createRoom, history, init, metric, newRoom, newUser, serverFor, within,
} from './harness.mjs';
import { memberFor } from './clients.mjs';
import { Sender, assertKept, assertSound, lockStore, readiness, storeLines } from './faults.mjs';

const lockedMs = 30_000;
// So long that whatever waited for it would be seen to, on a slow machine too.
const timeoutMs = 10_000 * Number(process.env.TEST_PATIENCE ?? 1);

it('a database locked for 30 s: bounded refusals, no false receipt, nothing else waits', async (t) => {
  const server = await serverFor(t, {
    args: ['--loops', '1', '--store-lock-timeout', `${timeoutMs}ms`],
  });
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const ann = new Sender('ann', await memberFor(t, server, user, room), room);
  const ben = new Sender('ben', await memberFor(t, server, user, room), room);
  const reader = await memberFor(t, server, user, room);
  for (let n = 0; n < 3; ++n) assert.ok(await ann.send());
  const release = await lockStore(t, server);
  const began = Date.now();

  // What needs no commit, of the session whose message waits and of others.
  const others = async () => {
    await ann.client.ping();
    await reader.ping();
    await reader.subscribe('/sub/channel/entry', 'count');
    await reader.sendAndWait('UNSUBSCRIBE', { id: 'count' });
    assert.equal((await history(server, user, room)).length, 3);
    assert.equal((await init(server, user.token)).success, true);
  };
  let answered = false;
  const first = ann.send().finally(() => (answered = true));
  await others();
  assert.equal(answered, false, 'all that was answered while the message waited');
  assert.equal(await first, false);

  // The first has waited for the lock. Those after it do not, or the tenth would have waited longest.
  await within('ten more refusals', (async () => {
    for (let n = 0; n < 5; ++n) {
      assert.equal(await ben.send(), false);
      const { status, json } = await createRoom(server, user, 'one more');
      assert.equal(status, 500);
      assertRefusal(json, 'INTERNAL_SERVER_ERROR');
    }
  })(), 5 * timeoutMs);
  assert.match(await readiness(server), /^200 ready to read; messages are not stored: .*locked/);
  assert.equal(await metric(server, 'store_failing'), 1);
  while (Date.now() - began < lockedMs) {
    await others();
    assert.deepEqual(await Promise.all([ann.send(), ben.send()]), [false, false]);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  const longest = await metric(server, 'loop_turn_longest_seconds');
  assert.ok(longest < timeoutMs / 1000, `no turn waited for the lock; the longest took ${longest} s`);

  await release();
  await ann.untilStored();
  await ben.untilStored();
  assert.equal(await readiness(server), '200 ready\n');
  assert.equal((await createRoom(server, user, 'one more')).status, 200);
  const messages = await assertKept(server, user, room, [ann, ben]);
  for (const { id } of messages) assert.equal((await reader.message('room')).body.id, id);
  await assertSound(server);
  assert.match(storeLines(server).join('\n'), /not stored, .*locked[^]*stored again/);
  t.diagnostic(`the longest turn of the loop took ${longest} s`);
});
