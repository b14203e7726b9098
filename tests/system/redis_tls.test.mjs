// Nodes and their Redis over TLS, by a user with no more rights than he needs; and what a node says
// when TLS does not come about.
import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it } from 'node:test';
import { Server, freePort, history, metric, newRoom, newUser, runToEnd, stopAfter, waitFor } from './harness.mjs';
import { certificatesFor, tlsArgs } from './certificates.mjs';
import { clientFor, memberFor } from './clients.mjs';
import { connected, range, take, unhurried } from './cluster.mjs';
import { Postgres } from './postgres.mjs';
import { Redis, Sentinel, nodesEnv } from './redis.mjs';

const login = 'chat:a-password@';

// A Redis with a tls-port; the plain one is for asking it.
async function tlsRedisFor(t, certificates, clients) {
  const tlsPort = await freePort();
  const redis = await Redis.guarded(t, tlsArgs(tlsPort, certificates, clients));
  return Object.assign(redis, { tlsPort, tlsUrl: `rediss://${login}127.0.0.1:${tlsPort}` });
}

async function nodesFor(t, envs) {
  // What Redis does not bring is not looked for.
  const args = [...unhurried, '--relay-check-interval', '1h', '--presence-interval', '100ms'];
  const nodes = envs.map((env) => new Server({ args, env }));
  for (const node of nodes) {
    stopAfter(t, node);
    await node.start();
  }
  return nodes;
}

// Messages and people of one node are known on the other.
async function cross(t, nodes) {
  await connected(nodes);
  const user = await newUser(nodes[0]);
  const room = await newRoom(nodes[0], user);
  const reader = await memberFor(t, nodes[1], user, room);
  const writer = await clientFor(t, nodes[0], user);
  const texts = range(1, 200).map((n) => `message ${n} ${'x'.repeat(n)}`);
  for (const text of texts) await writer.post(room, text);
  assert.deepEqual(await take(reader, texts.length), texts.map((text, n) => `${n + 1} ${text}`));
  assert.ok((await metric(nodes[1], 'relay_received_total')) >= texts.length, 'by Redis');
  for (const node of nodes) {
    await waitFor('the people to be shared', async () => (await metric(node, 'presence_connected')) === 1);
    assert.doesNotMatch(node.log(), /a-password/);
  }
}

describe('Redis over TLS', () => {
  it('carries messages and people, trusted by a file or by the system', async (t) => {
    const certificates = certificatesFor(t);
    const redis = await tlsRedisFor(t, certificates);
    const env = nodesEnv(new Postgres(t), redis.tlsUrl);
    await cross(t, await nodesFor(t, [{ ...env, RTC_REDIS_CA_FILE: certificates.ca }, { ...env, SSL_CERT_FILE: certificates.ca }]));
  });

  it('asks nodes for a certificate', async (t) => {
    const certificates = certificatesFor(t);
    const redis = await tlsRedisFor(t, certificates, 'yes');
    const env = {
      ...nodesEnv(new Postgres(t), redis.tlsUrl),
      RTC_REDIS_CA_FILE: certificates.ca,
      RTC_REDIS_CERTIFICATE_FILE: certificates.certificate,
      RTC_REDIS_KEY_FILE: certificates.key,
    };
    await cross(t, await nodesFor(t, [env, env]));
  });

  it('is found by a sentinel, over TLS too', async (t) => {
    const certificates = certificatesFor(t);
    const redis = await tlsRedisFor(t, certificates);
    const tlsPort = await freePort();
    const lines = tlsArgs(tlsPort, certificates).map((word) => word.replace(/^--/, '\n'));
    const sentinel = await Sentinel.of(t, redis.tlsPort, ['tls-replication yes', lines.join(' ')]);
    const env = {
      ...nodesEnv(new Postgres(t), `rediss+sentinel://${login}127.0.0.1:${tlsPort}/chat`),
      RTC_REDIS_SENTINEL_LOGIN: `:${encodeURIComponent(sentinel.password)}`,
      RTC_REDIS_CA_FILE: certificates.ca,
    };
    await cross(t, await nodesFor(t, [env, env]));
  });
});

describe('without TLS coming about', () => {
  // The node serves its people, says why it is alone, and does not connect.
  const cases = [
    ['a CA that did not sign it', /not trusted .*redis_ca_file/, ({ others }) => ({ RTC_REDIS_CA_FILE: others.ca })],
    ['a certificate for another host', /is not for localhost .*redis_url/,
      ({ redis }) => ({ RTC_REDIS_URL: `rediss://${login}localhost:${redis.tlsPort}` })],
    ['a plain port', /(speaks no TLS|no answer to TLS).*tls-port/, ({ redis }) => ({ RTC_REDIS_URL: `rediss://${login}127.0.0.1:${redis.port}` })],
    ['a tls-port taken for a plain one', /redis_url must begin with rediss/,
      ({ redis }) => ({ RTC_REDIS_URL: `redis://${login}127.0.0.1:${redis.tlsPort}`, RTC_REDIS_CA_FILE: '' })],
    ['no certificate to show', /set redis_certificate_file/, ({ strict }) => ({ RTC_REDIS_URL: strict.tlsUrl })],
  ];

  it('a node says why and serves its own people', async (t) => {
    const certificates = certificatesFor(t);
    const others = certificatesFor(t);
    const redis = await tlsRedisFor(t, certificates);
    const strict = await tlsRedisFor(t, certificates, 'yes');
    const env = { ...nodesEnv(new Postgres(t), redis.tlsUrl), RTC_REDIS_CA_FILE: certificates.ca, RTC_REDIS_TIMEOUT: '1s' };
    for (const [what, message, wrong] of cases) {
      const [node] = await nodesFor(t, [{ ...env, ...wrong({ redis, strict, others }) }]);
      await waitFor(`the log to say ${message} of ${what}`, () => message.test(node.log())).catch((error) => {
        throw new Error(`${error.message}\n${node.log()}`);
      });
      assert.doesNotMatch(node.log(), /a-password/);
      const user = await newUser(node);
      const room = await newRoom(node, user);
      const member = await memberFor(t, node, user, room);
      await member.post(room, what);
      assert.deepEqual(await take(member, 1), [`1 ${what}`]);
      assert.equal((await history(node, user, room))[0].message, what);
      assert.equal(await metric(node, 'relay_connected'), 0);
      await node.terminate();
    }
  });

  it('files that are mended are taken without a restart', async (t) => {
    const certificates = certificatesFor(t);
    const others = certificatesFor(t);
    const redis = await tlsRedisFor(t, certificates);
    const ca = path.join(redis.directory, 'ca-of-the-node.pem');
    await copyFile(others.ca, ca);
    const env = { ...nodesEnv(new Postgres(t), redis.tlsUrl), RTC_REDIS_CA_FILE: ca };
    const nodes = await nodesFor(t, [env, env]);
    for (const node of nodes) await waitFor('it to be refused', () => /not trusted/.test(node.log()));
    await copyFile(certificates.ca, ca);
    await cross(t, nodes);
  });

  it('a file that cannot be read ends the start', async (t) => {
    const env = { ...nodesEnv(new Postgres(t), `rediss://${login}127.0.0.1`), RTC_REDIS_CA_FILE: '/nowhere/ca.pem' };
    const { code, output } = await runToEnd(['--listen', `127.0.0.1:${await freePort()}`], { env });
    assert.equal(code, 2);
    assert.match(output, /redis_ca_file: \/nowhere\/ca\.pem: No such file/);
    assert.doesNotMatch(output, /a-password/);
  });
});
