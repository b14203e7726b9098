// What the page reads of the wire, and what it refuses to read.
import { webcrypto } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { boundedMs, pauseMs } from '../src/state/backoff';
import { newKey } from '../src/state/key';
import { utf8Bytes } from '../src/state/utf8';
import {
  asCall,
  asEnvelope,
  asMarker,
  asMessage,
  asCount,
  askedPauseMs,
  asRoomInfo,
  banOf,
  parseJson,
} from '../src/wire/parse';
import { identityOf } from '../src/wire/token';
import { message } from './make';

// Every browser has it; Node 18 only under another name.
vi.stubGlobal('crypto', webcrypto);

const tokenOf = (claims: unknown): string =>
  ['{"alg":"HS256"}', JSON.stringify(claims), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

describe('token', () => {
  const claims = { jti: 'id', randId: '다람쥐7', sub: '#A1B2C3', aud: ['203.0'], exp: 5 };

  it('reads who it speaks of, in any script', () => {
    expect(identityOf(tokenOf(claims))).toEqual({
      id: 'id',
      nickname: '다람쥐7',
      nameTag: '#A1B2C3',
      expiresAt: 5,
    });
  });

  it('reads nothing else', () => {
    const broken = [
      '',
      'a.b',
      'a.%%.c',
      tokenOf(null),
      tokenOf([]),
      tokenOf({ ...claims, jti: 1 }),
    ];
    expect(broken.map(identityOf)).toEqual(broken.map(() => null));
  });
});

describe('messages and envelopes', () => {
  it('takes a message as it is', () => {
    expect(asMessage(parseJson(JSON.stringify(message(3))))).toEqual(message(3));
  });

  it('refuses what is none', () => {
    const wrong = [{ id: 0 }, { id: 1.5 }, { id: '1' }, { message: 1 }, { createdAt: 'soon' }];
    for (const part of wrong) expect(asMessage({ ...message(3), ...part })).toBe(null);
    expect([asMessage(null), asMessage([]), parseJson('{')]).toEqual([null, null, null]);
  });

  it('takes a marker for no message', () => {
    const marker = parseJson('{"type":"HISTORY_GAP","from":3,"to":9}');
    expect(asMessage(marker)).toBe(null);
    expect(asMarker(marker)).toEqual(marker);
    for (const wrong of [message(1), { type: 'HISTORY_GAP', from: -1, to: 2 }, null])
      expect(asMarker(wrong)).toBe(null);
  });

  it('reads an envelope', () => {
    const text =
      '{"response":null,"error":{"message":"no","cause":null},"type":"T","success":false}';
    expect(asEnvelope(parseJson(text))).toEqual(JSON.parse(text));
    expect(asEnvelope('T')).toBe(null);
  });
});

describe('bounds', () => {
  it('counts bytes as the server does', () => {
    expect(utf8Bytes('a한👋')).toBe(1 + 3 + 4);
  });

  it('waits longer from try to try, within a bound, never all at once', () => {
    expect(pauseMs(0, 0)).toBe(250);
    expect(pauseMs(1, 0.999)).toBeGreaterThan(pauseMs(1, 0));
    expect(pauseMs(3, 0.5)).toBeGreaterThan(pauseMs(2, 0.5));
    expect(pauseMs(1000, 0.999)).toBeLessThanOrEqual(15_000);
  });

  it('stays away as long as a restarting server asks for, within the same bound', () => {
    expect(askedPauseMs(1001, 'restarting; retry-after-ms=2345')).toBe(2345);
    expect(askedPauseMs(1001, 'retry-after-ms=0')).toBe(0);
    for (const reason of ['', 'restarting', 'retry-after-ms=', 'retry-after-ms=-1', 'no-retry-after-ms=5'])
      expect(askedPauseMs(1001, reason)).toBe(null);
    expect(askedPauseMs(1006, 'retry-after-ms=5')).toBe(null);
    expect([boundedMs(2345), boundedMs(999_999_999)]).toEqual([2345, 15_000]);
  });

  it('makes keys that are UUIDs, each another', () => {
    const keys = Array.from({ length: 100 }, newKey);
    for (const key of keys)
      expect(key).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(new Set(keys).size).toBe(100);
  });
});

describe('rooms', () => {
  it('are open ones with a name, or of two with the other one', () => {
    expect(asRoomInfo({ roomId: 'r', name: 'n', topic: 't', createdAt: '', history: false })).toEqual({
      roomId: 'r',
      name: 'n',
      topic: 't',
      history: false,
      other: null,
    });
    expect(asRoomInfo({ roomId: 'r', senderId: 'me', receiverId: 'you' })).toEqual({
      roomId: 'r',
      name: '',
      topic: '',
      history: true,
      other: 'you',
    });
    for (const odd of [null, 'r', [], {}, { roomId: 7 }]) expect(asRoomInfo(odd)).toBeNull();
  });

  it('are called to by somebody', () => {
    const call = { roomId: 'r', senderId: 's', randId: 'n', nameTag: '#000001' };
    expect(asCall(call)).toEqual(call);
    for (const missing of ['roomId', 'senderId'])
      expect(asCall({ ...call, [missing]: undefined })).toBeNull();
  });
});

describe('what the server says of limits and bans', () => {
  it('is a count, or nothing', () => {
    expect(['65536', '1'].map(asCount)).toEqual([65_536, 1]);
    for (const text of [undefined, '', '0', '-1', '1.5', 'x', '1e400']) expect(asCount(text)).toBe(null);
  });

  it('is until when and why; of other words neither', () => {
    const until = new Date('2026-01-31T23:59:59.123Z');
    expect(banOf('you are banned until 2026-01-31T23:59:59.123Z: spam: a lot\nof it')).toEqual({
      until,
      why: 'spam: a lot\nof it',
    });
    expect(banOf('you are banned: 광고')).toEqual({ until: null, why: '광고' });
    expect(banOf('you are banned')).toEqual({ until: null, why: '' });
    expect(banOf('go away until 2026-01-31T23:59:59.123Z: x')).toEqual({ until: null, why: '' });
  });
});
