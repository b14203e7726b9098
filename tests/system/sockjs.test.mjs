// SockJS over HTTP: polls, streams and their rules. (sockjs-client is driven in clients.test.mjs, a
// polling client that is cut in resume.test.mjs, the whole protocol in tests/conformance.)
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';
import {
  Inbox, Server, lobby, newRoom, newUser, patientSessions, request, serverFor, waitFor, within,
} from './harness.mjs';
import { StompPoller, clientFor, frameText, memberFor } from './clients.mjs';

const newSession = (path = '/connect') => `${path}/000/${randomUUID()}`;
const post = (server, target, body = '', headers = {}) =>
  request(server, target, { method: 'POST', body, headers });
const poll = async (server, session, headers) =>
  (await post(server, `${session}/xhr`, '', headers)).raw.toString();

// A streamed answer: its pieces as they come; 'end' when it is over.
function stream(t, server, target, { method = 'POST', headers = {}, agent = false } = {}) {
  const pieces = new Inbox();
  const options = { host: '127.0.0.1', port: server.port, path: target, method, headers, agent };
  const call = http.request(options, (response) => {
    response.setEncoding('utf8');
    response.on('data', (data) => pieces.push(data));
    response.on('error', () => {});
    response.on('end', () => pieces.push('end'));
  });
  call.on('error', () => {});
  call.end();
  t.after(() => call.destroy());
  // Everything up to what is looked for: pieces may be joined on the way.
  let text = '';
  const until = async (wanted) => {
    while (!wanted.test(text)) text += await pieces.take(String(wanted));
    return text;
  };
  return { until, drop: () => call.destroy() };
}

async function metric(server, name) {
  const { raw } = await request(server, '/metrics');
  return Number(raw.toString().match(new RegExp(`^realtimechat_${name} (.*)$`, 'm'))[1]);
}

const connectFrame = (user) =>
  JSON.stringify([frameText('CONNECT', { 'accept-version': '1.2', host: 'x', Authorization: `Bearer ${user.token}` })]);

describe('SockJS over HTTP', () => {
  const server = new Server({ args: ['--loops', '4', ...patientSessions] });
  before(() => server.start());
  after(() => server.stop());

  it('a request that says it is another identity gets no session', async () => {
    const [user, other] = [await newUser(server), await newUser(server)];
    const session = newSession();
    const as = ({ token }) => ({ Authorization: `Bearer ${token}` });
    const chat = (text) =>
      JSON.stringify([
        frameText('SEND', { destination: '/pub/chat', receipt: text }, JSON.stringify({ roomId: room, message: text })),
      ]);
    const room = await newRoom(server, user);
    assert.equal(await poll(server, session, as(other)), 'o\n', 'nobody has said CONNECT yet');
    assert.equal((await post(server, `${session}/xhr_send`, connectFrame(user), as(other))).status, 204);
    assert.match(await poll(server, session), /CONNECTED/);

    for (const target of ['xhr_send', 'jsonp_send', 'xhr', 'xhr_streaming']) {
      const { status, json } = await post(server, `${session}/${target}`, chat('forged'), as(other));
      assert.equal(status, 403, target);
      assert.equal(json.type, 'FORBIDDEN_ACCESS');
    }
    // Its own token, a renewed one, none, and what is no token at all.
    const renewed = (await request(server, '/init', { headers: as(user) })).json.response;
    const rightful = [as(user), as({ token: renewed }), {}, { Authorization: 'Basic dXNlcjpwYXNz' }, as({ token: 'x' })];
    for (const [index, headers] of rightful.entries()) {
      assert.equal((await post(server, `${session}/xhr_send`, chat(`${index}`), headers)).status, 204);
      assert.match(await poll(server, session, headers), new RegExp(`receipt-id:${index}.*id:${index + 1}`));
    }
    assert.equal((await post(server, `${session}/xhr_send`, '["DISCONNECT\\n\\n\\u0000"]')).status, 204);
    assert.equal((await post(server, `${session}/xhr`, '', as(other))).status, 403, 'nor how it ended');
    assert.equal(await poll(server, session), 'c[3000,"Go away!"]\n');
  });

  it('a session is the same as any other: rooms, receipts, errors, presence', async (t) => {
    const [user, other] = [await newUser(server), await newUser(server)];
    const room = await newRoom(server, user);
    const poller = await memberFor(t, server, user, room, { over: 'polls' });
    const member = await memberFor(t, server, other, room);
    await poller.subscribe('/sub/channel/entry', 'count');
    await poller.message('count', (people) => people >= 2);

    const text = '안녕 👩‍👩‍👧‍👦 "q" \\ \u2028 </script>\n';
    assert.equal((await poller.post(room, text)).headers.id, '1');
    for (const each of [poller, member]) assert.equal((await each.message('room')).body.message, text);
    await member.post(room, `${text}!`);
    assert.equal((await poller.message('room')).body.message, `${text}!`);

    const { refusal } = await poller.attempt('00000000-0000-4000-8000-000000000000', 'x');
    assert.equal(refusal.type, 'NOT_FOUND_CHATROOM');
    poller.send('DISCONNECT', { receipt: 'bye' });
    assert.equal((await poller.take('RECEIPT')).headers['receipt-id'], 'bye');
    assert.deepEqual(await within('the end', poller.closed), { code: 3000, reason: 'Go away!' });
  });

  it('many sessions on all loops, over connections that are kept and change loops', async (t) => {
    const user = await newUser(server);
    const room = await newRoom(server, user);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 3 });
    t.after(() => agent.destroy());
    const call = (target, body) => new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: server.port, path: target, method: 'POST', agent };
      const made = http.request(options, (response) => {
        let text = '';
        response.on('data', (data) => (text += data));
        response.on('end', () => resolve({ status: response.statusCode, text }));
      });
      made.on('error', reject);
      made.end(body);
    });
    await Promise.all(Array.from({ length: 24 }, async () => {
      const session = newSession();
      assert.equal((await call(`${session}/xhr`)).text, 'o\n');
      assert.equal((await call(`${session}/xhr_send`, connectFrame(user))).status, 204);
      assert.match((await call(`${session}/xhr`)).text, /^a\["CONNECTED/);
      const send = frameText('SEND', { destination: '/pub/chat', receipt: 'r' }, JSON.stringify({ roomId: room, message: '여보세요' }));
      assert.equal((await call(`${session}/xhr_send`, JSON.stringify([send]))).status, 204);
      assert.match((await call(`${session}/xhr`)).text, /^a\["RECEIPT/);
    }));
  });

  it('a page of another origin gets 403 at every address, however it asks', async () => {
    const session = newSession();
    assert.equal(await poll(server, session), 'o\n');
    const targets = [
      ['GET', '/connect'], ['GET', '/connect/info'], ['OPTIONS', '/connect/info'], ['GET', '/chat/websocket'],
      ['GET', `${session}/websocket`], ['POST', `${session}/xhr`], ['OPTIONS', `${session}/xhr`],
      ['POST', `${session}/xhr_streaming`], ['POST', `${session}/xhr_send`], ['GET', `${session}/eventsource`],
      ['GET', `${session}/htmlfile?c=x`], ['GET', `${session}/jsonp?c=x`], ['POST', `${session}/jsonp_send`],
    ];
    for (const [method, target] of targets) {
      for (const headers of [{ Origin: 'https://evil.example' }, { Referer: 'https://evil.example/a/b' }, { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }]) {
        const answer = await request(server, target, { method, headers });
        assert.equal(answer.status, 403, `${method} ${target} ${JSON.stringify(headers)}`);
        assert.equal(answer.headers['access-control-allow-origin'], undefined);
      }
    }
    for (const origin of ['http://127.0.0.1:5500', `http://127.0.0.1:${server.port}`]) {
      const answer = await request(server, '/connect/info', { headers: { Origin: origin } });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['access-control-allow-origin'], origin);
      assert.equal(answer.headers['access-control-allow-credentials'], 'true');
    }
  });

  it('a second receiver is turned away, the first goes on', async (t) => {
    const session = newSession();
    const first = stream(t, server, `${session}/xhr_streaming`);
    await first.until(/\no\n/);
    assert.equal(await poll(server, session), 'c[2010,"Another connection still open"]\n');
    const second = stream(t, server, `${session}/eventsource`, { method: 'GET' });
    await second.until(/c\[2010,"Another connection still open"\]\r\n\r\nend$/);
    await post(server, `${session}/xhr_send`, connectFrame(await newUser(server)));
    await first.until(/CONNECTED/);
  });

  it('what is not for a session is refused: unknown ids, bodies, methods', async () => {
    for (const suffix of ['xhr_send', 'jsonp_send']) {
      assert.equal((await post(server, `${newSession()}/${suffix}`, '["a"]')).status, 404, suffix);
    }
    const session = newSession();
    assert.equal(await poll(server, session), 'o\n');
    for (const [body, said] of [['', /Payload expected/], ['["x', /Broken JSON/], ['[1]', /Broken JSON/], ['["\ud800"]', /Broken/]]) {
      const { status, raw } = await post(server, `${session}/xhr_send`, Buffer.from(body, body.length > 4 ? 'latin1' : 'utf8'));
      assert.equal(status, 500, body);
      assert.match(raw.toString(), said);
    }
    // As long as one WebSocket message may be; longer than other bodies.
    const padded = (bytes) => JSON.stringify(['\n'.repeat((bytes - 4) / 2)]);
    assert.equal((await post(server, `${session}/xhr_send`, padded(1 << 20))).status, 204);
    assert.equal((await post(server, `${session}/xhr_send`, padded((1 << 20) + 2))).status, 413);
    assert.equal((await post(server, '/chatroom', padded(1 << 17))).status, 413);
    for (const [method, target] of [['GET', 'xhr'], ['POST', 'jsonp'], ['PUT', 'xhr_send'], ['HEAD', 'eventsource']]) {
      assert.equal((await request(server, `${session}/${target}`, { method })).status, 405, target);
    }
    for (const callback of ['', '?c=', '?c=a%3Cb', '?c=alert(1)']) {
      assert.equal((await request(server, `${newSession()}/jsonp${callback}`)).status, 500, callback);
    }
    assert.equal((await request(server, '/echo')).status, 404, 'no end points of the conformance profile');
  });

  it('htmlfile and jsonp: what is sent cannot end the script that it stands in', async (t) => {
    const user = await newUser(server);
    const room = await newRoom(server, user);
    const writer = await clientFor(t, server, user);
    const begin = async (session) => {
      const frames = [connectFrame(user), JSON.stringify([frameText('SUBSCRIBE', { id: 's', destination: `/sub/channel/${room}`, receipt: 'r' })])];
      for (const body of frames) assert.equal((await post(server, `${session}/xhr_send`, body)).status, 204);
    };
    const page = newSession();
    const html = stream(t, server, `${page}/htmlfile?c=cb`, { method: 'GET' });
    await html.until(/p\("o"\)/);
    await begin(page);
    await html.until(/RECEIPT/);
    const script = newSession();
    assert.equal((await request(server, `${script}/jsonp?c=cb`)).raw.toString(), '/**/cb("o");\r\n');
    await begin(script);
    await waitFor('the receipt', async () => /RECEIPT/.test((await request(server, `${script}/jsonp?c=cb`)).raw));
    await writer.post(room, '</script><b>가</b>');
    const grown = await html.until(/\/script>.*가/);
    assert.equal(grown.split('</script>').length - 1, grown.split('<script>').length - 1);
    const { raw } = await request(server, `${script}/jsonp?c=cb`);
    let given;
    new Function('cb', raw.toString())((value) => (given = value));
    assert.match(JSON.parse(given.slice(1))[0], /<\/script><b>가<\/b>/);
    assert.doesNotMatch(raw.toString(), /</);
  });

  it('a receiver that vanishes ends its session; the client resumes in another one', async (t) => {
    const user = await newUser(server);
    const room = await newRoom(server, user);
    const writer = await clientFor(t, server, user);
    const session = newSession();
    const streamed = stream(t, server, `${session}/xhr_streaming`);
    await streamed.until(/\no\n/);
    const subscribe = frameText('SUBSCRIBE', { id: 's', destination: `/sub/channel/${room}`, receipt: 'r' });
    await post(server, `${session}/xhr_send`, connectFrame(user));
    await post(server, `${session}/xhr_send`, JSON.stringify([subscribe]));
    await streamed.until(/RECEIPT/);
    await writer.post(room, 'one');
    await streamed.until(/\\"id\\":1,/);
    streamed.drop();
    await waitFor('the interruption', async () =>
      (await poll(server, session)) === 'c[1002,"Connection interrupted"]\n');
    assert.equal((await post(server, `${session}/xhr_send`, '["x"]')).status, 404);
    await writer.post(room, 'two');
    const again = await clientFor(t, server, user, { over: 'polls' });
    await again.sendAndWait('SUBSCRIBE', { id: 'room', destination: `/sub/channel/${room}`, since: 1 });
    assert.equal((await again.message('room')).body.id, 2);
  });
});

describe('SockJS bounds and times', () => {
  it('heart-beats, and the end of a session that nobody polls', async (t) => {
    const server = await serverFor(t, {
      args: ['--sockjs-heart-beat-interval', '100ms', '--sockjs-disconnect-delay', '5s'],
    });
    const user = await newUser(server);
    const session = newSession();
    assert.equal(await poll(server, session), 'o\n');
    assert.equal(await poll(server, session), 'h\n');
    const streamed = stream(t, server, `${newSession()}/xhr_streaming`);
    await streamed.until(/\no\nh\nh\nh\n/);
    const { ws } = await clientFor(t, server, user, { path: '/connect', sockjs: true });
    await within('a heart-beat in the WebSocket', new Promise((resolve) => {
      ws.on('message', (data) => data.toString() === 'h' && resolve());
    }));
    await post(server, `${session}/xhr_send`, connectFrame(user));
    await waitFor('the session to end', async () =>
      (await post(server, `${session}/xhr_send`, '["\\n"]')).status === 404);
    streamed.drop();
    await waitFor('all sessions over HTTP to end', async () => (await metric(server, 'sockjs_sessions')) === 0);
  });

  it('a streamed answer ends at its limit, and the next goes on where it was', async (t) => {
    const server = await serverFor(t, { args: ['--sockjs-response-bytes-max', '4KiB'] });
    const user = await newUser(server);
    const room = await newRoom(server, user);
    const writer = await clientFor(t, server, user);
    const session = newSession();
    assert.equal(await poll(server, session), 'o\n');
    await post(server, `${session}/xhr_send`, connectFrame(user));
    await post(server, `${session}/xhr_send`, JSON.stringify([frameText('SUBSCRIBE', { id: 's', destination: `/sub/channel/${room}` })]));
    const writing = (async () => {
      for (let n = 1; n <= 60; ++n) await writer.post(room, 'x'.repeat(300));
    })();
    const ids = [];
    for (let answers = 0; ids.length < 60; ++answers) {
      const streamed = stream(t, server, `${session}/xhr_streaming`);
      const text = await streamed.until(/end$|\\"id\\":60,/);
      for (const [, id] of text.matchAll(/\{\\"id\\":(\d+),/g)) ids.push(Number(id));
      assert.ok(answers < 60);
      if (text.endsWith('end')) assert.ok(text.length > 4096);
    }
    await writing;
    assert.deepEqual(ids, Array.from({ length: 60 }, (_, n) => n + 1));
  });

  it('sessions in all, and of one address', async (t) => {
    const server = await serverFor(t, {
      args: ['--sockjs-sessions-max', '5', '--sockjs-sessions-per-address-max', '2',
        '--trusted-proxies', '127.0.0.1', '--sockjs-disconnect-delay', '8s'],
    });
    const from = (address) => ({ 'X-Forwarded-For': address });
    const open = async (address) => (await post(server, `${newSession()}/xhr`, '', from(address))).status;
    assert.deepEqual([await open('192.0.2.1'), await open('192.0.2.1'), await open('192.0.2.1')], [200, 200, 429]);
    assert.deepEqual([await open('192.0.2.2'), await open('192.0.2.2'), await open('192.0.2.3')], [200, 200, 200]);
    assert.equal(await open('192.0.2.4'), 429);
    assert.equal(await metric(server, 'sockjs_sessions_refused_total'), 2);
    await waitFor('a place', async () => (await open('192.0.2.1')) === 200);
  });

  it('another address cannot read a session, write to it or learn of it', async (t) => {
    const server = await serverFor(t, { args: ['--trusted-proxies', '127.0.0.1'] });
    const user = await newUser(server);
    const headers = { 'X-Forwarded-For': '192.0.2.1' };
    const stranger = { 'X-Forwarded-For': '192.0.2.9' };
    const poller = await clientFor(t, server, user, { over: 'polls', headers });
    assert.equal((await post(server, `${poller.url}/xhr_send`, '["DISCONNECT\\n\\n\\u0000"]', stranger)).status, 404);
    assert.equal(await poll(server, poller.url, stranger), 'o\n', 'one of its own');
    await poller.subscribe(`/sub/channel/${lobby}`, 'room');
  });

  it('what waits for a client that does not poll is bounded', async (t) => {
    const server = await serverFor(t, { args: ['--outbox-bytes-max', '64KiB', '--sockjs-disconnect-delay', '60s'] });
    const user = await newUser(server);
    const room = await newRoom(server, user);
    const session = newSession();
    assert.equal(await poll(server, session), 'o\n');
    await post(server, `${session}/xhr_send`, connectFrame(user));
    await post(server, `${session}/xhr_send`, JSON.stringify([frameText('SUBSCRIBE', { id: 's', destination: `/sub/channel/${room}` })]));
    const writer = await memberFor(t, server, user, room);
    for (let n = 0; n < 20; ++n) await writer.post(room, 'x'.repeat(8000));
    await waitFor('the slow client to be counted', async () => (await metric(server, 'slow_consumers_total')) === 1);
    const told = await poll(server, session);
    assert.match(told, /^a\["ERROR/);
    assert.match(told, /SERVER_OVERLOAD/);
    assert.equal(await poll(server, session), 'c[3000,"SERVER_OVERLOAD"]\n');
  });

  it('the iframe page, its script and who may frame it; the cookie of balancers', async (t) => {
    const server = await serverFor(t, { args: ['--sockjs-cookie', 'true'] });
    for (const name of ['iframe.html', 'iframe-1.6.1.html', 'iframe.html?t=1']) {
      const { status, raw, headers } = await request(server, `/connect/${name}`);
      assert.equal(status, 200, name);
      const [, script] = /<script src="([^"]+)">/.exec(raw.toString());
      const client = await request(server, script);
      assert.equal(client.status, 200, script);
      assert.match(client.raw.toString(), /^\/\* sockjs-client v1\.6\.1 /, script);
      assert.match(client.headers['content-type'], /javascript/);
      assert.match(client.headers['cache-control'], /immutable/);
      const known = { 'If-None-Match': client.headers.etag };
      assert.equal((await request(server, script, { headers: known })).status, 304, 'it has an ETag');
      assert.match(headers['content-security-policy'], /^frame-ancestors 'self' http:\/\/127\.0\.0\.1:5500.*; default-src 'self' /);
      const again = await request(server, `/connect/${name}`, { headers: { 'If-None-Match': headers.etag } });
      assert.equal(again.status, 304);
    }
    assert.equal((await request(server, '/connect/info')).json.cookie_needed, true);
    const set = async (headers) => (await post(server, `${newSession()}/xhr`, '', headers)).headers['set-cookie'][0];
    assert.equal(await set({}), 'JSESSIONID=dummy; path=/');
    assert.equal(await set({ Cookie: 'a=b; JSESSIONID=node-2; c=d' }), 'JSESSIONID=node-2; path=/');
    assert.equal(await set({ Cookie: 'JSESSIONID=a b' }), 'JSESSIONID=dummy; path=/');
  });

  it('sessions over HTTP are told of a restart', async (t) => {
    const server = await serverFor(t);
    const session = newSession();
    const streamed = stream(t, server, `${session}/xhr_streaming`);
    await streamed.until(/\no\n/);
    await post(server, `${session}/xhr_send`, connectFrame(await newUser(server)));
    await streamed.until(/CONNECTED/);
    const stopped = server.stop();
    await streamed.until(/\nc\[3000,"restarting; retry-after-ms=\d+"\]\nend$/);
    await stopped;
  });
});

it('an operator may insist on long ids', async (t) => {
  const server = await serverFor(t, { args: ['--sockjs-session-id-bytes-min', '26'] });
  const id = 'a'.repeat(26);
  for (const target of ['xhr', 'xhr_streaming', 'xhr_send']) {
    const { status, json } = await post(server, `/connect/0/${id.slice(1)}/${target}`, '["x"]');
    assert.equal(status, 400, target);
    assert.equal(json.type, 'INVALID_PARAMETER');
  }
  assert.equal(await poll(server, `/connect/0/${id}`), 'o\n');
  // Over a WebSocket the id names nothing.
  await clientFor(t, server, await newUser(server), { path: '/connect', sockjs: true });
});

it('a page of another origin, or of none (null), gets nothing of SockJS', async (t) => {
  const server = await serverFor(t);
  const status = async (target, headers) => (await request(server, target, { headers })).status;
  for (const name of ['iframe.html', 'iframe-1.6.1.html', 'info', '', '0/origin/jsonp?c=f', '0/origin/htmlfile?c=f']) {
    for (const headers of [
      { Origin: 'http://evil.example' },
      { Origin: 'null' },
      { Referer: 'http://evil.example/page' },
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' },
    ]) {
      assert.equal(await status(`/connect/${name}`, headers), 403, `${name} ${JSON.stringify(headers)}`);
    }
  }
  for (const Origin of ['http://evil.example', 'null']) {
    for (const target of ['xhr', 'xhr_streaming', 'xhr_send', 'jsonp_send']) {
      assert.equal((await post(server, `/connect/0/origin/${target}`, '["x"]', { Origin })).status, 403, target);
    }
  }
  for (const name of ['iframe.html', 'info']) {
    assert.notEqual(await status(`/connect/${name}`, { Origin: 'http://localhost:5500' }), 403, name);
  }
});
