// Pictures of the main states, to be looked at: build/screenshots/. What they must not show, an error or
// a page wider than its window, is looked at here.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../system/harness.mjs';
import { launchBrowser, Person, startServer } from './people.mjs';
import { serverOptions, walk } from './states.mjs';

const folder = fileURLToPath(new URL('../../build/screenshots/', import.meta.url));

let browser;
let server;
let people;

before(async () => {
  browser = await launchBrowser();
  await mkdir(folder, { recursive: true });
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

const readers = {
  'wide-light-en': { width: 1440, height: 900, locale: 'en-US', colorScheme: 'light' },
  'narrow-dark-ko': {
    width: 360, height: 740, locale: 'ko-KR', colorScheme: 'dark', hasTouch: true, deviceScaleFactor: 2,
  },
};

const others = {
  dark: { colorScheme: 'dark' },
  light: { colorScheme: 'light' },
  contrast: { contrast: 'more' },
  forced: { forcedColors: 'active' },
};

/** Runs in the page: what is wider than its place. Also what is cut off there: the log shows nothing beyond its edge. */
function outside() {
  const boxes = document.querySelectorAll('html, main, main > header, aside, nav, form, [data-testid=log], .bubble, .line, dialog, .sheet, dialog ul');
  const wide = [...boxes].filter((box) => box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).display !== 'inline');
  const beyond = [...document.querySelectorAll('.bubble, dialog button, dialog input, header button, form button')].filter((each) => {
    const { left, right } = each.getBoundingClientRect();
    return left < -1 || right > innerWidth + 1;
  });
  return [...wide, ...beyond].map((each) => each.outerHTML.slice(0, 120));
}

/** Once the page has laid itself out: a new size of the window reaches it a frame later. */
const assertInside = (page, what) =>
  waitFor('all to be inside', async () => (await page.evaluate(outside)).length === 0).catch(async () =>
    assert.deepEqual(await page.evaluate(outside), [], `${what}: something reaches over the edge`));

for (const [kind, options] of Object.entries(readers)) {
  test(`pictures: ${kind}`, async () => {
    await walk({ join, server, options }, async (state, { page }) => {
      const take = (name) => page.screenshot({ path: `${folder}${kind}-${name}.png`, animations: 'disabled' });
      await take(state);
      await assertInside(page, state);
      const looked = ['busy', 'odd-texts', 'settings'].includes(state);
      for (const [name, media] of looked ? Object.entries(others) : []) {
        await page.emulateMedia(media);
        await take(`${state}-${name}`);
        await page.emulateMedia({ colorScheme: options.colorScheme, contrast: null, forcedColors: null });
      }
      for (const [width, height] of [[320, 568], [3840, 2160]]) {
        await page.setViewportSize({ width, height });
        await assertInside(page, `${state} at ${width} px`);
        if (looked) await take(`${state}-${width}`);
      }
      await page.setViewportSize({ width: options.width, height: options.height });
    });
  });
}
