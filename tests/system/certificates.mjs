// A CA, and a key with a certificate by it, made by the openssl command.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

// The certificate is for these names, as a subjectAltName has them.
export function certificatesFor(t, names = 'IP:127.0.0.1') {
  const directory = mkdtempSync(path.join(tmpdir(), 'rtc-certificates-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = (name) => path.join(directory, name);
  const make = (name, ...more) => {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
      '-days', '2', '-subj', '/CN=a test', '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`), ...more],
    { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  make('ca');
  make('leaf', '-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-addext', `subjectAltName=${names}`);
  return { ca: file('ca.pem'), certificate: file('leaf.pem'), key: file('leaf.key') };
}

// What redis-server and its sentinel take for a tls-port.
export const tlsArgs = (port, { ca, certificate, key }, clients = 'no') => ['--tls-port', String(port), '--tls-ca-cert-file', ca,
  '--tls-cert-file', certificate, '--tls-key-file', key, '--tls-auth-clients', clients];
