// What a screen reader would say: what is new, once, and nothing that was there before.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launchBrowser, Person, startServer, Talker } from './people.mjs';
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

/**
 * Runs in the page: from now on `told` is what a screen reader is told politely, as assistive technology
 * has it: of what comes into a live region that was there before. A region that comes together with its
 * text says nothing, but for an alert.
 */
function listen() {
  globalThis.told = [];
  const live = '[aria-live], [role=log], [role=status], [role=alert]';
  const isOff = (region) => region.getAttribute('aria-live') === 'off';
  let known = new Set(document.querySelectorAll(live));
  new MutationObserver((records) => {
    const told = [];
    for (const { target, addedNodes, type } of records) {
      const element = target instanceof Element ? target : target.parentElement;
      const region = element?.closest(live);
      if (region && known.has(region) && !isOff(region)) {
        if (type === 'characterData') told.push(target.data);
        else for (const node of addedNodes) told.push(node.textContent);
      } else {
        for (const node of addedNodes)
          if (node instanceof Element)
            for (const alert of [node, ...node.querySelectorAll('*')])
              if (alert.matches('[role=alert]')) told.push(alert.textContent);
      }
    }
    globalThis.told.push(...told.map((text) => text.replace(/\s+/g, ' ').trim()).filter((text) => text !== ''));
    known = new Set(document.querySelectorAll(live));
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}

const told = ({ page }) => page.evaluate(() => globalThis.told);

/** Waits until that was told; all that was told. */
async function hasTold(person, text) {
  await person.page.waitForFunction((wanted) => globalThis.told.includes(wanted), text);
  return told(person);
}

const nameOf = (person) => person.at('me').locator('strong').innerText();

test('at the end each message of others is told once, and none of one\'s own', async () => {
  const anna = await join();
  const bora = await join();
  const cho = await join();
  const name = await nameOf(bora);
  await cho.says('who is muted');
  await anna.messages('who is muted').getByTestId('who').click();
  await anna.at('mute').click();
  await anna.page.keyboard.press('Escape');
  await bora.sees(3);
  await anna.page.evaluate(listen);
  await bora.says('hello');
  await anna.hears('hello');
  await anna.says('my own words');
  await cho.says('not to be heard');
  await bora.says('and again');
  assert.deepEqual(await hasTold(anna, `${name}: and again`), [`${name}: hello`, `${name}: and again`]);
});

test('scrolled up, how many are new is told, once for each change', async () => {
  const talker = await Talker.join(server.url);
  await talker.saysAll(Array.from({ length: 80 }, (_, n) => `line ${n + 1}`));
  const anna = await join();
  await anna.hears('line 80');
  await anna.at('log').evaluate((log) => log.scrollTo(0, log.scrollHeight / 2));
  await anna.at('to-newest').waitFor();
  await anna.page.evaluate(listen);
  await talker.says('you missed this');
  await anna.at('new-notice').filter({ hasText: '1 new message' }).waitFor();
  await talker.says('and this');
  assert.deepEqual(await hasTold(anna, '2 new messages'), ['1 new message', '2 new messages']);
  // The way back tells nothing again.
  await anna.at('new-notice').click();
  await anna.at('new-notice').waitFor({ state: 'detached' });
  assert.deepEqual(await told(anna), ['1 new message', '2 new messages']);
  await talker.leave();
});

test('a flood is told by its number', async () => {
  const talker = await Talker.join(server.url);
  const anna = await join();
  await anna.sees(1);
  await anna.page.evaluate(listen);
  await talker.saysAll(Array.from({ length: 200 }, (_, n) => `line ${n + 1}`), 200);
  await anna.hears('line 200');
  const all = await told(anna);
  const each = all.filter((text) => /: line \d+$/.test(text)).length;
  const counted = all.map((text) => Number(/^(\d+) new messages?$/.exec(text)?.[1] ?? 0)).reduce((a, b) => a + b, 0);
  assert.equal(each + counted, 200, all.join());
  assert.ok(all.length < 100, `${all.length} announcements`);
  await talker.leave();
});

test('another room tells nothing of its history, however it is drawn and read', async () => {
  const talker = await Talker.join(server.url);
  const room = await talker.makes('long ago');
  for (let n = 1; n <= 150; n += 1) await talker.says(`line ${n}`, room);
  await talker.says('in the lobby');
  const anna = await join();
  await anna.hears('in the lobby');
  await anna.page.evaluate(listen);
  await anna.page.evaluate((id) => {
    location.hash = `#/${id}`;
  }, room);
  await anna.hears('line 150');
  await anna.page.evaluate(travel, { up: true });
  await anna.hears('line 1');
  await anna.at('to-newest').click();
  await anna.hears('line 150');
  await anna.at('to-newest').waitFor({ state: 'detached' });
  assert.deepEqual(await told(anna), []);
  await talker.says('and now', room);
  await anna.hears('and now');
  await anna.page.waitForFunction(() => globalThis.told.length > 0);
  const all = await told(anna);
  assert.equal(all.length, 1, all.join());
  assert.match(all[0], /: and now$/);
  await talker.leave();
});

test('that a message is too long is told once, not at every key', async () => {
  const anna = await join();
  await anna.page.evaluate(listen);
  await anna.at('composer').fill('x'.repeat(65_537));
  await anna.page.getByText('Too long: 1 B over the limit').waitFor();
  await anna.at('composer').press('End');
  await anna.page.keyboard.type('yz');
  await anna.page.getByText('Too long: 3 B over the limit').waitFor();
  assert.deepEqual(await told(anna), ['This message is too long to be sent.']);
});
