// Writing with an input method: Korean, Japanese, Chinese. What browsers tell of is played to the page
// event by event; and Chromium composes by itself.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launchBrowser, Person, startServer } from './people.mjs';
import { recordings } from './recordings.mjs';

let browser;
let server;
let anna;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser.close());

beforeEach(async () => {
  server = await startServer({});
  anna = await Person.join(browser, server.url, { locale: 'ko-KR' });
});

afterEach(async () => {
  const { problems } = anna;
  await anna.leave();
  await server.stop();
  assert.deepEqual(problems, [], 'no error, warning or breach of the policy in any page');
});

/** Runs in the page: plays the steps to the field, and does what a browser does where the page lets it. */
function play(field, steps) {
  const kinds = { key: KeyboardEvent, com: CompositionEvent, bef: InputEvent, inp: InputEvent };
  const put = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set;
  field.focus();
  let brokenBy = null;
  for (const [type, init, text] of steps) {
    const Kind = kinds[type.slice(0, 3)];
    const cancelable = type === 'beforeinput' || type === 'keydown';
    if (text !== undefined) put.call(field, text);
    // The line break of an Enter whose keydown the page took never comes.
    if (init.inputType === 'insertLineBreak' && brokenBy) continue;
    const event = new Kind(type, { bubbles: true, cancelable, ...init });
    const allowed = field.dispatchEvent(event);
    if (type === 'keydown') brokenBy = allowed ? null : event;
    if (type === 'beforeinput' && init.inputType === 'insertLineBreak' && allowed) {
      put.call(field, `${field.value}\n`);
      field.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: init.inputType }));
    }
  }
}

/** The texts in the room, once as many as wanted are there and nothing is on its way. */
async function said(count) {
  await anna.page.waitForFunction(
    (wanted) => document.querySelectorAll('[data-testid=message][data-status=sent]').length === wanted,
    count,
  );
  return (await anna.drawn()).map(({ text }) => text);
}

for (const [name, { steps, sent, left }] of Object.entries(recordings)) {
  test(name, async () => {
    await anna.at('composer').evaluate(play, steps);
    assert.equal(await anna.at('composer').inputValue(), left);
    assert.deepEqual(await said(sent.length), sent);
  });
}

/** Chromium's own input method: what a real one would ask of it. */
async function compose(devtools, parts, committed) {
  for (const text of parts) {
    await devtools.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', windowsVirtualKeyCode: 229, key: 'Process' });
    await devtools.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
  }
  await devtools.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', windowsVirtualKeyCode: 229, key: 'Process' });
  await devtools.send('Input.insertText', { text: committed });
}

for (const [name, parts, committed] of [
  ['Korean', ['ㅎ', '하', '한'], '한'],
  ['Japanese', ['に', 'にほん', '日本'], '日本'],
  ['Chinese', ['n', 'ni'], '你'],
]) {
  test(`${name}, live: what is composed is not sent, the next Enter sends it once`, async () => {
    const devtools = await anna.devtools();
    await anna.at('composer').click();
    await compose(devtools, parts, committed);
    assert.equal(await anna.at('composer').inputValue(), committed);
    assert.equal(await anna.at('message').count(), 0);
    await anna.page.keyboard.press('Shift+Enter');
    await compose(devtools, parts, committed);
    assert.equal(await anna.at('composer').inputValue(), `${committed}\n${committed}`);
    await anna.page.keyboard.press('Enter');
    assert.deepEqual(await said(1), [`${committed}\n${committed}`]);
    assert.equal(await anna.at('composer').inputValue(), '');
  });
}
