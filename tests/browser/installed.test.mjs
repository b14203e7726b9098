// What the page is beside a page: its files kept for a start without a network, never stale, never
// with a message in them; notifications; the badge in the title.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { waitFor } from '../system/harness.mjs';
import { launchBrowser, newContext, Person, startServer } from './people.mjs';

let browser;
let server;
let people;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser.close());

beforeEach(async () => {
  people = [];
  server = await startServer({});
});

afterEach(async () => {
  const problems = people.flatMap((person) => person.problems);
  await Promise.all(people.map((person) => person.leave()));
  await server.stop();
  assert.deepEqual(problems, [], 'no error, warning or breach of the policy in any page');
});

async function join(options) {
  const person = await Person.join(browser, server.url, options);
  people.push(person);
  return person;
}

/** The service worker is there and answers for this page. */
const kept = (page) =>
  page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller)
      await new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done));
  });

/** Everything in all caches: path and text. */
const cached = (page) =>
  page.evaluate(async () => {
    const files = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const answer = await cache.match(request);
        files.push([new URL(request.url).pathname, await answer.text()]);
      }
    }
    return files;
  });

test('the page opens without a network, with what was written there, and goes on when it is back', async () => {
  const anna = await join({ mayLoseServer: true });
  await anna.says('before');
  await kept(anna.page);
  await server.kill9();
  await anna.state('reconnecting');
  await anna.at('composer').fill('written while it was away');
  await anna.at('composer').press('Enter');
  await anna.page.locator('[data-status=waiting]').waitFor();
  await anna.page.reload();
  await anna.at('composer').waitFor();
  await anna.messages('written while it was away').waitFor();
  await server.restart();
  await anna.connected();
  await anna.messages('written while it was away').and(anna.page.locator('[data-status=sent]')).waitFor();
  await anna.hears('before');
});

test('only the files of the page are kept: no message, no token, no answer of the server', async () => {
  const anna = await join();
  await kept(anna.page);
  await anna.says('a secret of the room');
  await anna.page.reload();
  await anna.hears('a secret of the room');
  const files = await cached(anna.page);
  const paths = files.map(([path]) => path.replace(/-[\w-]{8}\./, '.'));
  assert.deepEqual(
    paths.sort(),
    ['/', '/assets/early.js', '/assets/index.css', '/assets/index.js', '/icon.svg', '/manifest.webmanifest'],
  );
  const token = await anna.page.evaluate(() => localStorage.getItem('rtc.token'));
  for (const [path, text] of files) {
    assert.ok(!text.includes('a secret of the room') && !text.includes(token), path);
  }
});

/** Stands for a server that is updated: the same one, but that `change` may alter what the page gets. */
async function updated(change) {
  const proxy = http.createServer((request, response) => {
    const { method, headers, url } = request;
    const { 'accept-encoding': _, 'if-none-match': __, ...others } = headers;
    const call = http.request(`${server.url}${url}`, { method, headers: others }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => {
        const { status = answer.statusCode, body = Buffer.concat(chunks) } = change(url, Buffer.concat(chunks));
        const { etag, 'content-length': ___, ...rest } = answer.headers;
        response.writeHead(status, { ...rest, 'content-length': Buffer.byteLength(body) });
        response.end(body);
      });
    });
    request.pipe(call);
  });
  await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
  const stop = () => {
    proxy.closeAllConnections();
    return new Promise((done) => proxy.close(done));
  };
  return { url: `http://127.0.0.1:${proxy.address().port}`, stop };
}

test('after an update nobody is served the old page, and the old files are dropped', async () => {
  let version = 'one';
  let away = false;
  const proxy = await updated((url, body) => {
    if (away) return { status: 502, body: 'the server is away' };
    if (url === '/') return { body: body.toString().replace('<title>', `<meta name="version" content="${version}"><title>`) };
    if (url === '/sw.js') return { body: body.toString().replace(/shell-[0-9a-f]{16}/, `shell-${version}`) };
    return {};
  });
  const context = await newContext(browser);
  const page = await context.newPage();
  const shown = () => page.evaluate(() => document.querySelector('meta[name=version]').content);
  try {
    await page.goto(proxy.url);
    await kept(page);
    assert.equal(await shown(), 'one');
    version = 'two';
    await page.reload();
    assert.equal(await shown(), 'two', 'at the first load after the update');
    await waitFor('the new files alone', () =>
      page.evaluate(async () => (await caches.keys()).join() === 'shell-two'));
    away = true;
    await page.reload();
    assert.equal(await shown(), 'two', 'in the place of what a proxy says while the server is away');
    await page.getByTestId('composer').waitFor();
  } finally {
    await context.close();
    await proxy.stop();
  }
});

/** From now on the page takes itself for hidden, or not. */
const hide = ({ page }, hidden) =>
  page.evaluate((value) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (value ? 'hidden' : 'visible') });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);

const notifications = ({ page }) =>
  page.evaluate(async () => {
    const worker = await navigator.serviceWorker.ready;
    return (await worker.getNotifications()).map(({ title, body, tag }) => ({ title, body, tag }));
  });

test('notifications: off until a click asks, then of others\' messages while the page is hidden', async () => {
  const anna = await join({ permissions: ['notifications'] });
  const bora = await join();
  await kept(anna.page);
  await hide(anna, true);
  await bora.says('nobody asked for this');
  await anna.page.waitForFunction(() => document.title.startsWith('(1)'));
  assert.deepEqual(await notifications(anna), []);
  await hide(anna, false);
  await anna.page.waitForFunction(() => document.title.startsWith('Lobby'));

  await anna.at('settings').click();
  await anna.at('notify').check();
  await anna.page.keyboard.press('Escape');
  await bora.says('seen as it comes');
  await anna.hears('seen as it comes');
  assert.deepEqual(await notifications(anna), []);

  await hide(anna, true);
  await bora.says('first');
  await bora.says('second <b>');
  const name = await bora.at('me').locator('strong').innerText();
  const shown = await waitFor('the notification of the newest', async () => {
    const all = await notifications(anna);
    return all.some(({ body }) => body === 'second <b>') && all;
  });
  assert.deepEqual(shown.map(({ title }) => title), [`${name} · Lobby`], 'one for each room');
  assert.match(await anna.page.title(), /^\(2\) Lobby/);

  await anna.page.reload();
  await anna.at('settings').click();
  assert.ok(await anna.at('notify').isChecked(), 'kept over a reload');
  await anna.at('notify').uncheck();
  assert.ok(!(await anna.at('notify').isChecked()));
});

test('a click on a notification leads to its room; the badge counts what is unread', async () => {
  const anna = await join({ permissions: ['notifications'] });
  const bora = await join();
  await kept(anna.page);
  await anna.page.evaluate(() => {
    globalThis.badges = [];
    navigator.setAppBadge = async (count) => void globalThis.badges.push(count);
  });
  await anna.at('find-room').click();
  await anna.at('room-words').fill('quiet');
  await anna.at('make-room').click();
  await anna.at('room-name').filter({ hasText: 'quiet' }).waitFor();
  await bora.page.goto(anna.page.url());
  await bora.at('room-name').filter({ hasText: 'quiet' }).waitFor();
  await anna.at('room').first().click();
  await anna.at('room-name').filter({ hasText: 'Lobby' }).waitFor();
  await anna.at('settings').click();
  await anna.at('notify').check();
  await anna.page.keyboard.press('Escape');
  await hide(anna, true);
  await bora.says('one');
  await bora.says('two');
  await waitFor('the notification', async () => (await notifications(anna)).some(({ body }) => body === 'two'));
  await anna.page.waitForFunction(() => globalThis.badges.at(-1) === 2);
  // As the browser tells the service worker of the click.
  const [worker] = anna.page.context().serviceWorkers();
  await worker.evaluate(async () => {
    const [notification] = await self.registration.getNotifications();
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification }));
  });
  await anna.at('room-name').filter({ hasText: 'quiet' }).waitFor();
  await hide(anna, false);
  await anna.page.waitForFunction(() => globalThis.badges.at(-1) === 0);
  assert.deepEqual(await notifications(anna), [], 'it was closed');
});

test('the browser finds nothing that would keep it from installing the page', async () => {
  const anna = await join();
  await kept(anna.page);
  const devtools = await anna.devtools();
  const { errors, data } = await devtools.send('Page.getAppManifest');
  assert.deepEqual(errors, []);
  const manifest = JSON.parse(data);
  assert.equal(manifest.display, 'standalone');
  for (const { src } of manifest.icons) assert.equal((await fetch(new URL(src, server.url))).status, 200, src);
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
  // A window of tests is a private one, where nothing can be installed.
  assert.deepEqual(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito'), []);
});

test('a browser that says no to notifications is believed', async () => {
  const anna = await join();
  await anna.page.evaluate(() => {
    Notification.requestPermission = async () => 'denied';
  });
  await anna.at('settings').click();
  await anna.at('notify').click();
  await anna.at('notify-note').filter({ hasText: 'does not allow' }).waitFor();
  assert.ok(!(await anna.at('notify').isChecked()));
  assert.ok(await anna.at('notify').isDisabled());
});
