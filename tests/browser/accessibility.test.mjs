// axe-core over every state of the page, in both languages and every look; and the looks themselves,
// by the system and by hand.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launchBrowser, Person, startServer } from './people.mjs';
import { serverOptions, walk } from './states.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser;
let server;
let people;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser.close());

beforeEach(async () => {
  people = [];
  server = await startServer(serverOptions);
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

/** Runs in the page: what axe finds wrong, what is right, and what text it cannot tell the contrast of. */
async function look() {
  const { violations: wrong, passes, incomplete } = await globalThis.axe.run(document);
  const nodes = incomplete.filter(({ id }) => id === 'color-contrast').flatMap((each) => each.nodes);
  const unsure = [];
  for (const { html, target, any } of nodes) {
    // What the edge of a list cuts through is looked at where it is whole.
    const text = document.querySelector(target[0]);
    const scrollers = [];
    for (let at = text.parentElement; at; at = at.parentElement) scrollers.push([at, at.scrollTop]);
    text.scrollIntoView({ block: 'center' });
    const again = await globalThis.axe.run(text, { runOnly: ['color-contrast'] });
    for (const [scroller, top] of scrollers) scroller.scrollTop = top;
    if (again.passes.length === 0) unsure.push({ id: 'color-contrast', nodes: [{ html, any }] });
  }
  return { wrong: [...wrong, ...unsure], right: passes.map(({ id }) => id) };
}

/** What axe finds wrong, one line each. */
async function violations({ page }) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe);
  const { wrong, right } = await page.evaluate(look);
  // It has looked; and could tell of every text on what it stands.
  assert.ok(right.includes('color-contrast') && right.length >= 15, `${right}`);
  return wrong.flatMap(({ id, nodes }) => nodes.map(({ html, any }) => `${id}: ${html} ${any[0]?.message ?? ''}`));
}

const bySystem = {
  light: { colorScheme: 'light', contrast: 'no-preference', forcedColors: 'none' },
  dark: { colorScheme: 'dark', contrast: 'no-preference', forcedColors: 'none' },
  'light, more contrast': { colorScheme: 'light', contrast: 'more', forcedColors: 'none' },
  'dark, more contrast': { colorScheme: 'dark', contrast: 'more', forcedColors: 'none' },
  'forced colours': { colorScheme: 'dark', contrast: 'more', forcedColors: 'active' },
};

/** Also below a dialog, where nobody could click. */
const switchLanguage = ({ page }) =>
  page.evaluate(() => document.querySelector('[data-testid=language]').click());

for (const width of [1440, 360]) {
  test(`no violation in any state, language or look (${width} px)`, async () => {
    const seen = [];
    const wrong = [];
    const options = { width, height: width < 900 ? 740 : 900, hasTouch: width < 900 };
    await walk({ join, server, options }, async (name, person) => {
      seen.push(name);
      for (const language of ['en', 'ko']) {
        for (const [look, media] of Object.entries(bySystem)) {
          await person.page.emulateMedia({ ...media, reducedMotion: 'reduce' });
          await person.page.waitForFunction(
            (contrast) => (document.documentElement.dataset.contrast ?? 'no-preference') === contrast,
            media.contrast,
          );
          for (const each of await violations(person)) wrong.push(`${name}, ${language}, ${look}: ${each}`);
        }
        await switchLanguage(person);
      }
    });
    assert.deepEqual(wrong, []);
    assert.ok(seen.length >= 15, `${seen}`);
  });
}

const ground = ({ page }) =>
  page.evaluate(() => {
    const { dataset } = document.documentElement;
    const { backgroundColor } = getComputedStyle(document.querySelector('main'));
    const frame = [...document.querySelectorAll('meta[name=theme-color]')]
      .find(({ media }) => matchMedia(media).matches).content;
    return { scheme: dataset.scheme, contrast: dataset.contrast, ground: backgroundColor, frame };
  });

const looks = {
  light: { scheme: 'light', contrast: undefined, ground: 'rgb(238, 241, 239)', frame: '#ffffff' },
  dark: { scheme: 'dark', contrast: undefined, ground: 'rgb(15, 21, 20)', frame: '#17201e' },
  // The scheme stays the system's: here it is dark.
  contrast: { scheme: undefined, contrast: 'more', ground: 'rgb(0, 0, 0)', frame: '#000000' },
  system: { scheme: undefined, contrast: undefined, ground: 'rgb(15, 21, 20)', frame: '#17201e' },
};

test('the look is the system\'s, until another one is chosen by hand, in all tabs and for good', async () => {
  const anna = await join({ colorScheme: 'dark' });
  const tab = await anna.anotherTab();
  assert.deepEqual(await ground(anna), looks.system);
  for (const [look, wanted] of Object.entries(looks)) {
    await anna.at('settings').click();
    await anna.at(`look-${look}`).check();
    assert.deepEqual(await ground(anna), wanted, look);
    for (const language of ['en', 'ko']) {
      assert.deepEqual(await violations(anna), [], `${look}, ${language}, the dialog`);
      await switchLanguage(anna);
    }
    await anna.page.keyboard.press('Escape');
    for (const language of ['en', 'ko']) {
      assert.deepEqual(await violations(anna), [], `${look}, ${language}`);
      await switchLanguage(anna);
    }
    await tab.page.waitForFunction(
      ({ scheme, contrast }) => {
        const { dataset } = document.documentElement;
        return dataset.scheme === scheme && dataset.contrast === contrast;
      },
      { scheme: wanted.scheme, contrast: wanted.contrast },
    );
    await anna.page.reload();
    await anna.connected();
    assert.deepEqual(await ground(anna), wanted, `${look}, after a reload`);
  }
  await anna.page.emulateMedia({ colorScheme: 'light', contrast: 'more' });
  await anna.page.waitForFunction(() => document.documentElement.dataset.contrast === 'more');
  assert.deepEqual(await ground(anna), {
    scheme: undefined, contrast: 'more', ground: 'rgb(255, 255, 255)', frame: '#ffffff',
  });
});

/** Presses Tab until the focus is there, which must be to be seen at each stop on the way. */
async function tabTo({ page }, hook, text = '') {
  const passed = [];
  for (let stop = 0; stop < 120; stop += 1) {
    await page.keyboard.press('Tab');
    const now = await page.evaluate(() => {
      const at = document.activeElement;
      const { width, height, top, bottom } = at.getBoundingClientRect();
      // The field has its ring around the box that it stands in.
      const ring = getComputedStyle(at.matches('textarea') ? at.parentElement : at);
      return {
        hook: at.dataset.testid ?? at.tagName,
        text: (at.closest('li') ?? at).innerText,
        inSight: width > 0 && height > 0 && bottom > 0 && top < innerHeight,
        marked: at === document.body || at.matches('textarea') || ring.outlineStyle !== 'none',
      };
    });
    passed.push(now.hook);
    assert.ok(now.inSight, `the focus is out of sight: ${now.hook}`);
    assert.ok(now.marked, `nothing shows the focus: ${now.hook}`);
    if (now.hook === hook && now.text.includes(text)) return;
  }
  assert.fail(`no way to ${hook}, only to ${[...new Set(passed)].join(', ')}`);
}

test('all of it can be done with Tab, Enter and Escape, and the focus comes back', async () => {
  const bora = await join();
  const anna = await join();
  const { keyboard } = anna.page;
  const focused = () => anna.page.evaluate(() => document.activeElement.dataset.testid);
  const closed = () => anna.page.locator('dialog').waitFor({ state: 'detached' });
  await tabTo(anna, 'settings');
  await keyboard.press('Enter');
  await tabTo(anna, 'look-system');
  await keyboard.press('ArrowDown');
  assert.equal(await focused(), 'look-light');
  assert.equal((await ground(anna)).scheme, 'light');
  await keyboard.press('Escape');
  await closed();
  assert.equal(await focused(), 'settings');

  await bora.says('hello from bora');
  await anna.hears('hello from bora');
  await tabTo(anna, 'count');
  await keyboard.press('Enter');
  await tabTo(anna, 'mute');
  await keyboard.press('Enter');
  await anna.messages('hello from bora').waitFor({ state: 'detached' });
  await keyboard.press('Enter');
  await anna.hears('hello from bora');
  await keyboard.press('Escape');
  await closed();
  assert.equal(await focused(), 'count');
  await tabTo(anna, 'who');
  await keyboard.press('Enter');
  await tabTo(anna, 'talk');
  await keyboard.press('Enter');
  await anna.at('room-name').filter({ hasText: 'Private' }).waitFor();
  await closed();
  await tabTo(anna, 'leave-room', 'Private');
  await keyboard.press('Enter');
  await anna.at('room-name').filter({ hasText: 'Lobby' }).waitFor();
  assert.equal(await anna.at('room').count(), 1);

  await tabTo(anna, 'find-room');
  await keyboard.press('Enter');
  await tabTo(anna, 'room-words');
  await keyboard.type('keys');
  await keyboard.press('Enter');
  await anna.at('room-name').filter({ hasText: 'keys' }).waitFor();
  await tabTo(anna, 'composer');
  await keyboard.type('typed');
  await keyboard.press('Enter');
  await anna.hears('typed');

  await anna.spoils('not taken');
  await keyboard.type('not taken');
  await keyboard.press('Enter');
  await anna.at('retry').waitFor();
  await tabTo(anna, 'retry');
  await keyboard.press('Enter');
  await anna.page.locator('[data-status=waiting], [data-status=sending], [data-status=failed]').waitFor();
  await anna.at('discard').waitFor();
  await tabTo(anna, 'discard');
  await keyboard.press('Enter');
  await anna.messages('not taken').waitFor({ state: 'detached' });

  await tabTo(anna, 'composer');
  for (let n = 1; n <= 40; n += 1) {
    await keyboard.type(`line ${n}`);
    await keyboard.press('Enter');
  }
  await anna.messages('line 40').and(anna.page.locator('[data-status=sent]')).waitFor();
  await tabTo(anna, 'log');
  for (let page = 0; page < 3; page += 1) await keyboard.press('PageUp');
  await anna.at('to-newest').waitFor();
  await tabTo(anna, 'to-newest');
  await keyboard.press('Enter');
  await anna.at('to-newest').waitFor({ state: 'detached' });

  await anna.page.setViewportSize({ width: 360, height: 740 });
  await anna.at('menu').waitFor();
  await tabTo(anna, 'menu');
  await keyboard.press('Enter');
  await tabTo(anna, 'room', 'Lobby');
  await keyboard.press('Enter');
  await anna.hears('hello from bora');
  await closed();
  assert.equal(await focused(), 'menu');
});

test('who wants no motion gets none: nothing turns, fades or glides', async () => {
  const anna = await join({ reducedMotion: 'reduce' });
  const bora = await join();
  const moving = () =>
    anna.page.evaluate(() => {
      const styles = [...document.querySelectorAll('*')].flatMap((each) => [
        [each, getComputedStyle(each)], [each, getComputedStyle(each, '::before')], [each, getComputedStyle(each, '::after')],
      ]);
      const odd = styles.filter(([, { animationName, transitionDuration, scrollBehavior }]) =>
        animationName !== 'none' || transitionDuration.split(', ').some((time) => parseFloat(time) > 0) || scrollBehavior === 'smooth');
      return [...odd.map(([each]) => each.outerHTML.slice(0, 80)), ...document.getAnimations().map(() => 'an animation')];
    });
  assert.deepEqual(await moving(), []);
  await bora.says('hello');
  await anna.hears('hello');
  await anna.at('settings').click();
  assert.deepEqual(await moving(), []);
  await anna.page.keyboard.press('Escape');
  // Such as they are, there are some for the others: while the connection is away the light breathes.
  for (const person of [anna, bora]) {
    person.mayLoseServer = true;
    // What it asks for later would fail loudly.
    await person.page.evaluate(async () => void (await navigator.serviceWorker.ready));
  }
  await server.kill9();
  await Promise.all([anna.state('reconnecting'), bora.state('reconnecting')]);
  assert.deepEqual(await moving(), []);
  assert.ok(await bora.page.evaluate(() => document.getAnimations().length > 0));
  await server.restart();
  await Promise.all([anna.connected(), bora.connected()]);
});
