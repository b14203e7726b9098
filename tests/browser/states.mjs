// The main states of the page, one after the other: for whoever looks at each of them, the tests of
// accessibility and the pictures.
import { Talker } from './people.mjs';

/** What the server must be started with: a long message is refused, and so shown as not sent. */
export const serverOptions = { args: ['--message-bytes-max', '400B'] };

const talk = [
  [0, '안녕하세요! 여기 처음 들어와 봤어요 👋'],
  [0, '가입 없이 바로 되네요'],
  [1, 'Hello! I found this through a friend.'],
  [1, 'It opened straight away, no form at all. Nice.'],
  [2, 'const room = open("lobby");\nfor await (const message of room) show(message);'],
  [2, 'the code is in https://example.org/a/rather/long/path?with=questions'],
  [0, '반가워요 ㅎㅎ 저는 점심 먹고 산책 중입니다'],
  [1, 'Averyveryveryveryveryveryveryveryveryveryveryveryveryverylongwordwithoutanyblankinit'],
  [2, '👍🏽👨‍👩‍👧‍👦🎈'],
];

/** The rooms and the settings are on the side, or behind the menu. */
const reachSide = (person, narrow) => (narrow ? person.at('menu').click() : Promise.resolve());

/**
 * Brings a person's page into each state and calls `visit(name, person)` in it. `join(options)` gives a
 * page; `options` are that of the reader.
 */
export async function walk({ join, server, options }, visit) {
  const narrow = (options.width ?? 1440) < 900;
  const reader = await join(options);
  reader.mayLoseServer = true;
  await visit('empty', reader);

  const talkers = [];
  for (let n = 0; n < 3; n += 1) talkers.push(await Talker.join(server.url));
  for (const talker of talkers) talker.enters();
  await reader.sees(4);
  for (const [who, text] of talk) await talkers[who].says(text);
  await reader.says('네, 잘 보여요. It all arrives at once.');
  await reader.at('composer').fill('A draft');
  await visit('busy', reader);

  const friend = await join({});
  await friend.says('one more, from a friend');
  await friend.at('composer').pressSequentially('and');
  await reader.at('typing').filter({ hasText: /./ }).waitFor();
  await visit('typing', reader);
  await friend.at('composer').fill('');

  await talkers[0].saysAll(Array.from({ length: 60 }, (_, n) => `line ${n + 1}`));
  await reader.hears('line 60');
  await reader.at('log').evaluate((log) => log.scrollTo(0, log.scrollHeight / 3));
  await reader.at('to-newest').waitFor();
  await talkers[1].says('you missed this');
  await talkers[2].says('and this');
  await reader.at('new-notice').waitFor();
  await visit('scrolled-up', reader);
  await reader.at('new-notice').click();

  await reader.at('composer').fill('x'.repeat(500));
  await reader.at('composer').press('Enter');
  await reader.at('retry').waitFor();
  await visit('not-sent', reader);
  await reader.at('discard').click();

  await reader.at('count').click();
  await reader.at('person').nth(4).waitFor();
  await visit('roster', reader);
  await reader.page.keyboard.press('Escape');

  await reader.messages('one more, from a friend').getByTestId('who').click();
  await reader.at('talk').waitFor();
  await visit('person', reader);
  await reader.page.keyboard.press('Escape');

  if (narrow) {
    await reader.at('menu').click();
    await visit('menu', reader);
    await reader.page.keyboard.press('Escape');
  }
  await reachSide(reader, narrow);
  await reader.at('settings').click();
  await reader.at('look-system').waitFor();
  await visit('settings', reader);
  await reader.page.keyboard.press('Escape');

  await reachSide(reader, narrow);
  await reader.at('find-room').click();
  await reader.at('room-words').fill('책 읽는 방');
  await visit('finder', reader);
  await reader.at('make-room').click();
  await reader.at('room-name').filter({ hasText: '책 읽는 방' }).waitFor();
  await reader.page.goBack();

  await friend.at('count').click();
  await friend.page
    .locator(`[data-person="${await reader.identity()}"]`)
    .getByTestId('talk')
    .click();
  await reader.at('notice-open').waitFor();
  await visit('called', reader);
  await reader.at('notice-open').click();
  await friend.says('Just between the two of us');
  await reader.hears('Just between the two of us');
  await reader.says('물론이죠');
  await visit('private', reader);

  await reader.page.goto(`${server.url}/#/00000000-0000-4000-8000-000000000000`);
  await reader.at('missing').waitFor();
  await visit('missing', reader);
  await reader.page.goto(`${server.url}/#/`);
  await reader.hears('and this');

  await reader.offline(true);
  await reader.state('offline');
  await reader.at('composer').fill('written without a network');
  await reader.at('composer').press('Enter');
  await reader.page.locator('[data-testid=message][data-status=waiting]').waitFor();
  await visit('offline', reader);
  await reader.offline(false);
  await reader.connected();
  for (const talker of talkers) await talker.leave();
}
