// What the system and browser tests share: a server of their own, the calls of the wire, and waiting
// for events with a deadline. Clients are in clients.mjs.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

export const lobby = '723a2a33-577b-4380-8116-a1aa8e5868d3';
export const program = process.env.RTC_BINARY ?? path.join(root, 'build/release/realtimechat');

// How long anything may take before a test gives up: much longer than a busy machine stands still. A
// slow program (sanitizers) gets a multiple.
export const patienceMs = 60_000 * Number(process.env.TEST_PATIENCE ?? 1);

// For sockjs-client, which gives a transport up when it does not open within some hundred ms: it counts
// on what the first answer took, and the machine may be slower for a moment.
export const patientSockJs = { timeout: patienceMs };

// A session of SockJS outlives a client that stands still between two requests.
export const patientSessions = ['--sockjs-disconnect-delay', '30s'];

// Of tests with random choices: printed by them, and TEST_SEED repeats the choices of an earlier run.
export const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));

// mulberry32: the same whole numbers below each bound for the same seed.
export function choices(state) {
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const sanitizerReport = /Sanitizer|runtime error:|DEADLYSIGNAL/;

// The promise, or a failure that says what was waited for.
export async function within(what, promise, ms = patienceMs) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms / 1000} s for ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// Where nobody watches, what hangs says where, instead of standing still for ever: no file of tests
// takes so long.
const fileMsMax = 15 * 60_000;
if (process.env.CI) {
  setTimeout(() => {
    console.error(`nothing ends this; it waits for: ${process.getActiveResourcesInfo().join(', ')}`);
    process.exit(1);
  }, fileMsMax).unref();
}

// Asks again and again until check() gives something true; for what sends no event.
export async function waitFor(what, check, ms = patienceMs) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${ms / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// Things that arrive, to be taken in any order by whoever waits for them.
export class Inbox {
  #items = [];
  #waiting = [];
  #ended = null;

  push(item) {
    const index = this.#waiting.findIndex(({ wanted }) => wanted(item));
    if (index < 0) this.#items.push(item);
    else this.#waiting.splice(index, 1)[0].resolve(item);
  }

  // Nothing more will come: whoever still waits fails with that reason.
  end(reason) {
    this.#ended ??= reason;
    for (const { reject, what } of this.#waiting.splice(0)) {
      reject(new Error(`no ${what}: ${reason}`));
    }
  }

  // The first item, there already or to come, that `wanted` accepts.
  take(what, wanted = () => true) {
    const index = this.#items.findIndex(wanted);
    if (index >= 0) return Promise.resolve(this.#items.splice(index, 1)[0]);
    if (this.#ended !== null) return Promise.reject(new Error(`no ${what}: ${this.#ended}`));
    let entry;
    const arrival = new Promise((resolve, reject) => {
      entry = { wanted, resolve, reject, what };
      this.#waiting.push(entry);
    });
    return within(what, arrival).catch((error) => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
      error.message += `; still there: ${JSON.stringify(this.#items).slice(0, 2000)}`;
      throw error;
    });
  }

  // What has come and was not taken.
  rest() {
    return [...this.#items];
  }
}

function canListen(port, host) {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}

// Several test files run at a time, and what is killed and started again must find its port free. So
// each process has a block of ports to itself for as long as it runs: whoever listens on the first of
// them. Below those that the kernel gives to outgoing connections, and those of ../postgres.
const ports = { first: 20_000, end: 30_000, blockSize: 100 };
let block;

async function takeBlock() {
  const blocks = (ports.end - ports.first) / ports.blockSize;
  for (let tries = 0; tries < 1000; ++tries) {
    const first = ports.first + ports.blockSize * Math.floor(Math.random() * blocks);
    const guard = net.createServer((socket) => socket.destroy()).unref();
    const taken = new Promise((resolve) => guard.once('error', () => resolve(false)).once('listening', () => resolve(true)));
    guard.listen(first, '127.0.0.1');
    if (await taken) return { first, used: 0 };
  }
  throw new Error('no free block of ports');
}

// A port free on 127.0.0.1. The one given longest ago comes first.
export async function freePort(preferred) {
  if (preferred && (await canListen(preferred, '127.0.0.1'))) return preferred;
  const own = await (block ??= takeBlock());
  for (let tries = 0; tries < ports.blockSize; ++tries) {
    const port = own.first + 1 + (own.used++ % (ports.blockSize - 1));
    if (await canListen(port, '127.0.0.1')) return port;
  }
  throw new Error('no free port');
}

// The environment without the settings of whoever runs the tests.
function cleanEnvironment(extra) {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('RTC_'));
  return { ...Object.fromEntries(own), ...extra };
}

// Runs the program until it ends by itself, as for --help or a refused start.
export async function runToEnd(args, { env = {}, cwd = tmpdir() } = {}) {
  const child = spawn(program, args, { env: cleanEnvironment(env), cwd });
  const stop = () => child.kill('SIGKILL');
  process.once('exit', stop);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => (stdout += data));
  child.stderr.on('data', (data) => (stderr += data));
  try {
    const code = await within(
      `the program to end (${args.join(' ')})`,
      new Promise((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (status, signal) => resolve(status ?? signal));
      }),
    );
    assert.doesNotMatch(stderr, sanitizerReport);
    return { code, stdout, stderr, output: stdout + stderr };
  } finally {
    stop();
    process.removeListener('exit', stop);
  }
}

export class Server {
  #options;
  #child = null;
  #ended = null;
  #log = '';
  #ownDirectory = null;
  #killed = () => this.#child?.kill('SIGKILL');

  constructor(options = {}) {
    this.#options = options;
  }

  async start() {
    const { args = [], env = {}, binary = program } = this.#options;
    if (!existsSync(binary)) throw new Error(`${binary} is not there: build it, or run script/test`);
    if (!this.cwd) {
      this.#ownDirectory = await mkdtemp(path.join(tmpdir(), 'rtc-test-'));
      this.cwd = this.#ownDirectory;
      this.dataDir = this.#options.dataDir ?? path.join(this.cwd, 'data');
    }
    // Another program may take the port between the choice and the start: then choose again.
    for (let tries = 0; ; ++tries) {
      this.port ??= this.#options.port ?? (await freePort());
      try {
        await this.#launch(binary, args, env);
        return this;
      } catch (error) {
        if (this.#options.port || tries === 3 || !/in use/i.test(this.#log)) throw error;
        this.port = undefined;
      }
    }
  }

  async #launch(binary, args, env) {
    this.url = `http://127.0.0.1:${this.port}`;
    this.wsUrl = `ws://127.0.0.1:${this.port}`;
    const flags = [...args];
    const preset = {
      '--listen': `127.0.0.1:${this.port}`,
      '--data-dir': this.dataDir,
      '--log-level': 'info',
    };
    for (const [flag, value] of Object.entries(preset)) {
      if (!flags.includes(flag)) flags.push(flag, value);
    }
    this.#log = '';
    this.#child = spawn(binary, flags, { env: cleanEnvironment(env), cwd: this.cwd });
    this.pid = this.#child.pid;
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (data) => (this.#log += data));
    }
    process.once('exit', this.#killed);
    let result = null;
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve((result = { code: error.message })));
      this.#child.once('close', (code, signal) => resolve((result = { code: code ?? signal })));
    });
    this.#ended.then(() => process.removeListener('exit', this.#killed));
    await waitFor('the server to answer /healthz', async () => {
      if (result) throw new Error(`the server ended (${result.code}) at its start:\n${this.#log}`);
      return request(this, '/healthz').then((answer) => answer.status === 200, () => false);
    }).catch((error) => {
      this.#child.kill('SIGKILL');
      throw error;
    });
  }

  get running() {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  // Everything the program wrote since its last start.
  log() {
    return this.#log;
  }

  // Asks it to end, as a service manager does; fails unless it ends well.
  async stop() {
    try {
      if (!this.#child) return;
      if (this.running) this.#child.kill('SIGTERM');
      const { code } = await within('the server to end after SIGTERM', this.#ended).catch((error) => {
        this.#child.kill('SIGKILL');
        throw error;
      });
      assert.doesNotMatch(this.#log, sanitizerReport);
      assert.equal(code, 0, `the server ended with ${code}:\n${this.#log.slice(-4000)}`);
    } finally {
      this.#child = null;
      if (this.#ownDirectory) await rm(this.#ownDirectory, { recursive: true, force: true });
    }
  }

  // Asks it to end; the exit code, whatever it is. It can be started again.
  async terminate() {
    this.#child.kill('SIGTERM');
    const { code } = await within('the server to end after SIGTERM', this.#ended);
    assert.doesNotMatch(this.#log, sanitizerReport);
    this.#child = null;
    return code;
  }

  // The power cut.
  async kill9() {
    this.#child.kill('SIGKILL');
    await within('the server to be killed', this.#ended);
    assert.doesNotMatch(this.#log, sanitizerReport);
  }

  // Again, on the same port and data: after kill9(), or ending it first.
  async restart() {
    if (this.running) {
      this.#child.kill('SIGTERM');
      await within('the server to end', this.#ended);
    }
    return this.start();
  }
}

export const startServer = (options) => new Server(options).start();

const nodesOf = new WeakMap();

// The nodes of a test, which stop when it ends, all at once. What they use (a database, a network) asks
// for them before it says how itself ends: a node that stops waits for its database.
export function nodesBefore(t) {
  if (!nodesOf.has(t)) {
    const nodes = [];
    nodesOf.set(t, nodes);
    t.after(async () => {
      const ends = await Promise.allSettled(nodes.map((node) => node.stop()));
      for (const { reason } of ends) if (reason) throw reason;
    });
  }
  return nodesOf.get(t);
}

// Stops it when the test ends.
export const stopAfter = (t, server) => nodesBefore(t).push(server);

// A server for one test, stopped when the test ends.
export async function serverFor(t, options) {
  const server = new Server(options);
  stopAfter(t, server);
  return server.start();
}

// --- HTTP -----------------------------------------------------------------------------------------

// One HTTP call; `json` is undefined when the body is none.
export function request(server, target, { method = 'GET', headers = {}, body, localAddress } = {}) {
  const answer = new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: server.port, path: target, method, headers, agent: false, localAddress };
    const call = http.request(options, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const raw = Buffer.concat(chunks);
        let json;
        try {
          json = JSON.parse(raw.toString());
        } catch {
          json = undefined;
        }
        resolve({ status: response.statusCode, headers: response.headers, raw, json });
      });
    });
    call.on('error', reject);
    call.end(body);
  });
  return within(`the answer to ${method} ${target.slice(0, 200)}`, answer);
}

// What /metrics says of that name now.
export async function metric(server, name) {
  const { raw } = await request(server, '/metrics');
  return Number(new RegExp(`^realtimechat_${name} (.*)$`, 'm').exec(raw.toString())[1]);
}

export const bearer = (token) => (token === undefined ? {} : { Authorization: `Bearer ${token}` });

// GET /init: the envelope.
export async function init(server, token) {
  return (await request(server, '/init', { headers: bearer(token) })).json;
}

export function claimsOf(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
}

// A new identity: its token and what that says.
export async function newUser(server) {
  const { response: token } = await init(server);
  return { token, claims: claimsOf(token), id: claimsOf(token).jti };
}

// A token made here, as the program would with that secret.
export function mintToken(secret, claims, header = { alg: 'HS256', typ: 'JWT' }) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

// One page of a room, newest first.
export async function history(server, user, room, { limit = 50, before } = {}) {
  const path = before === undefined ? '/message' : '/message/lastMessageId';
  const last = before === undefined ? '' : `&lastMessageId=${before}`;
  const { status, json } = await request(server, `${path}?roomId=${room}&limit=${limit}${last}`, {
    headers: bearer(user.token),
  });
  assert.equal(status, 200, JSON.stringify(json));
  assert.equal(json.type, 'SUCCESS_GET_CHAT_LIST');
  assert.equal(json.success, true);
  return json.response;
}

// All messages of a room, newest first, page by page until the empty one.
export async function wholeHistory(server, user, room, limit = 100) {
  const all = await history(server, user, room, { limit });
  for (let page = all; page.length > 0; all.push(...page)) {
    page = await history(server, user, room, { limit, before: all.at(-1).id });
  }
  return all;
}

function post(server, user, target, value) {
  return request(server, target, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...bearer(user?.token) },
    body: typeof value === 'string' ? value : JSON.stringify(value),
  });
}

export const createRoom = (server, user, name) => post(server, user, '/chatroom', { name });
export const openPrivateRoom = (server, user, senderId, receiverId) =>
  post(server, user, '/chatroom/private', { senderId, receiverId });
export const postRaw = post;

// The id of a fresh public room, for a test that wants a room of its own.
export async function newRoom(server, user, name = 'a room of the tests') {
  const { status, json } = await createRoom(server, user, name);
  assert.equal(status, 200, JSON.stringify(json));
  return json.response.roomId;
}

// The envelope of a refusal: its shape, and a type that is among those named.
export function assertRefusal(envelope, ...types) {
  assert.ok(envelope, 'an envelope was expected');
  assert.equal(envelope.success, false, JSON.stringify(envelope));
  assert.equal(typeof envelope.error?.message, 'string', JSON.stringify(envelope));
  assert.ok(envelope.error.message.length > 0);
  assert.ok(types.includes(envelope.type), `type ${envelope.type}, expected ${types.join(' or ')}`);
}
