// Rooms and people: make, find, open, leave; who is there, who types; alone with one, without another.
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

async function join(options, path = '/') {
  const person = await Person.join(browser, server.url + path, options);
  people.push(person);
  return person;
}

async function makes(person, name, topic = '') {
  await person.at('find-room').click();
  await person.at('room-words').fill(name);
  await person.at('room-topic').fill(topic);
  await person.at('make-room').click();
  await inRoom(person, name);
}

const inRoom = (person, name) => person.at('room-name').filter({ hasText: name }).waitFor();

const path = (person) => new URL(person.page.url()).hash;

const here = (person, name) => person.at('room').filter({ hasText: name });

test('a room is made, found with its people, opened by its link, and left', async () => {
  const anna = await join();
  await anna.says('in the lobby');
  await makes(anna, '책 읽는 방');
  await anna.says('first in the room');
  const link = path(anna);
  assert.match(link, /^#\/[\da-f-]{36}$/);

  const bora = await join();
  await bora.hears('in the lobby');
  await bora.at('find-room').click();
  await bora.at('open-room').waitFor();
  await bora.at('room-words').fill('없는 방');
  await bora.at('open-room').waitFor({ state: 'detached' });
  await bora.at('room-words').fill('책 방');
  await bora.at('open-room').filter({ hasText: '책 읽는 방' }).filter({ hasText: '1 here' }).click();
  await bora.hears('first in the room');
  await bora.says('hello, room');
  await anna.hears('hello, room');
  await anna.sees(2);
  assert.equal(await bora.messages('in the lobby').count(), 0);

  const cho = await join({}, `/${link}`);
  await cho.hears('hello, room');

  await bora.page.goBack();
  await bora.hears('in the lobby');
  await bora.page.goForward();
  await bora.hears('hello, room');
  await bora.page.reload();
  await inRoom(bora, '책 읽는 방');
  await bora.hears('hello, room');

  await anna.sees(3);
  await here(anna, '책 읽는 방').filter({ hasText: '3 here' }).waitFor();
  await bora.at('leave-room').click();
  await inRoom(bora, 'Lobby');
  await anna.sees(2);
  assert.equal(await bora.at('room').count(), 1);
});

test('a room says what it is about: where it is found, opened, and by its link', async () => {
  const anna = await join();
  const topic = (person) => person.at('topic').innerText();
  assert.equal(await topic(anna), 'Everyone is here');
  await makes(anna, 'no topic');
  assert.equal(await anna.at('topic').count(), 0);
  await makes(anna, '책 읽는 방', ' 이번 달: 소설 ');
  assert.equal(await topic(anna), '이번 달: 소설');

  const bora = await join();
  await bora.at('find-room').click();
  await bora.at('room-words').fill('소설 책');
  await bora.at('open-room').filter({ hasText: '책 읽는 방' }).filter({ hasText: '이번 달: 소설' }).click();
  await inRoom(bora, '책 읽는 방');
  assert.equal(await topic(bora), '이번 달: 소설');

  const cho = await join({}, `/${path(anna)}`);
  await inRoom(cho, '책 읽는 방');
  assert.equal(await topic(cho), '이번 달: 소설');
  await cho.page.reload();
  await inRoom(cho, '책 읽는 방');
  assert.equal(await topic(cho), '이번 달: 소설');

  // What this browser keeps was written before rooms had topics.
  await cho.page.evaluate(() => {
    const kept = JSON.parse(localStorage.getItem('rtc.rooms'));
    for (const room of kept) delete room.topic;
    localStorage.setItem('rtc.rooms', JSON.stringify(kept));
  });
  await cho.page.reload();
  await cho.at('topic').filter({ hasText: '이번 달: 소설' }).waitFor();
});

test('what comes in another room is counted, and marked when it is opened', async () => {
  const anna = await join();
  await makes(anna, 'quiet');
  await anna.says('one');
  const bora = await join({}, `/${path(anna)}`);
  await bora.hears('one');
  await here(anna, 'Lobby').click();
  await inRoom(anna, 'Lobby');
  await bora.says('two');
  await bora.says('three');
  await here(anna, 'quiet').locator('[data-unread="2"]').waitFor();
  assert.match(await anna.page.title(), /^\(2\) Lobby/);
  await here(anna, 'quiet').click();
  await anna.hears('three');
  await anna.at('new-line').waitFor();
  await anna.page.waitForFunction(() => document.title.startsWith('quiet'));
  assert.equal(await anna.at('unread').count(), 0);

  // Over a reload as well.
  await here(anna, 'Lobby').click();
  await inRoom(anna, 'Lobby');
  await bora.says('four');
  await here(anna, 'quiet').locator('[data-unread="1"]').waitFor();
  await anna.page.reload();
  await here(anna, 'quiet').locator('[data-unread="1"]').waitFor();
});

test('a room is left in the middle of scrolling it', async () => {
  const anna = await join();
  await anna.says('in the lobby');
  await makes(anna, 'other');
  const log = await anna.at('log').elementHandle();
  await here(anna, 'Lobby').click();
  await anna.hears('in the lobby');
  // Browsers may tell of the scrolling when what was scrolled is gone; a page that breaks is a problem.
  await log.evaluate((gone) => gone.dispatchEvent(new Event('scroll')));
  await anna.says('still there');
});

test('drafts and messages stay in their rooms', async () => {
  const anna = await join();
  await anna.at('composer').fill('for the lobby');
  await makes(anna, 'other');
  assert.equal(await anna.at('composer').inputValue(), '');
  await anna.says('only here');
  await here(anna, 'Lobby').click();
  await inRoom(anna, 'Lobby');
  assert.equal(await anna.at('composer').inputValue(), 'for the lobby');
  assert.equal(await anna.messages('only here').count(), 0);
});

test('who types is shown to the others, until the message is there', async () => {
  const anna = await join();
  const bora = await join();
  await anna.sees(2);
  const name = await anna.at('me').locator('strong').innerText();
  await anna.at('composer').pressSequentially('hel');
  await bora.at('typing').filter({ hasText: `${name} is typing` }).waitFor();
  assert.equal(await anna.at('typing').innerText(), '');
  await anna.at('composer').press('Enter');
  await bora.hears('hel');
  await bora.page.waitForFunction(
    () => document.querySelector('[data-testid=typing]').textContent === '',
  );
});

test('the roster names who is here, and follows who comes and goes', async () => {
  const anna = await join();
  await anna.at('count').click();
  await anna.page.locator(`[data-person="${await anna.identity()}"]`).waitFor();
  assert.equal(await anna.at('person').count(), 1);
  const bora = await join();
  const row = anna.page.locator(`[data-person="${await bora.identity()}"]`);
  await row.waitFor();
  await bora.leave();
  people.pop();
  await row.waitFor({ state: 'detached' });
});

test('two talk alone, and nobody else comes in', async () => {
  const anna = await join();
  const bora = await join();
  const cho = await join();
  await bora.says('hello from bora');
  await anna.messages('hello from bora').getByTestId('who').click();
  await anna.at('talk').click();
  await inRoom(anna, 'Private');
  await anna.says('psst');
  const link = path(anna);

  await bora.at('notice-open').click();
  await inRoom(bora, 'Private');
  await bora.hears('psst');
  assert.equal(path(bora), link);
  await bora.says('yes?');
  await anna.hears('yes?');

  cho.mayLoseServer = true;
  await cho.page.goto(`${server.url}/${link}`);
  await cho.at('missing').waitFor();
  assert.equal(await cho.at('message').count(), 0);
  assert.equal(await cho.at('composer').count(), 0);
  assert.equal(await cho.at('room').count(), 1, 'it is none of his');
  await cho.page.getByRole('link', { name: 'Go to the lobby' }).click();
  await cho.hears('hello from bora');
});

/** Opens the room with somebody whose message is in sight. */
async function calls(person, text) {
  await person.messages(text).getByTestId('who').click();
  await person.at('talk').click();
  await inRoom(person, 'Private');
}

const calledBy = (person, name) => here(person, name).filter({ hasText: name });

test('who is called to a private room is told, sees it as unread, and finds it after a reload', async () => {
  const anna = await join();
  const bora = await join();
  const name = await anna.at('me').locator('strong').innerText();
  await bora.says('hello from bora');
  await anna.hears('hello from bora');
  await calls(anna, 'hello from bora');
  await bora.at('notice').filter({ hasText: `${name} opened a private room with you.` }).waitFor();
  await calledBy(bora, name).locator('[data-unread="1"]').waitFor();
  assert.match(await bora.page.title(), /^\(1\) Lobby/);
  await anna.says('psst');
  await anna.says('are you there?');
  await calledBy(bora, name).locator('[data-unread="2"]').waitFor();

  await bora.page.reload();
  await calledBy(bora, name).locator('[data-unread="2"]').waitFor();
  await calledBy(bora, name).click();
  await bora.hears('are you there?');
  assert.equal(await bora.at('unread').count(), 0);
  assert.equal(await bora.at('new-line').count(), 0, 'all of it is new');
});

test('a private room that was opened while one was away is there on return, by name', async () => {
  const anna = await join();
  const bora = await join();
  const name = await anna.at('me').locator('strong').innerText();
  await bora.says('hello from bora');
  await anna.hears('hello from bora');
  await bora.page.goto('about:blank');
  await calls(anna, 'hello from bora');
  await anna.says('psst');
  await bora.page.goto(server.url);
  await calledBy(bora, name).locator('[data-unread="1"]').waitFor();

  // Left, it stays away until he calls anew.
  await calledBy(bora, name).locator('xpath=..').getByTestId('leave-room').click();
  await bora.page.reload();
  await bora.connected();
  await bora.says('still alone');
  await anna.page.goto(`${server.url}/#/`);
  await anna.hears('still alone');
  assert.equal(await bora.at('room').count(), 1);
  await calls(anna, 'still alone');
  await bora.at('notice-open').click();
  await bora.hears('psst');
});

test('nobody is called by who is muted', async () => {
  const anna = await join();
  const bora = await join();
  await anna.says('from anna');
  await bora.says('from bora');
  await bora.messages('from anna').getByTestId('who').click();
  await bora.at('mute').click();
  await bora.page.keyboard.press('Escape');
  await calls(anna, 'from bora');
  await anna.says('psst');
  await bora.page.reload();
  await bora.hears('from bora');
  await bora.says('later');
  assert.equal(await bora.at('room').count(), 1);
  assert.equal(await bora.at('notice').innerText(), '');
});

test('a room that was opened by its link is called by its name', async () => {
  const anna = await join();
  await makes(anna, '산책 모임');
  const bora = await join({}, `/${path(anna)}`);
  await inRoom(bora, '산책 모임');
  await here(bora, '산책 모임').waitFor();
  assert.match(await bora.page.title(), /^산책 모임/);
});

test('a room of the list that is not there any more leaves it, and says so', async () => {
  const anna = await join();
  anna.mayLoseServer = true;
  await anna.page.evaluate(() => {
    const id = '00000000-0000-4000-8000-000000000000';
    localStorage.setItem('rtc.rooms', JSON.stringify([{ id, name: 'an old one', other: null }]));
  });
  await anna.page.reload();
  await anna.at('notice').filter({ hasText: 'an old one is not there any more' }).waitFor();
  assert.equal(await anna.at('room').count(), 1);
  await anna.at('notice').getByRole('button', { name: 'Close' }).click();
  assert.equal(await anna.at('notice').innerText(), '');
  await anna.says('the lobby goes on');
});

test('who is muted is not read, by this reader alone, until he is unmuted', async () => {
  const anna = await join();
  const bora = await join();
  const cho = await join();
  await bora.says('noise');
  await anna.messages('noise').getByTestId('who').click();
  await anna.at('mute').click();
  await anna.page.keyboard.press('Escape');
  await anna.messages('noise').waitFor({ state: 'detached' });
  await bora.says('more noise');
  await cho.hears('more noise');
  await cho.says('hello');
  await anna.hears('hello');
  assert.deepEqual((await anna.drawn()).map(({ text }) => text), ['hello']);
  await anna.page.reload();
  await anna.hears('hello');
  assert.deepEqual((await anna.drawn()).map(({ text }) => text), ['hello']);
  await anna.at('count').click();
  await anna.page.locator(`[data-person="${await bora.identity()}"]`).getByTestId('mute').click();
  await anna.page.keyboard.press('Escape');
  await anna.hears('more noise');
});

test('what who is muted says is counted nowhere: not at the room, in the title, or below', async () => {
  const anna = await join();
  const bora = await join();
  const cho = await join();
  await bora.says('noise');
  await cho.says('hello');
  await makes(anna, 'elsewhere');
  await here(anna, 'Lobby').click();
  await anna.messages('noise').getByTestId('who').click();
  await anna.at('mute').click();
  await anna.page.keyboard.press('Escape');
  await anna.messages('noise').waitFor({ state: 'detached' });
  await here(anna, 'elsewhere').click();
  await inRoom(anna, 'elsewhere');
  await bora.says('more noise');
  await bora.says('and more');
  await cho.says('a word');
  await here(anna, 'Lobby').locator('[data-unread="1"]').waitFor();
  assert.match(await anna.page.title(), /^\(1\) elsewhere/);
  await here(anna, 'Lobby').click();
  await anna.hears('a word');
  await here(anna, 'elsewhere').click();
  await inRoom(anna, 'elsewhere');
  await bora.says('only noise');
  await cho.says('the next word');
  await here(anna, 'Lobby').locator('[data-unread="1"]').waitFor();

  await here(anna, 'Lobby').click();
  for (let n = 0; n < 40; n += 1) await cho.says(`line ${n}`);
  await anna.hears('line 39');
  await anna.at('log').evaluate((log) => log.scrollTo(0, log.scrollHeight / 2));
  await anna.at('to-newest').waitFor();
  await bora.says('noise again');
  await cho.says('the last word');
  await anna.at('new-notice').filter({ hasText: '1 new message' }).waitFor();
});

test('where everybody is muted the room begins all the same, and says why it is empty', async () => {
  const talker = await Talker.join(server.url);
  await talker.saysAll(Array.from({ length: 450 }, (_, n) => `noise ${n + 1}`));
  const anna = await join();
  await anna.hears('noise 450');
  talker.enters();
  await anna.sees(2);
  await anna.at('count').click();
  await anna.at('mute').click();
  await anna.page.keyboard.press('Escape');
  await anna.page.getByText('You have muted everyone who wrote here.').waitFor();
  assert.equal(await anna.at('message').count(), 0);
  assert.equal(await anna.at('log').locator('.spinner').count(), 0);
  const bora = await join();
  await bora.says('a word');
  await anna.hears('a word');
  await talker.leave();
});

test('a person has one colour wherever he is: beside his words, among the people, as a room', async () => {
  const anna = await join();
  const bora = await join();
  await bora.says('hello from bora');
  const hue = (locator) => locator.first().evaluate((disc) => disc.style.getPropertyValue('--hue'));
  const own = await hue(bora.at('me').locator('[aria-hidden=true]'));
  assert.equal(await hue(anna.messages('hello from bora').locator('.disc span')), own);
  assert.equal(await hue(anna.messages('hello from bora').locator('.who')), own);
  await anna.at('count').click();
  const row = anna.page.locator(`[data-person="${await bora.identity()}"]`);
  assert.equal(await hue(row.locator('[aria-hidden=true]')), own);
  await row.getByTestId('talk').click();
  await inRoom(anna, 'Private');
  assert.equal(await hue(anna.at('room').last().locator('[aria-hidden=true]')), own);
});

const dialogs = (person) => person.page.locator('dialog').count();

test('Back closes what lies over the page, and only then leads back', async () => {
  const anna = await join({ width: 360, height: 740, hasTouch: true });
  await anna.says('in the lobby');
  await anna.at('menu').click();
  await anna.at('find-room').click();
  await anna.at('room-words').fill('one');
  await anna.at('make-room').click();
  await inRoom(anna, 'one');
  for (const open of ['menu', 'count']) {
    await anna.at(open).click();
    await anna.page.locator('dialog').waitFor();
    await anna.page.goBack();
    await anna.page.locator('dialog').waitFor({ state: 'detached' });
    await inRoom(anna, 'one');
  }
  // One after the other they are one step.
  await anna.at('menu').click();
  await anna.at('settings').click();
  await anna.at('look-light').waitFor();
  await anna.page.goBack();
  await anna.page.locator('dialog').waitFor({ state: 'detached' });
  await inRoom(anna, 'one');
  // And none is left behind: where one led elsewhere, or was closed by hand, one step back is one room back.
  await anna.at('count').click();
  await anna.page.locator('dialog').waitFor();
  await anna.page.keyboard.press('Escape');
  await anna.page.waitForFunction(() => history.state === null);
  await anna.page.goBack();
  await anna.hears('in the lobby');
  await anna.page.goForward();
  await inRoom(anna, 'one');
  assert.equal(await dialogs(anna), 0);
  await anna.at('menu').click();
  await here(anna, 'Lobby').click();
  await anna.hears('in the lobby');
  assert.equal(await dialogs(anna), 0);
  await anna.page.goBack();
  await inRoom(anna, 'one');
});

test('who closes a dialog and goes elsewhere in the same moment gets there', async () => {
  const anna = await join();
  await makes(anna, 'one');
  await here(anna, 'Lobby').click();
  await inRoom(anna, 'Lobby');
  const link = await here(anna, 'one').getAttribute('href');
  for (let round = 0; round < 5; round += 1) {
    await anna.at('settings').click();
    await anna.at('look-light').waitFor();
    await anna.page.evaluate((hash) => {
      const dialog = document.querySelector('dialog');
      dialog.addEventListener('close', () => queueMicrotask(() => document.querySelector(`a[href="${hash}"]`).click()));
      dialog.close();
    }, link);
    await anna.page.locator('dialog').waitFor({ state: 'detached' });
    await anna.page.waitForFunction((hash) => location.hash === hash && history.state === null, link);
    await inRoom(anna, 'one');
    await here(anna, 'Lobby').click();
    await inRoom(anna, 'Lobby');
  }
});

test('names of rooms are text', async () => {
  const anna = await join();
  const nasty = '<img src=x onerror=alert(1)>{{7*7}}';
  await makes(anna, nasty);
  const bora = await join();
  await bora.at('find-room').click();
  await bora.at('open-room').filter({ hasText: nasty }).click();
  await inRoom(bora, nasty);
  assert.equal(await bora.page.locator('img').count(), 0);
});

test('on a narrow page the rooms are one touch away', async () => {
  const anna = await join({ width: 360, height: 740, locale: 'ko-KR', hasTouch: true });
  await anna.at('menu').click();
  await anna.at('find-room').click();
  await anna.at('room-words').fill('산책');
  await anna.at('make-room').click();
  await inRoom(anna, '산책');
  await anna.says('좋아요');
  await anna.at('menu').click();
  await here(anna, '로비').click();
  await inRoom(anna, '로비');
  assert.equal(await anna.page.locator('dialog').count(), 0);
  const wider = () => anna.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.ok(!(await wider()), 'nothing reaches over the edge');

  const name = '이름이 아주 길어서 한 줄에 다 들어가지 않는 대화방, 그것도 예순 글자에 가깝게';
  const topic = 'And a topic that is as long as the longest of the names, or longer, with averyveryverylongwordinit';
  await anna.at('menu').click();
  await makes(anna, name, topic);
  await anna.at('topic').filter({ hasText: topic }).waitFor();
  assert.ok(!(await wider()), 'nothing of a long name and topic either');
  await anna.at('menu').click();
  await anna.at('find-room').click();
  await anna.at('open-room').filter({ hasText: topic }).waitFor();
  assert.ok(!(await wider()), 'nor in the list');
});
