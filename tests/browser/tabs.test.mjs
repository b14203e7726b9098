// Several tabs of one reader: what he does in one of them holds in all, and none undoes it.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launchBrowser, Person, startServer, Talker } from './people.mjs';

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

/** The same person in so many tabs. */
async function tabs(count, options) {
  const all = [await join(options)];
  while (all.length < count) {
    all.push(await all[0].anotherTab());
    people.push(all.at(-1));
  }
  return all;
}

const rooms = (person) => person.at('room').locator('strong').allInnerTexts();

const here = (person, name) => person.at('room').filter({ hasText: name });

const inRoom = (person, name) => person.at('room-name').filter({ hasText: name }).waitFor();

/** Once `deaf` is set in its page this tab is told nothing of the others, as if the browser came to it late:
    for its next load, since its listener must be the first. */
const deaf = ({ page }) =>
  page.addInitScript(() => addEventListener('storage', (event) => globalThis.deaf && event.stopImmediatePropagation()));

test('a room that is opened in one tab is in all of them, and left in one it is left in all', async () => {
  const talker = await Talker.join(server.url);
  const one = await talker.makes('one');
  const two = await talker.makes('two');
  await talker.says('first words', one);
  const [anna, tab] = await tabs(2);
  await anna.page.goto(`${server.url}/#/${one}`);
  await anna.hears('first words');
  await here(tab, 'one').waitFor();
  await tab.page.goto(`${server.url}/#/${two}`);
  await inRoom(tab, 'two');
  await here(anna, 'two').waitFor();

  // What is said there is counted in both, which needs that both hear the room.
  await talker.says('second words', one);
  await anna.hears('second words');
  await here(tab, 'one').waitFor();
  assert.equal(await here(tab, 'one').getByTestId('unread').count(), 0, 'read in the other tab');
  await talker.says('for who is not there', two);
  await tab.hears('for who is not there');

  for (const person of [anna, tab]) {
    await person.page.reload();
    await here(person, 'two').waitFor();
    assert.deepEqual(await rooms(person), ['Lobby', 'one', 'two']);
  }
  await here(anna, 'two').locator('xpath=..').getByTestId('leave-room').click();
  await here(tab, 'two').waitFor({ state: 'detached' });
  await inRoom(tab, 'Lobby');
  await inRoom(anna, 'one');
  await talker.leave();
});

test('tabs that are told late of each other lose no room and no mute', async () => {
  const talker = await Talker.join(server.url);
  const ids = [await talker.makes('one'), await talker.makes('two')];
  const noise = [await Talker.join(server.url), await Talker.join(server.url)];
  for (const [index, each] of noise.entries()) await each.says(`noise ${index}`);
  const all = await tabs(2);
  for (const tab of all) {
    await deaf(tab);
    await tab.page.reload();
    await tab.hears('noise 1');
    await tab.page.evaluate(() => {
      globalThis.deaf = true;
    });
  }
  for (const [index, tab] of all.entries()) {
    await tab.messages(`noise ${index}`).getByTestId('who').click();
    await tab.at('mute').click();
    await tab.page.keyboard.press('Escape');
    await tab.messages(`noise ${index}`).waitFor({ state: 'detached' });
    await tab.page.evaluate((id) => {
      location.hash = `#/${id}`;
    }, ids[index]);
    await inRoom(tab, ['one', 'two'][index]);
  }
  await talker.says('hello');
  for (const tab of all) {
    await tab.page.goto(`${server.url}/#/`);
    await tab.page.reload();
    await tab.hears('hello');
    assert.deepEqual((await tab.drawn()).map(({ text }) => text), ['hello']);
    assert.deepEqual(await rooms(tab), ['Lobby', 'one', 'two']);
  }
  for (const each of [talker, ...noise]) await each.leave();
});

test('who is muted in one tab is muted in all of them', async () => {
  const bora = await join();
  await bora.says('noise');
  const [anna, tab] = await tabs(2);
  await tab.hears('noise');
  await anna.messages('noise').getByTestId('who').click();
  await anna.at('mute').click();
  await tab.messages('noise').waitFor({ state: 'detached' });
  await anna.at('mute').click();
  await tab.hears('noise');
});

test('the language is the same in all tabs', async () => {
  const [anna, tab] = await tabs(2);
  await anna.at('language').click();
  await tab.page.getByRole('textbox', { name: '메시지 입력' }).waitFor();
  assert.equal(await tab.page.evaluate(() => document.documentElement.lang), 'ko');
  await tab.at('language').click();
  await anna.page.getByRole('textbox', { name: 'Message' }).waitFor();
});

const stored = (person, text) =>
  person.page.waitForFunction((part) => (localStorage.getItem('rtc.drafts') ?? '[]').includes(part), text);

const draft = (person) => person.at('composer').inputValue();

for (const told of [true, false]) {
  test(`a draft that was sent in one tab does not come back by another one${told ? '' : ' that is told late'}`, async () => {
    const anna = await join();
    await anna.at('composer').fill('half a thought');
    await stored(anna, 'half a thought');
    const tab = await anna.anotherTab();
    people.push(tab);
    assert.equal(await draft(tab), 'half a thought');
    if (!told) {
      await deaf(tab);
      await tab.page.reload();
      await tab.connected();
      await tab.page.evaluate(() => {
        globalThis.deaf = true;
      });
    }
    await anna.says('half a thought');
    if (told) await tab.page.waitForFunction(() => document.querySelector('[data-testid=composer]').value === '');
    await tab.page.reload();
    await tab.connected();
    assert.equal(await draft(tab), '');
    await anna.page.reload();
    await anna.connected();
    assert.equal(await draft(anna), '');
  });
}

test('a tab in which nothing was written takes no draft away as it is closed', async () => {
  const [anna, tab] = await tabs(2);
  await deaf(tab);
  await tab.page.reload();
  await tab.connected();
  await tab.page.evaluate(() => {
    globalThis.deaf = true;
  });
  await anna.at('composer').fill('half a thought');
  await stored(anna, 'half a thought');
  await tab.page.goto('about:blank');
  // Not by a reload, in which the first tab would write it down anew.
  const third = await anna.anotherTab();
  people.push(third);
  assert.equal(await draft(third), 'half a thought');
});
