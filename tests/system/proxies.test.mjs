// Three nodes behind nginx and HAProxy, configured as docs/examples/ shows: WebSockets go to any node;
// SockJS sessions without one, which are many requests, are led to one node each by their path.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import SockJs from 'sockjs-client-1.6';
import { metric, newRoom, newUser, patientSockJs, waitFor } from './harness.mjs';
import { StompClient, StompPoller, clientFor, memberFor } from './clients.mjs';
import { proxyFor } from './proxies.mjs';
import { clusterFor } from './redis.mjs';

// sockjs-client over one of its transports.
class SockJsClient extends StompClient {
  constructor({ url }, transports) {
    super();
    this.sockjs = new SockJs(`${url}/connect`, null, { ...patientSockJs, transports });
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

const sessions = (nodes) => Promise.all(nodes.map((node) => metric(node, 'sessions')));

for (const name of ['haproxy', 'nginx']) {
  describe(`three nodes behind ${name}`, () => {
    it('WebSockets, polls and streams of one room hear each other, and stay', async (t) => {
      const { nodes } = await clusterFor(t, 3, ['--trusted-proxies', '127.0.0.1']);
      // Nothing dies here, and a node that is slow for a moment shall not lose its sessions.
      const proxy = await proxyFor(t, name, nodes, { trustful: true });
      const user = await newUser(proxy);
      const room = await newRoom(proxy, user);
      const clients = [];
      for (let n = 0; n < 6; ++n) clients.push(await clientFor(t, proxy, user));
      for (const transport of ['xhr-polling', 'xhr-streaming', 'eventsource', 'websocket']) {
        for (let n = 0; n < 3; ++n) {
          const client = new SockJsClient(proxy, transport);
          t.after(() => client.drop());
          await client.connect(user);
          clients.push(client);
        }
      }
      for (const client of clients) await client.subscribe(`/sub/channel/${room}`, 'room');
      const texts = [];
      for (let round = 0; round < 3; ++round) {
        for (const [n, client] of clients.entries()) {
          texts.push(`${round} ${n}`);
          await client.post(room, texts.at(-1));
        }
      }
      for (const client of clients) {
        for (const text of texts) assert.equal((await client.message('room')).body.message, text);
      }
      const counts = await sessions(nodes);
      assert.equal(counts.reduce((sum, each) => sum + each, 0), clients.length);
      assert.ok(counts.every((each) => each > 0), `on all nodes: ${counts}`);
    });

    it('a node that dies is left out, and who was there goes on elsewhere', async (t) => {
      const { nodes } = await clusterFor(t, 3, ['--trusted-proxies', '127.0.0.1']);
      const proxy = await proxyFor(t, name, nodes);
      const user = await newUser(proxy);
      const room = await newRoom(proxy, user);
      const witness = await memberFor(t, nodes[0], user, room);
      await nodes[2].kill9();
      // Each makes a session of its own; a third of their paths led to the dead node. Until that is known
      // to be dead a session may move, and then begins anew.
      for (let n = 0; n < 12; ++n) {
        await waitFor('a session', async () => {
          const poller = new StompPoller(proxy);
          t.after(() => poller.drop());
          const posted = poller.connect(user).then(() => poller.post(room, `poll ${n}`, { 'message-key': `poll ${n}` }));
          return posted.then(() => true, () => poller.drop());
        });
        assert.equal((await witness.message('room')).body.message, `poll ${n}`);
      }
      await nodes[2].restart();
      await waitFor('the node to be led to again', async () => {
        const poller = new StompPoller(proxy);
        t.after(() => poller.drop());
        await poller.connect(user).catch(() => {}); // it was on its way when the paths changed
        return (await metric(nodes[2], 'sessions')) > 0;
      });
    });
  });
}
