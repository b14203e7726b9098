// What the tests of a failing store share: who was told what, and whether the store agrees.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assertRefusal, request, waitFor, wholeHistory, within } from './harness.mjs';

// Sends numbered texts of one sender and remembers how each ended.
export class Sender {
  stored = new Map(); // text → the id of its receipt
  refused = new Set();
  #number = 0;

  constructor(name, client, room) {
    Object.assign(this, { name, client, room });
  }

  // True when it was stored. A refusal must be the store's, and clear.
  async send(padding = 0, headers = {}) {
    return this.sendText(`${this.name} ${++this.#number} ${'x'.repeat(padding)}`, headers);
  }

  async sendText(text, headers = {}) {
    const { id, refusal } = await this.client.attempt(this.room, text, headers);
    if (refusal === undefined) {
      this.stored.set(text, id);
      this.refused.delete(text);
      return true;
    }
    assertRefusal(refusal, 'INTERNAL_SERVER_ERROR');
    assert.equal(refusal.error.message, 'the message could not be stored; send it again in a while');
    this.refused.add(text);
    return false;
  }

  // By itself, without a restart.
  untilStored() {
    return waitFor(`${this.name} to be stored again`, () => this.send());
  }
}

// Every receipt is kept: the room holds what was receipted, under the id of the receipt, once; ids
// have no holes; each sender's texts are in their order; and nothing that was refused is there,
// unless `refusedMayBe` (a crash may bring back what was being stored).
export async function assertKept(server, user, room, senders, { refusedMayBe = false } = {}) {
  const messages = (await wholeHistory(server, user, room)).reverse();
  assert.deepEqual(messages.map((each) => each.id), messages.map((_, n) => n + 1), 'no holes');
  const ids = new Map(messages.map((each) => [each.message, each.id]));
  assert.equal(ids.size, messages.length, 'nothing twice');
  let known = 0;
  for (const sender of senders) {
    for (const [text, id] of sender.stored) assert.equal(ids.get(text), id, text.slice(0, 60));
    const present = [...sender.refused].filter((text) => ids.has(text));
    if (!refusedMayBe) assert.deepEqual(present, [], 'what was refused is not there');
    known += sender.stored.size + present.length;
    const order = messages.filter((each) => each.message.startsWith(`${sender.name} `));
    const numbers = order.map((each) => Number(each.message.split(' ')[1]));
    assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), `the order of ${sender.name}`);
  }
  assert.equal(known, messages.length, 'nothing but what was sent');
  return messages;
}

// Another process, the sqlite3 shell, in a transaction that writes. The answer ends it, and fails
// unless it held the lock until then.
export async function lockStore(t, server) {
  const shell = spawn('sqlite3', [path.join(server.dataDir, 'realtimechat.sqlite')]);
  t.after(() => shell.kill('SIGKILL'));
  const ended = new Promise((resolve) => shell.once('close', resolve));
  let errors = '';
  shell.stderr.on('data', (data) => (errors += data));
  const held = new Promise((resolve, reject) => {
    shell.stdout.once('data', resolve);
    ended.then(() => reject(new Error(`sqlite3 ended: ${errors}`)));
  });
  shell.stdin.write('.bail on\nBEGIN EXCLUSIVE;\n.system echo locked\n');
  await within('the lock', held);
  return async () => {
    assert.equal(shell.exitCode, null, 'it was locked until now');
    shell.stdin.end('COMMIT;\n');
    assert.equal(await within('sqlite3 to end', ended), 0, errors);
  };
}

// The database as SQLite judges it, of a copy: nobody writes now. `root` is before the path where the
// server's files are not seen from here.
export async function assertSound(server, root = '') {
  const directory = await mkdtemp(path.join(tmpdir(), 'rtc-copy-'));
  try {
    const copy = path.join(directory, 'copy.sqlite');
    for (const suffix of ['', '-wal']) {
      await copyFile(`${root}${server.dataDir}/realtimechat.sqlite${suffix}`, copy + suffix);
    }
    const check = 'PRAGMA integrity_check; SELECT count(*) FROM pragma_foreign_key_check';
    assert.equal(execFileSync('sqlite3', [copy, check]).toString(), 'ok\n0\n');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export async function readiness(server) {
  const { status, raw } = await request(server, '/readyz');
  return `${status} ${raw}`;
}

export const storeLines = (server) => server.log().split('\n').filter((line) => /store: /.test(line));
