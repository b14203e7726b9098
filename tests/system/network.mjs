// A server's host of its own, with a link to it for each node, which can be cut so that packets are
// dropped and nobody is told: a network namespace with a pair of interfaces a link. That needs root;
// for others the links are forwarders in this process, which hand nothing on while they are cut.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { nodesBefore } from './harness.mjs';

// With so many links.
export async function hostFor(t, links) {
  nodesBefore(t);
  if (process.getuid() === 0) return new Host(t, links);
  t.diagnostic('not root: the links are forwarders that go silent, not a network that drops packets');
  const host = new ForwardedHost();
  for (let n = 0; n < links; ++n) await host.link(t);
  return host;
}

const ip = (...words) => execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

// A hardware address that nobody has: what is sent there reaches no one.
const nobody = '02:00:00:00:00:99';

class Host {
  #links = [];

  constructor(t, count) {
    const id = randomBytes(3).toString('hex');
    this.name = `rtc-${id}`;
    ip('netns', 'add', this.name);
    t.after(() => ip('netns', 'del', this.name));
    this.#inside('link', 'set', 'lo', 'up');
    const net = `10.${192 + (parseInt(id.slice(0, 2), 16) % 60)}.${parseInt(id.slice(2, 4), 16)}`;
    for (let n = 0; n < count; ++n) {
      const link = { near: `v${id}${n}`, far: `w${id}${n}`, here: `${net}.${4 * n + 1}`, there: `${net}.${4 * n + 2}` };
      ip('link', 'add', link.near, 'type', 'veth', 'peer', 'name', link.far, 'netns', this.name);
      ip('addr', 'add', `${link.here}/30`, 'dev', link.near);
      ip('link', 'set', link.near, 'up');
      this.#inside('addr', 'add', `${link.there}/30`, 'dev', link.far);
      this.#inside('link', 'set', link.far, 'up');
      this.#links.push(link);
    }
  }

  // What runs a command there.
  get prefix() {
    return ['ip', 'netns', 'exec', this.name];
  }

  // The server itself, for who asks it beside the nodes.
  get address() {
    return this.#links[0].there;
  }

  // What reaches the server's port over that link.
  over(n, port) {
    return `${this.#links[n].there}:${port}`;
  }

  // Packets in both directions are dropped from now on.
  cut(n) {
    const { near, far, here, there } = this.#links[n];
    ip('neigh', 'replace', there, 'lladdr', nobody, 'dev', near, 'nud', 'permanent');
    this.#inside('neigh', 'replace', here, 'lladdr', nobody, 'dev', far, 'nud', 'permanent');
  }

  heal(n) {
    const { near, far, here, there } = this.#links[n];
    ip('neigh', 'del', there, 'dev', near);
    this.#inside('neigh', 'del', here, 'dev', far);
  }

  #inside(...words) {
    ip('-n', this.name, ...words);
  }
}

class ForwardedHost {
  prefix = [];
  address = '127.0.0.1';
  #links = [];

  async link(t) {
    const link = { cut: false, sockets: new Set() };
    const server = net.createServer((near) => {
      const far = net.connect(link.port, '127.0.0.1');
      for (const [from, to] of [[near, far], [far, near]]) {
        link.sockets.add(from);
        if (link.cut) from.pause();
        from.on('data', (data) => to.write(data));
        from.on('error', () => to.destroy());
        from.on('close', () => {
          link.sockets.delete(from);
          to.destroy();
        });
      }
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      server.close();
      for (const socket of link.sockets) socket.destroy();
    });
    link.near = server.address().port;
    this.#links.push(link);
  }

  over(n, port) {
    this.#links[n].port = port;
    return `127.0.0.1:${this.#links[n].near}`;
  }

  cut(n) {
    this.#links[n].cut = true;
    for (const socket of this.#links[n].sockets) socket.pause();
  }

  heal(n) {
    this.#links[n].cut = false;
    for (const socket of this.#links[n].sockets) socket.resume();
  }
}
