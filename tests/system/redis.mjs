// A Redis server, a sentinel or a Redis Cluster for one test, that can be killed, stopped and started
// again; and nodes that share it and a PostgreSQL server.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { tlsArgs } from './certificates.mjs';
import { connected, patient, unhurried, withFlags } from './cluster.mjs';
import { example, linesOf } from './examples.mjs';
import { Server, freePort, nodesBefore, stopAfter, waitFor } from './harness.mjs';
import { Postgres } from './postgres.mjs';

// The users of docs/examples/ with their rights, as redis-server takes them, and who asks for the tests:
// nobody comes in without a login, so nodes, replicas and sentinels have no other rights than these.
const asWords = (line) => line.split(' ').map((word, n) => (n === 0 ? `--${word}` : word));
const users = linesOf(example('three-nodes.redis.conf')).filter((line) => /^(user|masteruser|masterauth) /.test(line));
const guard = [...users, 'user tests on >of-the-tests ~* &* +@all'].flatMap(asWords);
const ourLogin = ['--user', 'tests', '-a', 'of-the-tests', '--no-auth-warning'];

export class Redis {
  // What redis-cli is told to be let in.
  login = [];
  #child = null;
  #ended = null;
  #killed = () => this.#child?.kill('SIGKILL');

  // On a host of its own (network.mjs), or here; `more` is for the command line.
  static async for(t, host, more = [], own = {}) {
    nodesBefore(t);
    const redis = Object.assign(new this(), own);
    redis.more = more;
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

  // With the users of docs/examples/ alone: `chat`, by "a-password", is the nodes'.
  static guarded(t, more = []) {
    return this.for(t, undefined, [...guard, ...more], { login: ourLogin });
  }

  // What the server is told.
  async words() {
    const own = ['--port', String(this.port), '--save', '', '--appendonly', 'no', '--dir', this.directory];
    return [...own, ...(this.host?.prefix.length > 0 ? ['--protected-mode', 'no'] : ['--bind', '127.0.0.1']), ...this.more];
  }

  async start() {
    const [program, ...words] = [...(this.host?.prefix ?? []), 'redis-server', ...(await this.words())];
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
      const args = ['-h', this.address, '-p', String(this.port), ...this.login, ...words];
      return execFileSync('redis-cli', args, { stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 }).toString().trim();
    } catch {
      return '';
    }
  }
}

// Alone, so that what it says of the primary is so. It writes what it learns into its file.
export class Sentinel extends Redis {
  password = 'of the sentinel';
  login = ['-a', this.password, '--no-auth-warning'];

  // Of the guarded primary on that port of this machine, by the name chat. `more` are lines of its file.
  static of(t, primaryPort, more = []) {
    const ours = linesOf(example('three-nodes.sentinel.conf')).filter((line) => line.startsWith('sentinel auth-'));
    return this.for(t, undefined, [`sentinel monitor chat 127.0.0.1 ${primaryPort} 1`, ...ours,
      'sentinel down-after-milliseconds chat 1000', 'sentinel failover-timeout chat 10000', ...more]);
  }

  async words() {
    const file = path.join(this.directory, 'sentinel.conf');
    const own = [`port ${this.port}`, 'bind 127.0.0.1', `dir ${this.directory}`, `requirepass "${this.password}"`];
    await writeFile(file, [...own, ...this.more, ''].join('\n'));
    return [file, '--sentinel'];
  }
}

// Three primaries with a replica each, and more: spares that have no slots. What matters of it here
// is who has the people. With certificates it speaks TLS: to who copies and to each other too, and to
// nodes at their `tlsPort`; plain to the tests alone.
export class RedisCluster {
  static key = 'realtimechat:{people}:';

  static async for(t, { spares = 0, certificates } = {}) {
    const cluster = new this();
    cluster.servers = [];
    for (let n = 0; n < 6 + spares; ++n) {
      // The bus is not on the port + 10000, which may be another test's.
      const own = ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort()), '--cluster-node-timeout', '2000'];
      const tlsPort = certificates && (await freePort());
      if (tlsPort) own.push('--tls-cluster', 'yes', '--tls-replication', 'yes', ...tlsArgs(tlsPort, certificates));
      cluster.servers.push(Object.assign(await Redis.guarded(t, own), { tlsPort }));
    }
    const [first] = cluster.servers;
    const tell = (...words) => execFileSync('redis-cli', [...ourLogin, '--cluster', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    const address = (server) => `127.0.0.1:${server.port}`;
    tell('create', ...cluster.servers.slice(0, 6).map(address), '--cluster-replicas', '1', '--cluster-yes');
    for (const spare of cluster.servers.slice(6)) tell('add-node', address(spare), address(first));
    await cluster.settled();
    cluster.slot = first.ask('CLUSTER', 'KEYSLOT', this.key);
    return cluster;
  }

  // All of them know all of them, and who has which slots, and each primary with slots has a replica
  // that could take its place.
  settled() {
    const count = this.servers.length;
    return waitFor('the cluster to be one', () => this.servers.every((server) => {
      const info = server.ask('CLUSTER', 'INFO');
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${count}`);
    }) && this.servers.filter((server) => this.replicasOf(server).length === 1).length === 3, 120_000);
  }

  // Who has the people; undefined: nobody.
  get owner() {
    return this.servers.find((server) => /^[01]$/.test(server.ask('EXISTS', RedisCluster.key)));
  }

  // Those that are alive and copy this one.
  replicasOf(server) {
    return this.servers.filter((each) => {
      const [role, , port, state] = each.ask('ROLE').split('\n');
      return role === 'slave' && port === String(server.tlsPort ?? server.port) && state === 'connected';
    });
  }

  // The people's slot is another one's from now on, with all that is in it.
  move(to) {
    const from = this.owner;
    const id = (server) => server.ask('CLUSTER', 'MYID');
    const set = (server, ...words) => assert.equal(server.ask('CLUSTER', 'SETSLOT', this.slot, ...words), 'OK');
    set(to, 'IMPORTING', id(from));
    set(from, 'MIGRATING', id(to));
    for (;;) {
      const keys = from.ask('CLUSTER', 'GETKEYSINSLOT', this.slot, '1000').split('\n').filter((key) => key !== '');
      if (keys.length === 0) break;
      from.ask('MIGRATE', '127.0.0.1', String(to.port), '', '0', '10000', 'AUTH2', 'tests', 'of-the-tests', 'KEYS', ...keys);
    }
    set(to, 'NODE', id(to));
    set(from, 'NODE', id(to));
  }
}

// What nodes of one database are told.
export const nodesEnv = (postgres, redisUrl) => ({
  RTC_POSTGRES_URL: postgres.url,
  RTC_REDIS_URL: redisUrl,
  RTC_TOKEN_SECRET: 'a secret of the tests that all nodes know',
});

// So many nodes over one database and one Redis, all connected. `args` are each one's.
export async function clusterFor(t, count, args = []) {
  const postgres = new Postgres(t);
  const redis = await Redis.for(t);
  const env = nodesEnv(postgres, redis.url);
  const flags = withFlags([...unhurried, ...args], patient);
  const nodes = Array.from({ length: count }, () => new Server({ args: flags, env }));
  for (const node of nodes) {
    stopAfter(t, node);
    await node.start();
  }
  await connected(nodes);
  return { postgres, redis, nodes };
}
