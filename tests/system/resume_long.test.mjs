// Long messages resumed while more of them come: by a fast reader, by a slow one, and over polls with
// a latency. Nothing is lost, nothing comes twice, all in order, and nobody is cut off for reading what
// he asked for.
import assert from 'node:assert/strict';
import net from 'node:net';
import { it } from 'node:test';
import SockJs from 'sockjs-client-1.6';
import { metric, newRoom, newUser, patientSockJs, serverFor, within } from './harness.mjs';
import { StompClient, clientFor } from './clients.mjs';

const missed = 30;
const live = 20; // at least so many come while it is resumed, and after
const long = 'x'.repeat(60_000);
// As JSON six times as long as it counts for in the store's page.
const longer = '\u0001'.repeat(30_000);

// A way to the server on which everything takes a while longer, in both directions.
async function latency(t, server, ms) {
  const proxy = net.createServer((client) => {
    const onward = net.connect(server.port, '127.0.0.1');
    for (const [from, to] of [[client, onward], [onward, client]]) {
      from.on('data', (data) => setTimeout(() => to.write(data), ms));
      from.on('end', () => setTimeout(() => to.end(), ms));
      from.on('error', () => to.destroy());
      from.on('close', () => setTimeout(() => to.destroy(), ms));
    }
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.after(() => proxy.close());
  return { port: proxy.address().port };
}

// sockjs-client, polling.
class SockJsPolling extends StompClient {
  constructor({ port }) {
    super();
    this.sockjs = new SockJs(`http://127.0.0.1:${port}/connect`, null, { ...patientSockJs, transports: 'xhr-polling' });
    this.opened = new Promise((resolve) => (this.sockjs.onopen = resolve));
    this.sockjs.onmessage = ({ data }) => this.received(data);
    this.sockjs.onclose = ({ code, reason }) => this.frames.end(`closed with ${code} ${reason}`);
  }

  sendRaw(text) {
    this.sockjs.send(text);
  }

  drop() {
    this.sockjs.close();
  }
}

const websocket = (t, server, user) => clientFor(t, server, user);
async function polling(t, server, user) {
  const client = new SockJsPolling(await latency(t, server, 10));
  t.after(() => client.drop());
  await client.connect(user);
  return client;
}

for (const [name, open, { text = long, slow = false } = {}] of [
  ['a fast reader', websocket],
  ['a slow reader', websocket, { slow: true }],
  ['a slow reader of texts that are longer as JSON', websocket, { text: longer, slow: true }],
  ['xhr polling with a latency', polling],
]) {
  it(`long messages that come while long ones are resumed: ${name}`, async (t) => {
    const server = await serverFor(t, { args: ['--loops', '2'] });
    const user = await newUser(server);
    const room = await newRoom(server, user);
    const writer = await clientFor(t, server, user);
    let written = 0;
    const write = async () => {
      await writer.post(room, text);
      written += 1;
    };
    while (written < missed) await write();
    const before = await metric(server, 'replay_pages_total');
    // A page holds the bytes of a quarter of the outbox, and one message more at most. What was written
    // and not yet read must fit beside it: who is further behind than the outbox is rightly cut off,
    // and on a slow machine this process writes faster than it reads.
    const [outbox, size] = [1 << 20, JSON.stringify(text).length];
    const ahead = Math.floor((0.75 * outbox) / size) - 1;

    const reader = await open(t, server, user);
    reader.send('SUBSCRIBE', { destination: `/sub/channel/${room}`, id: 'room', since: 0 });
    let last = 0;
    let writing = true;
    // One after the other.
    const writes = (async () => {
      while (writing) {
        if (written < Math.max(missed, last) + ahead) await write();
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const take = async () => {
      const { id } = (await reader.message('room')).body;
      assert.equal(id, last + 1);
      last = id;
    };
    while (last < missed + live) {
      await take();
      if (!slow || last % 3 > 0) continue;
      reader.ws.pause();
      await new Promise((resolve) => setTimeout(resolve, 5));
      reader.ws.resume();
    }
    writing = false;
    await within('the writer', writes);
    while (last < written) await take();
    await writer.post(room, 'the last one');
    assert.equal((await reader.message('room')).body.message, 'the last one');
    assert.deepEqual(reader.frames.rest(), [], 'nothing else came');
    const pages = (await metric(server, 'replay_pages_total')) - before;
    const perPage = Math.ceil(outbox / 4 / size);
    assert.ok(pages >= missed / perPage, `${pages} pages`);
    assert.equal(await metric(server, 'slow_consumers_total'), 0);
  });
}
