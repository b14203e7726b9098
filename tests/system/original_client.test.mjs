// The promise that everything else stands on: the original's own client, with its own packages and
// from its own origin, chats with this server; once driven from Node, once in a real Chromium.
import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import {
  Inbox, assertRefusal, freePort, mintToken, patienceMs, patientSockJs, request, serverFor, within,
} from './harness.mjs';
import { originalClient } from './original_client.mjs';

const require = createRequire(import.meta.url);
const here = path.dirname(fileURLToPath(import.meta.url));
// stompjs cuts a frame every 16,384 UTF-16 units. Wherever the headers put the two cuts, just one of
// them goes through the middle of an emoji: the runs of emoji begin at an even and at an odd unit.
const long =
  '👋'.repeat(8_400) + 'x'.repeat(10_000) + '글'.repeat(4_001) + '👋'.repeat(2_000);

// The whole story of two users. `open(name, storedToken)` gives a client and the inbox of its events.
async function twoUsersChat(open) {
  const ann = await open('ann');
  const bob = await open('bob');
  const take = ({ inbox }, kind, wanted = () => true) =>
    inbox.take(`${kind} of the original client`, (item) => item.kind === kind && wanted(item.value))
      .then(({ value }) => value);

  const { claims } = await ann.client.init();
  assert.match(claims.sub, /^#[0-9A-F]{6}$/);
  assert.equal(typeof claims.aud[0], 'string');
  await bob.client.init();

  const connected = await ann.client.connect();
  assert.equal(connected.version, '1.1');
  assert.equal(connected['heart-beat'], '25000,25000');
  await take(ann, 'count', (number) => number === 1);
  await bob.client.connect();
  await Promise.all([ann, bob].map((each) => take(each, 'count', (number) => number === 2)));

  assert.deepEqual((await ann.client.latest(20)).response, []);

  await ann.client.send('안녕하세요 👋');
  const [own, heard] = await Promise.all([take(ann, 'message'), take(bob, 'message')]);
  assert.deepEqual(own, heard);
  assert.equal(heard.id, 1);
  assert.equal(heard.message, '안녕하세요 👋');
  assert.equal(heard.randId, claims.randId);
  assert.equal(heard.nameTag, claims.sub);
  assert.ok(!Number.isNaN(Date.parse(heard.createdAt)));
  assert.equal(heard.ipAddress.split('.').slice(0, 2).join('.'), '127.0');

  await bob.client.send('<b>nobody renders this</b>');
  assert.equal((await take(ann, 'message')).message, '<b>nobody renders this</b>');
  await take(bob, 'message');

  // stompjs cuts this into several WebSocket messages.
  await ann.client.send(long);
  assert.ok((await take(bob, 'message')).message === long, 'the long message is whole');
  await take(ann, 'message');

  for (let n = 4; n <= 45; ++n) {
    await bob.client.send(`line ${n}`);
    assert.equal((await take(ann, 'message')).id, n);
  }
  let page = (await ann.client.latest(20)).response;
  const ids = [];
  while (page.length > 0) {
    ids.push(...page.map(({ id }) => id));
    page = (await ann.client.before(ids.at(-1), 20)).response;
  }
  assert.deepEqual(ids, Array.from({ length: 45 }, (_, n) => 45 - n));

  await ann.client.send('into nowhere', '00000000-0000-4000-8000-000000000000');
  assertRefusal(await take(ann, 'error'), 'NOT_FOUND_CHATROOM');

  await bob.client.leave();
  await take(ann, 'count', (number) => number === 1);
}

describe('the original client', () => {
  it('chats, driven from Node with stompjs 2.3.3 over sockjs-client 1.5.2', async (t) => {
    const server = await serverFor(t, { args: ['--presence-interval', '10ms'] });
    const Origin = 'http://localhost:5500';
    const SockJS = require('sockjs-client');
    await twoUsersChat(async () => {
      const inbox = new Inbox();
      const client = originalClient({
        call: async (method, target, headers) => {
          const answer = await request(server, target, { method, headers: { ...headers, Origin } });
          assert.equal(answer.headers['access-control-allow-origin'], Origin);
          return answer.json;
        },
        openSocket: (target) => {
          const transportOptions = { websocket: { headers: { Origin } } };
          return new SockJS(server.url + target, null, { ...patientSockJs, transports: 'websocket', transportOptions });
        },
        Stomp: require('stompjs'),
        onEvent: (kind, value) => inbox.push({ kind, value }),
      });
      t.after(() => client.leave().catch(() => {}));
      return { client, inbox };
    });
  });

  it('is given a new token for a broken one, and the same person for an expired one', async (t) => {
    const secret = 'a secret of the tests, longer than thirty-two bytes';
    const server = await serverFor(t, { env: { RTC_TOKEN_SECRET: secret } });
    const open = (storedToken) =>
      originalClient({
        call: async (method, target, headers) => (await request(server, target, { method, headers })).json,
        storedToken,
      });
    const first = await open(null).init();
    const { exp, iat, nbf } = first.claims;
    const old = mintToken(secret, { ...first.claims, exp: exp - 1e6, iat: iat - 1e6, nbf: nbf - 1e6 });
    const returned = await open(old).init();
    assert.equal(returned.claims.jti, first.claims.jti);
    assert.equal(returned.claims.randId, first.claims.randId);
    assert.notEqual(returned.token, old);
    // A token whose claims can be read, but signed by somebody else.
    const broken = mintToken('some other secret, also longer than 32 bytes', first.claims);
    const replaced = await open(broken).init();
    assert.notEqual(replaced.claims.jti, first.claims.jti);
    assert.deepEqual(await open(replaced.token).init(), replaced);
  });

  for (const endpoint of ['/connect', '/chat']) {
    it(`finds SockJS at ${endpoint}`, async (t) => {
      const server = await serverFor(t);
      const Origin = 'http://localhost:5500';
      const { status, headers, json } = await request(server, `${endpoint}/info?t=1`, { headers: { Origin } });
      assert.equal(status, 200);
      assert.match(headers['content-type'], /^application\/json/);
      assert.equal(headers['access-control-allow-origin'], Origin);
      assert.equal(headers['access-control-allow-credentials'], 'true');
      assert.match(headers['cache-control'], /no-store/);
      assert.equal(json.websocket, true);
      assert.deepEqual(json.origins, ['*:*']);
      assert.equal(typeof json.cookie_needed, 'boolean');
      assert.ok(Number.isInteger(json.entropy) && json.entropy >= 0 && json.entropy < 2 ** 32);
      const again = await request(server, `${endpoint}/info`);
      assert.notEqual(again.json.entropy, json.entropy);
    });
  }

  it('chats in Chromium, its page served from localhost:5500', async (t) => {
    const page = await servePage(t);
    const port = await freePort(8080);
    const server = await serverFor(t, {
      port,
      args: ['--presence-interval', '10ms', ...(page.port === 5500 ? [] : ['--allowed-origins', page.origin])],
    });
    const browser = await chromium.launch({
      timeout: 2 * patienceMs,
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
    });
    t.after(() => browser.close());
    const problems = [];

    await twoUsersChat(async (name) => {
      const inbox = new Inbox();
      const context = await browser.newContext();
      context.setDefaultTimeout(2 * patienceMs);
      const window = await context.newPage();
      window.on('pageerror', (error) => problems.push(`${name}: ${error}`));
      window.on('console', (line) => line.type() === 'error' && problems.push(`${name}: ${line.text()}`));
      await window.exposeFunction('report', (kind, value) => inbox.push({ kind, value }));
      await window.goto(`${page.origin}/?api=${encodeURIComponent(`http://localhost:${server.port}`)}`);
      await window.waitForFunction(() => globalThis.client !== undefined);
      const call = (method) => (...args) =>
        within(`${name}.${method}()`, window.evaluate(([which, values]) => globalThis.client[which](...values), [method, args]));
      const client = Object.fromEntries(
        ['init', 'connect', 'send', 'latest', 'before', 'leave'].map((method) => [method, call(method)]),
      );
      return { client, inbox };
    });
    assert.deepEqual(problems, []);
  });
});

// The page of the original client: its packages' browser builds and the client above, from an origin
// of its own.
async function servePage(t) {
  const html = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
    <script src="/sockjs.min.js"></script><script src="/stomp.min.js"></script>
    <script type="module">
      import { originalClient } from '/original_client.mjs';
      const api = new URLSearchParams(location.search).get('api');
      globalThis.client = originalClient({
        call: (method, path, headers) => new Promise((resolve, reject) => {
          const call = new XMLHttpRequest();
          call.open(method, api + path);
          for (const [name, value] of Object.entries(headers)) call.setRequestHeader(name, value);
          call.onload = () => resolve(JSON.parse(call.responseText));
          call.onerror = () => reject(new Error('refused: ' + method + ' ' + path));
          call.send();
        }),
        openSocket: (path) => new SockJS(api + path, null, ${JSON.stringify(patientSockJs)}),
        Stomp,
        onEvent: (kind, value) => globalThis.report(kind, value),
      });
    </script>`;
  const files = {
    '/sockjs.min.js': path.join(path.dirname(require.resolve('sockjs-client/package.json')), 'dist/sockjs.min.js'),
    '/stomp.min.js': path.join(path.dirname(require.resolve('stompjs')), 'lib/stomp.min.js'),
    '/original_client.mjs': path.join(here, 'original_client.mjs'),
  };
  const server = http.createServer((call, answer) => {
    const file = files[call.url];
    answer.setHeader('Content-Type', file ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8');
    if (file) createReadStream(file).pipe(answer);
    else answer.end(html);
  });
  const port = await freePort(5500);
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port, origin: `http://localhost:${port}` };
}
