// What the tests of several nodes share: who writes, who reads, and what must be there in the end.
import assert from 'node:assert/strict';
import { metric, waitFor, wholeHistory } from './harness.mjs';

export const range = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

// So many messages that a reader gets next, as "id text".
export async function take(client, count) {
  const messages = [];
  for (let n = 0; n < count; ++n) {
    const { body } = await client.message('room');
    messages.push(`${body.id} ${body.message}`);
  }
  return messages;
}

// Somebody who posts until he is told to stop: [text, id] of each that was receipted.
export class Writer {
  sent = [];
  #stopped = false;

  constructor(client, room, name) {
    this.ended = (async () => {
      for (let n = 1; !this.#stopped; ++n) {
        const text = `${name} ${n}`;
        const { headers } = await client.post(room, text);
        this.sent.push([text, Number(headers.id)]);
      }
    })();
  }

  async stop() {
    this.#stopped = true;
    await this.ended;
    return this.sent;
  }
}

// All of a room as it is stored, as take() gives it.
export const inOrder = async (server, user, room) =>
  (await wholeHistory(server, user, room)).reverse().map(({ id, message }) => `${id} ${message}`);

export async function connected(nodes) {
  for (const node of nodes) {
    await waitFor('a node to reach the relay', async () => (await metric(node, 'relay_connected')) === 1);
  }
}

export const disconnected = (node) =>
  waitFor('the metric to say so', async () => (await metric(node, 'relay_connected')) === 0);

// What is promised within so many ms: one of some rounds must keep it, as each may meet a moment in which
// the machine stands still, and a program that is slower by itself keeps it in none. round() gives the
// ms that it took.
export async function keptWithin(t, ms, what, round, rounds = 8) {
  const times = [];
  for (let n = 0; n < rounds && !times.some((each) => each <= ms); ++n) times.push(Math.round(await round(n)));
  t.diagnostic(`${what}: ${times.join(', ')} ms, of ${ms}`);
  assert.ok(times.at(-1) <= ms, `${what} within ${ms} ms in one of ${rounds} rounds: ${times.join(', ')}`);
}

// With these flags too, unless they are given another value.
export function withFlags(args, defaults) {
  const missing = Object.entries(defaults).filter(([flag]) => !args.includes(flag));
  return [...args, ...missing.flat()];
}

// Time-outs much longer than a busy machine stands still: after them nodes rightly go on without a
// relay, and refuse. What is killed is known to be away without them.
export const patient = { '--postgres-timeout': '30s', '--redis-timeout': '30s' };

// Settings of tests that send as fast as they can, and read all of it.
export const unhurried = [
  '--send-rate-max', '1000000', '--send-burst-max', '1000000', '--history-replay-max', '1000000', '--loops', '2',
];
