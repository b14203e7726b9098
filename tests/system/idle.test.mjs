// What happens after the server was idle for longer than its time-outs: nothing special.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { it } from 'node:test';
import { newUser, request, serverFor } from './harness.mjs';
import { StompSocket, clientFor } from './clients.mjs';

const timeouts = ['--request-timeout', '200ms', '--keep-alive-timeout', '200ms', '--close-timeout', '200ms'];

it('a request after a pause longer than every time-out is answered', async (t) => {
  const server = await serverFor(t, { args: timeouts });
  for (let round = 0; round < 3; ++round) {
    await pause(600); // the pause is what is tested
    for (let n = 0; n < 4; ++n) assert.equal((await request(server, '/healthz')).status, 200);
  }
});

it('a close after such a pause is answered', async (t) => {
  const server = await serverFor(t, { args: timeouts });
  const client = await clientFor(t, server, await newUser(server));
  await pause(600);
  client.ws.close(1000);
  assert.equal((await client.closed).code, 1000, 'not 1006: the server echoed the close');
});

it('a client that only receives heart-beats is kept by pings', async (t) => {
  const args = ['--heart-beat-interval', '400ms', '--ping-interval', '600ms'];
  const server = await serverFor(t, { args });
  const quiet = new StompSocket(server);
  t.after(() => quiet.drop());
  await quiet.connect(await newUser(server), { 'heart-beat': '0,400' });
  let pings = 0;
  quiet.ws.on('ping', () => (pings += 1));
  await pause(3_000);
  assert.equal(quiet.ws.readyState, quiet.ws.OPEN);
  assert.ok(quiet.heartBeats >= 4, `${quiet.heartBeats} heart-beats`);
  assert.ok(pings >= 2, `${pings} pings`);
});

it('a client that promised heart-beats and falls silent is asked, and kept while it answers', async (t) => {
  const server = await serverFor(t, { args: ['--heart-beat-interval', '400ms'] });
  const silent = new StompSocket(server);
  t.after(() => silent.drop());
  await silent.connect(await newUser(server), { 'heart-beat': '400,0' });
  await pause(2_500);
  assert.equal(silent.ws.readyState, silent.ws.OPEN, 'it answers pings');
  silent.ws.pong = () => {};
  silent.ws._receiver.removeAllListeners('ping'); // now it does not even do that
  const { envelope } = await silent.refused();
  assert.equal(envelope.type, 'CONNECTION_TIMEOUT');
});
