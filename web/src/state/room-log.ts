// What the page knows of one room: a pure reducer. Messages come live, by history and out of
// order; here they become one sequence by id without duplicates, with its holes known, and with
// the reader's own unsent messages at its end.
import type { ChatMessage } from '../wire/types';
import { emptyLog, holdsId, indexOfId, newestId, type Outgoing, type RoomLog } from './log-shape';
import * as outgoing from './outgoing';
import { addRange, clip, type Range } from './ranges';

export type LogEvent =
  | { type: 'identity'; me: string }
  | { type: 'live'; messages: readonly ChatMessage[] }
  /** An answer of history: newest first, all of them below `before` (null: the newest). */
  | { type: 'page'; before: number | null; messages: readonly ChatMessage[] }
  | { type: 'written'; key: string; text: string; at: string }
  | { type: 'receipt'; key: string; id: number | null }
  | { type: 'sending' | 'refused' | 'retry' | 'discarded'; key: string }
  | { type: 'restored'; items: readonly Outgoing[] }
  /** Connected again: what was sent without a receipt is to be sent again, with its key. */
  | { type: 'caught-up' }
  /** The ids that are known are not the server's any more. */
  | { type: 'forgotten' }
  /** Only these ids, and the newest ones, are worth their memory. */
  | { type: 'trimmed'; keep: Range };

/** So many of the newest messages are never trimmed. */
export const keptNewest = 200;

function insert(
  messages: readonly ChatMessage[],
  batch: readonly ChatMessage[],
): readonly ChatMessage[] {
  const [first] = batch;
  const last = batch.at(-1);
  if (!first || !last) return messages;
  if (first.id > (messages.at(-1)?.id ?? 0)) return [...messages, ...batch];
  const low = indexOfId(messages, first.id);
  const high = indexOfId(messages, last.id + 1);
  const middle = byId([...messages.slice(low, high), ...batch]);
  return [...messages.slice(0, low), ...middle, ...messages.slice(high)];
}

const byId = (messages: readonly ChatMessage[]): ChatMessage[] =>
  [...messages].sort((a, b) => a.id - b.id);

/** Takes messages in the order of their ids, and the ids that they say everything about. */
function receive(log: RoomLog, batch: readonly ChatMessage[], covered: readonly Range[]): RoomLog {
  const fresh = batch.filter(({ id }, index) => id !== batch[index - 1]?.id && !holdsId(log, id));
  const known = covered.reduce(addRange, log.known);
  if (fresh.length === 0) return known === log.known ? log : outgoing.settle({ ...log, known });
  const messages = insert(log.messages, fresh);
  return outgoing.settle(outgoing.claim({ ...log, known, messages }, fresh));
}

function receivePage(log: RoomLog, event: Extract<LogEvent, { type: 'page' }>): RoomLog {
  const batch = byId(event.messages);
  // Only an empty page says that the room begins here; a short one may just be a lower limit.
  const from = batch[0]?.id ?? 1;
  const to = event.before === null ? (batch.at(-1)?.id ?? 0) : event.before - 1;
  return receive(log, batch, [{ from, to }]);
}

function trim(log: RoomLog, keep: Range): RoomLog {
  const newest = newestId(log);
  const tail = { from: newest - keptNewest + 1, to: newest };
  const touching = keep.to >= tail.from - 1 && keep.from <= tail.to;
  const kept = touching ? [{ from: Math.min(keep.from, tail.from), to: newest }] : [keep, tail];
  const messages = kept.flatMap(({ from, to }) =>
    log.messages.slice(indexOfId(log.messages, from), indexOfId(log.messages, to + 1)),
  );
  if (messages.length === log.messages.length) return log;
  const known = kept.flatMap((range) => clip(log.known, range));
  const [oldest] = messages;
  const keys = new Map([...log.keys].filter(([id]) => oldest && id >= oldest.id));
  return { ...log, messages, known, keys };
}

export function reduce(log: RoomLog, event: LogEvent): RoomLog {
  switch (event.type) {
    case 'identity':
      return outgoing.changePerson(log, event.me);
    case 'live':
      return receive(
        log,
        byId(event.messages),
        event.messages.map(({ id }) => ({ from: id, to: id })),
      );
    case 'page':
      return receivePage(log, event);
    case 'written':
      return outgoing.written(log, event.key, event.text, event.at);
    case 'sending':
      return outgoing.sending(log, event.key);
    case 'receipt':
      return outgoing.receipt(log, event.key, event.id);
    case 'refused':
      return outgoing.refused(log, event.key, false);
    case 'retry':
      return outgoing.refused(log, event.key, true);
    case 'discarded':
      return outgoing.change(log, event.key, () => null);
    case 'restored':
      return outgoing.restored(log, event.items);
    case 'caught-up':
      return outgoing.again(log);
    case 'forgotten': {
      // What had its receipt was of the other numbering; what had none is sent again.
      const left = log.outgoing.filter(({ id }) => id === null);
      const items = left.map((item) => ({ ...item, after: 0, claimedBy: null }));
      return { ...emptyLog, me: log.me, outgoing: items };
    }
    case 'trimmed':
      return trim(log, event.keep);
  }
}
