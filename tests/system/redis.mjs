// A Redis server for one test, that can be killed, stopped and started again; and nodes that share it
// and a PostgreSQL server.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connected, patient, unhurried, withFlags } from './cluster.mjs';
import { Server, freePort, waitFor } from './harness.mjs';
import { Postgres } from './postgres.mjs';

export class Redis {
  #child = null;
  #ended = null;
  #killed = () => this.#child?.kill('SIGKILL');

  // On a host of its own (network.mjs), or here.
  static async for(t, host) {
    const redis = new Redis();
    redis.directory = await mkdtemp(path.join(tmpdir(), 'rtc-redis-'));
    redis.port = await freePort();
    redis.host = host;
    redis.address = host?.address ?? '127.0.0.1';
    redis.url = `redis://${redis.address}:${redis.port}`;
    t.after(async () => {
      await redis.kill9();
      await rm(redis.directory, { recursive: true, force: true });
    });
    await redis.start();
    return redis;
  }

  async start() {
    const flags = {
      port: this.port,
      ...(this.host?.prefix.length > 0 ? { 'protected-mode': 'no' } : { bind: '127.0.0.1' }),
      save: '',
      appendonly: 'no',
      dir: this.directory,
    };
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const [program, ...words] = [...(this.host?.prefix ?? []), 'redis-server', ...args];
    this.#child = spawn(program, words, { stdio: 'ignore' });
    let problem = null;
    this.#child.once('error', (error) => (problem = error));
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve));
    process.once('exit', this.#killed);
    await waitFor('Redis to answer', () => {
      if (problem) throw problem;
      return this.ask('PING') === 'PONG';
    });
  }

  // By that link of its host.
  urlOver(link) {
    return `redis://${this.host.over(link, this.port)}`;
  }

  async kill9() {
    this.#child.kill('SIGKILL');
    await this.#ended;
    process.removeListener('exit', this.#killed);
  }

  // It hangs: connections stay, and nothing is answered.
  freeze() {
    this.#child.kill('SIGSTOP');
  }

  thaw() {
    this.#child.kill('SIGCONT');
  }

  ask(...words) {
    try {
      const args = ['-h', this.address, '-p', String(this.port), ...words];
      return execFileSync('redis-cli', args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim();
    } catch {
      return '';
    }
  }
}

// So many nodes over one database and one Redis, all connected. `args` are each one's.
export async function clusterFor(t, count, args = []) {
  const postgres = new Postgres(t);
  const redis = await Redis.for(t);
  const env = {
    RTC_POSTGRES_URL: postgres.url,
    RTC_REDIS_URL: redis.url,
    RTC_TOKEN_SECRET: 'a secret of the tests that all nodes know',
  };
  const flags = withFlags([...unhurried, ...args], patient);
  const nodes = Array.from({ length: count }, () => new Server({ args: flags, env }));
  for (const node of nodes) {
    t.after(() => node.stop());
    await node.start();
  }
  await connected(nodes);
  return { postgres, redis, nodes };
}
