// A PostgreSQL server for one test, that can be killed, stopped and started again.
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nodesBefore, waitFor } from './harness.mjs';

const script = fileURLToPath(new URL('../postgres', import.meta.url));

function alive(pid) {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

export class Postgres {
  // On a host of its own (network.mjs), or here.
  constructor(t, host) {
    nodesBefore(t);
    this.host = host;
    const words = ['start', host?.address ?? '127.0.0.1'];
    [this.directory, this.url] = execFileSync(...this.#command(words), { timeout: 120_000 }).toString().split('\n');
    t.after(() => {
      this.thaw();
      execFileSync(script, ['stop', this.directory], { timeout: 120_000 });
    });
  }

  // As execFile wants it.
  #command(words) {
    const [program, ...rest] = [...(this.host?.prefix ?? []), script, ...words];
    return [program, rest];
  }

  // By that link of its host.
  urlOver(link) {
    const url = new URL(this.url);
    url.host = this.host.over(link, url.port);
    return url.href;
  }

  // The server and one process for each connection; none when it is dead.
  #processes() {
    let server;
    try {
      server = Number(readFileSync(path.join(this.directory, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
    } catch {
      return [];
    }
    const children = [];
    try {
      children.push(...execFileSync('pgrep', ['-P', String(server)]).toString().trim().split('\n').map(Number));
    } catch {
      // It has none.
    }
    return [server, ...children].filter(alive);
  }

  // All of it hangs: connections stay, new ones are accepted by the kernel alone. The server first,
  // so that it makes no further processes.
  freeze() {
    const [server] = this.#processes();
    process.kill(server, 'SIGSTOP');
    for (const pid of this.#processes()) process.kill(pid, 'SIGSTOP');
  }

  thaw() {
    for (const pid of this.#processes().reverse()) process.kill(pid, 'SIGCONT');
  }

  async kill9() {
    this.freeze();
    const processes = this.#processes();
    for (const pid of processes) process.kill(pid, 'SIGKILL');
    await waitFor('PostgreSQL to be dead', () => !processes.some(alive));
  }

  restart() {
    return promisify(execFile)(...this.#command(['restart', this.directory]));
  }

  // TLS and nothing else from now on, with this certificate: the server writes the files itself, as
  // its own user.
  overTls({ certificate, key }) {
    const file = (name, content) => this.ask(
      `COPY (SELECT '${Buffer.from(content).toString('base64')}') TO PROGRAM 'umask 077; base64 -d > ${name}'`);
    file('server.crt', readFileSync(certificate));
    file('server.key', readFileSync(key));
    file('pg_hba.conf', 'hostssl all all all scram-sha-256\n');
    this.ask('ALTER SYSTEM SET ssl = on');
    this.ask('SELECT pg_reload_conf()');
  }

  // The first value that a statement gives.
  ask(statement) {
    const line = execFileSync('psql', [this.url, '-XAtq', '-c', 'SET search_path = realtimechat', '-c', statement]);
    return line.toString().trim();
  }
}
