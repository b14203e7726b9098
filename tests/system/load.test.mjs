// The load client of bench/ against the program: every delivery counted. No figures here, only that
// nothing is lost, repeated or out of order; and that script/bench measures, tabulates and draws.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, metric, program, serverFor, waitFor } from './harness.mjs';

const run = promisify(execFile);
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const client = path.join(path.dirname(program), 'rtc_load');
const sound = { lost: 0, repeated: 0, disordered: 0, strays: 0, sessions_cut_off: 0, faulty: false };

// What the client reports of that load; everything must have come.
async function load(url, args) {
  const { stdout } = await run(client, [url, ...args, '--patience', '60', '--json']);
  const report = JSON.parse(stdout);
  assert.deepEqual({ ...report, ...sound }, report);
  return report;
}

// The limit server in one of its two ways of writing, for one test.
async function limitFor(t, writes) {
  const port = await freePort();
  const child = spawn(path.join(path.dirname(program), 'rtc_limit'), [port, writes]);
  t.after(() => child.kill('SIGKILL'));
  await waitFor('the limit server to listen', () => {
    assert.equal(child.exitCode, null, 'the limit server ended');
    return new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  });
  return `ws://127.0.0.1:${port}/ws`;
}

// 10 rooms of 10, everyone writes 20 messages, four in flight each: the load C, small.
const everyoneWrites = ['--rooms', '10', '--readers', '10', '--publishers', '10', '--in-flight', '4', '--messages', '20'];
// A room of 300, ten messages when they are due: the load G, small and fast.
const crowd = ['--readers', '300', '--rate', '20', '--messages', '10'];

it('delivers every message of many writers to every reader, once and in order', async (t) => {
  const server = await serverFor(t);
  const { deliveries } = await load(`${server.wsUrl}/ws`, ['--rooms', '3', '--readers', '20', '--publishers', '2',
    '--messages', '200', '--in-flight', '8']);
  // 200 messages of each of 6 writers to the 20 readers of their room.
  assert.equal(deliveries, 200 * 2 * 3 * 20);
});

it('does the same in rooms without history', async (t) => {
  const server = await serverFor(t);
  const { deliveries } = await load(`${server.wsUrl}/ws`, [
    '--rooms', '3', '--readers', '20', '--publishers', '2', '--messages', '200', '--in-flight', '8', '--no-history',
  ]);
  assert.equal(deliveries, 200 * 2 * 3 * 20);
  assert.equal(await metric(server, 'live_messages_total'), 200 * 2 * 3);
  assert.equal(await metric(server, 'store_messages_total'), 0);
});

it('delivers everything where everyone of many rooms writes', async (t) => {
  const server = await serverFor(t);
  const { deliveries } = await load(`${server.wsUrl}/ws`, everyoneWrites);
  assert.equal(deliveries, 10 * 10 * 20 * 10);
});

it('says when the last of many readers had each message', async (t) => {
  const server = await serverFor(t);
  const report = await load(`${server.wsUrl}/ws`, crowd);
  assert.equal(report.deliveries, 300 * 10);
  assert.equal(report.messages, 10);
  assert.ok(report.last_reader_p50_us >= report.latency_p50_us);
  assert.equal(report.last_reader_p99_us, report.latency_max_us);
});

for (const writes of ['each', 'gather']) {
  it(`is delivered everything by the limit server too (${writes})`, async (t) => {
    const url = await limitFor(t, writes);
    const many = await load(url, [...everyoneWrites, '--server', 'stomp']);
    assert.equal(many.deliveries, 10 * 10 * 20 * 10);
    const { messages, deliveries } = await load(url, [...crowd, '--server', 'stomp']);
    assert.deepEqual({ messages, deliveries }, { messages: 10, deliveries: 300 * 10 });
  });
}

it('is measured, tabulated and drawn by script/bench', async () => {
  const out = path.join(root, 'build/bench-smoke');
  await rm(out, { recursive: true, force: true });
  const { stdout } = await run(path.join(root, 'script/bench'), ['--smoke', 'C', 'D', 'E', 'H', 'I', 'R'], {
    env: { ...process.env, RTC_BINARY: program },
  });
  const shared = ['C', 'D10', 'D50', 'E10', 'E19'];
  for (const name of shared.flatMap((each) => ['realtimechat', 'limit', 'limit_gather'].map((of) => `${each}-${of}`))) {
    const report = JSON.parse(await readFile(path.join(out, `${name}-1.json`), 'utf8'));
    assert.deepEqual({ faulty: report.faulty, cut: report.sessions_cut_off }, { faulty: false, cut: 0 }, name);
    if (!name.startsWith('E')) assert.ok(report.deliveries > 0 && report.lost + report.repeated + report.disordered === 0, name);
  }
  const store = JSON.parse(await readFile(path.join(out, 'H-realtimechat-1.json'), 'utf8'));
  assert.deepEqual({ faulty: store.faulty, any: store.pages_wrong_any_depth, newest: store.pages_wrong_newest }, { faulty: false, any: 0, newest: 0 });
  for (const of of ['young_fsync', 'full_fsync', 'young_commit', 'full_commit', 'plain_fsync']) assert.ok(store[`messages_per_second_${of}`] > 0, of);
  const storm = JSON.parse(await readFile(path.join(out, 'R-realtimechat-1.json'), 'utf8'));
  assert.deepEqual({ ...storm, ...sound, newcomers: 60, newcomers_not_in: 0 }, storm);
  const soak = JSON.parse(await readFile(path.join(out, 'I-realtimechat-1.json'), 'utf8'));
  assert.deepEqual({ ...soak, ...sound, failed_visits: 0, failed_pages: 0 }, soak);
  assert.ok(soak.samples.length > 10 && soak.samples.every(([, bytes]) => bytes > 0));
  assert.ok(soak.deliveries_per_second > 0 && soak.visits_per_second > 0 && soak.pages_per_second > 0);

  const table = await readFile(path.join(out, 'table.md'), 'utf8');
  assert.ok(stdout.includes(table.trim()), 'the table is not what was printed');
  for (const name of shared) assert.match(table, new RegExp(`\\*\\*${name}: [^]*?\\| RealTimeChat \\|[^]*?\\| limit: [^]*?\\| limit-gather: `));
  assert.match(table, /\*\*H: [^]*?\| young, `fsync` \|[^]*?\| plain file, write \|[^]*?Pages of 50 in 5,000 rows/);
  assert.match(table, /\*\*R: [^]*?\| RealTimeChat \|[^]*?\| limit: [^]*?\| limit-gather: /);
  assert.match(table, /\*\*I: [^]*?\| RealTimeChat \|/);
  for (const name of ['cpu', 'latency', 'memory', 'soak']) {
    assert.match(await readFile(path.join(out, `bench-${name}.svg`), 'utf8'), /^<svg [^]*RealTimeChat|^<svg [^]*Soak/);
  }
});

it('lets many in at once, and loses nothing of those who talk meanwhile', async (t) => {
  const server = await serverFor(t);
  const report = await load(`${server.wsUrl}/ws`, ['--mode', 'storm', '--rooms', '3', '--readers', '10', '--rate', '100',
    '--warm-up', '0', '--seconds', '2', '--newcomers', '500']);
  assert.deepEqual({ ...report, newcomers: 500, newcomers_not_in: 0 }, report);
  assert.ok(report.deliveries_before > 0 && report.deliveries_meanwhile > 0 && report.deliveries_afterwards > 0);
  assert.ok(report.joined_p50_ms <= report.joined_all_ms);
});

it('compares a room without and with two slow readers, and loses nothing of the others', async (t) => {
  const server = await serverFor(t);
  const args = ['--mode', 'slow', '--readers', '20', '--window', 'receipt', '--pairs', '1', '--seconds', '2',
    '--warm-up', '0', '--pid', server.pid];
  // It fails also where the machine lets the client be the busy side: no matter here.
  const { stdout } = await run(client, [`${server.wsUrl}/ws`, ...args, '--json']).catch((error) => error);
  const report = JSON.parse(stdout);
  const { lost, repeated, disordered, sessions_cut_off: cutOff } = report;
  assert.deepEqual({ lost, repeated, disordered, cutOff }, { lost: 0, repeated: 0, disordered: 0, cutOff: 0 });
  assert.ok(report.slow_joins >= 1); // again, where the server cut them off within these two seconds
  assert.ok(report.latency_p99_us_without > 0 && report.latency_p99_us_with > 0);
});

const carriers = [
  ['poll', '--poll', '0.2'],
  ['poll', '--poll', '0.2', '--no-keep-alive'],
  ['xhr'],
  ['xhr-streaming'],
  ['eventsource'],
  ['websocket'],
];
for (const [transport, ...args] of carriers) {
  it(`carries a chat to every reader by ${[transport, ...args].join(' ')}, each message once and in order`, async (t) => {
    // An answer ends after a KiB: streams go on in the next one.
    const server = await serverFor(t, { args: ['--sockjs-response-bytes-max', '1KiB'] });
    const report = await load(`${server.wsUrl}/ws`, ['--mode', 'cost', '--transport', transport, ...args, '--rooms', '2', '--readers', '5',
      '--rate', '100', '--seconds', '2', '--warm-up', '0.1', '--settle', '0', '--heart-beat', '1000']);
    assert.ok(report.written > 10);
    assert.equal(report.seen, report.written * 5);
    assert.equal(report.transport, transport);
    assert.ok(report.bytes_to_user_per_user_second > report.bytes_to_server_per_user_second);
    assert.equal(report.requests_per_user_second > 0, transport !== 'websocket');
    assert.equal(report.connections_per_user_second > 0, args.includes('--no-keep-alive'));
  });
}

it('fails where the server goes away before all is seen', async (t) => {
  const server = await serverFor(t);
  const failing = assert.rejects(run(client, [`${server.wsUrl}/ws`, '--mode', 'cost', '--transport', 'xhr', '--readers', '3', '--rate', '20',
    '--seconds', '60', '--warm-up', '0', '--settle', '0', '--json']), ({ code }) => code === 1 || code === 3);
  await waitFor('the readers to see something', async () => (await metric(server, 'store_messages_total')) > 3);
  await server.stop();
  await failing;
});

it('compares what carries a chat by script/bench cost, and fills the page and its plots', async () => {
  const out = path.join(root, 'build/bench-smoke-cost');
  await rm(out, { recursive: true, force: true });
  await run(path.join(root, 'script/bench'), ['--smoke', 'cost'], { env: { ...process.env, RTC_BINARY: program } });
  const ways = ['poll_short', 'poll_long', 'poll_long_new', 'xhr', 'xhr_streaming', 'eventsource', 'websocket'];
  for (const name of ways.flatMap((way) => ['1-0', '1-20', '3-0', '3-20'].map((of) => `${way}-${of}`))) {
    const report = JSON.parse(await readFile(path.join(out, `carry-${name}.json`), 'utf8'));
    assert.deepEqual({ ...report, ...sound }, report, name);
    assert.equal(report.seen > 0, name.endsWith('-20'), name);
  }
  const page = await readFile(path.join(out, 'connection-cost.md'), 'utf8');
  assert.match(page, /\| WebSocket \| 0 \|[^\n]+\| 0 \| [\d.]+ \|\n/);
  assert.match(page, /JWT of \d+ bytes/);
  for (const name of ['cpu', 'bytes', 'delay', 'growth', 'memory']) {
    assert.match(await readFile(path.join(out, `cost-${name}.svg`), 'utf8'), /^<svg [^]*WebSocket/);
  }
});
