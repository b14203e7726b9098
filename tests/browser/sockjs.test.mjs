// sockjs-client in Chromium, made to use each of its transports that browsers still can: from a page
// of the server's own origin, and from one of another origin that is allowed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { launchBrowser, lobby, newContext, startServer } from './people.mjs';

const require = createRequire(import.meta.url);
const scripts = {
  '/stomp.js': path.join(path.dirname(require.resolve('stompjs/package.json')), 'lib/stomp.js'),
  '/sockjs-1.5.js': path.join(path.dirname(require.resolve('sockjs-client/package.json')), 'dist/sockjs.js'),
  '/sockjs-1.6.js': path.join(path.dirname(require.resolve('sockjs-client-1.6/package.json')), 'dist/sockjs.js'),
};

// A site of its own: an empty page with both scripts at /1.5 and /1.6, and the scripts.
async function openSite() {
  const site = http.createServer((request, response) => {
    const file = scripts[request.url];
    response.setHeader('Content-Type', file ? 'text/javascript' : 'text/html');
    response.end(file ? readFileSync(file) : `<!doctype html><meta charset="utf-8">
      <script src="/stomp.js"></script><script src="/sockjs-${request.url.slice(1)}.js"></script>`);
  });
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${site.address().port}`, close: () => site.close() };
}

const text = '안녕하세요 👩‍👩‍👧‍👦 "q" \\ \u2028 </script> é';
const own = ['websocket', 'xhr-streaming', 'eventsource', 'htmlfile', 'xhr-polling', 'jsonp-polling'];
const others = ['websocket', 'xhr-streaming', 'eventsource', 'iframe-eventsource', 'iframe-htmlfile',
  'xhr-polling', 'iframe-xhr-polling', 'jsonp-polling'];

// In the page: connect, subscribe, say `text` twice, hear it twice, leave.
async function converse({ url, transport, token, room, text }) {
  // It gives a transport up that does not open within some hundred ms, unless it is told not to.
  const socket = new window.SockJS(`${url}/connect`, null, { transports: transport, timeout: 60_000 });
  const client = window.Stomp.over(socket);
  client.debug = null;
  const heard = [];
  let told;
  const all = new Promise((resolve, reject) => {
    told = { resolve, reject };
  });
  client.connect({ Authorization: `Bearer ${token}` }, () => {
    client.subscribe(`/sub/channel/${room}`, ({ body }) => {
      const { message } = JSON.parse(body);
      if (message.startsWith(`${transport} `)) heard.push(message);
      if (heard.length === 2) told.resolve();
    });
    for (let n = 0; n < 2; ++n) {
      client.send('/pub/chat', {}, JSON.stringify({ roomId: room, message: `${transport} ${text}` }));
    }
  }, (problem) => told.reject(new Error(String(problem.body ?? problem.reason ?? problem))));
  await all;
  const used = socket.transport;
  await new Promise((resolve) => client.disconnect(resolve));
  return { heard, used };
}

describe('sockjs-client in Chromium', () => {
  let browser;
  let server;
  let friend; // its pages are allowed
  let stranger;
  before(async () => {
    [browser, friend, stranger] = await Promise.all([launchBrowser(), openSite(), openSite()]);
    server = await startServer({
      args: ['--allowed-origins', friend.origin, '--sockjs-disconnect-delay', '30s'],
    });
  });
  after(async () => {
    await browser?.close();
    friend?.close();
    stranger?.close();
    await server?.stop();
  });

  const cases = ['1.5', '1.6'].flatMap((version) => [
    ...own.map((transport) => ({ version, transport, page: 'its own origin' })),
    // The server's iframe page loads 1.6.1; the page around it must have the same.
    ...others.filter((transport) => version === '1.6' || !transport.startsWith('iframe'))
      .map((transport) => ({ version, transport, page: 'another origin' })),
  ]);
  for (const { version, transport, page: from } of cases) {
    it(`${version}, ${transport}, from ${from}`, async (t) => {
      const context = await newContext(browser);
      t.after(() => context.close());
      const page = await context.newPage();
      if (from === 'another origin') {
        await page.goto(`${friend.origin}/${version}`);
      } else {
        // Any page without a policy for scripts; its policy for referrers would make forms (jsonp's
        // way to send) come from the origin "null".
        await page.goto(`${server.url}/connect`);
        await page.evaluate(() => {
          const meta = document.createElement('meta');
          Object.assign(meta, { name: 'referrer', content: 'same-origin' });
          document.head.append(meta);
        });
        for (const name of ['/stomp.js', `/sockjs-${version}.js`]) {
          await page.addScriptTag({ content: readFileSync(scripts[name], 'utf8') });
        }
      }
      const asked = [];
      page.on('request', (request) => asked.push(request.url()));
      const { response: token } = await (await fetch(`${server.url}/init`)).json();
      const { heard, used } = await page.evaluate(converse, { url: server.url, transport, token, room: lobby, text });
      assert.deepEqual(heard, [`${transport} ${text}`, `${transport} ${text}`]);
      assert.equal(used, transport);
      // All that a transport loads, the iframe page's script too, comes from the server itself.
      assert.deepEqual(asked.filter((url) => new URL(url).origin !== server.url && !url.startsWith('blob:')), []);
      const loaded = asked.filter((url) => url.startsWith(`${server.url}/assets/sockjs-client-`));
      assert.equal(loaded.length > 0, transport.startsWith('iframe'), `${loaded}`);
    });
  }

  it('a page of a foreign origin gets through by none of them', async (t) => {
    const context = await newContext(browser);
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(`${stranger.origin}/1.6`);
    for (const transport of others) {
      const outcome = await page.evaluate(
        ({ url, transport: only }) => new Promise((resolve) => {
          const socket = new window.SockJS(`${url}/connect`, null, { transports: only });
          socket.onopen = () => resolve('open');
          socket.onclose = ({ code }) => resolve(code);
        }),
        { url: server.url, transport },
      );
      assert.notEqual(outcome, 'open', transport);
    }
    // jsonp as a page would try it by hand.
    const loaded = await page.evaluate((url) => new Promise((resolve) => {
      window.cb = () => resolve('called');
      const script = document.createElement('script');
      script.src = `${url}/connect/0/abcdefgh/jsonp?c=cb`;
      script.referrerPolicy = 'no-referrer';
      script.onerror = () => resolve('refused');
      document.head.append(script);
    }), server.url);
    assert.equal(loaded, 'refused');
  });
});
