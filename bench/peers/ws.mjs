// A chat server as it is written in an afternoon over the library `ws`: one process, rooms as sets,
// each message to every reader of its room. It speaks just enough STOMP for the load client (CONNECT,
// SUBSCRIBE, SEND, DISCONNECT) and sends the same frames as the limit server. No identities, no
// checks, no store, no history.
//
//   node bench/peers/ws.mjs PORT   (listens on 127.0.0.1)
import { WebSocketServer } from 'ws';

const rooms = new Map(); // destination -> set of sockets
const connected = Buffer.from('CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0');

function header(frame, name) {
  const at = frame.indexOf(`\n${name}:`);
  if (at < 0) return undefined;
  const begin = at + name.length + 2;
  return frame.slice(begin, frame.indexOf('\n', begin));
}

function membersOf(destination) {
  let members = rooms.get(destination);
  if (members === undefined) rooms.set(destination, (members = new Set()));
  return members;
}

function publish(frame) {
  const destination = header(frame, 'destination');
  const bodyAt = frame.indexOf('\n\n') + 2;
  const body = frame.slice(bodyAt, frame.indexOf('\0', bodyAt));
  const message = Buffer.from(
    `MESSAGE\nsubscription:sub-0\ndestination:${destination}\nmessage-id:1\ncontent-type:application/json` +
      `\ncontent-length:${Buffer.byteLength(body)}\n\n${body}\0`,
  );
  for (const member of membersOf(destination)) member.send(message, { binary: false });
}

function onFrame(socket, frame) {
  if (frame.startsWith('SEND\n')) {
    publish(frame);
  } else if (frame.startsWith('CONNECT\n') || frame.startsWith('STOMP\n')) {
    socket.send(connected, { binary: false });
  } else if (frame.startsWith('SUBSCRIBE\n')) {
    const members = membersOf(header(frame, 'destination'));
    members.add(socket);
    socket.once('close', () => members.delete(socket));
  }
  const receipt = header(frame, 'receipt');
  if (receipt !== undefined) socket.send(`RECEIPT\nreceipt-id:${receipt}\n\n\0`);
}

const port = Number(process.argv[2]);
if (!Number.isInteger(port) || port <= 0) {
  console.error('usage: node bench/peers/ws.mjs PORT   (listens on 127.0.0.1)');
  process.exit(2);
}
const server = new WebSocketServer({
  port,
  host: '127.0.0.1',
  backlog: 4096,
  perMessageDeflate: false,
  handleProtocols: (offered) => (offered.has('v12.stomp') ? 'v12.stomp' : false),
});
server.on('connection', (socket) => {
  socket.on('message', (data) => onFrame(socket, data.toString()));
  socket.on('error', () => socket.terminate());
});
