// The connection as a person lives it: lost, blocked, asleep, restarted, restored, in several tabs.
import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { waitFor } from '../system/harness.mjs';
import { writeHistory } from './history.mjs';
import { launchBrowser, newContext, Person, startServer, Talker } from './people.mjs';
import { Proxy } from './proxy.mjs';

let browser;
let server;
let proxy;
let people;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser.close());

beforeEach(() => {
  people = [];
});

async function start(args = []) {
  server = await startServer({ args });
  proxy = await Proxy.start(server.url);
}

afterEach(async () => {
  const problems = people.flatMap((person) => person.problems);
  await Promise.all(people.map((person) => person.leave()));
  await proxy.stop();
  await server.stop();
  assert.deepEqual(problems, [], 'no error, warning or breach of the policy in any page');
});

async function join(options) {
  const person = await Person.join(browser, proxy.url, { mayLoseServer: true, ...options });
  people.push(person);
  return person;
}

async function fill(texts) {
  const talker = await Talker.join(server.url);
  await talker.saysAll(texts);
  await talker.leave();
}

const numbered = (from, to) =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`);

const upTo = (count) => Array.from({ length: count }, (_, index) => index + 1);

const idsOf = async (person) => (await person.drawn()).map(({ id }) => id);

test('a return resumes where it left: nothing is asked of history, no hole, no repeat', async () => {
  await start();
  await fill(numbered(1, 10));
  const anna = await join();
  await anna.hears('line 10');
  for (const upto of [40, 70, 100]) {
    proxy.mode = 'page-only';
    proxy.cut();
    await anna.state('reconnecting');
    await fill(numbered(upto - 29, upto));
    proxy.asked = [];
    proxy.mode = 'open';
    await anna.hears(`line ${upto}`);
    assert.deepEqual(await idsOf(anna), upTo(upto));
    assert.deepEqual(
      proxy.asked.filter((call) => call.startsWith('GET /message')),
      [],
    );
  }
});

test('more was missed than is replayed: history has the rest, down to the last one', async () => {
  await start(['--history-replay-max', '50']);
  await fill(numbered(1, 30));
  const anna = await join({ height: 600 });
  await anna.hears('line 30');
  proxy.mode = 'page-only';
  proxy.cut();
  await anna.state('reconnecting');
  await fill(numbered(31, 330));
  proxy.mode = 'open';
  await anna.hears('line 330');
  await fill(['and live again']);
  await anna.hears('and live again');
  const seen = await anna.page.evaluate(async () => {
    const log = document.querySelector('[data-testid=log]');
    const seen = new Set();
    for (let step = 0; step < 5_000; step += 1) {
      for (const row of log.querySelectorAll('[data-testid=message]')) seen.add(Number(row.dataset.id));
      if (log.scrollTop === 0 && log.dataset.beginning === 'true') break;
      log.scrollTop -= 400;
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    return [...seen].sort((a, b) => a - b);
  });
  assert.deepEqual(seen, upTo(331));
});

test('the server comes back with an older copy of its data: the page shows what it has', async () => {
  await start();
  const anna = await join();
  await anna.says('kept');
  await server.terminate();
  const copy = `${server.dataDir}.copy`;
  await cp(server.dataDir, copy, { recursive: true });
  await server.restart();
  await anna.connected();
  for (const text of ['lost 1', 'lost 2', 'lost 3']) await anna.says(text);
  await server.kill9();
  await anna.state('reconnecting');
  await rm(server.dataDir, { recursive: true });
  await cp(copy, server.dataDir, { recursive: true });
  await rm(copy, { recursive: true });
  await server.restart();
  await anna.connected();
  await anna.messages('lost 3').waitFor({ state: 'detached' });
  await anna.says('after');
  assert.deepEqual(
    (await anna.drawn()).map(({ id, text }) => [id, text]),
    [
      [1, 'kept'],
      [2, 'after'],
    ],
  );
});

test('kill -9 again and again while two people talk: all is there once, in order', async () => {
  await start();
  const anna = await join();
  const bora = await join();
  const said = [];
  for (let round = 0; round < 3; round += 1) {
    for (const [person, name] of [[anna, 'anna'], [bora, 'bora']]) {
      for (let turn = 0; turn < 4; turn += 1) {
        const text = `${name} ${round} ${turn}`;
        said.push(text);
        await person.at('composer').fill(text);
        await person.at('composer').press('Enter');
        if (turn === 1 && name === 'bora') await server.kill9();
      }
    }
    await server.restart();
    for (const person of people) {
      await person.page.waitForFunction(
        (count) =>
          document.querySelectorAll('[data-testid=message][data-status=sent]').length === count,
        said.length,
      );
    }
  }
  const [first, second] = [await anna.drawn(), await bora.drawn()];
  assert.deepEqual(
    first.map(({ id, text }) => [id, text]),
    second.map(({ id, text }) => [id, text]),
  );
  assert.deepEqual(first.map(({ id }) => id), upTo(said.length));
  for (const name of ['anna', 'bora']) {
    const own = ({ text }) => text.startsWith(name);
    assert.deepEqual(first.filter(own).map(({ text }) => text), said.filter((text) => own({ text })));
  }
});

/** Runs in the page: reads upwards, steadily, to the beginning. Its end says how far anything in sight
    ever moved by itself, and how many messages were there. */
function readUp() {
  const log = document.querySelector('[data-testid=log]');
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const rows = () => [...log.querySelectorAll('[data-testid=message]')];
  const read = async () => {
    let worst = 0;
    const seen = new Set();
    while (!(seen.has(1) && log.scrollTop === 0)) {
      log.scrollTop -= 250;
      const anchor = rows().find((row) => row.getBoundingClientRect().top >= 60);
      const place = anchor?.getBoundingClientRect().top ?? 0;
      for (let quiet = 0; quiet < 2; quiet += 1) {
        await frame();
        if (anchor?.isConnected)
          worst = Math.max(worst, Math.abs(anchor.getBoundingClientRect().top - place));
      }
      for (const row of rows()) seen.add(Number(row.dataset.id));
    }
    return { worst, seen: seen.size };
  };
  globalThis.reading = read();
}

test('kill -9 while one reads far up and types, and another writes: nothing moves, nothing is lost', async () => {
  await start();
  const count = 1_500;
  await writeHistory(server, count, 30);
  const anna = await join();
  const bora = await join();
  await anna.hears(`line ${count}`);
  await bora.hears(`line ${count}`);
  await anna.at('composer').focus();
  await anna.page.evaluate(readUp);

  const written = [];
  let draft = '';
  const types = async (text) => {
    await anna.at('composer').pressSequentially(text);
    draft += text;
  };
  for (const [round, below] of [1_200, 800, 400].entries()) {
    await anna.page.waitForFunction(
      (id) => Number(document.querySelector('[data-testid=message]').dataset.id) < id,
      below,
    );
    await types(`before ${round}, `);
    await bora.at('composer').pressSequentially(`bora ${round}`);
    await server.kill9();
    await types(`while it is away ${round}, `);
    for (const turn of ['a', 'b', 'c']) {
      if (turn !== 'a') await bora.at('composer').pressSequentially(`bora ${round}`);
      await bora.at('composer').pressSequentially(` ${turn}`);
      assert.equal(await bora.at('composer').inputValue(), `bora ${round} ${turn}`);
      await bora.at('composer').press('Enter');
      written.push(`bora ${round} ${turn}`);
    }
    await Promise.all([anna.state('reconnecting'), bora.state('reconnecting')]);
    await server.restart();
    await types(`after ${round}. `);
    await anna.connected();
    await bora.messages(written.at(-1)).and(bora.page.locator('[data-status=sent]')).waitFor();
  }
  assert.equal(await anna.at('composer').inputValue(), draft);
  const { worst, seen } = await anna.page.evaluate(() => globalThis.reading);
  assert.ok(worst <= 1, `something moved by ${worst} px`);
  assert.equal(seen, count, 'all of the history on the way up');
  await anna.at('new-notice').filter({ hasText: `${written.length} new messages` }).waitFor();
  assert.equal(await anna.at('composer').inputValue(), draft);

  await anna.at('composer').press('Enter');
  await bora.hears(draft.trim());
  await anna.messages(draft.trim()).and(anna.page.locator('[data-status=sent]')).waitFor();
  const expected = [...written, draft.trim()];
  for (const person of people) {
    const drawn = (await person.drawn()).filter(({ id }) => id > count || !id);
    assert.deepEqual(drawn.map(({ id, text }) => [id, text]), expected.map((text, index) => [count + 1 + index, text]));
  }
});

test('a socket that died in sleep is found when the tab wakes', async () => {
  await start();
  const anna = await join();
  await anna.says('before');
  proxy.freeze();
  await fill(['while it slept']);
  proxy.asked = [];
  await anna.page.evaluate(() => dispatchEvent(new Event('pageshow')));
  await anna.hears('while it slept');
  assert.ok(proxy.asked.includes('UPGRADE /ws'), 'by another connection');
  await anna.says('after');
  assert.deepEqual(await idsOf(anna), [1, 2, 3]);
});

const events = {
  'the network comes back': () => dispatchEvent(new Event('online')),
  'the tab is looked at again': () => document.dispatchEvent(new Event('visibilitychange')),
  'the page is shown again': () => dispatchEvent(new Event('pageshow')),
};

for (const [what, happens] of Object.entries(events)) {
  test(`when ${what} the page does not wait for its next try`, async () => {
    await start();
    const anna = await join();
    await anna.page.clock.install();
    await anna.page.reload();
    await anna.connected();
    // In its page time stands still from here on: whatever it does now, no timer made it.
    await anna.page.clock.pauseAt(Date.now() + 60_000);
    proxy.mode = 'page-only';
    proxy.cut();
    await anna.state('reconnecting');
    proxy.asked = [];
    proxy.mode = 'open';
    await anna.page.evaluate(happens);
    await anna.state('connected');
    assert.ok(proxy.asked.includes('UPGRADE /ws'));
  });
}

test('a machine that slept looks after its connection as soon as it wakes', async () => {
  await start();
  const anna = await join();
  await anna.page.clock.install();
  await anna.page.reload();
  await anna.connected();
  await anna.page.clock.pauseAt(Date.now() + 60_000);
  proxy.freeze();
  proxy.asked = [];
  // Too short for the heart-beats of both sides to be missed.
  await anna.page.clock.fastForward(20_000);
  await anna.page.clock.runFor(6_000);
  await waitFor('another connection', async () => {
    await anna.page.clock.runFor(1_000);
    return proxy.asked.includes('UPGRADE /ws');
  });
  await anna.state('connected');
});

test('what was stored is not stored again by who retries since its receipt was lost', async () => {
  await start();
  const bora = await join();
  const context = await newContext(browser, { locale: 'en-US' });
  const page = await context.newPage();
  let lose = true;
  let lost = 0;
  await page.routeWebSocket(/\/ws$/, (socket) => {
    const behind = socket.connectToServer();
    behind.onMessage((frame) => {
      // That of a SEND has the id of its message.
      if (lose && /^RECEIPT\n/.test(frame) && /\nid:\d/.test(frame)) lost += 1;
      else socket.send(frame);
    });
  });
  await page.clock.install();
  await page.goto(proxy.url);
  await page.locator('[data-testid=state][data-state=connected]').waitFor();
  await page.getByTestId('composer').fill('only once');
  await page.getByTestId('composer').press('Enter');
  await bora.hears('only once');
  await waitFor('the receipt to be lost', () => lost === 1);
  // Nobody waits for ever.
  await page.clock.runFor(21_000);
  await page.getByTestId('retry').waitFor();
  lose = false;
  await page.getByTestId('retry').click();
  await page.getByTestId('retry').waitFor({ state: 'detached' });
  // What came of it is one with what was written as soon as the receipt says so.
  await waitFor('the two to be one', async () => (await page.getByTestId('message').count()) === 1);
  await page.locator('[data-testid=message][data-status=sent]').waitFor();
  await bora.says('and then');
  assert.deepEqual((await bora.drawn()).map(({ id, text }) => [id, text]), [[1, 'only once'], [2, 'and then']]);
  await context.close();
});

for (const [mode, transport] of [['hang', 'xhr_streaming'], ['buffer', 'xhr']]) {
  test(`a proxy that lets WebSockets ${mode === 'hang' ? 'hang' : 'not pass, and streams neither'}: the page finds a way through`, async () => {
    await start();
    proxy.mode = mode;
    const anna = await join();
    const bora = await Person.join(browser, server.url);
    people.push(bora);
    await anna.says('by another way');
    await bora.hears('by another way');
    await bora.says('and back');
    await anna.hears('and back');
    const way = new RegExp(`^POST /connect/\\d+/\\w{26}/${transport}\\?`);
    assert.ok(proxy.asked.some((call) => way.test(call)), proxy.asked.join());
  });
}

test('where WebSockets are blocked the page talks over SockJS, and returns over it', async () => {
  await start();
  proxy.mode = 'no-upgrade';
  const anna = await join();
  const bora = await Person.join(browser, server.url);
  people.push(bora);
  await anna.says('over plain HTTP');
  await bora.hears('over plain HTTP');
  await bora.says('and back');
  await anna.hears('and back');
  assert.ok(proxy.asked.some((call) => /^POST \/connect\/\d+\/\w{26}\/xhr_streaming/.test(call)));

  bora.mayLoseServer = true;
  await server.kill9();
  await anna.state('reconnecting');
  await server.restart();
  await bora.says('still there?');
  await anna.hears('still there?');
  await anna.says('yes');
  assert.deepEqual(await idsOf(anna), [1, 2, 3, 4]);

  // The network is another one now.
  proxy.mode = 'open';
  proxy.asked = [];
  await server.kill9();
  await server.restart();
  await anna.says('over a WebSocket');
  assert.ok(proxy.asked.includes('UPGRADE /ws'));
  const loaded = await bora.page.evaluate(() =>
    performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname),
  );
  assert.ok(!loaded.some((name) => name.includes('sockjs')), 'who needs no SockJS does not load it');
});

test('what waits is kept over a reload, and sent once and in order on return', async () => {
  await start();
  const anna = await join();
  const bora = await join();
  proxy.mode = 'page-only';
  proxy.cut();
  await anna.state('reconnecting');
  const texts = ['one', 'two\nlines', 'three'];
  for (const text of texts) {
    await anna.at('composer').fill(text);
    await anna.at('composer').press('Enter');
  }
  await anna.page.reload();
  await anna.page.waitForFunction(
    () => document.querySelectorAll('[data-testid=message][data-status=waiting]').length === 3,
  );
  assert.deepEqual((await anna.drawn()).map(({ text }) => text), texts);
  proxy.mode = 'open';
  await bora.hears('three');
  assert.deepEqual((await bora.drawn()).map(({ text }) => text), texts);
  await anna.page.waitForFunction(
    () => document.querySelectorAll('[data-testid=message][data-status=sent]').length === 3,
  );
  assert.deepEqual(await anna.page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('rtc.waiting'))), []);
});

test('tabs that open together are one person', async () => {
  await start();
  const context = await newContext(browser, { locale: 'en-US' });
  const pages = await Promise.all([1, 2, 3].map(() => context.newPage()));
  await Promise.all(pages.map((page) => page.goto(proxy.url)));
  const names = await Promise.all(
    pages.map(async (page) => {
      await page.locator('[data-testid=state][data-state=connected]').waitFor();
      return page.getByTestId('me').getAttribute('data-identity');
    }),
  );
  assert.equal(new Set(names).size, 1, `${names}`);
  await context.close();
});

test('tabs that open together are one person, however late the browser tells them of each other', async () => {
  await start();
  const context = await newContext(browser, { locale: 'en-US' });
  // localStorage comes to the other tabs when the browser gets to it, and the lock may come earlier.
  await context.addInitScript(() => {
    const late = () => performance.now() < 5_000;
    const { getItem } = Storage.prototype;
    Storage.prototype.getItem = function (key) {
      return key === 'rtc.token' && late() ? null : getItem.call(this, key);
    };
    addEventListener('storage', (event) => late() && event.stopImmediatePropagation());
  });
  const pages = await Promise.all([1, 2, 3].map(() => context.newPage()));
  await Promise.all(pages.map((page) => page.goto(proxy.url)));
  const names = await Promise.all(
    pages.map(async (page) => {
      await page.locator('[data-testid=state][data-state=connected]').waitFor();
      return page.getByTestId('me').getAttribute('data-identity');
    }),
  );
  assert.equal(new Set(names).size, 1, `${names}`);
  await context.close();
});

test('a tab that is closed leaves what it could not send to another one', async () => {
  await start();
  const anna = await join();
  const tab = await anna.anotherTab();
  people.push(tab);
  const bora = await join();
  await tab.says('from the second tab');
  proxy.mode = 'page-only';
  proxy.cut();
  await Promise.all([anna.state('reconnecting'), tab.state('reconnecting')]);
  for (const text of ['left 1', 'left 2']) {
    await tab.at('composer').fill(text);
    await tab.at('composer').press('Enter');
  }
  await anna.at('composer').fill('mine');
  await anna.at('composer').press('Enter');
  await tab.page.close();
  await anna.messages('left 2').waitFor();
  proxy.mode = 'open';
  await bora.hears('mine');
  await anna.messages('mine').and(anna.page.locator('[data-status=sent]')).waitFor();
  assert.deepEqual(
    (await anna.drawn()).map(({ id, own, text }) => [id, own, text]),
    [
      [1, true, 'from the second tab'],
      [2, true, 'left 1'],
      [3, true, 'left 2'],
      [4, true, 'mine'],
    ],
  );
});

test('a tab follows another one that became somebody else', async () => {
  await start();
  const anna = await join();
  const tab = await anna.anotherTab();
  people.push(tab);
  assert.equal(await tab.identity(), await anna.identity());
  await tab.page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        localStorage.removeItem('rtc.token');
        const opening = indexedDB.open('keyval-store');
        opening.onerror = reject;
        opening.onsuccess = () => {
          const transaction = opening.result.transaction('keyval', 'readwrite');
          transaction.objectStore('keyval').clear();
          transaction.oncomplete = resolve;
        };
      }),
  );
  const before = await tab.identity();
  await tab.page.reload();
  await tab.connected();
  const now = await tab.identity();
  assert.notEqual(now, before);
  await anna.page.locator(`[data-testid=me][data-identity="${now}"]`).waitFor();
  await anna.connected();
  await anna.says('one again');
  await tab.messages('one again').and(tab.page.locator('[data-own=true]')).waitFor();
});
