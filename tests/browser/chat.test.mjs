// The page in a real Chromium against the real server: what a person does, and what must hold.
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

async function fill(texts) {
  const talker = await Talker.join(server.url);
  await talker.saysAll(texts);
  await talker.leave();
}

const numbered = (count) =>
  Array.from({ length: count }, (_, index) =>
    index % 7 === 3 ? `line ${index + 1}\n한 줄 더\nand one more` : `line ${index + 1}`,
  );

test('two people join, see each other counted, and talk both ways', async () => {
  const anna = await join();
  await anna.sees(1);
  const bora = await join({ width: 360, height: 740, locale: 'ko-KR' });
  await Promise.all([anna.sees(2), bora.sees(2)]);
  assert.notEqual(await anna.identity(), await bora.identity());

  await anna.says('hello there');
  await bora.hears('hello there');
  await bora.says('안녕하세요');
  await anna.hears('안녕하세요');

  const expected = ['hello there', '안녕하세요'];
  assert.deepEqual(await anna.drawn(), [
    { id: 1, own: true, text: expected[0] },
    { id: 2, own: false, text: expected[1] },
  ]);
  assert.deepEqual(
    (await bora.drawn()).map(({ own }) => own),
    [false, true],
  );
  const sides = await anna.page
    .locator('.bubble')
    .evaluateAll((bubbles) => bubbles.map((bubble) => bubble.getBoundingClientRect().left));
  assert.ok(sides[0] > sides[1], 'own messages stand on the right');

  await bora.leave();
  people.pop();
  await anna.sees(1);
});

for (const width of [360, 1440]) {
  test(`500 messages up to the first, nothing jumps (${width} px)`, async () => {
    await fill(numbered(500));
    const anna = await join({ width });
    await anna.hears('line 500');
    const { prepends, worst, lost, seen, drawn } = await anna.page.evaluate(travel, { up: true, step: 500 });
    assert.deepEqual(
      seen,
      Array.from({ length: 500 }, (_, index) => index + 1),
    );
    assert.ok(prepends >= 5, `history came in ${prepends} times`);
    assert.equal(lost, 0, 'a message that was in sight left the document');
    assert.ok(worst <= 1, `a message moved by ${worst} px`);
    assert.ok(drawn <= 210, `${drawn} messages in the document`);
    await anna.hears('line 1');

    await anna.at('to-newest').click();
    await anna.messages('line 500').waitFor();
    const below = await anna
      .at('log')
      .evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight);
    assert.ok(below < 2, 'the newest message is at the end of the page');
  });
}

test('a notice tells of new messages when scrolled up, and leads to them', async () => {
  await fill(numbered(80));
  const anna = await join();
  const bora = await join();
  await anna.hears('line 80');
  await anna.at('log').evaluate((log) => log.scrollTo(0, log.scrollHeight / 2));
  await anna.at('to-newest').waitFor();
  const top = (text) => anna.messages(text).evaluate((row) => row.getBoundingClientRect().top);
  const place = await top('line 40');

  await bora.says('you missed this');
  await bora.says('and this');
  await anna.at('new-notice').filter({ hasText: '2' }).waitFor();
  assert.ok(Math.abs((await top('line 40')) - place) <= 1, 'the place is kept');

  await anna.at('new-notice').click();
  await anna.at('new-notice').waitFor({ state: 'detached' });
  await anna.page.waitForFunction(() => {
    const row = [...document.querySelectorAll('[data-testid=message]')].at(-1);
    const log = document.querySelector('[data-testid=log]').getBoundingClientRect();
    return row.textContent.includes('and this') && row.getBoundingClientRect().bottom <= log.bottom;
  });
});

test('a killed server comes back: everything is there, everyone is who they were', async () => {
  const anna = await join();
  const bora = await join();
  for (const person of people) person.mayLoseServer = true;
  await anna.says('before, from anna');
  await bora.says('before, from bora');
  await anna.hears('before, from bora');
  const names = [await anna.name(), await bora.name()];

  await server.kill9();
  await Promise.all([anna.state('reconnecting'), bora.state('reconnecting')]);
  await anna.at('composer').fill('written while it was away');
  await anna.at('composer').press('Enter');
  await anna.page.locator('[data-testid=message][data-status=waiting]').waitFor();

  await server.restart();
  await Promise.all([anna.connected(), bora.connected()]);
  assert.deepEqual([await anna.name(), await bora.name()], names);
  await bora.hears('written while it was away');
  await bora.says('and after');
  await anna.hears('and after');

  const texts = [
    'before, from anna',
    'before, from bora',
    'written while it was away',
    'and after',
  ];
  const check = async () => {
    for (const [person, mine] of [
      [anna, [true, false, true, false]],
      [bora, [false, true, false, true]],
    ]) {
      const wanted = texts.map((text, index) => ({ id: index + 1, own: mine[index], text }));
      assert.deepEqual(await person.drawn(), wanted);
    }
  };
  await check();

  await Promise.all([anna.page.reload(), bora.page.reload()]);
  await Promise.all([anna.connected(), bora.connected()]);
  await Promise.all([anna.hears('and after'), bora.hears('and after')]);
  assert.deepEqual([await anna.name(), await bora.name()], names);
  await check();
});

test('a longer absence is filled by history, without a hole or a repeat', async () => {
  const anna = await join();
  anna.mayLoseServer = true;
  await anna.says('line 0');
  await anna.offline(true);
  await anna.state('offline');
  await fill(numbered(150));
  await anna.offline(false);
  await anna.connected();
  await anna.hears('line 150');
  await anna.page.waitForFunction(
    () => document.querySelectorAll('[data-testid=message]').length === 151,
  );
  const drawn = (await anna.drawn()).map(({ id }) => id);
  assert.deepEqual(
    drawn,
    Array.from({ length: 151 }, (_, index) => index + 1),
  );
});

test('what is written offline is sent once, in order, on return', async () => {
  const anna = await join();
  const bora = await join();
  anna.mayLoseServer = true;
  await anna.offline(true);
  await anna.state('offline');
  for (const text of ['one', 'two', 'three']) {
    await anna.at('composer').fill(text);
    await anna.at('composer').press('Enter');
  }
  await anna.offline(false);
  await bora.hears('three');
  assert.deepEqual(
    (await bora.drawn()).map(({ text }) => text),
    ['one', 'two', 'three'],
  );
  await anna.page.waitForFunction(
    () => document.querySelectorAll('[data-testid=message][data-status=sent]').length === 3,
  );
  assert.equal(await anna.at('message').count(), 3);
});

test('a token that the server does not know is replaced, and the page goes on', async () => {
  const anna = await join();
  anna.mayLoseServer = true;
  const old = await anna.identity();
  await anna.page.evaluate(() => {
    const [head, , tail] = localStorage.getItem('rtc.token').split('.');
    localStorage.setItem('rtc.token', [head, btoa('{"jti":"x"}'), tail].join('.'));
  });
  await anna.page.reload();
  await anna.connected();
  assert.notEqual(await anna.identity(), old);
  await anna.says('still here');
});

test('text is text: nothing in a message becomes a part of the page', async () => {
  const nasty = [
    '<script>alert(1)</script>',
    '<img src=x onerror="alert(2)">',
    '"><svg onload=alert(3)>',
    '<a href="javascript:alert(4)">x</a>',
    '{{constructor.constructor("alert(5)")()}}',
    '&lt;b&gt; & &amp;',
  ];
  await fill(nasty);
  const anna = await join();
  await anna.hears(nasty.at(-1));
  await anna.says('<b>mine</b>');
  const texts = (await anna.drawn()).map(({ text }) => text);
  assert.deepEqual(texts, [...nasty, '<b>mine</b>']);
  const elements = await anna.page
    .locator('.bubble')
    .evaluateAll((bubbles) => bubbles.map((bubble) => bubble.childElementCount));
  assert.deepEqual(new Set(elements), new Set([0]));
});

test('Enter sends, Shift+Enter breaks the line, a key of a composition does neither', async () => {
  const anna = await join({ locale: 'ko-KR' });
  const composer = anna.at('composer');
  await composer.click();
  const devtools = await anna.devtools();
  await devtools.send('Input.imeSetComposition', {
    text: '한',
    selectionStart: 1,
    selectionEnd: 1,
  });
  for (const taken of [{ isComposing: true }, { keyCode: 229 }]) {
    await composer.evaluate((field, init) => {
      const key = { key: 'Enter', bubbles: true, cancelable: true, ...init };
      field.dispatchEvent(new KeyboardEvent('keydown', key));
    }, taken);
  }
  await devtools.send('Input.insertText', { text: '한' });
  assert.equal(await composer.inputValue(), '한');
  assert.equal(await anna.at('message').count(), 0);

  await composer.press('Shift+Enter');
  await anna.page.keyboard.insertText('글');
  assert.equal(await composer.inputValue(), '한\n글');
  await composer.press('Enter');
  await anna.page.locator('[data-testid=message][data-status=sent]').waitFor();
  assert.deepEqual(await anna.drawn(), [{ id: 1, own: true, text: '한\n글' }]);
  assert.equal(await composer.inputValue(), '');

  await composer.fill(' \n ');
  assert.ok(await anna.at('send').isDisabled(), 'blank text is not sent');
});

test('the longest message is sent, a longer one is stopped with a clear hint', async () => {
  const anna = await join();
  const longest = `${'가'.repeat(21_845)}a`;
  await anna.at('composer').fill(`${longest}b`);
  assert.ok(await anna.at('send').isDisabled());
  await anna.page.getByText('Too long: 1 B over the limit').waitFor();
  await anna.at('composer').fill(longest);
  await anna.at('send').click();
  await anna.page.locator('[data-testid=message][data-status=sent]').waitFor();
  assert.equal((await anna.drawn())[0].text, longest);
});

test('Korean and English by the browser, by hand, and remembered', async () => {
  const anna = await join({ locale: 'ko-KR' });
  const language = () => anna.page.evaluate(() => document.documentElement.lang);
  assert.equal(await language(), 'ko');
  await anna.page.getByRole('textbox', { name: '메시지 입력' }).waitFor();
  await anna.at('language').click();
  await anna.page.getByRole('textbox', { name: 'Message' }).waitFor();
  assert.equal(await language(), 'en');
  await anna.page.reload();
  await anna.connected();
  assert.equal(await language(), 'en');
  assert.deepEqual(await anna.page.context().cookies(), []);
});
