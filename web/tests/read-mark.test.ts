// What is read, and where the line stands.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ReadMark } from '../src/state/read-mark.svelte';

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

function marked(...newest: number[]): ReadMark {
  const mark = new ReadMark('room');
  mark.present = true;
  for (const id of newest) mark.arrived(id);
  return mark;
}

const state = ({ read, line }: ReadMark): unknown[] => [read, line];

describe('the read mark', () => {
  it('is at the newest on a first visit, without a line', () => {
    expect(state(marked(40, 41))).toEqual([41, null]);
  });

  it('shows after a reload what came meanwhile', () => {
    marked(40);
    expect(state(marked(45, 46))).toEqual([46, 40]);
    expect(state(marked(46))).toEqual([46, null]);
  });

  it('stays while the reader is away, and the line where he left', () => {
    const mark = marked(40);
    mark.left(40);
    mark.arrived(41);
    mark.arrived(43);
    expect(state(mark)).toEqual([40, 40]);
    mark.present = true;
    mark.readTo(43);
    expect(state(mark)).toEqual([43, 40]);
    mark.left(43);
    expect(state(mark)).toEqual([43, null]);
  });

  it('stays, and the line too, while the reader looks for it further up', () => {
    marked(40);
    const mark = new ReadMark('room');
    mark.arrived(50);
    mark.present = true;
    mark.readTo(50);
    mark.away(50, false);
    expect(state(mark)).toEqual([50, 40]);
    mark.arrived(51);
    expect(state(mark)).toEqual([50, 40]);
  });

  it('puts the line behind all that was read when more comes while nobody looks', () => {
    marked(40);
    const mark = new ReadMark('room');
    mark.arrived(50);
    mark.present = true;
    mark.readTo(50);
    mark.away(50, true);
    expect(state(mark)).toEqual([50, 40]);
    mark.arrived(52);
    mark.arrived(53);
    expect(state(mark)).toEqual([50, 50]);
  });

  it('goes back with a room whose ids began anew', () => {
    marked(40);
    expect(state(marked(3))).toEqual([3, null]);
  });

  it('begins before the first message where somebody else calls, without a line', () => {
    const mark = new ReadMark('room');
    mark.begin();
    mark.arrived(0);
    mark.arrived(2);
    expect(state(mark)).toEqual([0, null]);
    mark.begin();
    mark.readTo(2);
    mark.begin();
    mark.arrived(3);
    expect(state(mark)).toEqual([2, 2]);
  });

  it('follows another tab', () => {
    const here = marked(40);
    here.left(40);
    marked(44);
    here.refresh();
    expect(here.read).toBe(44);
  });
});
