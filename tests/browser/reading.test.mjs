// Reading and writing as a person does it over time: a long history, what is new, links, drafts.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { writeHistory } from './history.mjs';
import { waitFor } from '../system/harness.mjs';
import { launchBrowser, newContext, Person, startServer, Talker } from './people.mjs';
import { travel } from './travel.mjs';

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

async function fill(count) {
  const talker = await Talker.join(server.url);
  await talker.saysAll(Array.from({ length: count }, (_, index) => `line ${index + 1}`));
  await talker.leave();
}

test('10,000 messages up and down again: nothing moves, memory is bounded', async () => {
  const count = 10_000;
  await fill(count);
  const anna = await join();
  await anna.hears(`line ${count}`);
  const devtools = await anna.devtools();
  const heap = async () => {
    await devtools.send('HeapProfiler.collectGarbage');
    return (await devtools.send('Runtime.getHeapUsage')).usedSize;
  };
  const before = await heap();
  for (const up of [true, false]) {
    const { worst, lost, drawn, seen } = await anna.page.evaluate(travel, { up });
    assert.equal(lost, 0, 'a message that was in sight left the document');
    assert.equal(seen.length, count, up ? 'all on the way up' : 'all on the way down');
    assert.ok(worst <= 1, `a message moved by ${worst} px`);
    assert.ok(drawn <= 210, `${drawn} messages in the document`);
    const grown = (await heap()) - before;
    assert.ok(grown < 8 * 1024 * 1024, `the heap grew by ${grown} bytes`);
  }
  await anna.hears(`line ${count}`);
});

test('a room opens without anything moving, on a slow phone', async () => {
  await fill(100);
  // No page of ours yet: what it does first is what is looked at.
  const context = await newContext(browser, { viewport: { width: 412, height: 823 }, isMobile: true, hasTouch: true });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await page.addInitScript(() => {
    window.moved = [];
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries())
        window.moved.push({ value, what: sources.map(({ node }) => node?.outerHTML?.slice(0, 80)) });
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(server.url);
  await page.getByText('line 100', { exact: true }).waitFor();
  // As many as its first question to the server brings, but the oldest of them.
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=message]').length === 59);
  const moved = await page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(window.moved)))),
  );
  const sum = moved.reduce((all, { value }) => all + value, 0);
  // The words of the state, the topic and the count may: they are small.
  assert.ok(sum < 0.02, `moved by ${sum}: ${JSON.stringify(moved)}`);
  const end = await page.getByTestId('log').evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight);
  assert.ok(end < 2, `the end is ${end} px away`);
  await context.close();
});

// Runs in the page: reads up from the moment on at which there is something to scroll; a room is drawn a few rows at a time.
const readAtOnce = `(async () => {
  const log = () => document.querySelector('[data-testid=log]');
  while (!log() || log().scrollHeight <= log().clientHeight + 300) await new Promise((resolve) => requestAnimationFrame(resolve));
  const began = log().querySelectorAll('[data-testid=message]').length;
  return { began, ...(await (${travel})({ up: true, step: 200 })) };
})`;

test('a reader who scrolls while the room is still being drawn keeps his place', async () => {
  const count = 500;
  await fill(count);
  const talker = await Talker.join(server.url);
  const other = await talker.makes('elsewhere', '');
  await talker.leave();
  const context = await newContext(browser, { viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: 6 });
  await page.addInitScript(`addEventListener('DOMContentLoaded', () => { window.travelled = ${readAtOnce}(); })`);
  await page.goto(server.url);
  const looksAt = (what, { began, worst, lost, seen }) => {
    assert.ok(began < 100, `${began} rows were there already, ${what}`);
    assert.equal(lost, 0, `a message that was in sight left the document, ${what}`);
    assert.ok(worst <= 1, `a message moved by ${worst} px, ${what}`);
    assert.equal(seen.length, count, `all were seen, ${what}`);
  };
  looksAt('at first', await page.evaluate(() => window.travelled));

  // All of it is known now; the room is drawn from its end again.
  await page.evaluate((room) => (location.hash = `#/${room}`), other);
  await page.getByRole('heading', { name: 'elsewhere' }).waitFor();
  looksAt('coming back', await page.evaluate(`location.hash = '#/'; ${readAtOnce}()`));
  await context.close();
});

// How far up a room of 100,000 is read; the whole of it takes minutes (TEST_DEPTH=99000).
const depth = Number(process.env.TEST_DEPTH ?? 4_000);

/** Runs in the page: up until `until` is in the document. The most rows that one step drew anew, and
    how many rows it drew for each that it passed. */
async function climb(until) {
  const log = document.querySelector('[data-testid=log]');
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  let drawn = 0;
  let most = 0;
  const watch = new MutationObserver((records) => {
    for (const { addedNodes } of records)
      for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) drawn += 1;
  });
  watch.observe(log.querySelector('ol'), { childList: true });
  const first = () => Number(log.querySelector('[data-testid=message]').dataset.id);
  const from = first();
  let all = 0;
  while (first() > until) {
    log.scrollTop -= 900;
    await frame();
    await frame();
    for (const record of watch.takeRecords()) drawn += record.addedNodes.length;
    most = Math.max(most, drawn);
    all += drawn;
    drawn = 0;
  }
  watch.disconnect();
  return { most, each: all / (from - first()) };
}

test('in a room of 100,000 reading costs the same at any depth: memory, elements, rows drawn', async () => {
  const count = 100_000;
  await writeHistory(server, count, 30);
  const anna = await join();
  await anna.hears(`line ${count}`);
  const devtools = await anna.devtools();
  const measure = async (until) => {
    const { most, each } = await anna.page.evaluate(climb, until);
    await devtools.send('HeapProfiler.collectGarbage');
    const { usedSize } = await devtools.send('Runtime.getHeapUsage');
    const { nodes, jsEventListeners } = await devtools.send('Memory.getDOMCounters');
    return { most, each, usedSize, nodes, jsEventListeners };
  };
  const near = await measure(count - 1_000);
  const far = await measure(count - depth);
  const both = JSON.stringify({ near, far });
  assert.ok(far.usedSize < near.usedSize + 4 * 1024 * 1024, both);
  assert.ok(far.nodes < near.nodes * 1.2, both);
  assert.ok(far.jsEventListeners < near.jsEventListeners * 1.2, both);
  assert.ok(far.most <= 160 && near.most <= 160, both);
  assert.ok(far.each < near.each * 1.2, both);

  const talker = await Talker.join(server.url);
  await talker.says('the newest');
  await anna.at('new-notice').filter({ hasText: '1 new message' }).click();
  await anna.hears('the newest');
  await anna.at('to-newest').waitFor({ state: 'detached' });
  const below = await anna
    .at('log')
    .evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight);
  assert.ok(below < 2, `${below} px below`);
  await talker.leave();
});

test('days and times are those of the reader\'s own zone, in his language', async () => {
  const hours = 3600;
  await writeHistory(server, 10, 12 * hours);
  const anna = await join({ timezoneId: 'Pacific/Auckland' });
  await anna.hears('line 10');
  const days = () =>
    anna.page.locator('ol > li').evaluateAll((rows) => {
      let day = null;
      return rows.flatMap((row) => {
        if (row.matches('.day')) day = row.innerText.trim();
        if (!row.dataset.id) return [];
        // Of the message's own time, as the page's zone has it.
        const at = row.querySelector('time')?.dateTime;
        return [[day, at ? new Date(at).toLocaleDateString('en-CA') : null]];
      });
    });
  // The page writes times itself, as the browser's own formatter does.
  const assertTimes = async (language) => {
    const times = await anna.page.locator('ol > li[data-id] time').evaluateAll(
      (all, of) =>
        all.map((time) => [
          time.innerText,
          new Date(time.dateTime).toLocaleTimeString(of, { hour: 'numeric', minute: '2-digit' }),
        ]),
      language,
    );
    assert.ok(times.length >= 5, `${times.length} times`);
    for (const [shown, expected] of times) assert.equal(shown, expected.replace(/\s/g, ' '));
  };
  await assertTimes('en');
  const rows = await days();
  assert.equal(rows.length, 10);
  const byDay = new Map();
  for (const [label, date] of rows) {
    assert.ok(label, 'no message before its day');
    if (date === null) continue;
    assert.equal(byDay.get(label) ?? date, date, 'one label, one day');
    byDay.set(label, date);
  }
  assert.equal(new Set(byDay.values()).size, byDay.size, 'one day, one label');
  assert.ok(byDay.size >= 5, [...byDay].join());
  const today = await anna.page.evaluate(() => new Date().toLocaleDateString('en-CA'));
  for (const [label, date] of byDay) assert.equal(label === 'Today', date === today, `${label} ${date}`);
  await anna.at('language').click();
  await assertTimes('ko');
  const korean = (await days()).map(([label]) => label);
  assert.ok(korean.every((label) => /^(오늘|어제|\d{4}년)/.test(label)), korean.join());
});

/** Runs in the page: scrolls up, and in the same frame something above grows, before the browser tells
    of the scrolling. How far a message then moves by itself. */
async function scrollAndGrow() {
  const log = document.querySelector('[data-testid=log]');
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  let anchor;
  let place;
  await frame();
  await new Promise((resolve) => {
    requestAnimationFrame(() => {
      log.scrollTop -= 400;
      const rows = [...log.querySelectorAll('[data-testid=message]')];
      anchor = rows.find((row) => row.getBoundingClientRect().top >= 60);
      place = anchor.getBoundingClientRect().top;
      const top = log.firstElementChild.firstElementChild;
      top.style.height = `${top.getBoundingClientRect().height + 100}px`;
      resolve();
    });
  });
  for (let quiet = 0; quiet < 3; quiet += 1) await frame();
  return anchor.getBoundingClientRect().top - place;
}

test('what grows in the frame in which the reader scrolls does not undo it', async () => {
  await fill(200);
  const anna = await join();
  await anna.hears('line 200');
  for (const from of ['the end', 'elsewhere']) {
    const moved = await anna.page.evaluate(scrollAndGrow);
    assert.ok(Math.abs(moved) <= 1, `from ${from}: moved by ${moved} px`);
  }
});

test('near the end nothing moves until there is something new', async () => {
  await fill(80);
  const anna = await join();
  await anna.hears('line 80');
  const moved = await anna.page.evaluate(async () => {
    const log = document.querySelector('[data-testid=log]');
    const frames = async () => {
      for (let n = 0; n < 4; n += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
    };
    log.scrollTop -= 500;
    await frames();
    log.scrollTop = log.scrollHeight - log.clientHeight - 30;
    const anchor = [...log.querySelectorAll('[data-testid=message]')].at(-3);
    const place = anchor.getBoundingClientRect().top;
    await frames();
    return anchor.getBoundingClientRect().top - place;
  });
  assert.ok(Math.abs(moved) <= 1, `moved by ${moved} px`);
  await anna.at('to-newest').waitFor({ state: 'detached' });
  await fill(1);
  await anna.page.waitForFunction(() => {
    const log = document.querySelector('[data-testid=log]');
    return log.dataset.newest === '81' && log.scrollHeight - log.scrollTop - log.clientHeight < 2;
  });
});

test('the place is kept when the window is resized', async () => {
  await fill(200);
  const anna = await join();
  await anna.hears('line 200');
  await anna.at('log').evaluate((log) => log.scrollTo(0, log.scrollHeight / 2));
  await anna.at('to-newest').waitFor();
  const first = () =>
    anna.page.evaluate(() => {
      const log = document.querySelector('[data-testid=log]');
      const { top } = log.getBoundingClientRect();
      const row = [...log.querySelectorAll('[data-testid=message]')].find(
        (each) => each.getBoundingClientRect().bottom > top,
      );
      return [row.dataset.id, Math.round(row.getBoundingClientRect().top - top)];
    });
  const place = await first();
  for (const size of [
    { width: 500, height: 400 },
    { width: 360, height: 740 },
    { width: 1440, height: 900 },
  ]) {
    await anna.page.setViewportSize(size);
    await anna.page.waitForFunction(({ width, height }) => innerWidth === width && innerHeight === height, size);
    await anna.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const [id, top] = await first();
    assert.equal(id, place[0]);
    assert.ok(Math.abs(top - place[1]) <= 1, `moved by ${top - place[1]} px`);
  }
});

/** Whether the newest message ends above the field, and the field above `height`. */
const endInSight = (person, text, height) =>
  person.page.waitForFunction(
    ([wanted, bottom]) => {
      const row = [...document.querySelectorAll('[data-testid=message]')].at(-1);
      const log = document.querySelector('[data-testid=log]');
      const field = document.querySelector('[data-testid=composer]').getBoundingClientRect();
      const below = log.scrollHeight - log.scrollTop - log.clientHeight;
      return row.textContent.includes(wanted) && below < 2 && field.bottom <= bottom
        && row.getBoundingClientRect().bottom <= field.top;
    },
    [text, height],
  );

test('at the end the newest message stays in sight when a keyboard takes half of the window', async () => {
  await fill(60);
  const size = { width: 390, height: 740 };
  const anna = await join({ ...size, hasTouch: true, isMobile: true });
  await anna.hears('line 60');
  await endInSight(anna, 'line 60', 740);
  await anna.at('composer').focus();
  for (const height of [380, 740, 380, 740, 380, 740, 380]) {
    await anna.page.setViewportSize({ ...size, height });
    await endInSight(anna, 'line 60', height);
  }
  await anna.says('written above the keyboard');
  await endInSight(anna, 'written above the keyboard', 380);
});

test('at the end a field that grows with what is written takes nothing from sight', async () => {
  await fill(60);
  const anna = await join();
  await anna.hears('line 60');
  const height = () => anna.at('composer').evaluate((field) => field.clientHeight);
  const low = await height();
  await anna.at('composer').focus();
  for (let line = 1; line <= 20; line += 1) {
    await anna.page.keyboard.type('word');
    await anna.page.keyboard.press('Shift+Enter');
    await endInSight(anna, 'line 60', 900);
  }
  const high = await height();
  assert.ok(high > 4 * low && high < 300, `from ${low} to ${high} px`);
  await anna.at('composer').fill('');
  await endInSight(anna, 'line 60', 900);
  assert.equal(await height(), low);
});

test('at the end a window that shrinks while a scrolling is still to be told of takes nothing from sight', async () => {
  await fill(60);
  const anna = await join();
  await anna.hears('line 60');
  // The event of a scrolling comes with the next frame, by when the log may have another size.
  await anna.page.evaluate(() => {
    const log = document.querySelector('[data-testid=log]');
    log.scrollTop -= 1;
    log.style.marginBottom = '300px';
  });
  await anna.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await endInSight(anna, 'line 60', 900);
});

test('where a keyboard lies over the page instead, as on iOS, the page ends above it', async () => {
  await fill(60);
  const anna = await join({ width: 390, height: 740, hasTouch: true });
  await anna.hears('line 60');
  const keyboard = (height, scale = 1) =>
    anna.page.evaluate(([seen, zoom]) => {
      Object.defineProperty(visualViewport, 'height', { configurable: true, get: () => seen });
      Object.defineProperty(visualViewport, 'scale', { configurable: true, get: () => zoom });
      visualViewport.dispatchEvent(new Event('resize'));
    }, [height, scale]);
  await keyboard(380);
  await endInSight(anna, 'line 60', 380);
  await fill(1);
  await anna.page.waitForFunction(() => document.querySelector('[data-testid=log]').dataset.newest === '61');
  await endInSight(anna, 'line 1', 380);
  await keyboard(740);
  await endInSight(anna, 'line 1', 740);
  // Who zooms in with two fingers has no keyboard.
  await keyboard(370, 2);
  const field = await anna.at('composer').boundingBox();
  assert.ok(field.y + field.height > 600, 'nothing was made smaller');
});

test('a line stands before what came while the page was closed, until the reader writes', async () => {
  await fill(5);
  const anna = await join();
  await anna.hears('line 5');
  assert.equal(await anna.at('new-line').count(), 0);
  const talker = await Talker.join(server.url);
  await anna.page.goto('about:blank');
  await talker.says('new 1');
  await talker.says('new 2');
  await anna.page.goto(server.url);
  await anna.hears('new 2');
  const kinds = await anna.page.locator('ol > li:not(.day)').evaluateAll((items) =>
    items.map((item) => item.dataset.testid === 'new-line' ? 'line' : item.dataset.id),
  );
  assert.deepEqual(kinds, ['1', '2', '3', '4', '5', 'line', '6', '7']);
  await anna.says('I am back');
  await anna.at('new-line').waitFor({ state: 'detached' });
  await anna.page.reload();
  await anna.hears('I am back');
  assert.equal(await anna.at('new-line').count(), 0);
  await talker.leave();
});

test('what is new since one left is found by scrolling up to its line, which stays', async () => {
  await fill(30);
  const anna = await join();
  await anna.hears('line 30');
  await anna.page.goto('about:blank');
  const talker = await Talker.join(server.url);
  await talker.saysAll(Array.from({ length: 100 }, (_, n) => `new ${n + 1}`));
  await anna.page.goto(server.url);
  await anna.hears('new 100');
  const inSight = () => anna.page.evaluate(() => {
    const log = document.querySelector('[data-testid=log]');
    const top = document.querySelector('[data-testid=new-line]')?.getBoundingClientRect().top;
    if (top < log.getBoundingClientRect().top || top === undefined) log.scrollTop -= 300;
    return top >= log.getBoundingClientRect().top;
  });
  await waitFor('the line to be in sight', inSight);
  await talker.says('while he reads above');
  await anna.at('new-notice').waitFor();
  assert.equal(await anna.at('new-line').count(), 1);
  const next = await anna.at('new-line').evaluate((line) => line.nextElementSibling.textContent);
  assert.match(next, /new 1(?!\d)/);
  await talker.leave();
});

test('a day that ends while the page is open is yesterday then', async () => {
  await fill(1);
  const anna = await join({ mayLoseServer: true });
  await anna.hears('line 1');
  // In the reader's zone, Seoul's, which is nine hours ahead.
  const zone = 9 * 3_600_000;
  const midnight = Math.ceil((Date.now() + zone) / 86_400_000) * 86_400_000 - zone;
  await anna.page.clock.install({ time: midnight - 3_000 });
  await anna.page.reload();
  await anna.hears('line 1');
  const days = anna.page.locator('li.day');
  assert.deepEqual(await days.allTextContents().then((all) => all.map((each) => each.trim())), ['Today']);
  await anna.page.clock.runFor('00:24');
  await days.filter({ hasText: 'Yesterday' }).waitFor();
  assert.equal(await days.count(), 1);
});

test('links are links, and lead nowhere else than they say', async () => {
  const anna = await join();
  await anna.at('composer').fill('see https://example.org/a?b=1, not javascript:alert(1)');
  await anna.at('composer').press('Enter');
  const link = anna.page.locator('.bubble a');
  await link.waitFor();
  assert.deepEqual(
    await link.evaluateAll((links) => links.map(({ href, textContent, rel, target }) => ({ href, textContent, rel, target }))),
    [
      {
        href: 'https://example.org/a?b=1',
        textContent: 'https://example.org/a?b=1',
        rel: 'noopener noreferrer nofollow ugc',
        target: '_blank',
      },
    ],
  );
});

test('text is selected and copied over several messages, as it was written and without the discs', async () => {
  const talker = await Talker.join(server.url);
  await talker.says('first line\n  second line');
  await talker.says('see https://example.org/a');
  const anna = await join({ permissions: ['clipboard-read', 'clipboard-write'] });
  await anna.hears('see https://example.org/a');
  await anna.page.evaluate(() => {
    const bubbles = [...document.querySelectorAll('.bubble')];
    const range = document.createRange();
    range.setStart(bubbles[0], 0);
    range.setEnd(bubbles[1], bubbles[1].childNodes.length);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  });
  await anna.page.keyboard.press('Control+C');
  const copied = await anna.page.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /^first line\r?\n  second line/);
  assert.ok(copied.includes('see https://example.org/a'), copied);
  // By hand: what is pressed and drawn over is selected, and none of it is a button's.
  const [from, to] = [await anna.page.locator('.bubble').first().boundingBox(), await anna.page.locator('.bubble').last().boundingBox()];
  await anna.page.mouse.move(from.x + 14, from.y + 12);
  await anna.page.mouse.down();
  await anna.page.mouse.move(to.x + to.width - 14, to.y + to.height - 8, { steps: 5 });
  await anna.page.mouse.up();
  const selected = await anna.page.evaluate(() => getSelection().toString());
  assert.ok(selected.includes('second line') && selected.includes('https://example.org'), selected);
  await talker.leave();
});

test('nobody but its own server is asked for anything, whatever one does', async () => {
  const anna = await join();
  const talker = await Talker.join(server.url);
  await talker.says('https://example.org/picture.png <img src=https://example.org/x.png>');
  await anna.at('who').click();
  await anna.at('talk').click();
  await anna.at('room-name').filter({ hasText: 'Private' }).waitFor();
  await anna.says('https://example.org/other.png');
  await anna.at('settings').click();
  await anna.at('look-dark').check();
  await anna.page.keyboard.press('Escape');
  await anna.at('find-room').click();
  await anna.page.keyboard.press('Escape');
  const foreign = anna.requests.filter((url) => new URL(url).host !== new URL(server.url).host);
  assert.ok(anna.requests.length > 5);
  assert.deepEqual(foreign, []);
  await talker.leave();
});

test('a draft stays over a reload, until it is sent', async () => {
  const anna = await join();
  await anna.at('composer').fill('half a thou\nght');
  await anna.page.reload();
  await anna.connected();
  assert.equal(await anna.at('composer').inputValue(), 'half a thou\nght');
  await anna.at('composer').press('Enter');
  await anna.page.locator('[data-testid=message][data-status=sent]').waitFor();
  await anna.page.reload();
  await anna.connected();
  assert.equal(await anna.at('composer').inputValue(), '');
});

test('the first view is at most 60 KiB, compressed', async () => {
  const dist = new URL('../../web/dist/', import.meta.url);
  const html = await readFile(new URL('index.html', dist), 'utf8');
  const named = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)].map(([, name]) => name);
  const names = [...new Set(named)];
  assert.ok(names.length >= 2, `${names}`);
  for (const ending of ['br', 'gz']) {
    const sizes = await Promise.all(
      names.map(async (name) => (await readFile(new URL(`${name}.${ending}`, dist))).length),
    );
    const sum = sizes.reduce((a, b) => a + b, 0);
    assert.ok(sum <= 60 * 1024, `${sum} bytes as ${ending}`);
  }
  assert.ok((await readdir(new URL('assets/', dist))).some((name) => name.startsWith('sockjs-client')));
});
