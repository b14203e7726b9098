// The broker's destinations with real clients, over several event loops: topics, queues, replies to
// one session; what is text comes as text, and the rest as it was sent.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { Client, Versions } from '@stomp/stompjs';
import WebSocket from 'ws';
import {
  Inbox, Server, assertRefusal, bearer, metric, newUser, patientSockJs, serverFor, waitFor, within,
} from './harness.mjs';
import { StompSocket, clientFor } from './clients.mjs';

const require = createRequire(import.meta.url);
const oldStomp = require('stompjs');
const webstomp = require('webstomp-client');
const SockJs = require('sockjs-client');

// Each client as the same few calls; `open` gives it once it is connected.
function newClient(server, user, version) {
  return new Promise((resolve, reject) => {
    const client = new Client({
      webSocketFactory: () => new WebSocket(`${server.wsUrl}/ws`, [`v${version.replace('.', '')}.stomp`]),
      stompVersions: new Versions([version]),
      connectHeaders: bearer(user.token),
      reconnectDelay: 0,
      onConnect: () =>
        resolve({
          subscribe: (destination, handle, headers) => client.subscribe(destination, handle, headers),
          send: (destination, headers, body) => client.publish({ destination, headers, body }),
          leave: () => client.deactivate(),
        }),
      onStompError: (frame) => reject(new Error(frame.body)),
    });
    client.activate();
  });
}

function classicClient(client, send, user) {
  client.debug = () => {};
  return new Promise((resolve, reject) => {
    const ready = () =>
      resolve({
        subscribe: (destination, handle, headers) => client.subscribe(destination, handle, headers),
        send,
        leave: () => new Promise((gone) => client.disconnect(gone)),
      });
    client.connect(bearer(user.token), ready, (problem) => reject(new Error(String(problem.body ?? problem))));
  });
}

function stompjsOver(socket, user) {
  const client = oldStomp.over(socket);
  return classicClient(client, (destination, headers, body) => client.send(destination, headers, body), user);
}

function webstompOver(socket, user) {
  const client = webstomp.over(socket, { debug: false });
  return classicClient(client, (destination, headers, body) => client.send(destination, body, headers), user);
}

const plainSocket = (server, protocols) => new WebSocket(`${server.wsUrl}/ws`, protocols);
const packages = {
  '@stomp/stompjs 7, STOMP 1.0': (s, u) => newClient(s, u, '1.0'),
  '@stomp/stompjs 7, STOMP 1.1': (s, u) => newClient(s, u, '1.1'),
  '@stomp/stompjs 7, STOMP 1.2': (s, u) => newClient(s, u, '1.2'),
  'stompjs 2.3.3 over a plain WebSocket': (s, u) => stompjsOver(plainSocket(s, ['v10.stomp', 'v11.stomp']), u),
  'stompjs 2.3.3 over sockjs-client, xhr-streaming': (s, u) =>
    stompjsOver(new SockJs(`${s.url}/connect`, null, { ...patientSockJs, transports: 'xhr-streaming' }), u),
  'webstomp-client 1.2.6 over a plain WebSocket': (s, u) =>
    webstompOver(plainSocket(s, webstomp.VERSIONS.supportedProtocols()), u),
};

describe('broker', () => {
  const server = new Server({ args: ['--broker', 'true', '--loops', '4'] });
  before(() => server.start());
  after(() => server.stop());

  for (const [name, open] of Object.entries(packages)) {
    it(`${name}: a topic, a queue with ACK and NACK`, async (t) => {
      const [user, other] = [await newUser(server), await newUser(server)];
      const [client, peer] = await within('both to connect', Promise.all([open(server, user), open(server, other)]));
      t.after(() => within('the clients to leave', Promise.all([client.leave(), peer.leave()])).catch(() => {}));
      const mark = Math.random().toString(36).slice(2);

      const heard = new Inbox();
      client.subscribe(`/topic/${mark}.*`, (message) => heard.push(message));
      const ready = await clientFor(t, server, user);
      // The subscription holds once a message comes through.
      const knock = setInterval(() => ready.send('SEND', { destination: `/topic/${mark}.ready` }, 'ready'), 20);
      await heard.take('ready').finally(() => clearInterval(knock));
      const text = 'Hello, 안녕하세요 👩‍👩‍👧‍👦 "quoted" \\ back: colon\nnew line';
      const forgeries = {};
      for (const blank of ['\u00a0', '\ufeff', '\u2003', '\u3000', '\u2028', '\t']) {
        for (const own of ['content-length', 'redelivered', 'ack', 'message-id', 'subscription', 'user-name', 'session']) {
          if (Object.keys(forgeries).length < 50) forgeries[blank + own] = '1';
        }
      }
      // By a peer of the same package, and as only a hand can write them.
      ready.send('SEND', { destination: `/topic/${mark}.a`, ...forgeries }, text);
      const honest = await heard.take('the message with forged headers', ({ body }) => body !== 'ready');
      assert.equal(honest.body, text);
      assert.ok(!Object.values(honest.headers).includes('1'), JSON.stringify(honest.headers));
      peer.send(`/topic/${mark}.a`, { colour: 'red', 'message-id': 'forged' }, text);
      const message = await heard.take('the message', ({ body }) => body !== 'ready');
      assert.equal(message.body, text);
      assert.equal(message.headers.colour, 'red');
      assert.equal(message.headers.destination, `/topic/${mark}.a`);
      assert.match(message.headers['message-id'], /^topic-\d+$/);
      assert.equal(message.headers['user-name'], other.id);

      // Each refuses what it gets first; the third time it is accepted.
      const jobs = new Inbox();
      const consume = (each) => {
        const subscription = each.subscribe(`/queue/${mark}`, (job) => {
          // 1.0 has no NACK: who leaves gives back what he holds.
          const leave = () => {
            subscription.unsubscribe();
            consume(each);
          };
          jobs.push(Object.assign(job, { refuse: name.endsWith('STOMP 1.0') ? leave : () => job.nack() }));
        }, { ack: 'client-individual' });
      };
      for (const each of [client, peer]) consume(each);
      peer.send(`/queue/${mark}`, {}, 'job');
      for (const expected of [undefined, 'true']) {
        const job = await jobs.take('the job');
        assert.equal(job.body, 'job');
        assert.equal(job.headers.redelivered, expected);
        job.refuse();
      }
      const job = await jobs.take('the job again');
      assert.equal(job.headers.redelivered, 'true');
      job.ack();
      await waitFor('the queue to be empty', async () => (await metric(server, 'broker_queue_messages')) === 0);
    });
  }

  it('a topic cannot make its reader acknowledge what he holds of a queue', async (t) => {
    const [victim, sender] = [await newUser(server), await newUser(server)];
    const [client, attacker] = await within('both to connect', Promise.all([
      newClient(server, victim, '1.2'), clientFor(t, server, sender),
    ]));
    t.after(() => within('the client to leave', client.leave()).catch(() => {}));
    const [jobs, news] = [new Inbox(), new Inbox()];
    client.subscribe('/topic/trap', (message) => news.push(message));
    client.subscribe('/queue/trap', (job) => jobs.push(job), { ack: 'client-individual' });
    attacker.send('SEND', { destination: '/queue/trap' }, 'job');
    const id = (await jobs.take('the job')).headers['message-id'];
    attacker.send('SEND', { destination: '/topic/trap', '\u00a0ack': id }, 'news');
    const message = await news.take('the news');
    assert.equal(message.headers.ack, undefined);
    await client.leave();
    await attacker.sendAndWait('SUBSCRIBE', { destination: '/queue/trap', id: 'q' });
    const { headers, body } = await attacker.take('MESSAGE');
    assert.equal(body, 'job');
    assert.equal(headers.redelivered, 'true');
  });

  it('each message of a queue is given to one of many consumers, over all loops', async (t) => {
    const user = await newUser(server);
    const seen = new Map();
    const clients = await Promise.all(Array.from({ length: 8 }, () => clientFor(t, server, user)));
    for (const [index, client] of clients.entries()) {
      await client.sendAndWait('SUBSCRIBE', { destination: '/queue/work', id: 'w', ack: index % 2 ? 'auto' : 'client' });
    }
    const count = 400;
    for (let i = 0; i < count; ++i) clients[i % 8].send('SEND', { destination: '/queue/work' }, String(i));
    const takeAll = async (client, index) => {
      for (;;) {
        const frame = await client.take('MESSAGE');
        if (frame.body === 'end') return;
        assert.ok(!seen.has(frame.body), `${frame.body} came once`);
        seen.set(frame.body, index);
        if (index % 2 === 0) client.send('ACK', { id: frame.headers.ack });
        if (seen.size === count) {
          for (const each of clients) await each.sendAndWait('SUBSCRIBE', { destination: '/topic/end', id: 'e' });
          client.send('SEND', { destination: '/topic/end' }, 'end');
        }
      }
    };
    await Promise.all(clients.map(takeAll));
    assert.equal(seen.size, count);
    assert.equal(new Set(seen.values()).size, 8, 'everybody had some');
  });

  it('what a lost consumer held is given to another', async (t) => {
    const user = await newUser(server);
    const [lost, other] = [await clientFor(t, server, user), await clientFor(t, server, user)];
    await lost.sendAndWait('SUBSCRIBE', { destination: '/queue/lost', id: 'l', ack: 'client' });
    for (const body of ['1', '2', '3']) await other.sendAndWait('SEND', { destination: '/queue/lost' }, body);
    const first = await lost.take('MESSAGE');
    await lost.sendAndWait('ACK', { id: first.headers.ack });
    lost.drop();
    await other.sendAndWait('SUBSCRIBE', { destination: '/queue/lost', id: 'o' });
    for (const body of ['2', '3']) {
      const frame = await other.take('MESSAGE');
      assert.equal(frame.body, body);
      assert.equal(frame.headers.redelivered, 'true');
    }
  });

  it('bytes that are no text come back as they were sent', async (t) => {
    const user = await newUser(server);
    const client = new Client({
      webSocketFactory: () => new WebSocket(`${server.wsUrl}/ws`, ['v12.stomp']),
      connectHeaders: bearer(user.token),
      reconnectDelay: 0,
    });
    t.after(() => client.deactivate());
    const heard = new Inbox();
    const kinds = [];
    client.onConnect = () => {
      client.webSocket.on('message', (data, binary) => kinds.push(binary));
      client.subscribe('/topic/bytes', (message) => heard.push(message));
      client.publish({ destination: '/topic/bytes', binaryBody: new Uint8Array([0, 255, 10, 0, 195]) });
      client.publish({ destination: '/topic/bytes', body: 'text' });
    };
    client.activate();
    assert.deepEqual([...(await heard.take('the bytes')).binaryBody], [0, 255, 10, 0, 195]);
    assert.equal((await heard.take('the text')).body, 'text');
    assert.deepEqual(kinds, [true, false]);
  });

  it('a service on another loop answers the one session that asked', async (t) => {
    const [asking, serving] = [await newUser(server), await newUser(server)];
    const service = await clientFor(t, server, serving);
    await service.subscribe('/queue/service', 's');
    const clients = await Promise.all(Array.from({ length: 6 }, () => clientFor(t, server, asking)));
    for (const [index, client] of clients.entries()) {
      await client.subscribe('/user/queue/answers', 'a');
      client.send('SEND', { destination: '/queue/service', 'reply-to': '/user/queue/answers' }, String(index));
    }
    for (let i = 0; i < clients.length; ++i) {
      const { headers, body } = await service.take('MESSAGE');
      service.send('SEND', { destination: headers['reply-to'], 'content-type': 'text/plain' }, `answer ${body}`);
    }
    for (const [index, client] of clients.entries()) {
      assert.equal((await client.take('MESSAGE')).body, `answer ${index}`);
      assert.deepEqual(client.frames.rest().filter(({ command }) => command === 'MESSAGE'), []);
    }
  });

  it('a transaction is heard in one piece, and an aborted one not at all', async (t) => {
    const user = await newUser(server);
    const [reader, writer, chatter] = await Promise.all([1, 2, 3].map(() => clientFor(t, server, user)));
    await reader.subscribe('/topic/whole', 'w');
    let over = false;
    const noise = (async () => {
      while (!over) await chatter.sendAndWait('SEND', { destination: '/topic/whole' }, 'noise');
    })();
    for (let round = 0; round < 20; ++round) {
      writer.send('BEGIN', { transaction: 't' });
      for (let i = 0; i < 3; ++i) writer.send('SEND', { destination: '/topic/whole', transaction: 't' }, `${round}.${i}`);
      await writer.sendAndWait(round % 2 ? 'ABORT' : 'COMMIT', { transaction: 't' });
    }
    over = true;
    await noise;
    await writer.sendAndWait('SEND', { destination: '/topic/whole' }, 'end');
    const bodies = [];
    while (bodies.at(-1) !== 'end') bodies.push((await reader.take('MESSAGE')).body);
    for (let round = 0; round < 20; ++round) {
      const at = bodies.indexOf(`${round}.0`);
      if (round % 2) assert.equal(at, -1);
      else assert.deepEqual(bodies.slice(at, at + 3), [0, 1, 2].map((i) => `${round}.${i}`));
    }
  });
});

it('the server goes down well while consumers of all loops hold messages', async (t) => {
  const server = await serverFor(t, { args: ['--broker', 'true', '--loops', '4'] });
  const user = await newUser(server);
  const clients = await Promise.all(Array.from({ length: 8 }, () => clientFor(t, server, user)));
  for (const client of clients) await client.sendAndWait('SUBSCRIBE', { destination: '/queue/a', id: 'a', ack: 'client' });
  for (let i = 0; i < 80; ++i) clients[i % 8].send('SEND', { destination: '/queue/a' }, String(i));
  await Promise.all(clients.map((client) => client.take('MESSAGE')));
  await server.stop();
  for (const { code } of await Promise.all(clients.map((client) => client.closed))) assert.equal(code, 1001);
});

it('without the setting there is no broker', async (t) => {
  const server = await serverFor(t);
  const client = await clientFor(t, server, await newUser(server));
  await client.subscribe('/user/queue/errors', 'errors');
  for (const [command, headers] of [
    ['SEND', { destination: '/topic/a' }],
    ['SEND', { destination: '/queue/a' }],
    ['SUBSCRIBE', { destination: '/topic/a', id: 'a' }],
    ['SUBSCRIBE', { destination: '/user/queue/a', id: 'a' }],
    ['ACK', { id: 'queue-1' }],
  ]) {
    client.send(command, headers);
    assertRefusal((await client.message('errors')).body, 'FORBIDDEN_ACTION');
  }
});

it('guest may log in on the conformance profile only', async (t) => {
  const [profile, usual] = await Promise.all([
    serverFor(t, { args: ['--conformance', 'true'] }),
    serverFor(t, { args: ['--broker', 'true'] }),
  ]);
  const connect = async (server, headers) => {
    const client = new StompSocket(server);
    t.after(() => client.drop());
    await within('the transport to open', client.opened);
    client.send('CONNECT', { 'accept-version': '1.2', ...headers });
    return client;
  };
  const guest = { login: 'guest', passcode: 'guest' };
  const client = await connect(profile, guest);
  await client.take('CONNECTED');
  await client.subscribe('/topic/a', 'a');
  client.send('SEND', { destination: '/topic/a' }, 'hello');
  assert.equal((await client.take('MESSAGE')).body, 'hello');
  for (const [server, headers, type] of [
    [profile, { ...guest, passcode: 'other' }, 'UNAUTHORIZED_ACCESS'],
    [profile, { login: 'guest' }, 'UNAUTHORIZED_ACCESS'],
    [profile, {}, 'NO_TOKEN'],
    [usual, guest, 'INVALID_TOKEN'],
  ]) {
    const { envelope } = await (await connect(server, headers)).refused();
    assertRefusal(envelope, type);
  }
});
