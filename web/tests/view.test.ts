// The sliding part of the log: bounded, without a hole, with a heading that never changes.
import { describe, expect, it } from 'vitest';
import { emptyLog, heardOf, type RoomLog } from '../src/state/log-shape';
import { reduce } from '../src/state/room-log';
import {
  atBeginning,
  atNewest,
  followNewest,
  maxShown,
  shown,
  slideBy,
  slideDown,
  slideUp,
  type View,
} from '../src/state/view';
import { me, message, other, page } from './make';

const logOf = (...ranges: [number, number][]): RoomLog =>
  ranges.reduce((log, [from, to]) => reduce(log, page(to + 1, from, to)), {
    ...emptyLog,
    me,
  } as RoomLog);

const edges = (log: RoomLog, view: View): (number | undefined)[] => {
  const { messages } = shown(log, view);
  return [messages[0]?.id, messages.at(-1)?.id];
};

describe('what is shown', () => {
  it('follows the newest, bounded', () => {
    expect(edges(logOf([1, 1000]), followNewest)).toEqual([1001 - maxShown, 1000]);
  });

  it('keeps the oldest known message back, until the one above it is known', () => {
    const { above, messages } = shown(logOf([41, 60]), followNewest);
    expect([above?.id, messages[0]?.id]).toEqual([41, 42]);
  });

  it('shows the first message of the room', () => {
    const log = logOf([1, 20]);
    expect([shown(log, followNewest).above, edges(log, followNewest)]).toEqual([null, [1, 20]]);
    expect(atBeginning(log, followNewest)).toBe(true);
  });

  it('never crosses a hole', () => {
    const log = logOf([1, 50], [80, 90]);
    expect(edges(log, followNewest)).toEqual([81, 90]);
    expect(edges(log, { first: 1, last: 50 })).toEqual([1, 50]);
  });

  it('shows nothing of an empty log', () => {
    expect(shown(emptyLog, followNewest).messages).toEqual([]);
  });
});

describe('sliding', () => {
  const log = logOf([1, 1000]);

  it('goes up to the first message and back down to the newest, step by step', () => {
    let view: View = { first: 900, last: 1000 };
    for (let slide = slideUp(log, view); slide && 'view' in slide; slide = slideUp(log, view)) {
      expect(slide.view.first).toBeGreaterThanOrEqual(view.first - slideBy);
      view = slide.view;
      expect(shown(log, view).messages.length).toBeLessThanOrEqual(maxShown);
    }
    expect(edges(log, view)).toEqual([1, maxShown]);
    expect(atNewest(log, view)).toBe(false);
    for (let slide = slideDown(log, view); slide && 'view' in slide; slide = slideDown(log, view)) {
      view = slide.view;
    }
    expect(edges(log, view)).toEqual([1001 - maxShown, 1000]);
    expect(atNewest(log, view)).toBe(true);
  });

  it('asks for history at the edges of what is known', () => {
    const holed = logOf([41, 60], [90, 99]);
    expect(slideUp(holed, { first: 42, last: 60 })).toEqual({ load: 'above', id: 41 });
    expect(slideDown(holed, { first: 42, last: 60 })).toEqual({ load: 'below', id: 60 });
    expect(slideUp(holed, followNewest)).toEqual({ load: 'above', id: 90 });
    expect(slideDown(holed, followNewest)).toBe(null);
  });
});

describe('people who are muted', () => {
  /** Of 1,000 messages a flood in the middle is theirs. */
  const flooded = (from: number, to: number): RoomLog => {
    const log = logOf([1, 1000]);
    const sender = (id: number): string => (id >= from && id <= to ? other : me);
    const messages = log.messages.map(({ id }) => message(id, `text ${id}`, sender(id)));
    return heardOf({ ...log, messages }, new Set([other]));
  };

  it('are passed over, up and down again, with as many of the others in sight as ever', () => {
    const log = flooded(300, 900);
    let view: View = followNewest;
    const seen = new Set<number>();
    const travel = (slideBy: typeof slideUp): void => {
      for (let slides = 0; slides < 100; slides += 1) {
        const { messages } = shown(log, view);
        expect(messages.length).toBeLessThanOrEqual(maxShown);
        expect(messages.length).toBeGreaterThanOrEqual(100);
        for (const { id } of messages) seen.add(id);
        const slide = slideBy(log, view);
        if (!slide || !('view' in slide)) return;
        view = slide.view;
      }
      expect.unreachable('it never ends');
    };
    travel(slideUp);
    expect(atBeginning(log, view)).toBe(true);
    expect(seen.size).toBe(399);
    travel(slideDown);
    expect(edges(log, view)[1]).toBe(1000);
    expect(atNewest(log, view)).toBe(true);
  });

  it('may be all who are there: the room begins all the same', () => {
    const log = flooded(1, 1000);
    expect(shown(log, followNewest).messages).toEqual([]);
    expect(atBeginning(log, followNewest)).toBe(true);
    expect([slideUp(log, followNewest), slideDown(log, followNewest)]).toEqual([null, null]);
  });
});
