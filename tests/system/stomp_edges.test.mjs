// Every row of stomp_edges.mjs against the real program, over WebSocket, in each version it names: as
// one message, each byte as a message of its own, and cut in two at every byte.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import WebSocket from 'ws';
import { Server, newRoom, newUser, within } from './harness.mjs';
import { brokerRows, connectedRows, goodbye, opening, preamble } from './stomp_edges.mjs';

const versions = ['1.0', '1.1', '1.2'];
const server = new Server({ args: ['--rooms-per-identity-max', '100000'] });
const broker = new Server({ args: ['--broker', 'true'] });
let user;
let brokerUser;

// The table's notation as bytes.
function bytesOf(text, version, room, { token } = user) {
  const plain = text
    .replaceAll('⏎', '\n').replaceAll('␍', '\r').replaceAll('␀', '\0')
    .replaceAll('$V', version).replaceAll('$TOKEN', token).replaceAll('$ROOM', room);
  return Buffer.concat(
    plain.split(/⟪(.*?)⟫/).map((part, index) => Buffer.from(part, index % 2 ? 'hex' : 'utf8')),
  );
}

// A frame from the server, as the table writes it; what the table leaves out is checked here.
function summary(text, version, isConnected) {
  const end = text.indexOf('\n\n');
  const [command, ...lines] = text.slice(0, end).split('\n');
  const body = text.slice(end + 2, -1);
  assert.ok(end > 0 && text.endsWith('\0'), `one whole frame a message: ${JSON.stringify(text)}`);
  const headers = Object.fromEntries(lines.map((line) => /^([^:]*):(.*)$/s.exec(line).slice(1)));
  const names = Object.keys(headers).join();
  if (body) assert.equal(Number(headers['content-length']), Buffer.byteLength(body));
  const receipt = headers['receipt-id'] === undefined ? '' : ` ${headers['receipt-id']}`;
  const refused = () => {
    const envelope = JSON.parse(body);
    assert.equal(envelope.success, false);
    assert.equal(headers['content-type'], 'application/json');
    return envelope;
  };
  switch (command) {
    case 'CONNECTED':
      assert.equal(names, 'version,heart-beat,server,session,user-name,message-bytes-max');
      assert.equal(body, '');
      return `CONNECTED ${headers.version}`;
    case 'RECEIPT':
      assert.equal(body, '');
      return `RECEIPT ${lines.join('⏎').replace(/⏎(ids?):.*/, '⏎$1:*')}`.replaceAll('\r', '␍');
    case 'ERROR': {
      const { type, error } = refused();
      const message = error.message.replaceAll(':', version === '1.0' ? ':' : '\\c');
      assert.equal(headers.message, message);
      assert.equal(headers.version, isConnected ? undefined : '1.0,1.1,1.2');
      return `ERROR ${type}${receipt}`;
    }
    case 'MESSAGE': {
      assert.ok(headers['message-id'] && headers.destination);
      const { subscription = '-', destination } = headers;
      if (destination === '/user/queue/errors') return `TOLD ${refused().type}${receipt}`;
      if (/^\/(queue|topic)\//.test(destination)) {
        assert.ok(lines.every((line) => line === line.trim()), 'no header looks like another one trimmed');
        return `MESSAGE ${subscription} ${body}${headers.redelivered ? ' again' : ''}`;
      }
      if (destination.endsWith('/presence')) return `MESSAGE ${subscription} presence`;
      return `MESSAGE ${subscription} ${JSON.parse(body).message}`;
    }
    default:
      return text;
  }
}

// Sends the pieces, each as a message, and those of `heard` upon each MESSAGE; returns all that came
// until the close.
async function conversation(pieces, version, { binary, protocols = ['v12.stomp'], heard = () => [], on = server }) {
  const ws = new WebSocket(`${on.wsUrl}/ws`, protocols, { perMessageDeflate: false });
  const frames = [];
  let isConnected = false;
  let problem;
  ws.on('message', (data, isBinary) => {
    try {
      assert.equal(isBinary, false);
      const frame = summary(data.toString(), version, isConnected);
      isConnected ||= frame.startsWith('CONNECTED');
      if (frame.startsWith('MESSAGE')) {
        for (const piece of heard(data.toString())) ws.send(piece, { binary });
      }
      frames.push(frame);
    } catch (error) {
      problem ??= error;
    }
  });
  const closed = new Promise((resolve, reject) => {
    ws.on('close', (code) => resolve(code));
    ws.on('error', reject);
  });
  ws.on('open', () => {
    for (const piece of pieces) {
      if (ws.readyState === WebSocket.OPEN) ws.send(piece, { binary });
    }
  });
  try {
    const code = await within('the close', closed);
    if (problem) throw problem;
    assert.equal(ws.protocol, protocols.includes('v12.stomp') ? 'v12.stomp' : (protocols[0] ?? ''));
    return [...frames, `CLOSE ${code}`];
  } finally {
    ws.terminate();
  }
}

const whole = (bytes) => (bytes.length > 0 ? [bytes] : []);
const singly = (bytes) => Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
const isUtf8 = (bytes) => Buffer.from(bytes.toString()).equals(bytes);

// A row in one version: what is sent before it, the row's own bytes, and what must come back.
async function scene(row, version, before) {
  const [, sent, answers, { protocols, hears, may } = {}] = row;
  const room = `${sent}`.includes('$ROOM') ? await newRoom(server, user) : '';
  const expected = (Array.isArray(answers) ? answers : answers[version]).map((line) =>
    line.replaceAll('$V', version),
  );
  if (before) expected.unshift(`CONNECTED ${version}`);
  const ends = expected.at(-1)?.startsWith('CLOSE');
  if (!ends) expected.push('RECEIPT receipt-id:bye', 'CLOSE 1000');
  const bytes = bytesOf(sent, version, room);
  return {
    before: bytesOf(before, version, room),
    bytes,
    after: bytesOf(ends || hears ? '' : goodbye, version, room),
    async expect(pieces, options, how) {
      const heard = hears ? () => [bytesOf(goodbye, version, room)] : undefined;
      const all = await conversation(pieces, version, { ...options, protocols, heard });
      const got = all.filter((line) => line !== may);
      const order = (lines) => (hears ? [...lines].sort() : lines);
      assert.deepEqual(order(got), order(expected), how);
    },
  };
}

// A row of the broker's in one version, as one message a part or byte by byte.
async function runBroker([, [first, ...parts], answers], version, name, cut) {
  const expected = [`CONNECTED ${version}`, ...(Array.isArray(answers) ? answers : answers[version])];
  if (!expected.at(-1).startsWith('CLOSE')) {
    if (parts.length > 0) parts[parts.length - 1] += goodbye;
    else first += goodbye;
    expected.push('RECEIPT receipt-id:bye', 'CLOSE 1000');
  }
  const bytes = (text) => cut(bytesOf(text.replaceAll('$NAME', name), version, '', brokerUser));
  const heard = (frame) => {
    const header = version === '1.2' ? 'ack' : 'message-id';
    const value = new RegExp(`\n${header}:(.*)`).exec(frame)?.[1] ?? /\nmessage-id:(.*)/.exec(frame)[1];
    const id = `${version === '1.2' ? 'id' : 'message-id'}:${value}`;
    const text = parts.shift();
    assert.ok(text !== undefined, `a MESSAGE too many: ${frame}`);
    return bytes(
      text.replaceAll('$ID', id).replaceAll('$MESSAGE', `${id}⏎subscription:q`)
        .replaceAll('$OTHER', `${version === '1.2' ? 'message-id' : 'id'}:${value}⏎subscription:q`),
    );
  };
  const got = await conversation(bytes(preamble + first), version, { binary: true, heard, on: broker });
  assert.deepEqual(got, expected, `${version}, ${cut.name}`);
}

function run(rows, before) {
  for (const row of rows) {
    const [name, , answers, { opens } = {}] = row;
    const wanted = opens ?? (Array.isArray(answers) ? versions : Object.keys(answers));
    it(`${name} (${wanted.join(', ')})`, async () => {
      for (const version of wanted) {
        // A room of its own each time: nobody else speaks there.
        const once = await scene(row, version, before);
        const all = Buffer.concat([once.before, once.bytes, once.after]);
        await once.expect([all], { binary: !isUtf8(all) }, `${version}, as one message`);
        const cut = await scene(row, version, before);
        // A message may end within a character only where it is not text.
        const pieces = singly(Buffer.concat([cut.before, cut.bytes, cut.after]));
        await cut.expect(pieces, { binary: true }, `${version}, byte by byte`);
      }
    });
  }
}

// Where bytes are cut: everywhere, or of long ones at 64 places and all of the last 32.
const placesOf = (length) =>
  Array.from({ length: length + 1 }, (_, cut) => cut).filter(
    (cut) => length <= 128 || cut >= length - 32 || cut % Math.ceil(length / 64) === 0,
  );

async function cutAt(row, version, preceding, cut) {
  // A room of its own, as below.
  const { before: head, bytes, after: tail, expect } = await scene(row, version, preceding);
  await expect(
    [Buffer.concat([head, bytes.subarray(0, cut)]), Buffer.concat([bytes.subarray(cut), tail])],
    { binary: true },
    `${version}, cut at ${cut}`,
  );
}

describe('the edges of STOMP', () => {
  before(async () => {
    await Promise.all([server.start(), broker.start()]);
    [user, brokerUser] = await Promise.all([newUser(server), newUser(broker)]);
  });
  after(() => Promise.all([server.stop(), broker.stop()]));

  it('are at least sixty, each with a name of its own', () => {
    const names = [...opening, ...connectedRows, ...brokerRows].map(([name]) => name);
    assert.ok(names.length >= 60);
    assert.equal(new Set(names).size, names.length);
  });

  describe('before CONNECTED', { concurrency: 8 }, () => run(opening, ''));
  describe('after it', { concurrency: 8 }, () => run(connectedRows, preamble));

  describe('with a broker', { concurrency: 8 }, () => {
    for (const row of brokerRows) {
      const [name, , answers] = row;
      const wanted = Array.isArray(answers) ? versions : Object.keys(answers);
      it(`${name} (${wanted.join(', ')})`, async () => {
        for (const version of wanted) {
          for (const cut of [whole, singly]) {
            await runBroker(row, version, Math.random().toString(36).slice(2), cut);
          }
        }
      });
    }
  });

  // Every row, in one of its versions each; those whose bytes are the grammar's corners in all of them.
  describe('cut in two at every byte', { concurrency: 4 }, () => {
    const inAll = [
      'CRLF as line end', 'escapes', 'Korean and emoji in a header', 'content-length and EOLs',
      'NULs in a body that is counted', 'frames after DISCONNECT', 'CRLF between frames',
    ];
    const rows = [...opening.map((row) => [row, '']), ...connectedRows.map((row) => [row, preamble])];
    for (const [index, [row, preceding]] of rows.entries()) {
      const [name, , answers, { opens } = {}] = row;
      const wanted = opens ?? (Array.isArray(answers) ? versions : Object.keys(answers));
      const chosen = inAll.includes(name) ? wanted : [wanted[index % wanted.length]];
      it(`${name} (${chosen.join(', ')})`, async () => {
        for (const version of chosen) {
          const { bytes } = await scene(row, version, preceding);
          const cuts = placesOf(bytes.length);
          while (cuts.length > 0) await Promise.all(cuts.splice(0, 16).map((cut) => cutAt(row, version, preceding, cut)));
        }
      });
    }
  });
});
