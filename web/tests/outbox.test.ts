// What is kept over a reload, and who sends it.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { webcrypto } from 'node:crypto';
import type { Outgoing } from '../src/state/log-shape';
import type { hasPlace, inherit, sync } from '../src/state/outbox';

let stored: Map<string, string>;

/** A page load: the modules begin anew, the storage stays. */
async function tab(): Promise<{
  hasPlace: typeof hasPlace;
  inherit: typeof inherit;
  sync: typeof sync;
}> {
  vi.resetModules();
  return import('../src/state/outbox');
}

beforeEach(() => {
  stored = new Map();
  const storage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
    removeItem: (key: string) => void stored.delete(key),
  };
  const asObject = new Proxy(storage, {
    ownKeys: () => [...stored.keys()],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  });
  vi.stubGlobal('crypto', webcrypto);
  vi.stubGlobal('localStorage', asObject);
  vi.stubGlobal('navigator', {});
});

const item = (key: string, part: Partial<Outgoing> = {}): Outgoing => ({
  key,
  text: `text ${key}`,
  writtenAt: new Date().toISOString(),
  status: 'waiting',
  sentAs: null,
  after: 0,
  claimedBy: null,
  id: null,
  ...part,
});

async function inherited(): Promise<Map<string, readonly Outgoing[]>> {
  const rooms = new Map<string, readonly Outgoing[]>();
  (await tab()).inherit((roomId, items) => void rooms.set(roomId, items));
  return rooms;
}

describe('the outbox', () => {
  it('gives the next page view what this one had not sent', async () => {
    const { sync } = await tab();
    sync('lobby', [], [item('a'), item('b')]);
    sync('other', [], [item('c', { status: 'failed' })]);
    sync('lobby', [item('a'), item('b')], [item('b', { status: 'sending', sentAs: 'me' })]);
    const rooms = await inherited();
    expect(rooms.get('lobby')?.map(({ key, text, status, sentAs }) => [key, text, status, sentAs])).toEqual([
      ['b', 'text b', 'waiting', 'me'],
    ]);
    expect(rooms.get('other')?.map(({ status }) => status)).toEqual(['failed']);
  });

  it('keeps nothing of what is settled', async () => {
    const { sync } = await tab();
    sync('lobby', [], [item('a')]);
    sync('lobby', [item('a')], []);
    expect([stored.size, (await inherited()).size]).toEqual([0, 0]);
  });

  it('does not send by itself what was sent longer ago than the server remembers', async () => {
    const { sync } = await tab();
    const writtenAt = new Date(Date.now() - 48 * 3_600_000).toISOString();
    sync('lobby', [], [item('old', { writtenAt, sentAs: 'me' }), item('unsent', { writtenAt })]);
    const items = (await inherited()).get('lobby') ?? [];
    expect(new Map(items.map(({ key, status }) => [key, status]))).toEqual(
      new Map([
        ['old', 'failed'],
        ['unsent', 'waiting'],
      ]),
    );
  });

  it('takes nothing that it did not write', async () => {
    stored.set('rtc.waiting.x', '{"tab":"t","roomId":1}');
    stored.set('rtc.waiting.y', 'no');
    stored.set('other', '{}');
    expect((await inherited()).size).toBe(0);
  });

  it('takes over what another tab wrote only when that tab is gone', async () => {
    const { sync } = await tab();
    sync('lobby', [], [item('a')]);
    const waiting: (() => void)[] = [];
    const request = (_name: string, then: () => void): Promise<void> => {
      waiting.push(then);
      return Promise.resolve();
    };
    vi.stubGlobal('navigator', { locks: { request } });
    vi.stubGlobal('addEventListener', () => undefined);
    const rooms = await inherited();
    expect([rooms.size, waiting.length]).toEqual([0, 1]);
    waiting[0]?.();
    expect(rooms.get('lobby')?.map(({ key }) => key)).toEqual(['a']);
  });

  it('is bounded in messages and in bytes', async () => {
    const { hasPlace } = await tab();
    const many = Array.from({ length: 99 }, (_, index) => item(`k${index}`));
    expect(hasPlace(many, 'x')).toBe(true);
    expect(hasPlace([...many, item('last')], 'x')).toBe(false);
    const big = item('big', { text: '가'.repeat(349_525) });
    expect([hasPlace([big], 'a'), hasPlace([big], 'ab')]).toEqual([true, false]);
  });
});
