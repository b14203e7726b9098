// The limits that a reader may meet: each is said in clear words, in his language, before or as he meets it.
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

beforeEach(() => {
  people = [];
});

afterEach(async () => {
  const problems = people.flatMap((person) => person.problems);
  await Promise.all(people.map((person) => person.leave()));
  await server.stop();
  assert.deepEqual(problems, [], 'no error, warning or breach of the policy in any page');
});

async function join(args = [], options = {}) {
  server = await startServer({ args });
  const person = await Person.join(browser, server.url, options);
  people.push(person);
  return person;
}

test('how long a message may be is what the server allows, and is said before it is too long', async () => {
  const anna = await join(['--message-bytes-max', '400B']);
  const hint = anna.at('composer-limit');
  await anna.at('composer').fill('x'.repeat(300));
  assert.equal(await hint.count(), 0);
  await anna.at('composer').fill('가'.repeat(130));
  await hint.filter({ hasText: '10 bytes left' }).waitFor();
  await anna.at('composer').fill('x'.repeat(401));
  await hint.filter({ hasText: 'Too long: 1 B over the limit' }).waitFor();
  assert.ok(await anna.at('send').isDisabled());
  await anna.at('language').click();
  await hint.filter({ hasText: '1바이트 초과' }).waitFor();
  await anna.says('x'.repeat(400));
});

test('a server that allows more is believed as well', async () => {
  const anna = await join(['--message-bytes-max', '100KiB']);
  await anna.at('composer').fill('x'.repeat(70_000));
  assert.ok(await anna.at('send').isEnabled());
  await anna.at('send').click();
  await anna.page.locator('[data-testid=message][data-status=sent]').waitFor();
});

test('who made too many rooms is told so, and what he can do', async () => {
  const anna = await join(['--rooms-per-identity-max', '1', '--direct-rooms-per-identity-max', '0'], { mayLoseServer: true });
  const make = async (name) => {
    await anna.at('find-room').click();
    await anna.at('room-words').fill(name);
    await anna.at('make-room').click();
  };
  await make('the first');
  await anna.at('room-name').filter({ hasText: 'the first' }).waitFor();
  await make('the second');
  await anna.at('make-failed').filter({ hasText: 'too many' }).filter({ hasText: 'Try again in a minute' }).waitFor();
  await anna.page.evaluate(() => document.querySelector('[data-testid=language]').click());
  await anna.at('make-failed').filter({ hasText: '너무 많거나' }).filter({ hasText: '잠시 뒤에' }).waitFor();
  // What was written is there for another try.
  assert.equal(await anna.at('room-words').inputValue(), 'the second');
  await anna.page.keyboard.press('Escape');
  await anna.page.goto(`${server.url}/#/`);
  const talker = await Talker.join(server.url);
  await talker.says('hello');
  await anna.messages('hello').getByTestId('who').click();
  await anna.at('talk').click();
  await anna.page.getByRole('alert').filter({ hasText: '너무 많거나' }).waitFor();
  await talker.leave();
});

test('as many messages as may wait do wait; one more stays in the field, with a word', async () => {
  const anna = await join([], { mayLoseServer: true });
  await anna.offline(true);
  await anna.state('offline');
  for (let n = 1; n <= 100; n += 1) {
    await anna.at('composer').fill(`line ${n}`);
    await anna.at('composer').press('Enter');
  }
  await anna.at('composer').fill('one too many');
  await anna.at('composer').press('Enter');
  await anna.at('composer-limit').filter({ hasText: 'Too many messages are waiting to be sent' }).waitFor();
  assert.equal(await anna.at('composer').inputValue(), 'one too many');
  await anna.offline(false);
  await anna.messages('line 100').and(anna.page.locator('[data-status=sent]')).waitFor();
  await anna.at('composer').press('Enter');
  await anna.messages('one too many').and(anna.page.locator('[data-status=sent]')).waitFor();
  assert.equal(await anna.at('composer-limit').count(), 0);
});

test('a list that goes on says so: of rooms, and of people', async () => {
  const anna = await join();
  const talker = await Talker.join(server.url);
  for (let n = 1; n <= 51; n += 1) await talker.makes(`room ${n}`);
  await anna.at('find-room').click();
  await anna.at('more-rooms').filter({ hasText: 'the 50 newest' }).waitFor();
  assert.equal(await anna.at('open-room').count(), 50);
  await anna.at('room-words').fill('room 51');
  await anna.at('more-rooms').waitFor({ state: 'detached' });
  await anna.page.keyboard.press('Escape');

  const crowd = [];
  for (let n = 0; n < 305; n += 1) {
    crowd.push(await Talker.join(server.url));
    crowd.at(-1).enters();
  }
  await anna.sees(306);
  await anna.at('count').click();
  await anna.at('more-people').filter({ hasText: 'And 6 more' }).waitFor();
  assert.equal(await anna.at('person').count(), 300);
  await Promise.all([talker, ...crowd].map((each) => each.leave()));
});
