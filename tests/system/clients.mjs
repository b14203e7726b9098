// A STOMP client that hides nothing: it sends any frame or bytes and keeps every frame that comes.
// (The real client packages are driven in clients.test.mjs and original_client.test.mjs.)
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import WebSocket from 'ws';
import { Inbox, bearer, patienceMs, request, within } from './harness.mjs';

const escapes = { '\\': '\\\\', '\r': '\\r', '\n': '\\n', ':': '\\c' };
const unescapes = { '\\\\': '\\', '\\r': '\r', '\\n': '\n', '\\c': ':' };

// STOMP 1.2; CONNECT and CONNECTED are never escaped.
export function frameText(command, headers = {}, body = '') {
  const plain = command === 'CONNECT' || command === 'STOMP';
  const escape = (text) =>
    plain ? String(text) : String(text).replace(/[\\\r\n:]/g, (found) => escapes[found]);
  const lines = Object.entries(headers).map(([name, value]) => `${escape(name)}:${escape(value)}\n`);
  return `${command}\n${lines.join('')}\n${body}\0`;
}

export function parseFrame(text) {
  assert.ok(text.endsWith('\0'), `one whole frame a message: ${text.slice(0, 200)}`);
  const end = text.indexOf('\n\n');
  const [command, ...lines] = text.slice(0, end).split('\n');
  const unescape = (part) =>
    command === 'CONNECTED' ? part : part.replace(/\\[\\rnc]/g, (found) => unescapes[found]);
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[unescape(line.slice(0, colon))] ??= unescape(line.slice(colon + 1));
  }
  return { command, headers, body: text.slice(end + 2, -1) };
}

// Whatever carries it: a subclass has `opened` and `closed` (promises) and sendRaw(text).
export class StompClient {
  frames = new Inbox();
  heartBeats = 0;
  #receipts = 0;

  // One message of the transport.
  received(text) {
    if (/^[\r\n]+$/.test(text)) this.heartBeats += 1;
    else this.frames.push(parseFrame(text));
  }

  send(command, headers, body) {
    this.sendRaw(frameText(command, headers, body));
  }

  take(command, what = command, wanted = () => true) {
    return this.frames.take(what, (frame) => frame.command === command && wanted(frame));
  }

  async connect(user, headers = {}) {
    await within('the transport to open', this.opened);
    this.send('CONNECT', {
      'accept-version': '1.2',
      host: 'localhost',
      ...bearer(user?.token),
      ...headers,
    });
    return this.take('CONNECTED');
  }

  // Sends the frame with a receipt and waits for that: the server has dealt with it.
  async sendAndWait(command, headers = {}, body = '') {
    const receipt = `receipt-${++this.#receipts}`;
    this.send(command, { ...headers, receipt }, body);
    return this.take('RECEIPT', `the receipt of ${command}`, (f) => f.headers['receipt-id'] === receipt);
  }

  subscribe(destination, id = destination) {
    return this.sendAndWait('SUBSCRIBE', { destination, id });
  }

  // The next MESSAGE of that subscription, or the next that `wanted` accepts, with its JSON as body.
  async message(id, wanted = () => true) {
    const frame = await this.take(
      'MESSAGE',
      `a MESSAGE of ${id}`,
      (each) => each.headers.subscription === id && wanted(JSON.parse(each.body), each),
    );
    return { ...frame, body: JSON.parse(frame.body) };
  }

  // Writes a chat message and waits until it is durable.
  post(room, message, headers = {}) {
    return this.sendAndWait(
      'SEND',
      { destination: '/pub/chat', 'content-type': 'application/json', ...headers },
      JSON.stringify({ roomId: room, message }),
    );
  }

  // The same, for a message that may be refused: { id } of a stored one, { refusal } otherwise. The
  // session must listen to its errors.
  async attempt(room, message, headers = {}) {
    const receipt = `receipt-${++this.#receipts}`;
    const body = JSON.stringify({ roomId: room, message });
    this.send('SEND', { destination: '/pub/chat', ...headers, receipt }, body);
    const { command, headers: answer, body: refusal } = await this.frames.take(
      `the receipt of ${message.slice(0, 40)}, or its refusal`,
      (frame) => frame.headers['receipt-id'] === receipt,
    );
    return command === 'RECEIPT' ? { id: Number(answer.id) } : { refusal: JSON.parse(refusal) };
  }

  // A WebSocket ping and its pong.
  async ping() {
    const pong = new Promise((resolve) => this.ws.once('pong', resolve));
    this.ws.ping();
    await within('a pong', pong);
  }

  // What the server answers before it closes: the ERROR frame and the close.
  async refused() {
    const error = await this.take('ERROR');
    const { code } = await within('the close after ERROR', this.closed);
    return { error, envelope: JSON.parse(error.body), code };
  }
}

export class StompSocket extends StompClient {
  #sockjs;

  // path: '/ws', or for SockJS '/connect' or '/chat' with sockjs: true. deflate: what is offered of
  // permessage-deflate, as `ws` takes it.
  constructor(server, { path = '/ws', sockjs = false, protocols, headers = {}, deflate = false } = {}) {
    super();
    this.#sockjs = sockjs;
    const session = Math.random().toString(36).slice(2);
    const target = sockjs ? `${path}/000/${session}/websocket` : path;
    this.ws = new WebSocket(server.wsUrl + target, protocols ?? (sockjs ? [] : ['v12.stomp']), {
      headers,
      perMessageDeflate: deflate,
    });
    this.closed = new Promise((resolve) => {
      this.ws.on('close', (code, reason) => {
        this.frames.end(`closed with ${code} ${reason}`);
        resolve({ code, reason: reason.toString() });
      });
    });
    this.ws.on('message', (data) => this.#received(data.toString()));
    this.opened = new Promise((resolve, reject) => {
      this.ws.once('open', () => !sockjs && resolve());
      this.ws.once('error', reject);
      this.whenSockJsOpens = resolve;
    });
    this.opened.catch(() => {});
    this.ws.on('error', () => {});
  }

  #received(text) {
    if (!this.#sockjs) return this.received(text);
    if (text === 'o') this.whenSockJsOpens();
    else if (text[0] === 'a') JSON.parse(text.slice(1)).forEach((each) => this.received(each));
    return undefined;
  }

  // Any text or bytes, as one WebSocket text message.
  sendRaw(data) {
    const payload = this.#sockjs ? JSON.stringify([data.toString()]) : data;
    this.ws.send(payload, { binary: false });
  }

  async close() {
    if (this.ws.readyState <= WebSocket.OPEN) this.ws.close();
    await within('the WebSocket to close', this.closed);
  }

  // As a crashed client ends: without a word.
  drop() {
    this.ws.terminate();
  }
}

// The same over SockJS without a WebSocket: one poll after the other, and xhr_send.
export class StompPoller extends StompClient {
  closeFrame = null; // what the session ended with
  #server;
  #headers;
  #sends = Promise.resolve();
  #poll = null;
  #dropped = false;

  constructor(server, { path = '/connect', headers = {}, session = randomUUID() } = {}) {
    super();
    this.#server = server;
    this.#headers = headers;
    this.url = `${path}/000/${session}`;
    this.opened = this.#nextFrame().then((frame) => assert.equal(frame, 'o'));
    this.closed = this.opened.then(() => this.#pollOn()).catch((error) => {
      this.frames.end(error.message);
      return { code: 0, reason: error.message };
    });
    this.opened.catch(() => {});
  }

  #nextFrame() {
    const { port } = this.#server;
    const options = { host: '127.0.0.1', port, path: `${this.url}/xhr`, method: 'POST', agent: false };
    return new Promise((resolve, reject) => {
      this.#poll = http.request({ ...options, headers: this.#headers }, (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (data) => (body += data));
        response.on('error', reject);
        response.on('end', () =>
          response.statusCode === 200
            ? resolve(body.slice(0, -1))
            : reject(new Error(`a poll was answered ${response.statusCode} ${body}`)),
        );
      });
      this.#poll.on('error', reject);
      this.#poll.end();
    });
  }

  async #pollOn() {
    for (;;) {
      const frame = await this.#nextFrame();
      if (this.#dropped) throw new Error('dropped');
      if (frame[0] === 'a') JSON.parse(frame.slice(1)).forEach((each) => this.received(each));
      if (frame[0] !== 'c') continue;
      this.closeFrame = frame;
      const [code, reason] = JSON.parse(frame.slice(1));
      this.frames.end(`closed with ${code} ${reason}`);
      return { code, reason };
    }
  }

  // In order: each is sent when the one before was taken.
  sendRaw(text) {
    const body = JSON.stringify([text]);
    const target = `${this.url}/xhr_send`;
    this.#sends = this.#sends.then(() =>
      request(this.#server, target, { method: 'POST', body, headers: this.#headers }).then(
        ({ status }) => assert.equal(status, 204),
      ),
    );
    this.#sends.catch((error) => this.frames.end(error.message));
  }

  // As a crashed client ends: in the middle of a poll.
  drop() {
    this.#dropped = true;
    this.#poll.destroy();
  }
}

// The same over bare TCP; the server listens there as `server.stompPort` says.
export class StompTcp extends StompClient {
  constructor(server) {
    super();
    this.socket = net.connect(server.stompPort, '127.0.0.1');
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('connect', resolve);
      this.socket.once('error', reject);
    });
    this.opened.catch(() => {});
    // How it ended: `reset` where the server's last words may have been lost.
    this.closed = new Promise((resolve) => {
      this.socket.once('end', () => resolve({ reset: false }));
      this.socket.once('error', () => resolve({ reset: true }));
    });
    this.closed.then(() => this.frames.end('closed'));
    let rest = '';
    this.socket.setEncoding('utf8');
    this.socket.on('data', (data) => {
      const parts = (rest + data).split('\0');
      rest = parts.pop();
      for (const part of parts) {
        const frame = part.replace(/^\n+/, '');
        this.heartBeats += part.length - frame.length;
        this.received(`${frame}\0`);
      }
      this.heartBeats += /^\n*/.exec(rest)[0].length;
      rest = rest.replace(/^\n+/, '');
    });
  }

  sendRaw(data) {
    this.socket.write(data);
  }

  // As a crashed client ends: without a word.
  drop() {
    this.socket.destroy();
  }
}

const transport = { polls: StompPoller, tcp: StompTcp };

// A connected client, gone when the test is over. `over`: 'polls' or 'tcp' instead of a WebSocket.
export async function clientFor(t, server, user, options) {
  const client = new (transport[options?.over] ?? StompSocket)(server, options);
  t.after(() => client.drop());
  await client.connect(user);
  return client;
}

// One that has asked for its errors and for a room.
export async function memberFor(t, server, user, room, options) {
  const client = await clientFor(t, server, user, options);
  await client.subscribe('/user/queue/errors', 'errors');
  await client.subscribe(`/sub/channel/${room}`, 'room');
  return client;
}

// Bytes over a plain socket, and what comes back until the server closes or `enough` says so.
export function overSocket(server, bytes, enough = () => false) {
  const talk = new Promise((resolve, reject) => {
    const socket = net.connect(server.port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    const done = () => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('data', (data) => {
      answer += data.toString('latin1');
      if (enough(answer)) done();
    });
    socket.on('end', done);
    // The server may close while we still write: what it said before counts.
    socket.on('error', (error) => (answer ? done() : reject(error)));
  });
  return within('the answer over a plain socket', talk, patienceMs);
}
