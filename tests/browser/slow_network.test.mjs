// The page on a slow phone with a slow network: what it asks before the first message is there, and that
// all of it works. How long it took is told and not judged: a machine of tests has its own speed.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { writeHistory } from './history.mjs';
import { launchBrowser, networks, Person, startServer, Talker } from './people.mjs';
import { travel } from './travel.mjs';

const phone = { width: 412, height: 823, isMobile: true, hasTouch: true, slowdown: 4 };
const count = 300;

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
  await writeHistory(server, count, 30);
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

test('a room is read, written to and read back over a slow network', async () => {
  const anna = await join({ ...phone, network: networks.slow3G });
  await anna.hears(`line ${count}`);

  await anna.at('composer').fill('slowly');
  await anna.at('composer').press('Enter');
  // At once, whatever the network is like; and then the room has it, once.
  await anna.messages('slowly').waitFor();
  await anna.messages('slowly').and(anna.page.locator('[data-status=sent]')).waitFor();
  const talker = await Talker.join(server.url);
  await talker.says('from elsewhere');
  await anna.hears('from elsewhere');
  await talker.leave();
  const drawn = (await anna.drawn()).map(({ text }) => text);
  assert.deepEqual(drawn.slice(-3), [`line ${count}`, 'slowly', 'from elsewhere']);

  for (const up of [true, false]) {
    const { worst, lost, seen } = await anna.page.evaluate(travel, { up });
    assert.equal(lost, 0, 'a message that was in sight left the document');
    assert.equal(seen.length, count + 2, up ? 'all on the way up' : 'all on the way down');
    assert.ok(worst <= 1, `a message moved by ${worst} px`);
  }
});

for (const [name, network] of [['no slow network', undefined], ['the network of Slow 4G', networks.slow4G]]) {
  test(`little is asked before the first message is there, a phone four times slower, ${name}`, async (t) => {
    const anna = await join({ ...phone, network });
    await anna.hears(`line ${count}`);
    const { drawn, first, asked } = await anna.page.evaluate(() => {
      const entries = performance.getEntriesByType('resource');
      const message = entries.find(({ name }) => new URL(name).pathname.startsWith('/message'));
      return {
        drawn: window.firstMessageAt,
        first: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0,
        asked: entries.filter(({ startTime }) => startTime < message.responseEnd).map(({ name }) => new URL(name).pathname),
      };
    });
    t.diagnostic(`first paint after ${Math.round(first)} ms, first message after ${Math.round(drawn)} ms; asked before it came: ${asked.join(' ')}`);
    // The page, its script and its styles; who one is; the newest messages. Anything more must earn its place here.
    assert.ok(asked.length <= 10, `${asked.length} requests: ${asked.join(' ')}`);
    const foreign = anna.requests.filter((url) => new URL(url).host !== new URL(server.url).host);
    assert.deepEqual(foreign, [], 'nobody else is asked for anything');
  });
}
