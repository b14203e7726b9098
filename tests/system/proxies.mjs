// Proxies as docs/examples/ has them, with the servers' and their own addresses put in.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { example } from './examples.mjs';
import { freePort, request, waitFor } from './harness.mjs';

const kinds = {
  haproxy: { file: 'three-nodes.haproxy.cfg', args: (config) => ['-f', config], whole: (text) => text },
  nginx: {
    file: 'three-nodes.nginx.conf',
    args: (config, directory) => ['-c', config, '-p', directory, '-g', 'daemon off;'],
    whole: (text, directory) => `
      worker_processes 1;
      pid ${directory}/pid;
      error_log stderr;
      events { worker_connections 4096; }
      http {
        access_log off;
        ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${directory}/${name};`).join(' ')}
        ${text}
      }`,
  },
};

// Runs `name` with that configuration, until the test is over. ready() is asked until it is true.
async function run(t, name, text, ready) {
  const directory = await mkdtemp(path.join(tmpdir(), 'rtc-proxy-'));
  const config = path.join(directory, 'config');
  await writeFile(config, kinds[name].whole(text, directory));
  const child = spawn(name, kinds[name].args(config, directory), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  });
  let log = '';
  let problem = null;
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (log += data));
  child.once('error', (error) => (problem = error.message));
  const ended = new Promise((resolve) => child.once('close', (code) => resolve((problem ??= `it ended with ${code}`))));
  const kill = () => child.kill('SIGTERM');
  process.once('exit', kill);
  t.after(async () => {
    kill();
    await ended;
    process.removeListener('exit', kill);
    await rm(directory, { recursive: true, force: true });
  });
  await waitFor(`${name} to lead on`, () => {
    if (problem) throw new Error(`${name}: ${problem}\n${log}`);
    return ready();
  });
}

// In front of nodes; what the tests know a server by: { port, url, wsUrl }. `trustful`: it takes no node
// for dead that answers late.
export async function proxyFor(t, name, nodes, { trustful = false } = {}) {
  const port = await freePort();
  let text = example(kinds[name].file).replace('0.0.0.0:80', `127.0.0.1:${port}`);
  text = text.replace('maxconn 100000', 'maxconn 1000'); // as many descriptors as a test's machine gives
  if (trustful) text = text.replaceAll('inter 1s fall 2', 'inter 60s fall 2');
  for (const [index, node] of nodes.entries()) {
    text = text.replaceAll(`${'abc'[index]}.example:8080`, `127.0.0.1:${node.port}`);
  }
  const proxy = { port, url: `http://127.0.0.1:${port}`, wsUrl: `ws://127.0.0.1:${port}` };
  await run(t, name, text, () => request(proxy, '/readyz').then(({ status }) => status === 200, () => false));
  return proxy;
}
