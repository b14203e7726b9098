// Rows: groups of one sender, days, messages on their way.
import { describe, expect, it } from 'vitest';
import { reused, rowsOf, type MessageRow, type Row } from '../src/state/rows';
import type { Identity } from '../src/wire/types';
import { me, message, other } from './make';

const identity: Identity = { id: me, nickname: 'Me1', nameTag: '#000001', expiresAt: null };
const at = (id: number, time: string, sender = other) => ({
  ...message(id, 'x', sender),
  createdAt: new Date(time).toISOString(),
});
const lines = (rows: readonly Row[]): MessageRow[] => rows.filter((row) => row.kind === 'message');

describe('rows', () => {
  it('groups one sender, and shows the time at the end of a minute', () => {
    const messages = [
      at(1, '2026-03-01T12:00:10'),
      at(2, '2026-03-01T12:00:40'),
      at(3, '2026-03-01T12:01:10'),
      at(4, '2026-03-01T12:01:20', me),
      at(5, '2026-03-01T12:30:00', me),
    ];
    const rows = lines(rowsOf({ above: null, messages }, [], identity, new Map()));
    expect(rows.map(({ head }) => head)).toEqual([true, false, false, true, true]);
    expect(rows.map(({ tail }) => tail)).toEqual([false, true, true, true, true]);
    expect(rows.map(({ own }) => own)).toEqual([false, false, false, true, true]);
  });

  it('takes the message above into account', () => {
    const above = at(1, '2026-03-01T12:00:10');
    const rows = rowsOf(
      { above, messages: [at(2, '2026-03-01T12:00:20')] },
      [],
      identity,
      new Map(),
    );
    expect(rows.map((row) => row.kind === 'message' && row.head)).toEqual([false]);
  });

  it('divides local days', () => {
    const messages = [at(1, '2026-03-01T23:59:50'), at(2, '2026-03-02T00:00:10')];
    const rows = rowsOf({ above: null, messages }, [], identity, new Map());
    expect(rows.map(({ kind }) => kind)).toEqual(['day', 'message', 'day', 'message']);
  });

  it('keeps the key of a message that was on its way first', () => {
    const item = {
      key: 'k',
      text: 'x',
      writtenAt: '2026-03-01T12:00:00Z',
      status: 'sending',
      sentAs: null,
      after: 0,
      claimedBy: null,
      id: null,
    } as const;
    const before = lines(rowsOf({ above: null, messages: [] }, [item], identity, new Map()));
    const sent = { above: null, messages: [message(1, 'x', me)] };
    const after = lines(rowsOf(sent, [], identity, new Map([[1, 'k']])));
    expect([before[0]?.key, before[0]?.status, before[0]?.id]).toEqual(['k', 'sending', null]);
    expect([after[0]?.key, after[0]?.status, after[0]?.id]).toEqual(['k', 'sent', 1]);
  });

  it('gives every row a key of its own', () => {
    const messages = Array.from({ length: 50 }, (_, index) =>
      at(index + 1, new Date(Date.UTC(2026, 2, 1, index * 6)).toISOString()),
    );
    const keys = rowsOf({ above: null, messages }, [], identity, new Map()).map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('the line of what is new', () => {
  const messages = [at(5, '2026-03-01T12:00:10'), at(7, '2026-03-01T12:00:20')];
  const kinds = (line: number | null, above = false): string[] =>
    rowsOf({ above: above ? at(4, '2026-03-01T12:00:00') : null, messages }, [], identity, new Map(), line)
      .filter(({ kind }) => kind !== 'day')
      .map((row) => (row.kind === 'message' ? `${row.id}${row.head ? ' head' : ''}` : row.kind));

  it('stands once, before the first new message, which heads a group', () => {
    expect(kinds(5)).toEqual(['5 head', 'line', '7 head']);
    expect(kinds(6)).toEqual(['5 head', 'line', '7 head']);
    expect(kinds(4, true)).toEqual(['line', '5 head', '7']);
  });

  it('is not there when it lies elsewhere', () => {
    expect([kinds(null), kinds(7), kinds(3, true)]).toEqual([
      ['5 head', '7'],
      ['5 head', '7'],
      ['5', '7'],
    ]);
  });

  it('are the same objects where they say the same, so that only what changed is drawn again', () => {
    const messages = [
      at(1, '2026-03-01T12:00:10'),
      at(2, '2026-03-01T12:30:00'),
      at(3, '2026-03-01T12:30:10', me),
    ];
    const rows = (count: number): Row[] =>
      rowsOf({ above: null, messages: messages.slice(0, count) }, [], identity, new Map());
    const before = rows(3);
    expect(reused(before, rows(3))).toEqual(before);
    expect(reused(before, rows(3)).every((row, index) => row === before[index])).toBe(true);

    const later = { ...at(4, '2026-03-01T12:30:20', me) };
    const after = rowsOf({ above: null, messages: [...messages, later] }, [], identity, new Map());
    const drawn = reused(before, after);
    expect(drawn).toEqual(after);
    // The third is the last of its group no more; the fourth is new.
    expect(drawn.map((row) => before.includes(row))).toEqual([true, true, true, false, false]);
  });
});
