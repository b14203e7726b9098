// The client packages that people use, as they are published, each in one conversation: connect with
// a token, subscribe, send with a receipt, hear oneself and others, learn of an error, leave.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import { Client, Versions } from '@stomp/stompjs';
import WebSocket from 'ws';
import {
  Inbox, Server, assertRefusal, bearer, history, newRoom, newUser, patientSessions, patientSockJs, within,
} from './harness.mjs';
import { StompSocket, memberFor } from './clients.mjs';

const require = createRequire(import.meta.url);
const oldStomp = require('stompjs');
const webstomp = require('webstomp-client');
const SockJs15 = require('sockjs-client');
const SockJs16 = require('sockjs-client-1.6');

const text = 'Hello, 안녕하세요 👩‍👩‍👧‍👦 "quoted" \\ back\u2028slash\tand: colon\nnew line é e\u0301';

// Each client as the same few calls. Answers go into `inbox`: {kind, headers, body}.
function newClient(server, user, version, inbox) {
  const client = new Client({
    webSocketFactory: () => new WebSocket(`${server.wsUrl}/ws`, [`v${version.replace('.', '')}.stomp`]),
    stompVersions: new Versions([version]),
    connectHeaders: bearer(user.token),
    reconnectDelay: 0,
    heartbeatIncoming: 0,
    heartbeatOutgoing: 0,
    onConnect: (frame) => inbox.push({ kind: 'connected', ...frame }),
    onStompError: (frame) => inbox.end(`ERROR ${frame.body}`),
    onWebSocketClose: () => inbox.end('closed'),
  });
  client.activate();
  return {
    subscribe: (destination, headers) =>
      client.subscribe(destination, ({ headers: found, body }) => inbox.push({ kind: destination, headers: found, body }), headers),
    send(body, receipt) {
      client.watchForReceipt(receipt, () => inbox.push({ kind: receipt }));
      client.publish({ destination: '/pub/chat', headers: { receipt }, body });
    },
    leave: () => client.deactivate(),
  };
}

// stompjs 2.3.3 and webstomp-client have the same interface but for the order of send()'s arguments.
function classicClient(client, send, user, inbox) {
  client.debug = () => {};
  client.onreceipt = ({ headers }) => inbox.push({ kind: headers['receipt-id'] });
  client.connect(
    bearer(user.token),
    (frame) => inbox.push({ kind: 'connected', headers: frame.headers }),
    (problem) => inbox.end(String(problem.body ?? problem.reason ?? problem)),
  );
  return {
    subscribe: (destination, headers) =>
      client.subscribe(destination, ({ headers: found, body }) => inbox.push({ kind: destination, headers: found, body }), headers),
    send: (body, receipt) => send(body, { receipt }),
    leave: () => new Promise((resolve) => client.disconnect(resolve)),
  };
}

function stompjsOver(socket, user, inbox) {
  const client = oldStomp.over(socket);
  return classicClient(client, (body, headers) => client.send('/pub/chat', headers, body), user, inbox);
}

function webstompOver(socket, user, inbox) {
  const client = webstomp.over(socket, { debug: false });
  const calls = classicClient(client, (body, headers) => client.send('/pub/chat', body, headers), user, inbox);
  // The ids it chooses by itself are the millisecond and one of a thousand numbers: two subscriptions
  // that are made at once have the same one now and then, and the second is refused.
  let subscriptions = 0;
  return { ...calls, subscribe: (destination) => calls.subscribe(destination, { id: `own-${subscriptions++}` }) };
}

const plainSocket = (server, protocols = ['v10.stomp', 'v11.stomp']) =>
  new WebSocket(`${server.wsUrl}/ws`, protocols);
const sockJs16 = (url) => new SockJs16(url, null, { ...patientSockJs, transports: 'websocket' });

// Each of SockJS's transports that sockjs-client has outside of a browser.
const sockJsPackages = Object.fromEntries(
  [['1.5.2', SockJs15], ['1.6.1', SockJs16]].flatMap(([version, SockJs]) =>
    ['websocket', 'xhr-streaming', 'eventsource', 'xhr-polling'].map((transports) => [
      `stompjs 2.3.3 over sockjs-client ${version}, ${transports}`,
      {
        version: '1.1',
        open: (s, u, i) => stompjsOver(new SockJs(`${s.url}/connect`, null, { ...patientSockJs, transports }), u, i),
        transports,
      },
    ]),
  ),
);

const packages = {
  ...sockJsPackages,
  '@stomp/stompjs 7, STOMP 1.0': { version: '1.0', open: (s, u, i) => newClient(s, u, '1.0', i) },
  '@stomp/stompjs 7, STOMP 1.1': { version: '1.1', open: (s, u, i) => newClient(s, u, '1.1', i) },
  '@stomp/stompjs 7, STOMP 1.2': { version: '1.2', open: (s, u, i) => newClient(s, u, '1.2', i) },
  'stompjs 2.3.3 over a plain WebSocket': {
    version: '1.1',
    open: (s, u, i) => stompjsOver(plainSocket(s), u, i),
  },
  'stompjs 2.3.3 over sockjs-client 1.5.2': {
    version: '1.1',
    open: (s, u, i) => stompjsOver(new SockJs15(`${s.url}/connect`, null, patientSockJs), u, i),
  },
  'stompjs 2.3.3 over sockjs-client 1.6.1 at /chat': {
    version: '1.1',
    open: (s, u, i) => stompjsOver(sockJs16(`${s.url}/chat`), u, i),
  },
  'webstomp-client 1.2.6 over a plain WebSocket': {
    version: '1.2',
    open: (s, u, i) => webstompOver(plainSocket(s, webstomp.VERSIONS.supportedProtocols()), u, i),
  },
  'webstomp-client 1.2.6 over sockjs-client 1.6.1': {
    version: '1.2',
    open: (s, u, i) => webstompOver(sockJs16(`${s.url}/connect`), u, i),
  },
};

describe('client packages', () => {
  const server = new Server({ args: patientSessions });
  before(() => server.start());
  after(() => server.stop());

  for (const [name, { version, open }] of Object.entries(packages)) {
    it(name, async (t) => {
      const [user, other] = [await newUser(server), await newUser(server)];
      const room = await newRoom(server, other);
      const witness = await memberFor(t, server, other, room);
      const channel = `/sub/channel/${room}`;

      const inbox = new Inbox();
      const client = open(server, user, inbox);
      const take = (kind) => inbox.take(kind, (item) => item.kind === kind);
      t.after(() => within('the client to leave', Promise.resolve(client.leave())).catch(() => {}));

      const connected = await take('connected');
      assert.equal(connected.headers.version, version);
      assert.match(connected.headers['heart-beat'], /^\d+,\d+$/);
      client.subscribe('/user/queue/errors');
      client.subscribe(channel);

      client.send(JSON.stringify({ roomId: room, message: text, randId: 'x', nameTag: '#000000' }), '첫째 👋');
      const heard = await take(channel);
      await take('첫째 👋');
      const message = JSON.parse(heard.body);
      assert.equal(message.message, text);
      assert.equal(message.id, 1);
      assert.equal(message.senderId, user.id);
      assert.equal(message.randId, user.claims.randId);
      assert.equal(message.nameTag, user.claims.sub);
      assert.equal(heard.headers.destination, channel);
      assert.ok(heard.headers['message-id']);
      assert.deepEqual((await witness.message('room')).body, message);

      await witness.post(room, `답장 ${text}`);
      assert.equal(JSON.parse((await take(channel)).body).message, `답장 ${text}`);

      // More than these clients put into one WebSocket message.
      const long = '가나다라'.repeat(4_500);
      client.send(JSON.stringify({ roomId: room, message: long }), 'long');
      assert.ok(JSON.parse((await take(channel)).body).message === long);
      await take('long');

      client.send(JSON.stringify({ roomId: '00000000-0000-4000-8000-000000000000', message: 'x' }), 'lost');
      const refused = await take('/user/queue/errors');
      assertRefusal(JSON.parse(refused.body), 'NOT_FOUND_CHATROOM');
      assert.equal(refused.headers['receipt-id'], 'lost');

      const ids = (await history(server, user, room)).map(({ id }) => id);
      assert.deepEqual(ids, [3, 2, 1]);
    });
  }

  it('the version is the highest that both know', async (t) => {
    const user = await newUser(server);
    for (const [offered, expected] of [['1.0,1.1,1.2', '1.2'], ['1.1,1.0', '1.1'], ['1.0', '1.0'], ['9.9,1.1', '1.1']]) {
      const client = new StompSocket(server);
      t.after(() => client.drop());
      const connected = await client.connect(user, { 'accept-version': offered });
      assert.equal(connected.headers.version, expected, offered);
    }
  });
});
