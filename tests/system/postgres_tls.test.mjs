// The program and PostgreSQL over TLS as docs/operations.md has it, sslmode=verify-full with
// sslrootcert=: what is stored goes over TLS, a crash included, and a start ends with a reason where the
// server cannot prove who it is.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Server, freePort, history, metric, newRoom, newUser, runToEnd, stopAfter, waitFor } from './harness.mjs';
import { certificatesFor } from './certificates.mjs';
import { memberFor } from './clients.mjs';
import { Postgres } from './postgres.mjs';

// The same database by another host or with these words behind it.
function urlWith(postgres, { host = '127.0.0.1', ...words } = {}) {
  const url = new URL(postgres.url);
  url.hostname = host;
  for (const [name, value] of Object.entries(words)) url.searchParams.set(name, value);
  return url.href;
}

it('all of it goes over TLS, to whom the CA knows, and again after a crash', async (t) => {
  const certificates = certificatesFor(t, 'DNS:localhost,IP:127.0.0.1');
  const postgres = new Postgres(t);
  postgres.overTls(certificates);
  // By name and by address: the certificate has both.
  for (const host of ['localhost', '127.0.0.1']) {
    const url = urlWith(postgres, { host, sslmode: 'verify-full', sslrootcert: certificates.ca });
    const node = new Server({ env: { RTC_POSTGRES_URL: url }, args: ['--postgres-timeout', '30s'] });
    stopAfter(t, node);
    await node.start();
    const user = await newUser(node);
    const room = await newRoom(node, user);
    const member = await memberFor(t, node, user, room);
    const texts = ['짧은 말', 'x'.repeat(1000), '다시'];
    for (const text of texts.slice(0, 2)) await member.post(room, text);
    const ways = () => postgres.ask(`SELECT string_agg(DISTINCT ssl::text || ' ' || version, ',') FROM pg_stat_ssl
      JOIN pg_stat_activity USING (pid) WHERE application_name = 'realtimechat'`);
    assert.match(ways(), /^true TLSv1\.[23]$/, 'every connection');
    await postgres.kill9();
    await postgres.restart();
    await member.post(room, texts[2]);
    assert.deepEqual((await history(node, user, room)).map(({ message }) => message).reverse(), texts);
    await waitFor('all to be connected anew', async () => (await metric(node, 'store_reconnects_total')) > 0);
    assert.match(ways(), /^true TLSv1\.[23]$/);
    await node.terminate();
  }
});

it('a start ends where the server is not who it should be, or TLS is not wanted', async (t) => {
  const certificates = certificatesFor(t, 'IP:127.0.0.1');
  const others = certificatesFor(t, 'IP:127.0.0.1');
  const postgres = new Postgres(t);
  postgres.overTls(certificates);
  const { password } = new URL(postgres.url);
  const verified = { sslmode: 'verify-full', sslrootcert: certificates.ca };
  for (const [words, reason] of [
    // As a service of systemd has it: no home with a root.crt in it.
    [{ sslmode: 'verify-full' }, /root certificate file "[^"]*" does not exist/],
    [{ ...verified, sslrootcert: others.ca }, /certificate verify failed/],
    [{ ...verified, sslrootcert: '/nowhere/ca.pem' }, /root certificate file "\/nowhere\/ca\.pem" does not exist/],
    [{ ...verified, host: 'localhost' }, /does not match host name "localhost"/],
    [{ sslmode: 'disable' }, /no pg_hba\.conf entry .*no encryption/],
  ]) {
    const { code, output } = await runToEnd(
      ['--listen', `127.0.0.1:${await freePort()}`, '--data-dir', postgres.directory, '--postgres-timeout', '2s'],
      { env: { RTC_POSTGRES_URL: urlWith(postgres, words), HOME: '/nowhere' } },
    );
    assert.equal(code, 2, output);
    assert.match(output, reason);
    assert.ok(!output.includes(password), 'and no password');
  }
});
