// GET /init: who gets which token, and which web pages may ask.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Server, assertRefusal, bearer, claimsOf, init, mintToken, newUser, request } from './harness.mjs';

const secret = 'a secret of the tests, longer than thirty-two bytes';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

describe('GET /init', () => {
  const server = new Server({ env: { RTC_TOKEN_SECRET: secret } });
  before(() => server.start());
  after(() => server.stop());

  async function expired(change = {}) {
    const { claims } = await newUser(server);
    return mintToken(secret, {
      ...claims,
      iat: claims.iat - 200_000,
      nbf: claims.nbf - 200_000,
      exp: claims.iat - 100_000,
      ...change,
    });
  }

  it('issues a token with the claims that the original client reads', async () => {
    const answer = await request(server, '/init');
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'], /^application\/json/);
    assert.equal(answer.json.type, 'SUCCESS_TOKEN_ISSUANCE');
    assert.equal(answer.json.success, true);
    assert.equal(answer.json.error, null);
    const header = JSON.parse(Buffer.from(answer.json.response.split('.')[0], 'base64url'));
    assert.equal(header.alg, 'HS256');
    const claims = claimsOf(answer.json.response);
    assert.match(claims.jti, uuid);
    assert.match(claims.sub, /^#[0-9A-F]{6}$/);
    assert.match(claims.randId, /^\p{Script=Hangul}+\s?([1-9]|[1-9][0-9])$/u);
    assert.ok(Array.isArray(claims.aud));
    assert.equal(claims.aud[0], '127.0');
    assert.equal(claims.nbf, claims.iat - 600);
    assert.ok(claims.exp > claims.iat);
    assert.ok(Math.abs(claims.iat - Date.now() / 1000) < 60);
    assert.equal(typeof claims.iss, 'string');
  });

  it('gives an English nickname to who prefers English', async () => {
    const answer = await request(server, '/init', { headers: { 'Accept-Language': 'en-GB,en;q=0.9' } });
    assert.match(claimsOf(answer.json.response).randId, /^[A-Za-z]+\s?([1-9]|[1-9][0-9])$/);
  });

  it('treats "Bearer null", which the client sends at first, as no token', async () => {
    const envelope = await init(server, 'null');
    assert.equal(envelope.type, 'SUCCESS_TOKEN_ISSUANCE');
    assert.match(claimsOf(envelope.response).jti, uuid);
  });

  it('takes the scheme in any case, and a scheme without a token as none', async () => {
    const user = await newUser(server);
    const ask = async (Authorization) => (await request(server, '/init', { headers: { Authorization } })).json.type;
    for (const scheme of ['bearer', 'BEARER']) {
      assert.equal(await ask(`${scheme} ${user.token}`), 'SUCCESS_TOKEN_VALIDATION', scheme);
    }
    for (const none of ['Bearer', 'Bearer ', 'bearer null']) {
      assert.equal(await ask(none), 'SUCCESS_TOKEN_ISSUANCE', none);
    }
  });

  it('gives everyone an identity of their own', async () => {
    const users = await Promise.all(Array.from({ length: 20 }, () => newUser(server)));
    assert.equal(new Set(users.map(({ id }) => id)).size, 20);
  });

  it('answers a valid token with JSON that leaves it alone', async () => {
    const user = await newUser(server);
    const answer = await request(server, '/init', { headers: bearer(user.token) });
    assert.equal(answer.status, 200);
    assert.equal(answer.json.success, true);
    assert.equal(answer.json.response ?? null, null);
  });

  it('renews an expired token for the same identity', async () => {
    const old = await expired();
    const answer = await request(server, '/init', { headers: bearer(old) });
    assert.equal(answer.status, 200);
    assert.equal(answer.json.type, 'EXPIRED_TOKEN');
    assert.equal(answer.json.success, false);
    assert.equal(answer.json.error.message, 'EXPIRED_TOKEN');
    const [before, renewed] = [claimsOf(old), claimsOf(answer.json.response)];
    for (const claim of ['jti', 'sub', 'randId']) assert.equal(renewed[claim], before[claim]);
    assert.ok(renewed.exp > Date.now() / 1000);
    assert.equal((await init(server, answer.json.response)).success, true);
  });

  it('answers every invalid token with 401 and a new, usable one', async () => {
    const { token, claims } = await newUser(server);
    const [head, body, signature] = token.split('.');
    const unsigned = mintToken(secret, claims, { alg: 'none', typ: 'JWT' });
    const invalid = {
      'no token at all': 'nonsense',
      'another secret': mintToken('some other secret, also longer than 32 bytes', claims),
      'a changed claim': `${head}.${Buffer.from(JSON.stringify({ ...claims, sub: '#000000' })).toString('base64url')}.${signature}`,
      'no signature': `${head}.${body}.`,
      'alg none': unsigned,
      'alg none, unsigned': `${unsigned.split('.').slice(0, 2).join('.')}.`,
      'another issuer': mintToken(secret, { ...claims, iss: 'somebody else' }),
      'not valid yet': mintToken(secret, { ...claims, nbf: claims.iat + 100_000 }),
      'no jti': mintToken(secret, { ...claims, jti: undefined }),
      'jti not a UUID': mintToken(secret, { ...claims, jti: 'me' }),
      'no exp': mintToken(secret, { ...claims, exp: undefined }),
      'expired, and signed by another': mintToken('some other secret, also longer than 32 bytes', {
        ...claims,
        exp: claims.iat - 1,
      }),
    };
    for (const [why, bad] of Object.entries(invalid)) {
      const answer = await request(server, '/init', { headers: bearer(bad) });
      assert.equal(answer.status, 401, why);
      assertRefusal(answer.json, 'INVALID_TOKEN');
      assert.equal(typeof answer.json.response, 'string', why);
      assert.notEqual(claimsOf(answer.json.response).jti, claims.jti, why);
      assert.equal((await init(server, answer.json.response)).success, true, why);
    }
  });

  it('does not believe what a client says about its address', async () => {
    const headers = { 'X-Client-IP': '9.9.9.9', 'X-Forwarded-For': '8.8.8.8', Forwarded: 'for=7.7.7.7' };
    const { json } = await request(server, '/init', { headers });
    assert.equal(claimsOf(json.response).aud[0], '127.0');
  });
});

describe('behind a proxy that is trusted', () => {
  const server = new Server({ args: ['--trusted-proxies', '127.0.0.0/8,10.0.0.0/8'] });
  before(() => server.start());
  after(() => server.stop());

  for (const [forwarded, masked] of [
    ['203.0.113.7', '203.0'],
    ['6.6.6.6, 203.0.113.7', '203.0'],
    ['6.6.6.6, 203.0.113.7, 10.1.2.3', '203.0'],
    ['2001:db8:1:2::5', '2001:db8'],
    ['203.0.113.7:1234, 10.1.2.3:80', '203.0'],
    ['[2001:db8::1]:443', '2001:db8'],
  ]) {
    it(`the address is the last one that no trusted proxy has: ${forwarded}`, async () => {
      const { json } = await request(server, '/init', { headers: { 'X-Forwarded-For': forwarded } });
      assert.equal(claimsOf(json.response).aud[0], masked);
    });
  }

  it('what is no address is not repeated', async () => {
    const { json } = await request(server, '/init', { headers: { 'X-Forwarded-For': '<script>' } });
    assert.doesNotMatch(JSON.stringify(claimsOf(json.response).aud), /script/);
  });
});

describe('CORS', () => {
  const server = new Server();
  before(() => server.start());
  after(() => server.stop());

  for (const Origin of ['http://localhost:5500', 'http://127.0.0.1:5500']) {
    it(`lets pages of ${Origin} in`, async () => {
      const { headers } = await request(server, '/init', { headers: { Origin } });
      assert.equal(headers['access-control-allow-origin'], Origin);
      assert.equal(headers['access-control-allow-credentials'], 'true');
      assert.match(headers.vary ?? '', /origin/i);
    });

    it(`answers the preflight of ${Origin}`, async () => {
      const wanted = ['authorization', 'x-client-ip', 'ngrok-skip-browser-warning', 'content-type'];
      const { status, headers } = await request(server, '/message?roomId=x', {
        method: 'OPTIONS',
        headers: {
          Origin,
          'Access-Control-Request-Method': 'GET',
          'Access-Control-Request-Headers': wanted.join(','),
        },
      });
      assert.ok(status === 200 || status === 204, `status ${status}`);
      assert.equal(headers['access-control-allow-origin'], Origin);
      assert.equal(headers['access-control-allow-credentials'], 'true');
      const list = (name) => (headers[name] ?? '').toLowerCase().split(/\s*,\s*/);
      const methods = list('access-control-allow-methods');
      for (const method of ['get', 'post', 'put', 'delete', 'patch', 'options']) {
        assert.ok(methods.includes(method), method);
      }
      const allowed = list('access-control-allow-headers');
      for (const name of wanted) assert.ok(allowed.includes(name), name);
    });
  }

  it('tells caches that answers differ by origin, also where none is given', async () => {
    for (const [method, target] of [['GET', '/init'], ['GET', '/message'], ['DELETE', '/init'], ['OPTIONS', '/init']]) {
      const { headers } = await request(server, target, { method });
      assert.match(headers.vary ?? '', /origin/i, `${method} ${target}`);
    }
  });

  it('lets them read refusals too', async () => {
    const Origin = 'http://localhost:5500';
    for (const [target, headers] of [
      ['/init', { Origin, ...bearer('nonsense') }],
      ['/no/such/path', { Origin }],
    ]) {
      const answer = await request(server, target, { headers });
      assert.equal(answer.headers['access-control-allow-origin'], Origin, target);
    }
  });

  it('gives other origins nothing', async () => {
    const others = ['http://localhost:5501', 'https://localhost:5500', 'http://localhost:5500.evil.example', 'null'];
    for (const Origin of others) {
      for (const method of ['GET', 'OPTIONS']) {
        const { headers } = await request(server, '/init', {
          method,
          headers: { Origin, ...(method === 'OPTIONS' && { 'Access-Control-Request-Method': 'GET' }) },
        });
        assert.equal(headers['access-control-allow-origin'], undefined, `${method} ${Origin}`);
      }
    }
  });
});
