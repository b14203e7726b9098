// Settings: flags over environment over file, and clear words for what is wrong with one.
import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { Server, claimsOf, freePort, init, newRoom, newUser, runToEnd, serverFor, waitFor } from './harness.mjs';
import { memberFor } from './clients.mjs';

const directory = mkdtempSync(path.join(tmpdir(), 'rtc-config-'));
let files = 0;
async function fileWith(text) {
  const file = path.join(directory, `${++files}.toml`);
  await writeFile(file, text);
  return file;
}
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

const issuer = async (server) => claimsOf((await init(server)).response).iss;

describe('where a setting comes from', () => {
  it('a flag is stronger than the environment, that than the file', async (t) => {
    const file = await fileWith('token_issuer = "file"\ntoken_lifetime = "2h"\n');
    const env = { RTC_TOKEN_ISSUER: 'environment' };
    const fromFile = await serverFor(t, { args: ['--config', file] });
    assert.equal(await issuer(fromFile), 'file');
    const fromEnvironment = await serverFor(t, { args: ['--config', file], env });
    assert.equal(await issuer(fromEnvironment), 'environment');
    const fromFlag = await serverFor(t, { args: ['--config', file, '--token-issuer', 'flag'], env });
    assert.equal(await issuer(fromFlag), 'flag');
    const { iat, exp } = claimsOf((await init(fromFlag)).response);
    assert.equal(exp - iat, 7200, 'what is only in the file still counts');
  });

  it('the file may be named by the environment, or be realtimechat.toml', async (t) => {
    const file = await fileWith('token_issuer = "named"\n');
    assert.equal(await issuer(await serverFor(t, { env: { RTC_CONFIG: file } })), 'named');
    const server = new Server();
    t.after(() => server.stop());
    server.cwd = path.join(directory, 'here');
    server.dataDir = path.join(server.cwd, 'data');
    await mkdir(server.cwd);
    await writeFile(path.join(server.cwd, 'realtimechat.toml'), 'token_issuer = "found"\n');
    await server.start();
    assert.equal(await issuer(server), 'found');
  });
});

describe('a wrong setting is named', () => {
  const refusedWith = async (pattern, args, env = {}) => {
    const dataDir = path.join(directory, 'never-made');
    const { code, output } = await runToEnd(['--data-dir', dataDir, ...args], { env, cwd: directory });
    assert.ok(Number.isInteger(code) && code !== 0, `exit code ${code}: ${output}`);
    assert.match(output, pattern);
  };

  it('an unknown flag', () => refusedWith(/--colour/, ['--colour', 'red']));
  it('an unknown variable', () => refusedWith(/RTC_COLOUR/, [], { RTC_COLOUR: 'red' }));
  it('an unknown key of the file', async () => {
    const file = await fileWith('colour = "red"\n');
    await refusedWith(new RegExp(`${path.basename(file)}.*colour`), ['--config', file]);
  });
  it('a malformed flag', () => refusedWith(/--message-bytes-max.*expected/, ['--message-bytes-max', 'much']));
  it('a flag out of its range', () => refusedWith(/--page-size-max/, ['--page-size-max', '0']));
  it('a malformed variable', () => refusedWith(/RTC_LOG_LEVEL.*expected/, [], { RTC_LOG_LEVEL: 'loud' }));
  it('a malformed value of the file', async () => {
    const file = await fileWith('token_lifetime = "tomorrow"\n');
    await refusedWith(new RegExp(`${path.basename(file)}.*token_lifetime`), ['--config', file]);
  });
  it('a file that is no TOML, with the line', async () => {
    const file = await fileWith('token_issuer = "a"\nlisten = = \n');
    await refusedWith(new RegExp(`${path.basename(file)}.*line 2`), ['--config', file]);
  });
  it('a file that is not there', () => refusedWith(/nowhere\.toml/, ['--config', '/nowhere.toml']));
  it('a file that is a directory', () => refusedWith(/is a directory/, ['--config', directory]));
  it('an origin with a path', () => refusedWith(/allowed_origins.*5500\/'/, ['--allowed-origins', 'http://localhost:5500/']));
  it('settings that do not fit', () => refusedWith(/page_size_default.*page_size_max/, ['--page-size-max', '10']));
  it('an address that is none', () => refusedWith(/listen|nonsense/, ['--listen', 'nonsense']));
  it('a secret that is too short, without repeating it', async () => {
    const dataDir = path.join(directory, 'short-secret');
    const { code, output } = await runToEnd(['--data-dir', dataDir], { env: { RTC_TOKEN_SECRET: 'tooshort' } });
    assert.notEqual(code, 0);
    assert.match(output, /token_secret/i);
    assert.doesNotMatch(output, /tooshort/);
  });
});

describe('the program', () => {
  it('explains itself', async () => {
    const { code, stdout } = await runToEnd(['--help']);
    assert.equal(code, 0);
    for (const flag of ['--listen', '--data-dir', '--config', '--log-level', '--help', '--version']) {
      assert.ok(stdout.includes(flag), flag);
    }
    assert.match(stdout, /RTC_DATA_DIR/);
  });

  it('says its version', async () => {
    const { code, stdout } = await runToEnd(['--version']);
    assert.equal(code, 0);
    assert.match(stdout, /\d+\.\d+\.\d+/);
  });

  it('prints its address', async (t) => {
    const server = await serverFor(t);
    assert.ok(server.log().includes(`127.0.0.1:${server.port}`), server.log());
  });

  it('runs twice side by side, each with its own people and rooms', async (t) => {
    const [one, two] = [await serverFor(t), await serverFor(t)];
    const user = await newUser(one);
    const room = await newRoom(one, user);
    const client = await memberFor(t, one, user, room);
    await client.post(room, 'here');
    assert.equal((await init(two, user.token)).type, 'INVALID_TOKEN', 'secrets differ');
  });

  it('is refused a port that is taken, with a word about it', async (t) => {
    const server = await serverFor(t);
    const dataDir = path.join(directory, 'second');
    const { code, output } = await runToEnd(['--listen', `127.0.0.1:${server.port}`, '--data-dir', dataDir]);
    assert.ok(Number.isInteger(code) && code !== 0);
    assert.match(output, new RegExp(`${server.port}.*in use`, 's'));
    assert.ok(!existsSync(dataDir), 'nothing was made');
    await init(server);
  });

  it('is refused a data directory that is taken, with a word about it', async (t) => {
    const server = await serverFor(t);
    const { code, output } = await runToEnd([
      '--listen', `127.0.0.1:${await freePort()}`, '--data-dir', server.dataDir,
    ]);
    assert.ok(Number.isInteger(code) && code !== 0);
    assert.ok(output.includes(server.dataDir), output);
    assert.match(output, /another|already|in use|running/i);
    await init(server);
  });

  it('keeps its secret to its owner', async (t) => {
    const server = await serverFor(t);
    const user = await newUser(server);
    const secrets = (await readdir(server.dataDir)).filter((name) => /secret/.test(name));
    assert.equal(secrets.length, 1);
    const secret = path.join(server.dataDir, secrets[0]);
    assert.equal((await stat(secret)).mode & 0o777, 0o600);
    await server.restart();
    assert.equal((await init(server, user.token)).success, true);

    await server.kill9();
    await chmod(secret, 0o644);
    const { code, output } = await runToEnd([
      '--listen', `127.0.0.1:${server.port}`, '--data-dir', server.dataDir,
    ]);
    assert.notEqual(code, 0);
    assert.ok(output.includes(secrets[0]), output);
    await chmod(secret, 0o600);
    await server.restart();
  });

  it('ends as well when its terminal is closed', async (t) => {
    const server = await serverFor(t);
    process.kill(server.pid, 'SIGHUP');
    await waitFor('the server to end after SIGHUP', () => !server.running);
    await server.stop(); // fails on any exit code but 0
  });

  it('ends well on SIGTERM, also with people connected', async (t) => {
    const server = await serverFor(t);
    const user = await newUser(server);
    const room = await newRoom(server, user);
    const client = await memberFor(t, server, user, room);
    await client.post(room, 'before the end');
    await server.stop(); // fails on any exit code but 0
    const { code } = await client.closed;
    assert.equal(code, 1001, 'going away');
  });
});
