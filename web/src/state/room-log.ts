// What the page knows of one room: a pure reducer. Messages come live, by history and out of
// order; here they become one sequence by id without duplicates, with its holes known, and with
// the reader's own unsent messages at its end.
import type { ChatMessage } from '../wire/types';
import { addRange, holesOf, type Range } from './ranges';

/** waiting: not sent yet; sending: sent, no receipt; stored: receipt, not seen live yet. */
export type OutgoingStatus = 'waiting' | 'sending' | 'stored' | 'failed';

/** A message of the reader's own, until it is one of `messages`. */
export interface Outgoing {
  readonly key: string;
  readonly text: string;
  readonly writtenAt: string;
  readonly status: OutgoingStatus;
  /** The newest id known when it was first sent: its own can only be above. */
  readonly after: number;
  /** The id of the message that seems to be this one, while the receipt is still missing. */
  readonly claimedBy: number | null;
  /** The id that the receipt told, while the message has not been seen. */
  readonly id: number | null;
}

export interface RoomLog {
  readonly me: string;
  /** By id, each once. */
  readonly messages: readonly ChatMessage[];
  /** The ids about which the server has told everything. */
  readonly known: readonly Range[];
  /** In the order in which they were written. */
  readonly outgoing: readonly Outgoing[];
  /** Messages that were `outgoing` first, with the key that they had there. */
  readonly keys: ReadonlyMap<number, string>;
}

export type LogEvent =
  | { type: 'identity'; me: string }
  | { type: 'live'; messages: readonly ChatMessage[] }
  /** An answer of history: newest first, all of them below `before` (null: the newest). */
  | { type: 'page'; before: number | null; messages: readonly ChatMessage[] }
  | { type: 'written'; key: string; text: string; at: string }
  | { type: 'receipt'; key: string; id: number | null }
  | { type: 'sending' | 'refused' | 'retry' | 'discarded'; key: string }
  /** Connected again: what was sent without a receipt is to be sent again, with its key. */
  | { type: 'caught-up' };

export const emptyLog: RoomLog = {
  me: '',
  messages: [],
  known: [],
  outgoing: [],
  keys: new Map(),
};

export const newestId = (log: RoomLog): number => log.known.at(-1)?.to ?? 0;

export const holes = (log: RoomLog): Range[] => holesOf(log.known);

/** The reader's own messages that are not (or not surely) in the room yet. */
export const unsettled = (log: RoomLog): readonly Outgoing[] =>
  log.outgoing.filter((item) => item.claimedBy === null);

/** The index of the first message with this id or a higher one. */
export function indexOfId(messages: readonly ChatMessage[], id: number): number {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle]?.id ?? Infinity) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

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

/** Finds the reader's own messages of `batch` among the outgoing ones: each is one row only. */
function claim(log: RoomLog, batch: readonly ChatMessage[]): RoomLog {
  let { outgoing } = log;
  const keys = new Map(log.keys);
  for (const { id, senderId, message } of batch) {
    if (senderId !== log.me) continue;
    const match =
      outgoing.find((item) => item.id === id) ??
      outgoing.find(
        (item) =>
          item.claimedBy === null &&
          item.id === null &&
          item.status !== 'waiting' &&
          item.text === message &&
          item.after < id,
      );
    if (!match) continue;
    keys.set(id, match.key);
    outgoing = outgoing.flatMap((item) => {
      if (item !== match) return [item];
      return item.status === 'sending' ? [{ ...item, claimedBy: id }] : [];
    });
  }
  return outgoing === log.outgoing ? log : { ...log, outgoing, keys };
}

const byId = (messages: readonly ChatMessage[]): ChatMessage[] =>
  [...messages].sort((a, b) => a.id - b.id);

/** Takes messages in the order of their ids, and the ids that they say everything about. */
function receive(log: RoomLog, batch: readonly ChatMessage[], covered: readonly Range[]): RoomLog {
  const fresh = batch.filter(
    ({ id }, index) =>
      id !== batch[index - 1]?.id && log.messages[indexOfId(log.messages, id)]?.id !== id,
  );
  const known = covered.reduce(addRange, log.known);
  if (fresh.length === 0) return known === log.known ? log : { ...log, known };
  return claim({ ...log, known, messages: insert(log.messages, fresh) }, fresh);
}

function receivePage(log: RoomLog, event: Extract<LogEvent, { type: 'page' }>): RoomLog {
  const batch = byId(event.messages);
  // Only an empty page says that the room begins here; a short one may just be a lower limit.
  const from = batch[0]?.id ?? 1;
  const to = event.before === null ? (batch.at(-1)?.id ?? 0) : event.before - 1;
  return receive(log, batch, [{ from, to }]);
}

function change(log: RoomLog, key: string, by: (item: Outgoing) => Outgoing | null): RoomLog {
  const outgoing = log.outgoing.flatMap((item) => (item.key === key ? (by(item) ?? []) : [item]));
  return { ...log, outgoing };
}

/** Takes back that a message seemed to be the one of `key`. */
function unclaim(log: RoomLog, key: string): RoomLog {
  const claimed = log.outgoing.find((item) => item.key === key)?.claimedBy ?? null;
  if (claimed === null) return log;
  const keys = new Map(log.keys);
  keys.delete(claimed);
  return change({ ...log, keys }, key, (item) => ({ ...item, claimedBy: null }));
}

function receipt(log: RoomLog, { key, id }: Extract<LogEvent, { type: 'receipt' }>): RoomLog {
  const item = log.outgoing.find((each) => each.key === key);
  if (!item) return log;
  if (item.claimedBy !== null && (id === null || id === item.claimedBy)) {
    return change(log, key, () => null);
  }
  const free = unclaim(log, key);
  const seen = id !== null && free.messages[indexOfId(free.messages, id)]?.id === id;
  if (seen && !free.keys.has(id)) {
    const keys = new Map(free.keys).set(id, key);
    return change({ ...free, keys }, key, () => null);
  }
  // Seen, or in a hole of the history: it has its place among the messages.
  if (id !== null && id <= newestId(free)) return change(free, key, () => null);
  return change(free, key, (each) => ({ ...each, status: 'stored', id }));
}

/** What had no receipt when the connection was lost is sent again: the server stores it once. */
function again(log: RoomLog): RoomLog {
  const outgoing = log.outgoing.flatMap((item): Outgoing[] => {
    if (item.status === 'sending') return [{ ...item, status: 'waiting' }];
    return item.status === 'stored' ? [] : [item];
  });
  return { ...log, outgoing };
}

/** A key counts for one person: what another one had sent cannot be sent again without harm. */
function changePerson(log: RoomLog, me: string): RoomLog {
  if (log.me === '' || log.me === me) return { ...log, me };
  const outgoing = log.outgoing.flatMap((item): Outgoing[] => {
    if (item.status !== 'sending') return [item];
    return item.claimedBy === null ? [{ ...item, status: 'failed' }] : [];
  });
  return { ...log, me, outgoing };
}

export function reduce(log: RoomLog, event: LogEvent): RoomLog {
  switch (event.type) {
    case 'identity':
      return changePerson(log, event.me);
    case 'live':
      return receive(
        log,
        byId(event.messages),
        event.messages.map(({ id }) => ({ from: id, to: id })),
      );
    case 'page':
      return receivePage(log, event);
    case 'written': {
      const { key, text, at } = event;
      const item: Outgoing = {
        key,
        text,
        writtenAt: at,
        status: 'waiting',
        after: 0,
        claimedBy: null,
        id: null,
      };
      return { ...log, outgoing: [...log.outgoing, item] };
    }
    case 'sending':
      return change(log, event.key, (item) => ({
        ...item,
        status: 'sending',
        after: item.after || newestId(log),
      }));
    case 'receipt':
      return receipt(log, event);
    case 'refused':
      return change(unclaim(log, event.key), event.key, (item) => ({ ...item, status: 'failed' }));
    case 'retry':
      return change(log, event.key, (item) => ({ ...item, status: 'waiting' }));
    case 'discarded':
      return change(log, event.key, () => null);
    case 'caught-up':
      return again(log);
  }
}
