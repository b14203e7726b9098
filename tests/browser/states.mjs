// The main states of the page, one after the other: for whoever looks at each of them, the tests of
// accessibility and the pictures.
import { spreadHistory } from './history.mjs';
import { Talker } from './people.mjs';

/** What the server must be started with: a message that is too long need not be a big one. */
export const serverOptions = { args: ['--message-bytes-max', '400B'] };

const languages = ['ko-KR', 'en-US', 'en-GB', 'ko-KR', 'en-US', 'ko-KR'];

/** Name and topic; who is there; what was said before the reader came, and while he is elsewhere. */
const roomsFor = (korean) => [
  {
    name: korean ? '책 읽는 방' : 'Book club',
    topic: korean ? '이번 달은 단편' : 'This month: short stories',
    people: [0, 1, 2, 3],
    before: [
      [1, 'Finished the lighthouse one on the train. Did not expect that ending.'],
      [0, '저는 아직 반 정도 읽었어요. 스포일러 금지 🙏'],
      [2, 'Hello! Which story is the next one?'],
      [0, '〈관내분실〉 어때요? 짧아서 다 읽고 올 수 있을 것 같아요.'],
      [0, '전자책은 도서관 앱에 있더라고요 📚'],
      [1, 'Works for me. There is an English one: https://example.org/stories/lost'],
      [3, '처음 왔어요! 저도 껴도 될까요?'],
    ],
    meanwhile: [],
  },
  {
    name: 'Sunday rides',
    topic: 'Routes, repairs, and who brings the cake',
    people: [1, 4],
    before: [[4, 'River loop on Sunday, 60 km, easy pace.'], [1, 'I am in.'], [4, 'Eight at the bridge then.']],
    meanwhile: [[4, 'Rain until ten, they say.'], [1, 'Nine then?'], [4, 'Nine it is 🚲']],
  },
  {
    name: '점심 뭐 먹지',
    topic: '을지로 근처, 만 원 안쪽',
    people: [0, 3, 5],
    before: [[5, '비 오니까 칼국수'], [0, '저는 어제 먹었어요'], [3, '그럼 국밥?']],
    meanwhile: [
      [5, '국밥 좋다'], [3, '새로 생긴 데 가 본 사람?'], [5, '줄이 길던데요'], [0, '열두 시 전에 가면 괜찮아요'],
      [3, '그럼 11시 45분'], [5, '로비에서 봐요'], [0, '네!'], [3, '오늘은 제가 예약해 볼게요'], [5, '👍'],
    ],
  },
  {
    name: 'Night owls',
    topic: 'For whoever is still up',
    people: [2],
    before: [[2, 'Anyone else awake?']],
    meanwhile: [[2, 'The moon is enormous tonight.']],
  },
];

const oddTexts = [
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

/** From now on the page gets this answer there, in the place of the server's. */
const answers = ({ page }, address, envelope) =>
  page.route(address, (route) =>
    route.fulfill({ status: 500, json: { response: null, error: null, success: false, ...envelope } }));

/** The rooms and the settings are on the side, or behind the menu. */
const reachSide = (person, narrow) => (narrow ? person.at('menu').click() : Promise.resolve());

/** The rooms with what was said in them, and their people, who are there again. */
async function settle(server, rooms) {
  const talkers = [];
  for (const language of languages) talkers.push(await Talker.join(server.url, { language }));
  const ids = [];
  for (const { name, topic, people, before } of rooms) {
    const id = await talkers[people[0]].makes(name, topic);
    ids.push(id);
    for (const [who, text] of before) await talkers[who].says(text, id);
  }
  await spreadHistory(server);
  const back = [];
  for (const talker of talkers) back.push(await talker.returns());
  for (const [index, id] of ids.entries()) for (const who of rooms[index].people) back[who].enters(id);
  return { talkers: back, ids };
}

/**
 * Brings a person's page into each state and calls `visit(name, person)` in it. `join(options)` gives a
 * page; `options` are that of the reader.
 */
export async function walk({ join, server, options }, visit) {
  const narrow = (options.width ?? 1440) < 900;
  const korean = options.locale === 'ko-KR';
  const rooms = roomsFor(korean);
  const { talkers, ids } = await settle(server, rooms);
  const reader = await join(options);
  reader.mayLoseServer = true;
  await visit('empty', reader);

  for (const index of [...rooms.keys(), 0]) {
    await reader.page.goto(`${server.url}/#/${ids[index]}`);
    await reader.hears(rooms[index].before.at(-1)[1]);
    await reader.at('topic').filter({ hasText: rooms[index].topic }).waitFor();
  }
  await reader.sees(rooms[0].people.length + 1);
  for (const [index, { meanwhile }] of rooms.entries()) {
    for (const [who, text] of meanwhile) await talkers[who].says(text, ids[index]);
  }
  await reader.says(korean ? '그럼요, 어서 오세요 👋 일요일 아홉 시에 만나요.' : 'Of course, welcome 👋 We meet on Sunday at nine.');
  await talkers[3].says('고마워요! 일요일에 봐요 🍵', ids[0]);
  await talkers[1].says('Bring tea. It is a quiet one.', ids[0]);
  await reader.hears('Bring tea. It is a quiet one.');
  for (const talker of talkers) talker.enters();
  if (!narrow) {
    for (const { meanwhile } of rooms.filter(({ meanwhile: { length } }) => length > 0))
      await reader.page.locator(`[data-unread="${meanwhile.length}"]`).waitFor();
    await reader.at('room').first().filter({ hasText: `${talkers.length + 1}` }).waitFor();
  }
  talkers[2].types(ids[0]);
  await reader.at('typing').filter({ hasText: /./ }).waitFor();
  await visit('busy', reader);

  await reader.page.goto(`${server.url}/#/`);
  await reader.sees(talkers.length + 1);
  for (const [who, text] of oddTexts) await talkers[who].says(text);
  await reader.says('네, 잘 보여요. It all arrives at once.');
  await reader.at('composer').fill('A draft');
  await visit('odd-texts', reader);

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
  await reader.at('composer-limit').waitFor();
  await visit('too-long', reader);
  const refused = korean ? '서버가 받지 않는 말' : 'What the server does not take';
  await reader.spoils(refused);
  await reader.at('composer').fill(refused);
  await reader.at('composer').press('Enter');
  await reader.at('retry').waitFor();
  await visit('not-sent', reader);
  await reader.at('discard').click();

  await reader.at('count').click();
  await reader.at('person').nth(talkers.length + 1).waitFor();
  await visit('roster', reader);
  await reader.page.keyboard.press('Escape');

  await reader.messages('one more, from a friend').getByTestId('who').click();
  await reader.at('talk').waitFor();
  await visit('person', reader);
  await reader.at('mute').click();
  await visit('muted', reader);
  await reader.at('mute').click();
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
  await reader.at('open-room').nth(rooms.length - 1).waitFor();
  await visit('finder', reader);
  await reader.at('room-words').fill('산책하는 방');
  await reader.at('room-topic').fill('해 지기 전 한 시간');
  await reader.at('open-room').first().waitFor({ state: 'detached' });
  await visit('new-room', reader);
  await answers(reader, '**/chatroom', { type: 'TOO_MANY_REQUESTS' });
  await reader.at('make-room').click();
  await reader.at('make-failed').waitFor();
  await visit('make-failed', reader);
  await reader.page.unroute('**/chatroom');
  await reader.at('make-room').click();
  await reader.at('room-name').filter({ hasText: '산책하는 방' }).waitFor();
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

  await answers(reader, '**/message/lastMessageId**', { type: 'INTERNAL_SERVER_ERROR' });
  await reader.page.reload();
  await reader.hears('and this');
  await reader.at('log').evaluate((log) => log.scrollTo(0, 0));
  await reader.at('load-failed').waitFor();
  await visit('load-failed', reader);
  await reader.page.unroute('**/message/lastMessageId**');

  await answers(reader, '**/chatroom/search**', { type: 'INTERNAL_SERVER_ERROR' });
  await reachSide(reader, narrow);
  await reader.at('find-room').click();
  await reader.at('search-failed').waitFor();
  await visit('search-failed', reader);
  await reader.page.keyboard.press('Escape');
  // The way back out of the dialog would end the loading.
  await reader.page.waitForFunction(() => history.state === null);
  await reader.page.unroute('**/chatroom/search**');

  await reader.page.evaluate(() => {
    const gone = { id: '00000000-0000-4000-8000-000000000000', name: 'Early birds', other: null };
    localStorage.setItem('rtc.rooms', JSON.stringify([...JSON.parse(localStorage.getItem('rtc.rooms')), gone]));
  });
  await reader.page.reload();
  await reader.at('notice').filter({ hasText: 'Early birds' }).waitFor();
  await talkers[1].says('While you were away');
  await reader.hears('While you were away');
  await visit('gone', reader);

  await reader.page.goto('about:blank');
  await talkers[1].says('Long after you had left');
  await reader.page.goto(`${server.url}/#/`);
  await reader.at('new-line').waitFor();
  await visit('new-line', reader);

  // The network is there, as far as the browser knows, and the server is not.
  await reader.page.evaluate(() => Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => true }));
  await reader.offline(true);
  await reader.state('reconnecting');
  await visit('reconnecting', reader);
  await reader.page.evaluate(() => delete navigator.onLine);
  await reader.page.evaluate(() => dispatchEvent(new Event('offline')));
  await reader.state('offline');
  await reader.at('composer').fill('written without a network');
  await reader.at('composer').press('Enter');
  await reader.page.locator('[data-testid=message][data-status=waiting]').waitFor();
  await visit('offline', reader);
  for (let waiting = 1; waiting <= 100; waiting += 1) {
    await reader.at('composer').fill(`waiting ${waiting}`);
    await reader.at('composer').press('Enter');
  }
  await reader.at('composer-limit').waitFor();
  await visit('queue-full', reader);
  await reader.at('composer').fill('');
  await reader.offline(false);
  await reader.messages('waiting 99').and(reader.page.locator('[data-status=sent]')).waitFor();

  await reader.page.route('**/init', () => undefined);
  await reader.page.reload();
  await reader.state('connecting');
  await visit('connecting', reader);
  await reader.page.unroute('**/init');

  const message = 'you are banned until 2027-01-31T23:59:59.123Z: advertising';
  await answers(reader, '**/init', { type: 'BANNED', error: { message, cause: null } });
  await reader.page.reload();
  await reader.state('banned');
  await visit('banned', reader);
  for (const talker of talkers) await talker.leave();
}
