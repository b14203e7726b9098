// What a room log is, and what can be asked of it. room-log.ts changes it, outgoing.ts the part of
// it that is the reader's own and on its way.
import type { ChatMessage } from '../wire/types';
import { holesOf, type Range } from './ranges';

/** waiting: not sent yet; sending: sent, no receipt; stored: receipt, not seen live yet. */
export type OutgoingStatus = 'waiting' | 'sending' | 'stored' | 'failed';

/** A message of the reader's own, until it is one of `messages`. */
export interface Outgoing {
  readonly key: string;
  readonly text: string;
  readonly writtenAt: string;
  readonly status: OutgoingStatus;
  /** Who sent it first: for this person alone its key stands for one message. */
  readonly sentAs: string | null;
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

export const holdsId = (log: RoomLog, id: number): boolean =>
  log.messages[indexOfId(log.messages, id)]?.id === id;

/** The log without what those people said. */
export function heardOf(log: RoomLog, muted: ReadonlySet<string>): RoomLog {
  if (muted.size === 0) return log;
  return { ...log, messages: log.messages.filter(({ senderId }) => !muted.has(senderId)) };
}
