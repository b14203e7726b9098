// Bans: written beside the nodes that run, they end sessions and refuse calls on all of them, for a time
// or for ever, and touch nobody else.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  Server, assertRefusal, bearer, freePort, init, lobby, metric, mintToken, newRoom, newUser, request, runToEnd,
  stopAfter, waitFor,
} from './harness.mjs';
import { StompPoller, StompSocket, StompTcp, clientFor, memberFor } from './clients.mjs';
import { keptWithin } from './cluster.mjs';
import { clusterFor } from './redis.mjs';

// The command, with what says which database.
async function command(node, ...flags) {
  const where = node.dataDir ? ['--data-dir', node.dataDir] : [];
  return runToEnd([...flags, ...where], { env: node.env ?? {} });
}

async function done(node, ...flags) {
  const { code, stdout, stderr } = await command(node, ...flags);
  assert.equal(code, 0, stderr);
  return stdout;
}

const ban = (node, target, ...flags) => done(node, '--ban', target, ...flags);
const unban = (node, target) => done(node, '--unban', target);

const calls = ['/init', '/message?roomId=x', '/chatroom', '/chatroom/private'];

async function assertBanned(server, user, headers = {}, words = /^you are banned/) {
  for (const target of calls) {
    const { status, json } = await request(server, target, { headers: { ...bearer(user?.token), ...headers } });
    assert.equal(status, 403, target);
    assertRefusal(json, 'BANNED');
    assert.equal(json.response, null, 'no token is given');
    assert.match(json.error.message, words);
  }
}

// Of a session that there was, or of a CONNECT: ERROR BANNED and the end.
async function assertEnds(client, words = /^you are banned/) {
  const error = await client.take('ERROR');
  assertRefusal(JSON.parse(error.body), 'BANNED');
  assert.match(error.headers.message, words);
  const { code, reason } = await client.closed;
  if (client instanceof StompTcp) return;
  assert.equal(code, client instanceof StompPoller ? 3000 : 1008);
  assert.equal(reason, 'BANNED');
}

async function assertRefused(t, make, user) {
  const client = make();
  t.after(() => client.drop());
  await client.opened;
  client.send('CONNECT', { 'accept-version': '1.2', ...bearer(user.token) });
  await assertEnds(client);
}

const maybe = async (server, user) => (await init(server, user.token)).type;
const isFree = (server, user) =>
  waitFor('the ban to be over', async () => (await maybe(server, user)) === 'SUCCESS_TOKEN_VALIDATION');
const isBanned = (server, user) =>
  waitFor('the ban to hold', async () => (await maybe(server, user)) === 'BANNED');

const secret = 'a secret of the tests, 32 bytes or more';

async function chatFor(t, args = []) {
  const stompPort = await freePort();
  const server = new Server({
    args: ['--stomp-listen', `127.0.0.1:${stompPort}`, '--trusted-proxies', '127.0.0.1', ...args],
    env: { RTC_TOKEN_SECRET: secret },
  });
  stopAfter(t, server);
  await server.start();
  return Object.assign(server, { stompPort });
}

const from = (address) => ({ 'X-Forwarded-For': address });

describe('a person who is banned', () => {
  it('is ended however he is connected, and vanishes; nobody else notices; and comes again', async (t) => {
    const server = await chatFor(t);
    const [anna, eve] = [await newUser(server), await newUser(server)];
    const room = await newRoom(server, anna);
    const witness = await memberFor(t, server, anna, room);
    await witness.subscribe(`/sub/channel/${room}/presence`, 'people');
    const sessions = [
      await memberFor(t, server, eve, room),
      await memberFor(t, server, eve, room, { path: '/chat', sockjs: true }),
      await memberFor(t, server, eve, room, { over: 'polls' }),
      await memberFor(t, server, eve, room, { over: 'tcp' }),
    ];
    await witness.message('people', ({ joined }) => joined.some(({ senderId }) => senderId === eve.id));

    assert.equal(
      await ban(server, `user:${eve.id}`, '--ban-reason', '광고: "두 번"'),
      `user:${eve.id} is banned for ever\n`,
    );
    const words = /^you are banned: 광고: "두 번"$/;
    for (const session of sessions) await assertEnds(session, words);
    await assertBanned(server, eve, {}, words);
    await assertRefused(t, () => new StompSocket(server), eve);
    await assertRefused(t, () => new StompPoller(server), eve);
    await assertRefused(t, () => new StompTcp(server), eve);

    await witness.message('people', ({ left }) => left.includes(eve.id));
    const { json } = await request(server, `/chatroom/people?roomId=${room}`, { headers: bearer(anna.token) });
    assert.deepEqual(json.response.page.map(({ senderId }) => senderId), [anna.id]);
    await witness.post(room, 'still here');
    assert.equal((await witness.message('room')).body.message, 'still here');
    assert.equal(await metric(server, 'bans'), 1);
    assert.ok((await metric(server, 'ban_refusals_total')) >= sessions.length + calls.length);

    assert.equal(await unban(server, `user:${eve.id}`), `user:${eve.id} is not banned any more\n`);
    await isFree(server, eve);
    const again = await memberFor(t, server, eve, room);
    await again.post(room, 'back');
    assert.equal((await witness.message('room')).body.senderId, eve.id);
    assert.equal(await metric(server, 'bans'), 0);
  });

  it('is not given a new token for an expired one', async (t) => {
    const server = await chatFor(t);
    const eve = await newUser(server);
    const now = Math.floor(Date.now() / 1000);
    const expired = { token: mintToken(secret, { ...eve.claims, iat: now - 200, nbf: now - 900, exp: now - 100 }) };
    assert.equal(await maybe(server, expired), 'EXPIRED_TOKEN');
    await ban(server, `user:${eve.id}`);
    await isBanned(server, eve);
    await assertBanned(server, expired);
  });

  it('is so until his time is over, by itself', async (t) => {
    const server = await chatFor(t);
    const eve = await newUser(server);
    const session = await clientFor(t, server, eve);
    await ban(server, `user:${eve.id}`, '--ban-for', '5s');
    await assertEnds(session, /^you are banned until \d{4}-\d\d-\d\dT[\d:.]+Z$/);
    await isFree(server, eve);
    await clientFor(t, server, eve);
  });

  it('is so after kill -9, also when he was banned while no server ran', async (t) => {
    const server = await chatFor(t);
    const [eve, mallory, anna] = [await newUser(server), await newUser(server), await newUser(server)];
    await ban(server, `user:${eve.id}`);
    await server.kill9();
    await ban(server, `user:${mallory.id}`);
    await server.restart();
    for (const user of [eve, mallory]) {
      await assertRefused(t, () => new StompSocket(server), user);
      await assertBanned(server, user);
    }
    await clientFor(t, server, anna);
  });
});

describe('an address that is banned', () => {
  it('is the client\'s behind a trusted proxy; its network too; others notice nothing', async (t) => {
    const server = await chatFor(t);
    const [anna, eve] = [await newUser(server), await newUser(server)];
    const inside = { headers: from('203.0.113.9') };
    const sessions = [
      await clientFor(t, server, eve, inside),
      await clientFor(t, server, anna, { ...inside, over: 'polls' }),
    ];
    const outside = await memberFor(t, server, anna, lobby, { headers: from('203.0.114.9') });
    await ban(server, 'address:203.0.113.77/24', '--ban-for', '1d');
    for (const session of sessions) await assertEnds(session, /^you are banned until /);

    await assertBanned(server, undefined, from('203.0.113.1'));
    await assertBanned(server, anna, from('203.0.113.255'));
    await assertBanned(server, anna, from('198.51.100.1, 203.0.113.255'));
    for (const path of ['/ws', '/connect/websocket', '/chat/000/some-session/websocket']) {
      const refused = new StompSocket(server, { path, ...inside });
      await assert.rejects(refused.opened, /403/);
    }
    const poll = await request(server, '/connect/000/some-session/xhr', { method: 'POST', ...inside });
    assert.equal(poll.status, 403);
    assertRefusal(poll.json, 'BANNED');
    for (const path of ['/', '/healthz', '/readyz']) {
      assert.equal((await request(server, path, inside)).status, 200, `${path} is for everybody`);
    }
    await outside.post(lobby, 'still here');
    assert.equal((await init(server)).type, 'SUCCESS_TOKEN_ISSUANCE');

    await unban(server, 'address:203.0.113.0/24');
    await waitFor('the ban to be over', async () => (await request(server, '/init', inside)).status === 200);
    await clientFor(t, server, eve, inside);
  });

  it('of IPv6 is a household', async (t) => {
    const server = await chatFor(t);
    await ban(server, 'address:2001:db8:1:2::9');
    await waitFor('the ban to hold', async () => (await metric(server, 'bans')) === 1);
    await assertBanned(server, undefined, from('2001:db8:1:2:ffff::1'));
    assert.equal((await request(server, '/init', { headers: from('2001:db8:1:3::9') })).status, 200);
    assert.equal(await done(server, '--bans'), 'address:2001:db8:1:2::/64\tfor ever\t\n');
  });
});

it('the command says what is wrong, and changes nothing then', async (t) => {
  const server = await chatFor(t);
  const somebody = `user:${randomUUID()}`;
  const rows = [
    [['--ban', 'anna'], /--ban: expected user:ID or address:NETWORK/],
    [['--ban', 'user:anna'], /UUID/],
    [['--ban', 'address:10.0.0.0/99'], /neither an address nor a network/],
    [['--ban', 'address:::/0'], /everybody/],
    [['--ban', somebody, '--ban-for', '1'], /--ban-for: expected a duration/],
    [['--ban', somebody, '--ban-reason', 'x'.repeat(201)], /200 bytes/],
    [['--ban', somebody, '--ban-reason', 'two\nlines'], /one line/],
    [['--ban', somebody, '--bans'], /one command at a time/],
    [['--unban', somebody], /is not banned; --bans lists/],
    [['--bans', '--data-dir', '/nowhere'], /there is no .*start the server once/],
  ];
  for (const [flags, words] of rows) {
    const { code, stderr, stdout } = await (flags.includes('--data-dir') ? runToEnd(flags) : command(server, ...flags));
    assert.equal(code, 2, flags.join(' '));
    assert.match(stderr, words);
    assert.equal(stdout, '');
  }
  await ban(server, somebody, '--bans-max', '1');
  const full = await command(server, '--ban', 'address:10.0.0.1', '--bans-max', '1');
  assert.equal(full.code, 2);
  assert.match(full.stderr, /bans_max \(1\) bans hold/);
  await ban(server, somebody, '--bans-max', '1', '--ban-reason', 'another');
  assert.equal(await done(server, '--bans'), `${somebody}\tfor ever\tanother\n`);
});

it('a ban ends the sessions on all nodes within a second of the command, without Redis as well', async (t) => {
  const { nodes, postgres, redis } = await clusterFor(t, 3);
  const round = async (n) => {
    const eve = await newUser(nodes[n % 3]);
    const sessions = await Promise.all(nodes.map((node) => clientFor(t, node, eve)));
    const ended = Promise.all(sessions.map((session) => assertEnds(session))).then(() => performance.now());
    await ban({ env: { RTC_POSTGRES_URL: postgres.url } }, `user:${eve.id}`);
    const begin = performance.now();
    return (await ended) - begin;
  };
  await keptWithin(t, 1000, 'a ban on all nodes', round);
  await redis.kill9();
  await keptWithin(t, 1000, 'a ban on all nodes without Redis', round);
});

it('a ban written beside one of two nodes holds on both, and while the database is away', async (t) => {
  const { nodes, postgres } = await clusterFor(t, 2);
  const [first, second] = nodes;
  const [anna, eve] = [await newUser(first), await newUser(first)];
  const room = await newRoom(first, anna);
  const witness = await memberFor(t, first, anna, room);
  const sessions = [await memberFor(t, second, eve, room), await memberFor(t, first, eve, room)];
  const beside = { env: { RTC_POSTGRES_URL: postgres.url } };
  await ban(beside, `user:${eve.id}`, '--ban-reason', 'spam');
  for (const session of sessions) await assertEnds(session, /^you are banned: spam$/);
  for (const node of nodes) {
    await assertBanned(node, eve);
    await assertRefused(t, () => new StompSocket(node), eve);
  }
  const people = `/chatroom/people?roomId=${room}`;
  await waitFor('the rosters to be without him', async () => {
    const { json } = await request(first, people, { headers: bearer(anna.token) });
    return json.response.people === 1 && json.response.page[0].senderId === anna.id;
  });

  await postgres.kill9();
  for (const node of nodes) {
    await waitFor('a question to fail', async () => (await metric(node, 'ban_check_failures_total')) > 0);
    await assertBanned(node, eve);
  }
  await postgres.restart();
  await unban(beside, `user:${eve.id}`);
  for (const node of nodes) await isFree(node, eve);
  await memberFor(t, second, eve, room);
  await waitFor('the room to be open again', async () => !(await witness.attempt(room, 'still here')).refusal);
});
