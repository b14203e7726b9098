// The load client of bench/ against the program: every delivery counted. No figures here, only that
// nothing is lost, repeated or out of order.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { metric, program, serverFor } from './harness.mjs';

it('delivers every message of many writers to every reader, once and in order', async (t) => {
  const server = await serverFor(t);
  const client = path.join(path.dirname(program), 'rtc_load');
  const load = ['--rooms', '3', '--readers', '20', '--publishers', '2', '--messages', '200', '--in-flight', '8'];
  const { stdout } = await promisify(execFile)(client, [`${server.wsUrl}/ws`, ...load, '--json']);
  const report = JSON.parse(stdout);
  const { deliveries, lost, repeated, disordered, sessions_cut_off: cutOff } = report;
  assert.deepEqual({ lost, repeated, disordered, cutOff }, { lost: 0, repeated: 0, disordered: 0, cutOff: 0 });
  // 200 messages of each of 6 writers to the 20 readers of their room.
  assert.equal(deliveries, 200 * 2 * 3 * 20);
});

it('does the same in rooms without history', async (t) => {
  const server = await serverFor(t);
  const client = path.join(path.dirname(program), 'rtc_load');
  const load = ['--rooms', '3', '--readers', '20', '--publishers', '2', '--messages', '200', '--in-flight', '8', '--no-history'];
  const { stdout } = await promisify(execFile)(client, [`${server.wsUrl}/ws`, ...load, '--json']);
  const { deliveries, lost, repeated, disordered } = JSON.parse(stdout);
  assert.deepEqual({ lost, repeated, disordered }, { lost: 0, repeated: 0, disordered: 0 });
  assert.equal(deliveries, 200 * 2 * 3 * 20);
  assert.equal(await metric(server, 'live_messages_total'), 200 * 2 * 3);
  assert.equal(await metric(server, 'store_messages_total'), 0);
});

it('compares a room without and with two slow readers, and loses nothing of the others', async (t) => {
  const server = await serverFor(t);
  const client = path.join(path.dirname(program), 'rtc_load');
  const load = ['--mode', 'slow', '--readers', '20', '--window', 'receipt', '--pairs', '1', '--seconds', '0.5',
    '--warm-up', '0', '--pid', server.pid];
  // It fails also where the machine lets the client be the busy side: no matter here.
  const { stdout } = await promisify(execFile)(client, [`${server.wsUrl}/ws`, ...load, '--json']).catch((error) => error);
  const report = JSON.parse(stdout);
  const { lost, repeated, disordered, sessions_cut_off: cutOff } = report;
  assert.deepEqual({ lost, repeated, disordered, cutOff }, { lost: 0, repeated: 0, disordered: 0, cutOff: 0 });
  assert.equal(report.slow_joins, 1);
  assert.ok(report.latency_p99_us_without > 0 && report.latency_p99_us_with > 0);
});
