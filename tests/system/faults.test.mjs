// The disk is full, or fails: no false receipt, clear errors, reads go on, and it recovers by itself.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  Server, assertRefusal, createRoom, history, metric, newRoom, newUser, program, request, waitFor,
  within,
} from './harness.mjs';
import { memberFor } from './clients.mjs';
import { Sender, assertKept, assertSound, readiness, storeLines } from './faults.mjs';

const directory = mkdtempSync(path.join(tmpdir(), 'rtc-faults-'));
after(() => rmSync(directory, { recursive: true, force: true }));

// --- Disks ----------------------------------------------------------------------------------------

// A tmpfs of 8 MiB, most of it taken, in a mount namespace of the server's own: it needs no rights but
// a user namespace, and is gone with the server whatever becomes of the test.
const mountAndRun =
  'mount -t tmpfs -o size=8m,mode=700 tmpfs "$1" && head -c 6m /dev/zero >"$1/ballast" && shift && exec "$@"';
const namespace = ['--map-root-user', '--mount', '--', 'sh', '-c', mountAndRun, 'sh'];

function smallDisk(t) {
  const dataDir = mkdtempSync(path.join(directory, 'data-'));
  const probe = spawnSync('unshare', [...namespace, dataDir, 'true'], { encoding: 'utf8' });
  if (probe.status === 0) {
    const server = new Server({
      binary: '/usr/bin/unshare',
      args: [...namespace, dataDir, program, '--loops', '2'],
      dataDir,
    });
    const root = () => `/proc/${server.pid}/root`;
    return {
      server,
      root,
      fill: () => {}, // its senders do
      free: () => rmSync(`${root()}${dataDir}/ballast`),
    };
  }
  const why = `${probe.error?.message ?? probe.stderr}`.trim();
  const notice =
    `no tmpfs can be mounted here (${why}): the disk is full by a library that gives ENOSPC instead. ` +
    'For a real one allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, or run the ' +
    'container with --cap-add SYS_ADMIN).';
  t.diagnostic(notice);
  console.warn(notice);
  const disk = failingDisk({ dataDir });
  return { ...disk, root: () => '', fill: () => disk.fail('write', 28), free: disk.heal };
}

// A library that lets calls on the database fail while a file says so.
let library;
function failingDisk(options = {}) {
  if (library === undefined) {
    library = path.join(directory, 'failing_disk.so');
    const source = fileURLToPath(new URL('failing_disk.cpp', import.meta.url));
    execFileSync('g++', ['-std=c++20', '-O1', '-shared', '-fPIC', '-o', library, source, '-ldl']);
  }
  const order = path.join(mkdtempSync(path.join(directory, 'order-')), 'order');
  const ownAsan = process.env.ASAN_OPTIONS ? `${process.env.ASAN_OPTIONS}:` : '';
  const env = {
    LD_PRELOAD: library,
    FAILING_DISK: order,
    ASAN_OPTIONS: `${ownAsan}verify_asan_link_order=0`,
  };
  return {
    server: new Server({ ...options, env }),
    fail: (call, number) => writeFileSync(order, `${call} ${number}\n`),
    heal: () => rmSync(order),
  };
}

// --- What goes on -----------------------------------------------------------------------------------

// Everything that only reads, for people who were there and for those who come.
async function assertReads(t, server, user, room, newest) {
  assert.equal((await history(server, user, room, { limit: 5 }))[0].id, newest);
  assert.equal((await request(server, '/healthz')).status, 200);
  const guest = await memberFor(t, server, await newUser(server), room);
  await guest.sendAndWait('SUBSCRIBE', {
    destination: `/sub/channel/${room}`,
    id: 'missed',
    since: newest - 1,
  });
  assert.equal((await guest.message('missed')).body.id, newest);
  await guest.subscribe('/sub/channel/entry', 'count');
  await guest.take('MESSAGE', 'the count', (frame) => frame.headers.subscription === 'count');
  await guest.ping();
  guest.drop();
}

const newestOf = (senders) => Math.max(...senders.flatMap((sender) => [...sender.stored.values()]));

it('disk full: refused, never receipted; reads go on; with room again all goes on by itself', async (t) => {
  const disk = smallDisk(t);
  const { server } = disk;
  t.after(() => server.stop());
  await server.start();
  const began = Date.now();
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const reader = await memberFor(t, server, user, room);
  const senders = [];
  for (const name of ['ann', 'ben', 'cho']) {
    senders.push(new Sender(name, await memberFor(t, server, user, room), room));
  }
  for (const sender of senders) for (let n = 0; n < 5; ++n) assert.ok(await sender.send(20_000));
  assert.equal(await metric(server, 'store_failing'), 0);
  assert.equal(await readiness(server), '200 ready\n');

  // Large ones until none fits; then small ones, one at a time, until none of those does.
  disk.fill();
  const fill = async (sender) => {
    while (await sender.send(20_000));
  };
  await Promise.all(senders.map(fill));
  const [ann] = senders;
  for (let inARow = 0; inARow < 20; ) inARow = (await ann.send()) ? 0 : inARow + 1;
  const keyed = 'ann 1000000 sent again with its key';
  assert.equal(await ann.sendText(keyed, { 'message-key': 'k' }), false);

  await assertReads(t, server, user, room, newestOf(senders));
  const { status, json } = await createRoom(server, user, 'one more');
  assert.equal(status, 500);
  assertRefusal(json, 'INTERNAL_SERVER_ERROR');
  assert.equal(json.error.message, 'the room could not be made; try again in a while');
  assert.equal(await metric(server, 'store_failing'), 1);
  const refusals = senders.reduce((sum, sender) => sum + sender.refused.size, 0);
  assert.equal(await metric(server, 'store_failures_total'), refusals);
  assert.match(await readiness(server), /^200 ready to read; messages are not stored: .*full/);

  disk.free();
  for (const sender of senders) await sender.untilStored();
  assert.ok(await ann.sendText('ann 1000001 the last', { 'message-key': 'l' }));
  assert.ok(await ann.sendText('ann 1000002 sent again', { 'message-key': 'k' }));
  assert.equal(await metric(server, 'store_failing'), 0);
  assert.equal(await readiness(server), '200 ready\n');
  assert.equal((await createRoom(server, user, 'one more')).status, 200);

  const messages = await assertKept(server, user, room, senders);
  for (const { id, message } of messages) {
    const { body } = await reader.message('room');
    assert.deepEqual([body.id, body.message], [id, message], 'live is what history is');
  }
  assert.deepEqual(reader.frames.rest(), [], 'and no more');
  await assertSound(server, disk.root());

  // The log says so, and is not what fills the disk: two kinds of lines, each once in ten seconds.
  const lines = storeLines(server);
  assert.match(lines.join('\n'), /messages not stored, .*full[^]*messages are stored again/);
  const most = 3 * (1 + (Date.now() - began) / 10_000);
  assert.ok(lines.length <= most, `${refusals} refusals, and these lines:\n${lines.join('\n')}`);
});

for (const [call, number] of [['write', 5], ['sync', 5]]) {
  it(`I/O errors of ${call}: refused, never receipted; recovers by itself, and after a kill -9`, async (t) => {
    const { server, fail, heal } = failingDisk({ args: ['--durability', 'fsync'] });
    t.after(() => server.stop());
    await server.start();
    const user = await newUser(server);
    const room = await newRoom(server, user);
    const ann = new Sender('ann', await memberFor(t, server, user, room), room);
    for (let round = 0; round < 3; ++round) {
      for (let n = 0; n < 5; ++n) assert.ok(await ann.send(1_000));
      fail(call, number);
      for (let n = 0; n < 5; ++n) assert.equal(await ann.send(1_000 * n), false);
      assert.match(await readiness(server), /^200 ready to read; messages are not stored: .*I\/O error/);
      await assertReads(t, server, user, room, newestOf([ann]));
      heal();
      await ann.untilStored();
      assert.equal(await metric(server, 'store_failing'), 0);
    }
    await assertKept(server, user, room, [ann]);
    await assertSound(server);

    fail(call, number);
    assert.equal(await ann.send(), false);
    await server.kill9();
    heal();
    await server.restart();
    ann.client = await memberFor(t, server, user, room);
    assert.ok(await ann.send());
    await assertKept(server, user, room, [ann], { refusedMayBe: true });
    await assertSound(server);
  });
}

it('I/O errors of read: history says so without the words of the store, and recovers by itself', async (t) => {
  const { server, fail, heal } = failingDisk();
  t.after(() => server.stop());
  await server.start();
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const ann = new Sender('ann', await memberFor(t, server, user, room), room);
  const other = await newRoom(server, user);
  await ann.client.subscribe(`/sub/channel/${other}`, 'other');
  for (let n = 0; n < 5; ++n) assert.ok(await ann.send());
  fail('read', 5);
  const { status, json } = await request(server, `/message?roomId=${room}`, {
    headers: { Authorization: `Bearer ${user.token}` },
  });
  assert.equal(status, 500);
  assertRefusal(json, 'INTERNAL_SERVER_ERROR');
  assert.equal(json.error.message, 'the history could not be read; try again in a while');
  const destination = `/sub/channel/${room}`;
  await ann.client.sendAndWait('SUBSCRIBE', { destination, id: 'missed', since: 0 });
  const told = await ann.client.message('errors');
  assertRefusal(told.body, 'SERVER_OVERLOAD');
  // Of several rooms it is known which one to ask for again.
  assert.equal(told.headers['ended-subscription'], 'missed');
  assert.equal(told.headers['ended-destination'], destination);
  assert.ok((await metric(server, 'store_call_failures_total')) >= 2);
  // SQLite calls an EIO of a read "malformed": the file might be.
  assert.match(storeLines(server).join('\n'), /store: the history could not be read: storage failed: \w+/);
  heal();
  await ann.untilStored();
  await ann.client.sendAndWait('SUBSCRIBE', { destination, id: 'missed', since: 0 });
  for (let n = 1; n <= 5; ++n) assert.equal((await ann.client.message('missed')).body.id, n);
  await ann.client.post(other, 'the other room went on');
  assert.equal((await ann.client.message('other')).body.id, 1);
  await assertKept(server, user, room, [ann]);
});

// With durability = "commit" the checkpoints sync, and hardly anything else.
it('a log that cannot be brought into the database: nobody is refused, and it is told; then it is', async (t) => {
  const { server, fail, heal } = failingDisk({ args: ['--store-log-bytes-max', '1MiB'] });
  t.after(() => server.stop());
  await server.start();
  const began = Date.now();
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const ann = new Sender('ann', await memberFor(t, server, user, room), room);
  const checkpoints = () => metric(server, 'store_log_checkpoints_total');
  const failures = () => metric(server, 'store_log_checkpoint_failures_total');
  const bytes = () => metric(server, 'store_log_bytes');
  const sendUntil = async (what, reached) => {
    for (let n = 0; !(await reached()); ++n) {
      assert.ok(n < 500, `${what}: not after 500 messages`);
      assert.ok(await ann.send(30_000));
    }
  };
  await sendUntil('a checkpoint', async () => (await checkpoints()) > 0);
  // A commit that begins the log anew syncs its head: let that be over. SQLite numbers each beginning.
  const beginning = () => readFileSync(path.join(server.dataDir, 'realtimechat.sqlite-wal')).readUInt32BE(12);
  const first = beginning();
  await sendUntil('the log begun anew', async () => beginning() > first);
  assert.equal(await failures(), 0);
  fail('sync', 5);
  await sendUntil('the log over its bound', async () => (await bytes()) > 2 << 20);
  assert.ok((await failures()) > 2);
  assert.ok((await metric(server, 'store_log_waits_total')) > 0);
  assert.equal(await metric(server, 'store_failing'), 0);
  const lines = storeLines(server);
  const most = 1 + (Date.now() - began) / 10_000;
  assert.match(lines.join('\n'), /the log was not brought into the database, .*I\/O error \(1 times\)/);
  assert.ok(lines.length <= most, lines.join('\n'));
  heal();
  const done = await checkpoints();
  await sendUntil('the log below its bound', async () => (await bytes()) < 1 << 20);
  assert.ok((await checkpoints()) > done);
  await assertKept(server, user, room, [ann]);
  await assertSound(server);
});

it('a disk that hangs does not hold up the end', async (t) => {
  const { server, fail, heal } = failingDisk({
    args: ['--durability', 'fsync', '--shutdown-timeout', '5s'],
  });
  t.after(() => server.stop());
  await server.start();
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const ann = new Sender('ann', await memberFor(t, server, user, room), room);
  assert.ok(await ann.send());
  fail('sync', 0);
  const text = 'ann 2 in vain';
  ann.refused.add(text);
  ann.client.send('SEND', { destination: '/pub/chat', receipt: 'never' },
    JSON.stringify({ roomId: room, message: text }));
  await waitFor('the message to wait', async () =>
    (await metric(server, 'store_messages_waiting')) === 1);
  assert.equal(await server.terminate(), 3);
  assert.equal((await within('the close', ann.client.closed)).code, 1001);
  const answers = ann.client.frames.rest().map(({ headers }) => headers['receipt-id']);
  assert.ok(!answers.includes('never'));
  assert.match(server.log(), /shutdown_timeout is over: 1 messages given up/);
  heal();
  await server.start();
  await assertKept(server, user, room, [ann], { refusedMayBe: true });
});
