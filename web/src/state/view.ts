// Which part of a room log stands in the document: a run of messages without a hole, bounded in
// number, that slides over the log as the reader scrolls. Only what is drawn is measured, so the
// position of every message is exact and no height is ever guessed. The log is what the reader hears
// (heardOf): of people who are muted there are ids and no messages.
import type { ChatMessage } from '../wire/types';
import type { Range } from './ranges';
import { indexOfId, newestId, type RoomLog } from './log-shape';

/** The ids shown; `last` null: follow the newest message. */
export interface View {
  readonly first: number;
  readonly last: number | null;
}

export interface Shown {
  /** The message right above the first one, when there is one: it decides the first's heading. */
  readonly above: ChatMessage | null;
  readonly messages: readonly ChatMessage[];
}

/** A view to slide to, or the history that has to be loaded before it can slide. */
export type Slide = { view: View } | { load: 'above' | 'below'; id: number } | null;

export const maxShown = 200;
export const slideBy = 40;
/** So many are drawn at once when a room is opened, and so many more in each moment after it, so that a
    slow phone shows the newest ones first and answers to touches meanwhile. */
export const firstShown = 5;
export const growBy = 4;

export const followNewest: View = { first: 1, last: null };

const rangeOf = (log: RoomLog, view: View): Range | undefined =>
  (view.last === null
    ? undefined
    : log.known.find((range) => range.from <= view.last! && view.last! <= range.to)) ??
  log.known.at(-1);

/** The id of the message so many before the first with `id` or a higher one; the lowest of the range when
    there are not so many. Some people may not be heard, so it is not `id - count`. */
function back(log: RoomLog, range: Range, id: number, count: number): number {
  const floor = floorOf(range);
  const index = indexOfId(log.messages, id) - count;
  const at = index <= 0 ? floor : (log.messages[index]?.id ?? floor);
  return Math.max(floor, at);
}

/** The oldest message of a range waits for the one above it, so that its heading never changes. */
const floorOf = (range: Range): number => (range.from <= 1 ? 1 : range.from + 1);

function boundsOf(log: RoomLog, view: View, most = maxShown): Range | null {
  const range = rangeOf(log, view);
  if (!range) return null;
  const to = Math.min(view.last ?? range.to, range.to);
  const from = Math.max(view.first, back(log, range, to + 1, most));
  return { from, to };
}

/** The part of the view that is drawn, of its newest messages `most`. */
export function shown(log: RoomLog, view: View, most = maxShown): Shown {
  const bounds = boundsOf(log, view, most);
  if (!bounds) return { above: null, messages: [] };
  const start = indexOfId(log.messages, bounds.from);
  const end = indexOfId(log.messages, bounds.to + 1);
  const inRange = rangeOf(log, view)?.from ?? 1;
  const above = log.messages[start - 1];
  return {
    above: above && above.id >= inRange ? above : null,
    messages: log.messages.slice(start, end),
  };
}

/** True when nothing newer is known than what the view shows. */
export const atNewest = (log: RoomLog, view: View): boolean =>
  view.last === null || view.last >= newestId(log);

/** True when the first message of the room is in the view. */
export const atBeginning = (log: RoomLog, view: View, most = maxShown): boolean =>
  boundsOf(log, view, most)?.from === 1;

export function slideUp(log: RoomLog, view: View): Slide {
  const range = rangeOf(log, view);
  const bounds = boundsOf(log, view);
  if (!range || !bounds) return null;
  const from = back(log, range, bounds.from, slideBy);
  if (from >= bounds.from) return range.from > 1 ? { load: 'above', id: range.from } : null;
  const last = log.messages[indexOfId(log.messages, from) + maxShown - 1]?.id ?? bounds.to;
  const to = Math.min(bounds.to, last);
  return { view: { first: from, last: to } };
}

export function slideDown(log: RoomLog, view: View): Slide {
  const range = rangeOf(log, view);
  const bounds = boundsOf(log, view);
  if (!range || !bounds) return null;
  const next = indexOfId(log.messages, bounds.to + 1) + slideBy - 1;
  const to = Math.min(range.to, log.messages[next]?.id ?? range.to);
  if (to > bounds.to) {
    const first = Math.max(bounds.from, back(log, range, to + 1, maxShown));
    return { view: { first, last: to } };
  }
  return range.to < newestId(log) ? { load: 'below', id: range.to } : null;
}
