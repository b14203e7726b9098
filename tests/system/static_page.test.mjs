// The page and its files, as the program itself serves them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { Server, request } from './harness.mjs';

describe('the page', () => {
  const server = new Server();
  let html;
  let assets;
  before(async () => {
    await server.start();
    html = (await request(server, '/')).raw.toString();
    assets = [...html.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css))"/g)].map((match) => match[1]);
  });
  after(() => server.stop());

  it('is there', async () => {
    const { status, headers } = await request(server, '/');
    assert.equal(status, 200);
    assert.match(headers['content-type'], /^text\/html; *charset=utf-8/i);
    assert.match(html, /<!doctype html>/i);
    assert.ok(assets.some((name) => name.endsWith('.js')), html);
    assert.doesNotMatch(headers['cache-control'], /immutable/, 'the page itself is asked for again');
  });

  it('allows itself no foreign or inline script', async () => {
    const { headers } = await request(server, '/');
    const policy = Object.fromEntries(
      headers['content-security-policy'].split(';').map((part) => {
        const [name, ...values] = part.trim().split(/\s+/);
        return [name, values];
      }),
    );
    const scripts = policy['script-src'] ?? policy['default-src'];
    assert.ok(scripts.every((source) => source === "'self'" || /^'sha\d+-/.test(source)), `${scripts}`);
    assert.deepEqual(policy['frame-ancestors'], ["'none'"]);
    assert.deepEqual(policy['base-uri'], ["'none'"]);
    assert.equal(headers['x-content-type-options'], 'nosniff');
  });

  it('has files that are cached for ever, under names that change with them', async () => {
    for (const name of assets) {
      const { status, headers } = await request(server, name);
      assert.equal(status, 200, name);
      assert.match(headers['content-type'], name.endsWith('.js') ? /javascript/ : /text\/css/);
      assert.match(headers['cache-control'], /immutable/);
      assert.ok(Number(/max-age=(\d+)/.exec(headers['cache-control'])[1]) >= 31_536_000);
    }
  });

  it('can be installed: its manifest, icons and service worker come as what they are, and fresh', async () => {
    for (const [target, type] of [
      ['/manifest.webmanifest', /^application\/manifest\+json/],
      ['/sw.js', /^text\/javascript/],
      ['/icon.svg', /^image\/svg\+xml/],
      ['/icon-192.png', /^image\/png/],
    ]) {
      const { status, headers } = await request(server, target);
      assert.equal(status, 200, target);
      assert.match(headers['content-type'], type);
      assert.equal(headers['cache-control'], 'no-cache', target);
      assert.match(headers['content-security-policy'], /worker-src 'self'/);
    }
    const { icons, start_url: start } = (await request(server, '/manifest.webmanifest')).json;
    assert.equal(start, '/');
    for (const { src, sizes, type } of icons.filter((icon) => icon.type === 'image/png')) {
      const { raw, headers } = await request(server, src);
      assert.equal(headers['content-type'], type);
      assert.equal(`${raw.readUInt32BE(16)}x${raw.readUInt32BE(20)}`, sizes, 'as large as it says');
    }
    const worker = (await request(server, '/sw.js')).raw.toString();
    for (const name of assets) assert.ok(worker.includes(name), `${name} is kept for a start offline`);
  });

  it('comes compressed as the browser likes it', async () => {
    const [script] = assets.filter((name) => name.endsWith('.js'));
    const plain = await request(server, script);
    assert.equal(plain.headers['content-encoding'], undefined);
    for (const [accepted, encoding, unpack] of [
      ['gzip, deflate, br', 'br', brotliDecompressSync],
      ['gzip', 'gzip', gunzipSync],
      ['br;q=0, gzip', 'gzip', gunzipSync],
    ]) {
      const packed = await request(server, script, { headers: { 'Accept-Encoding': accepted } });
      assert.equal(packed.headers['content-encoding'], encoding, accepted);
      assert.match(packed.headers.vary, /accept-encoding/i);
      assert.ok(packed.raw.length < plain.raw.length);
      assert.ok(unpack(packed.raw).equals(plain.raw));
    }
    for (const accepted of ['identity', 'zstd', 'gzip;q=0']) {
      const { headers, raw } = await request(server, script, { headers: { 'Accept-Encoding': accepted } });
      assert.equal(headers['content-encoding'], undefined, accepted);
      assert.ok(raw.equals(plain.raw));
    }
  });

  it('is not sent again while it has not changed', async () => {
    for (const target of ['/', ...assets]) {
      const { headers } = await request(server, target);
      assert.match(headers.etag, /^(W\/)?"[^"]+"$/, target);
      for (const known of [headers.etag, `"other", ${headers.etag}`]) {
        const again = await request(server, target, { headers: { 'If-None-Match': known } });
        assert.equal(again.status, 304, `${target} ${known}`);
        assert.equal(again.raw.length, 0);
        assert.equal(again.headers.etag, headers.etag);
      }
      const changed = await request(server, target, { headers: { 'If-None-Match': '"other"' } });
      assert.equal(changed.status, 200);
    }
  });

  it('answers HEAD with the same headers and no body', async () => {
    for (const target of ['/', assets[0]]) {
      const [head, get] = [await request(server, target, { method: 'HEAD' }), await request(server, target)];
      assert.equal(head.status, 200);
      assert.equal(head.raw.length, 0);
      for (const name of ['content-length', 'content-type', 'etag', 'cache-control']) {
        assert.equal(head.headers[name], get.headers[name], name);
      }
    }
  });

  it('gives out nothing that is not part of it', async () => {
    for (const target of ['/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/assets/', '/assets/none.js', '/index.html%00']) {
      const { status, raw } = await request(server, target);
      assert.ok(status === 404 || status === 400, `${target}: ${status}`);
      assert.doesNotMatch(raw.toString(), /root:/);
    }
  });
});

describe('for operators', () => {
  const server = new Server();
  before(() => server.start());
  after(() => server.stop());

  it('/healthz says that it runs', async () => {
    assert.equal((await request(server, '/healthz')).status, 200);
  });

  it('/metrics speaks Prometheus', async () => {
    const { status, headers, raw } = await request(server, '/metrics');
    assert.equal(status, 200);
    assert.match(headers['content-type'], /^text\/plain/);
    assert.match(raw.toString(), /^# TYPE \w+ (counter|gauge|histogram)$/m);
  });
});
