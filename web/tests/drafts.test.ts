// Drafts: one for each room, bounded.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { draftOf, keepDraft } from '../src/state/drafts';

let stored: string | null;

beforeEach(() => {
  stored = null;
  vi.stubGlobal('localStorage', {
    getItem: () => stored,
    setItem: (_key: string, value: string) => {
      stored = value;
    },
  });
});

describe('drafts', () => {
  it('keeps one for each room, until it is sent', () => {
    keepDraft('a', 'one');
    keepDraft('b', 'two');
    keepDraft('a', 'one more');
    expect([draftOf('a'), draftOf('b'), draftOf('c')]).toEqual(['one more', 'two', '']);
    keepDraft('a', '');
    expect([draftOf('a'), draftOf('b')]).toEqual(['', 'two']);
  });

  it('drops the oldest beyond its bounds', () => {
    for (let room = 0; room < 31; room += 1) keepDraft(`room ${room}`, 'x');
    expect([draftOf('room 0'), draftOf('room 1'), draftOf('room 30')]).toEqual(['', 'x', 'x']);
    keepDraft('big', 'x'.repeat(512 * 1024));
    expect([draftOf('big').length, draftOf('room 30')]).toEqual([512 * 1024, '']);
  });

  it('reads nothing that is none', () => {
    for (const text of ['{', '{}', '[1, ["a"], [1, 2]]']) {
      stored = text;
      expect(draftOf('a')).toBe('');
    }
  });
});
