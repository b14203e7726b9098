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

/** What axe finds wrong, one line each. */
async function violations({ page }) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe);
  const { wrong, right, unsure } = await page.evaluate(async () => {
    const { violations: wrong, passes, incomplete } = await globalThis.axe.run(document);
    const contrast = ({ id }) => id === 'color-contrast';
    return { wrong, right: passes.map(({ id }) => id), unsure: incomplete.filter(contrast) };
  });
  // It has looked; and could tell of every text on what it stands.
  assert.ok(right.includes('color-contrast') && right.length >= 15, `${right}`);
  return [...wrong, ...unsure].flatMap(({ id, nodes }) => nodes.map(({ html, any }) => `${id}: ${html} ${any[0]?.message ?? ''}`));
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
    assert.deepEqual(await violations(anna), [], look);
    await anna.page.keyboard.press('Escape');
    assert.deepEqual(await violations(anna), [], look);
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

test('all of it can be done with the keyboard, and the focus comes back', async () => {
  const anna = await join();
  const focused = () => anna.page.evaluate(() => document.activeElement.dataset.testid);
  await anna.at('settings').focus();
  await anna.page.keyboard.press('Enter');
  await anna.at('look-system').focus();
  await anna.page.keyboard.press('ArrowDown');
  assert.equal(await focused(), 'look-light');
  assert.equal((await ground(anna)).scheme, 'light');
  await anna.page.keyboard.press('Escape');
  await anna.at('look-light').waitFor({ state: 'detached' });
  assert.equal(await focused(), 'settings');

  await anna.at('find-room').focus();
  await anna.page.keyboard.press('Enter');
  await anna.at('room-words').focus();
  await anna.page.keyboard.type('keys');
  await anna.page.keyboard.press('Enter');
  await anna.at('room-name').filter({ hasText: 'keys' }).waitFor();
  await anna.at('composer').focus();
  await anna.page.keyboard.type('typed');
  await anna.page.keyboard.press('Enter');
  await anna.hears('typed');
});
