// Stored scripts in every field of others that reaches the page: text, names, names and topics of rooms,
// links.
// Nothing of it runs, under the page's policy, and without it as well: the policy is the second wall.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { Client } from '@stomp/stompjs';
import WebSocket from 'ws';
import { launchBrowser, lobby, Person, startServer } from './people.mjs';
import { mintToken, openPrivateRoom, postRaw, waitFor, within } from '../system/harness.mjs';

const secret = 'a secret of thirty-two bytes and more';

/** Each would leave its number in `ran`, if it ran. */
const payloads = [
  '<script>ran(1)</script>',
  '<img src=x onerror=ran(2)>',
  '"><svg onload=ran(3)>',
  "'-ran(4)-'",
  '</textarea><iframe srcdoc="<script>parent.ran(5)</script>">',
  '<a href="javascript:ran(6)">here</a>',
  'javascript:ran(7)',
  'https://example.org/"onmouseover="ran(8)',
  "https://example.org/'><img src=x onerror=ran(9)>",
  'data:text/html,<script>ran(10)</script>',
  'JaVaScRiPt&colon;ran(11)',
  '{{constructor.constructor("ran(12)")()}}',
  '${ran(13)}',
  '<math><mtext><table><mglyph><style><img src=x onerror=ran(14)>',
  '<style>@import"javascript:ran(15)"</style>',
  '<details open ontoggle=ran(16)>',
  '<base href="//evil.example/">',
  '<meta http-equiv=refresh content="0;url=javascript:ran(18)">',
  'https://user:pass@example.org/ https://exa\u202emple.org/ http://[::1]:1/<b>',
  '\u2028<script>ran(20)</script>\u2029',
  '&lt;img src=x onerror=ran(21)&gt;',
];

/** Names hold 64 bytes, names of rooms 60 characters. */
const nasty = ['<img src=x onerror=ran(31)>', '"><svg onload=ran(32)>', "';ran(33);'", '<b>{{ran(34)}}</b>'];

/** And their topics 120. */
const topics = nasty.map((text) => `${text.replaceAll('ran(3', 'ran(5')} & ${text.replaceAll('ran(3', 'ran(6')}`);

let browser;
let server;
let people;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser.close());

beforeEach(async () => {
  people = [];
  server = await startServer({ args: ['--token-secret', secret, '--typing-lifetime', '1m'] });
});

afterEach(async () => {
  const problems = people.flatMap((person) => person.problems);
  await Promise.all(people.map((person) => person.leave()));
  await server.stop();
  assert.deepEqual(problems, [], 'no error, warning or breach of the policy in any page');
});

/** Somebody with that nickname, which the server itself would never give. */
function attacker(number, nickname) {
  const now = Math.floor(Date.now() / 1000);
  const id = `00000000-0000-4000-8000-00000000000${number}`;
  const token = mintToken(secret, {
    jti: id, sub: `#00000${number}`, randId: nickname, aud: ['203.0'],
    iss: 'realtimechat', iat: now, nbf: now - 600, exp: now + 3600,
  });
  return { id, token };
}

/** His connection, in the rooms. */
async function connected({ token }, rooms) {
  const client = new Client({
    webSocketFactory: () => new WebSocket(`${server.url.replace(/^http/, 'ws')}/ws`, ['v12.stomp']),
    connectHeaders: { Authorization: `Bearer ${token}` },
    reconnectDelay: 0,
  });
  await within('the attacker to connect', new Promise((resolve, reject) => {
    client.onConnect = resolve;
    client.onStompError = ({ body }) => reject(new Error(body));
    client.activate();
  }));
  for (const room of rooms) client.subscribe(`/sub/channel/${room}`, () => undefined);
  return client;
}

const says = (client, roomId, message) =>
  client.publish({ destination: '/pub/chat', body: JSON.stringify({ roomId, message }) });

for (const bypassCSP of [false, true]) {
  test(`nothing of others runs in the page${bypassCSP ? ', were there no policy' : ''}`, async () => {
    const watch = { bypassCSP, locale: 'ko-KR' };
    const reader = await Person.join(browser, server.url, watch);
    people.push(reader);
    await reader.page.addInitScript(() => {
      globalThis.ran = (what) => console.error(`ran: ${what}`);
    });
    await reader.page.reload();
    await reader.connected();
    const me = await reader.identity();

    const attackers = nasty.map((nickname, index) => attacker(index + 1, nickname));
    const rooms = [];
    for (const [index, each] of attackers.entries()) {
      const { json } = await postRaw(server, each, '/chatroom', { name: nasty[index], topic: topics[index] });
      rooms.push(json.response.roomId);
    }
    const clients = [];
    for (const each of attackers) clients.push(await connected(each, [lobby, ...rooms]));
    for (const [index, text] of payloads.entries()) says(clients[index % 4], lobby, text);
    for (const client of clients) {
      client.publish({ destination: '/pub/typing', body: JSON.stringify({ roomId: lobby, typing: true }) });
    }
    await reader.page.waitForFunction(
      (count) => document.querySelectorAll('[data-testid=message]').length === count,
      payloads.length,
    );
    const texts = (await reader.drawn()).map(({ text }) => text).sort();
    assert.deepEqual(texts, [...payloads].sort());

    await reader.at('typing').filter({ hasText: /./ }).waitFor();
    await reader.at('count').click();
    for (const nickname of nasty) {
      await reader.at('person').filter({ hasText: nickname }).waitFor();
    }
    await reader.page.keyboard.press('Escape');
    for (const nickname of nasty) {
      await reader.at('who').filter({ hasText: nickname }).first().click();
      await reader.at('person').filter({ hasText: nickname }).waitFor();
      await reader.page.keyboard.press('Escape');
    }

    // Rooms: found by name and topic, opened, opened by link; and called to one.
    for (const [index, room] of rooms.entries()) {
      await reader.at('find-room').click();
      await reader.at('open-room').filter({ hasText: nasty[index] }).filter({ hasText: topics[index] }).click();
      await reader.at('room-name').filter({ hasText: nasty[index] }).waitFor();
      await reader.at('topic').filter({ hasText: topics[index] }).waitFor();
      assert.equal(await reader.at('topic').getAttribute('title'), topics[index]);
      says(clients[index], room, payloads[index]);
      await reader.hears(payloads[index]);
      assert.ok((await reader.page.title()).includes(nasty[index]));
    }
    await openPrivateRoom(server, attackers[1], attackers[1].id, me);
    await reader.at('notice').filter({ hasText: nasty[1] }).waitFor();
    await reader.at('notice-open').click();
    await reader.at('room-name').filter({ hasText: nasty[1] }).waitFor();

    // What is kept in this browser may have been written by somebody else's script, or by hand.
    await reader.page.evaluate((name) => {
      const id = '99999999-9999-4999-8999-999999999999';
      localStorage.setItem('rtc.rooms', JSON.stringify([
        { id, name, other: name },
        { id: id.replaceAll('9', '8'), name, topic: name, other: null },
        { id: name, name, topic: name },
      ]));
      localStorage.setItem('rtc.look', name);
      localStorage.setItem('rtc.drafts', JSON.stringify([['723a2a33-577b-4380-8116-a1aa8e5868d3', name]]));
    }, nasty[0]);
    // Rooms that are not there: they show until the server says so.
    reader.mayLoseServer = true;
    await reader.page.reload();
    await reader.at('notice').filter({ hasText: nasty[0] }).waitFor();
    for (const hash of ['#/', `#/${encodeURIComponent(nasty[0])}`, '#javascript:ran(40)', '#/99999999-9999-4999-8999-999999999999', `#/${rooms[0]}`]) {
      await reader.page.goto(`${server.url}/${hash}`);
      await reader.page.reload();
      await reader.connected();
    }
    await reader.at('room-name').filter({ hasText: nasty[0] }).waitFor();
    await reader.at('topic').filter({ hasText: topics[0] }).waitFor();

    const odd = await reader.page.evaluate(() => ({
      elements: [...document.querySelectorAll('img, iframe, object, embed, base, math, style, details, main script')]
        .map(({ outerHTML }) => outerHTML),
      handlers: [...document.querySelectorAll('*')].flatMap((element) =>
        [...element.attributes].filter(({ name }) => name.startsWith('on')).map(({ name }) => name)),
      links: [...document.links].map(({ protocol }) => protocol).filter((each) => !/^https?:$/.test(each)),
    }));
    assert.deepEqual(odd, { elements: [], handlers: [], links: [] });
    for (const client of clients) await client.deactivate();
  });
}

for (const bypassCSP of [false, true]) {
  test(`nor does what a server would say that checks nothing${bypassCSP ? ', were there no policy' : ''}`, async () => {
    const reader = await Person.join(browser, server.url, { bypassCSP });
    people.push(reader);
    reader.mayLoseServer = true;
    await reader.page.addInitScript(() => {
      globalThis.ran = (what) => console.error(`ran: ${what}`);
    });
    const answers = (address, response) =>
      reader.page.route(address, (route) =>
        route.fulfill({ json: { response, error: null, type: 'SUCCESS', success: true } }));
    const [text, ...fields] = payloads;
    const person = (index) => ({ randId: fields[index], nameTag: fields[index + 1], senderId: fields[index + 2] });
    const messages = fields.slice(0, -3).map((_, index) => ({
      ...person(index), id: index + 1, message: text, ipAddress: fields[index + 3], createdAt: '2026-01-31T23:59:59.123Z',
    }));
    // Nothing comes by another way, which would say that these ids are none.
    await reader.page.routeWebSocket(/\/ws$/, () => undefined);
    await reader.page.route('**/connect/**', (route) => route.abort());
    await answers('**/message?**', [...messages].reverse());
    await answers('**/chatroom/private**', [{ roomId: fields[0], senderId: fields[1], receiverId: fields[2] }]);
    await answers('**/chatroom/search**', [{ roomId: fields[0], name: fields[1], topic: fields[2], history: true }]);
    await reader.page.reload();
    await reader.page.waitForFunction((count) => document.querySelectorAll('[data-testid=message]').length === count, messages.length);
    const shown = await reader.at('message').evaluateAll((rows) => rows.map((row) => row.querySelector('.who')?.title));
    assert.deepEqual(shown, messages.map(({ ipAddress }) => ipAddress));
    await reader.at('who').first().click();
    await reader.at('person').filter({ hasText: fields[1] }).waitFor();
    await reader.page.keyboard.press('Escape');
    await reader.page.locator('dialog').waitFor({ state: 'detached' });
    await reader.at('find-room').click();
    await reader.at('open-room').filter({ hasText: fields[1] }).waitFor();
    await reader.page.keyboard.press('Escape');
    // The way back out of the dialog would end the loading.
    await reader.page.waitForFunction(() => history.state === null);

    // And to who is banned.
    const message = `you are banned until 2027-01-31T23:59:59.123Z: ${fields[0]}`;
    await reader.page.route('**/init', (route) =>
      route.fulfill({ status: 403, json: { response: null, error: { message, cause: null }, type: 'BANNED', success: false } }));
    await reader.page.reload();
    await reader.at('notice').filter({ hasText: `Reason: ${fields[0]}` }).waitFor();
    const odd = await reader.page.evaluate(() =>
      [...document.querySelectorAll('img, iframe, object, embed, base, math, style, details, main script')].map(({ outerHTML }) => outerHTML));
    assert.deepEqual(odd, []);
  });
}

test('the trap works: where the page is no wall, what runs is seen', async () => {
  const reader = await Person.join(browser, server.url, { bypassCSP: true });
  await reader.page.evaluate((payload) => {
    globalThis.ran = (what) => console.error(`ran: ${what}`);
    document.body.insertAdjacentHTML('beforeend', payload);
  }, payloads[1]);
  await waitFor('it to be seen', () => reader.problems.includes('console: ran: 2'));
  await reader.leave();
});

test('the page may make no code of text: neither script nor markup', async () => {
  const reader = await Person.join(browser, server.url);
  const tried = await reader.page.evaluate(() => {
    const attempt = (what) => {
      try {
        what();
        return 'done';
      } catch (error) {
        return error.name;
      }
    };
    const script = document.createElement('script');
    return [
      attempt(() => { document.body.innerHTML = '<b>x</b>'; }),
      attempt(() => { script.src = 'https://evil.example/x.js'; }),
      attempt(() => { script.text = 'ran(1)'; }),
      attempt(() => trustedTypes.createPolicy('another', {})),
      attempt(() => trustedTypes.createPolicy('svelte-trusted-html', {})),
      attempt(() => { document.createRange().createContextualFragment('<b>x</b>'); }),
    ];
  });
  assert.deepEqual(tried, Array(6).fill('TypeError'));
  const policy = (await fetch(server.url)).headers.get('content-security-policy');
  assert.match(policy, /require-trusted-types-for 'script'/);
  assert.doesNotMatch(policy, /unsafe/);
  await reader.leave();
});
