// Transactions: all of one is there, in order, or nothing of it; for real clients, among others who
// write, and through a kill -9.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { Client } from '@stomp/stompjs';
import WebSocket from 'ws';
import { Inbox, Server, bearer, lobby, newRoom, newUser, request, serverFor, waitFor, wholeHistory } from './harness.mjs';
import { StompSocket, clientFor, memberFor } from './clients.mjs';

const fast = ['--send-rate-max', '1000000', '--send-burst-max', '1000000'];
const strict = ['--rate-exempt', '192.0.2.1']; // the tests' own address is bounded like any other

const bodyOf = (room, message) => JSON.stringify({ roomId: room, message });
const sendIn = (client, transaction, room, message, headers = {}) =>
  client.send('SEND', { destination: '/pub/chat', transaction, ...headers }, bodyOf(room, message));
const textsOf = async (server, user, room) =>
  (await wholeHistory(server, user, room)).reverse().map(({ message }) => message);

// The envelope of the next error told for that receipt.
async function refusal(client, receipt) {
  const { body } = await client.message('errors', (_, frame) => frame.headers['receipt-id'] === receipt);
  return body;
}

async function metric(server, name) {
  const { raw } = await request(server, '/metrics');
  return Number(new RegExp(`^realtimechat_${name} (\\S+)$`, 'm').exec(raw.toString())[1]);
}

// `begin` gives a transaction's id with commit() and abort(); `send` a SEND with those headers.
const packages = {
  '@stomp/stompjs 7': (server, user, inbox) => {
    const client = new Client({
      webSocketFactory: () => new WebSocket(`${server.wsUrl}/ws`, ['v12.stomp']),
      connectHeaders: bearer(user.token),
      reconnectDelay: 0,
      onConnect: () => inbox.push('connected'),
      onStompError: ({ body }) => inbox.end(`ERROR ${body}`),
      onUnhandledReceipt: ({ headers }) => inbox.push(headers['receipt-id']),
    });
    client.activate();
    return {
      begin: () => client.begin(),
      send: (headers, body) => client.publish({ destination: '/pub/chat', headers, body }),
      leave: () => client.deactivate(),
    };
  },
  'stompjs 2.3.3': (server, user, inbox) => {
    const client = createRequire(import.meta.url)('stompjs').over(
      new WebSocket(`${server.wsUrl}/ws`, ['v10.stomp', 'v11.stomp']));
    client.debug = () => {};
    client.onreceipt = ({ headers }) => inbox.push(headers['receipt-id']);
    client.connect(bearer(user.token), () => inbox.push('connected'), (problem) => inbox.end(String(problem)));
    return {
      begin: () => client.begin(),
      send: (headers, body) => client.send('/pub/chat', headers, body),
      leave: () => new Promise((resolve) => client.disconnect(resolve)),
    };
  },
};

describe('client packages', () => {
  for (const [name, open] of Object.entries(packages)) {
    it(`${name}: commits and aborts`, async (t) => {
      const server = await serverFor(t);
      const user = await newUser(server);
      const room = await newRoom(server, user);
      const witness = await memberFor(t, server, user, room);
      const inbox = new Inbox();
      const client = open(server, user, inbox);
      t.after(() => client.leave());
      await inbox.take('connected', (item) => item === 'connected');

      const committed = client.begin();
      const aborted = client.begin();
      for (const text of ['one', 'two', 'three']) {
        client.send({ transaction: committed.id }, bodyOf(room, text));
        client.send({ transaction: aborted.id }, bodyOf(room, `not ${text}`));
      }
      client.send({ receipt: 'outside' }, bodyOf(room, 'outside'));
      await inbox.take('the receipt', (item) => item === 'outside');
      assert.deepEqual(await textsOf(server, user, room), ['outside']);
      aborted.abort();
      committed.commit();
      // These packages ask for no receipt of COMMIT; the next one stands for it.
      client.send({ receipt: 'after' }, bodyOf(room, 'after'));
      await inbox.take('the next receipt', (item) => item === 'after');
      const expected = ['outside', 'one', 'two', 'three', 'after'];
      assert.deepEqual(await textsOf(server, user, room), expected);
      for (const text of expected) assert.equal((await witness.message('room')).body.message, text);
    });
  }
});

it('what is committed comes in order and in one piece, whoever else writes', async (t) => {
  const server = await serverFor(t, { args: [...fast, '--store-batch-max', '16', '--loops', '2'] });
  const user = await newUser(server);
  const rooms = [await newRoom(server, user, 'a'), await newRoom(server, user, 'b')];
  const readers = [];
  for (const room of rooms) for (let n = 0; n < 2; ++n) readers.push([room, await memberFor(t, server, user, room)]);
  const writers = [];
  for (let n = 0; n < 4; ++n) writers.push(await memberFor(t, server, user, lobby));
  const sizes = [1, 2, 7, 20, 60];
  const rounds = 10;

  await Promise.all(writers.map(async (writer, w) => {
    for (let round = 0; round < rounds; ++round) {
      const size = sizes[(w + round) % sizes.length];
      const id = `${w} ${round}`;
      await writer.sendAndWait('BEGIN', { transaction: id });
      for (let n = 0; n < size; ++n) {
        for (const room of rooms) sendIn(writer, id, room, `${id} ${n} of ${size}`);
        // Beside it, and not in it.
        writer.send('SEND', { destination: '/pub/chat' }, bodyOf(rooms[n % 2], `beside ${id} ${n}`));
      }
      const { headers } = await writer.sendAndWait('COMMIT', { transaction: id });
      assert.equal(headers.ids.split(',').length, 2 * size);
    }
  }));

  for (const room of rooms) {
    const texts = await textsOf(server, user, room);
    let transactions = 0;
    for (let at = 0; at < texts.length; ++at) {
      const [, id, size] = /^(\d+ \d+) 0 of (\d+)$/.exec(texts[at]) ?? [];
      if (id === undefined) {
        assert.match(texts[at], /^beside /, 'nothing begins in the middle');
        continue;
      }
      for (let n = 0; n < Number(size); ++n) assert.equal(texts[at + n], `${id} ${n} of ${size}`);
      at += Number(size) - 1;
      transactions += 1;
    }
    assert.equal(transactions, writers.length * rounds);
    for (const [, reader] of readers.filter(([which]) => which === room)) {
      for (const text of texts) assert.equal((await reader.message('room')).body.message, text);
    }
  }
});

it('receipts come in order: of a SEND when it is taken, of COMMIT with the ids of all', async (t) => {
  const server = await serverFor(t);
  const user = await newUser(server);
  const room = await newRoom(server, user);
  const client = await memberFor(t, server, user, room);
  await client.post(room, 'first', { 'message-key': 'known' });
  client.send('BEGIN', { transaction: 'a:b', receipt: '1' });
  sendIn(client, 'a:b', room, 'second', { receipt: '2' });
  sendIn(client, 'a:b', room, 'first again', { receipt: '3', 'message-key': 'known' });
  sendIn(client, 'a:b', room, 'third', { receipt: '4' });
  client.send('COMMIT', { transaction: 'a:b', receipt: '5' });
  client.send('BEGIN', { transaction: 'empty', receipt: '6' });
  client.send('COMMIT', { transaction: 'empty', receipt: '7' });
  for (const number of ['1', '2', '3', '4', '5', '6', '7']) {
    const { headers } = await client.take('RECEIPT');
    assert.deepEqual(headers, { 'receipt-id': number, ...(number === '5' ? { ids: '2,1,3' } : {}) });
  }
  assert.deepEqual(await textsOf(server, user, room), ['first', 'second', 'third']);
});

it('a refused SEND spoils its transaction, and says why when it is to be committed', async (t) => {
  const server = await serverFor(t);
  const user = await newUser(server);
  const client = await memberFor(t, server, user, lobby);
  await client.sendAndWait('BEGIN', { transaction: 't' });
  sendIn(client, 't', lobby, 'good');
  sendIn(client, 't', 'no room', 'bad', { receipt: 'bad' });
  const reason = await refusal(client, 'bad');
  assert.equal(reason.type, 'INVALID_MESSAGE_FORMAT');
  sendIn(client, 't', lobby, 'good', { receipt: 'late' });
  assert.equal((await refusal(client, 'late')).type, reason.type);
  client.send('COMMIT', { transaction: 't', receipt: 'commit' });
  const refused = await refusal(client, 'commit');
  assert.equal(refused.type, reason.type);
  assert.ok(refused.error.message.includes(reason.error.message), refused.error.message);
  client.send('COMMIT', { transaction: 't', receipt: 'again' });
  assert.equal((await refusal(client, 'again')).type, 'INVALID_PARAMETER', 'it is over');
  await client.post(lobby, 'alive');
  assert.deepEqual(await textsOf(server, user, lobby), ['alive']);
});

describe('bounds', () => {
  it('of open ones, of messages and of bytes', async (t) => {
    const args = ['--transactions-per-session-max', '2', '--transaction-messages-max', '3', '--transaction-bytes-max', '1KiB'];
    const server = await serverFor(t, { args });
    const user = await newUser(server);
    const client = await memberFor(t, server, user, lobby);
    await client.sendAndWait('BEGIN', { transaction: 'a' });
    await client.sendAndWait('BEGIN', { transaction: 'b' });
    assert.equal(await metric(server, 'transactions_open'), 2);
    client.send('BEGIN', { transaction: 'c', receipt: 'c' });
    assert.equal((await refusal(client, 'c')).type, 'FORBIDDEN_ACTION');
    for (const text of ['1', '2', '3']) sendIn(client, 'a', lobby, text);
    sendIn(client, 'a', lobby, '4', { receipt: 'messages' });
    assert.equal((await refusal(client, 'messages')).type, 'FORBIDDEN_ACTION');
    sendIn(client, 'b', lobby, 'x'.repeat(1024));
    sendIn(client, 'b', lobby, 'x', { receipt: 'bytes' });
    assert.equal((await refusal(client, 'bytes')).type, 'FORBIDDEN_ACTION');
    for (const id of ['a', 'b']) {
      client.send('COMMIT', { transaction: id, receipt: id });
      assert.equal((await refusal(client, id)).type, 'FORBIDDEN_ACTION');
    }
    assert.equal(await metric(server, 'transactions_open'), 0);
    assert.deepEqual(await textsOf(server, user, lobby), []);
  });

  it('of the rate of SENDs hold inside', async (t) => {
    const server = await serverFor(t, { args: [...strict, '--send-rate-max', '1', '--send-burst-max', '3'] });
    const user = await newUser(server);
    const client = await memberFor(t, server, user, lobby);
    await client.sendAndWait('BEGIN', { transaction: 't' });
    for (let n = 0; n < 40; ++n) sendIn(client, 't', lobby, `${n}`, { receipt: `${n}` });
    client.send('COMMIT', { transaction: 't', receipt: 'commit' });
    assert.equal((await refusal(client, 'commit')).type, 'TOO_MANY_REQUESTS');
    assert.deepEqual(await textsOf(server, user, lobby), []);
  });
});

it('who does not listen to errors is closed with the first', async (t) => {
  const server = await serverFor(t);
  const client = await clientFor(t, server, await newUser(server));
  client.send('COMMIT', { transaction: 'never begun', receipt: 'r' });
  const { error, envelope, code } = await client.refused();
  assert.equal(error.headers['receipt-id'], 'r');
  assert.equal(envelope.type, 'INVALID_PARAMETER');
  assert.equal(code, 1008);
});

it('what is open when a session ends, however it ends, is dropped', async (t) => {
  const server = await serverFor(t);
  const user = await newUser(server);
  const ends = {
    'DISCONNECT': (client) => client.sendAndWait('DISCONNECT'),
    'a close': (client) => client.close(),
    'a broken connection': (client) => client.drop(),
  };
  for (const [name, end] of Object.entries(ends)) {
    const client = await memberFor(t, server, user, lobby);
    await client.sendAndWait('BEGIN', { transaction: 't' });
    sendIn(client, 't', lobby, name, { receipt: 'taken' });
    await client.take('RECEIPT', 'the receipt', (f) => f.headers['receipt-id'] === 'taken');
    await end(client);
    await waitFor(`${name} to be noticed`, async () => (await metric(server, 'transactions_open')) === 0);
    const next = await memberFor(t, server, user, lobby);
    next.send('COMMIT', { transaction: 't', receipt: 'c' });
    assert.equal((await refusal(next, 'c')).type, 'INVALID_PARAMETER', 'it is nobody else\'s');
  }
  const client = await memberFor(t, server, user, lobby);
  await client.sendAndWait('BEGIN', { transaction: 't' });
  sendIn(client, 't', lobby, 'a restart', { receipt: 'taken' });
  await client.take('RECEIPT', 'the receipt', (f) => f.headers['receipt-id'] === 'taken');
  await server.restart();
  assert.deepEqual(await textsOf(server, user, lobby), []);
});

const rounds = 4;
const killAfter = 40; // receipts of COMMIT

it(`kill -9 around COMMITs, ${rounds} times: each is wholly there or not at all`, async (t) => {
  const server = new Server({ args: fast });
  t.after(() => server.stop());
  await server.start();
  const user = await newUser(server);
  const rooms = [await newRoom(server, user, 'a'), await newRoom(server, user, 'b')];
  const sizeOf = (number) => 1 + (number * 7) % 40;
  const receipted = new Set();

  for (let round = 1; round <= rounds; ++round) {
    let count = 0;
    let enough;
    const reached = new Promise((resolve) => (enough = resolve));
    const running = [];
    for (let w = 0; w < 4; ++w) {
      const client = new StompSocket(server);
      t.after(() => client.drop());
      await client.connect(user);
      const lane = async (l) => {
        for (let number = 1; ; ++number) {
          const id = `${round}/${w}/${l}/${number}`;
          client.send('BEGIN', { transaction: id });
          for (let n = 0; n < sizeOf(number); ++n) sendIn(client, id, rooms[n % 2], `${id} ${n}`);
          await client.sendAndWait('COMMIT', { transaction: id });
          receipted.add(id);
          if (++count === killAfter) enough();
        }
      };
      running.push(Promise.allSettled([lane(1), lane(2), lane(3)]));
    }
    await reached;
    await server.kill9();
    await Promise.all(running);
    await server.restart();

    const found = new Map(); // what each room holds of a transaction, in its order
    for (const [r, room] of rooms.entries()) {
      const messages = (await wholeHistory(server, user, room)).reverse();
      assert.deepEqual(messages.map(({ id }) => id), messages.map((_, n) => n + 1), 'ids without holes');
      let previous = '';
      for (const { message } of messages) {
        const [id, n] = message.split(' ');
        const key = `${id} ${r}`;
        assert.ok(id === previous || !found.has(key), `${id} lies in one piece`);
        previous = id;
        if (!found.has(key)) found.set(key, []);
        found.get(key).push(Number(n));
      }
    }
    const ids = new Set([...found.keys()].map((key) => key.split(' ')[0]));
    for (const id of ids) {
      const all = Array.from({ length: sizeOf(Number(id.split('/')[3])) }, (_, n) => n);
      for (const r of [0, 1]) {
        assert.deepEqual(found.get(`${id} ${r}`) ?? [], all.filter((n) => n % 2 === r), `${id} is whole`);
      }
    }
    assert.deepEqual([...receipted].filter((id) => !ids.has(id)), [], 'nothing receipted is lost');
  }
});
