// What happens after the server was idle for longer than its time-outs: nothing special. The time-outs
// are longer than a busy machine stands still, as who is late for them is rightly cut off; so the
// tests wait for them side by side.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { newUser, request, serverFor, waitFor } from './harness.mjs';
import { StompSocket, clientFor } from './clients.mjs';

const timeoutMs = 5_000;
const timeouts = ['--request-timeout', '--keep-alive-timeout', '--close-timeout'].flatMap((flag) => [flag, `${timeoutMs}ms`]);
const longer = () => pause(timeoutMs * 1.2); // the pause is what is tested

describe('an idle server', { concurrency: 4 }, () => {
  it('a request after a pause longer than every time-out is answered', async (t) => {
    const server = await serverFor(t, { args: timeouts });
    for (let round = 0; round < 2; ++round) {
      await longer();
      for (let n = 0; n < 4; ++n) assert.equal((await request(server, '/healthz')).status, 200);
    }
  });

  it('a close after such a pause is answered', async (t) => {
    const server = await serverFor(t, { args: timeouts });
    const client = await clientFor(t, server, await newUser(server));
    await longer();
    client.ws.close(1000);
    assert.equal((await client.closed).code, 1000, 'not 1006: the server echoed the close');
  });

  it('a client that only receives heart-beats is kept by pings', async (t) => {
    const args = ['--heart-beat-interval', '2s', '--ping-interval', '5s'];
    const server = await serverFor(t, { args });
    const quiet = new StompSocket(server);
    t.after(() => quiet.drop());
    await quiet.connect(await newUser(server), { 'heart-beat': '0,2000' });
    let pings = 0;
    quiet.ws.on('ping', () => (pings += 1));
    const open = () => assert.equal(quiet.ws.readyState, quiet.ws.OPEN);
    // After two without an answer it would have been closed.
    await waitFor('three pings and four heart-beats', () => open() ?? (pings >= 3 && quiet.heartBeats >= 4));
  });

  it('a client that promised heart-beats and falls silent is asked, and kept while it answers', async (t) => {
    const server = await serverFor(t, { args: ['--heart-beat-interval', '2s'] });
    const silent = new StompSocket(server);
    t.after(() => silent.drop());
    let pings = 0;
    silent.ws.on('ping', () => (pings += 1));
    await silent.connect(await newUser(server), { 'heart-beat': '2000,0' });
    const open = () => assert.equal(silent.ws.readyState, silent.ws.OPEN, 'it answers pings');
    await waitFor('three pings', () => open() ?? pings >= 3);
    silent.ws._receiver.removeAllListeners('ping'); // now it does not even do that
    const { envelope } = await silent.refused();
    assert.equal(envelope.type, 'CONNECTION_TIMEOUT');
  });
});
