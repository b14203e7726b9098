// How a person looks, and whom the reader mutes.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { emptyLog, heardOf } from '../src/state/log-shape';
import { hueOf, letterOf } from '../src/ui/people';
import { message, me, other } from './make';

const stored = new Map<string, string>();

beforeEach(() => {
  stored.clear();
  vi.resetModules();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  });
});

describe('how a person looks', () => {
  it('is a hue of the id, the same each time, and spread out', () => {
    expect(hueOf(me)).toBe(hueOf(me));
    const hues = Array.from({ length: 360 }, (_, n) => hueOf(`00000000-0000-4000-8000-${n}`));
    for (const hue of hues) expect(hue >= 0 && hue < 360 && Number.isInteger(hue)).toBe(true);
    expect(new Set(hues.map((hue) => Math.floor(hue / 30))).size).toBe(12);
  });

  it('is a first letter, whole, in any script', () => {
    expect(['otter7', '다람쥐7', '🦦7', ''].map(letterOf)).toEqual(['O', '다', '🦦', '']);
  });
});

/** A tab of its own: another copy of all that it remembers. */
async function tab(): Promise<typeof import('../src/state/muted.svelte').muted> {
  vi.resetModules();
  return (await import('../src/state/muted.svelte')).muted;
}

describe('muting', () => {
  it('adds to what another tab muted, and does what the reader sees himself do', async () => {
    const [here, there] = [await tab(), await tab()];
    here.toggle('a');
    there.toggle('b');
    expect([...(await tab()).ids]).toEqual(['a', 'b']);
    // Here b is not muted yet, as far as the reader can see.
    here.toggle('b');
    here.toggle('a');
    expect([...(await tab()).ids]).toEqual(['b']);
  });

  it('is bounded, and takes nothing for a person that is none', async () => {
    stored.set('rtc.muted', JSON.stringify([1, null, 'a']));
    const muted = await tab();
    expect([...muted.ids]).toEqual(['a']);
    for (let n = 0; n < 501; n += 1) muted.toggle(`person ${n}`);
    expect([muted.ids.size, muted.ids.has('a'), muted.ids.has('person 500')]).toEqual([500, false, true]);
  });

  it('leaves the others, and their ids', () => {
    const log = { ...emptyLog, messages: [message(1), message(2, 'mine', me), message(3)] };
    expect(heardOf(log, new Set())).toBe(log);
    expect(heardOf(log, new Set([other])).messages.map(({ id }) => id)).toEqual([2]);
  });
});
