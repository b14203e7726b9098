// The reader's own messages on their way: each is one row from the moment it is written, whichever
// of its receipt and itself comes first, and however often it is sent.
import type { ChatMessage } from '../wire/types';
import { holdsId, newestId, type Outgoing, type RoomLog } from './log-shape';

export function change(
  log: RoomLog,
  key: string,
  by: (item: Outgoing) => Outgoing | null,
): RoomLog {
  const outgoing = log.outgoing.flatMap((item) => (item.key === key ? (by(item) ?? []) : [item]));
  return { ...log, outgoing };
}

export function written(log: RoomLog, key: string, text: string, writtenAt: string): RoomLog {
  const item: Outgoing = {
    key,
    text,
    writtenAt,
    status: 'waiting',
    sentAs: null,
    after: 0,
    claimedBy: null,
    id: null,
  };
  return { ...log, outgoing: [...log.outgoing, item] };
}

export const sending = (log: RoomLog, key: string): RoomLog =>
  change(log, key, (item) => ({
    ...item,
    status: 'sending',
    sentAs: log.me,
    after: item.after || newestId(log),
  }));

/** Finds the reader's own messages of `batch` among the outgoing ones: each is one row only. */
export function claim(log: RoomLog, batch: readonly ChatMessage[]): RoomLog {
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
          item.sentAs === log.me &&
          item.text === message &&
          item.after < id,
      );
    if (!match) continue;
    keys.set(id, match.key);
    outgoing = outgoing.flatMap((item) => {
      if (item !== match) return [item];
      // Only the receipt is sure. Until then it may be the same words from another tab.
      const receiptComes = item.status === 'sending' || item.status === 'waiting';
      return receiptComes ? [{ ...item, claimedBy: id }] : [];
    });
  }
  return outgoing === log.outgoing ? log : { ...log, outgoing, keys };
}

/** Drops what is stored in a part of the history that is not here: it has its place there. */
export function settle(log: RoomLog): RoomLog {
  const newest = newestId(log);
  const outgoing = log.outgoing.filter(({ id }) => id === null || id > newest);
  return outgoing.length === log.outgoing.length ? log : { ...log, outgoing };
}

/** Takes back that a message seemed to be the one of `key`. */
function unclaim(log: RoomLog, key: string): RoomLog {
  const claimed = log.outgoing.find((item) => item.key === key)?.claimedBy ?? null;
  if (claimed === null) return log;
  const keys = new Map(log.keys);
  keys.delete(claimed);
  return change({ ...log, keys }, key, (item) => ({ ...item, claimedBy: null }));
}

export function receipt(log: RoomLog, key: string, id: number | null): RoomLog {
  const item = log.outgoing.find((each) => each.key === key);
  if (!item) return log;
  if (item.claimedBy !== null && (id === null || id === item.claimedBy)) {
    return change(log, key, () => null);
  }
  const free = unclaim(log, key);
  if (id !== null && holdsId(free, id) && !free.keys.has(id)) {
    const keys = new Map(free.keys).set(id, key);
    return change({ ...free, keys }, key, () => null);
  }
  // Seen, or in a hole of the history: it has its place among the messages.
  if (id !== null && id <= newestId(free)) return change(free, key, () => null);
  return change(free, key, (each) => ({ ...each, status: 'stored', id }));
}

/** Not taken: `again` says that it is to be sent once more, else the reader decides. */
export const refused = (log: RoomLog, key: string, again: boolean): RoomLog =>
  change(unclaim(log, key), key, (item) => ({ ...item, status: again ? 'waiting' : 'failed' }));

/** What had no receipt when the connection was lost is sent again: the server stores it once. */
export function again(log: RoomLog): RoomLog {
  const outgoing = log.outgoing.map(
    (item): Outgoing => (item.status === 'sending' ? { ...item, status: 'waiting' } : item),
  );
  return { ...log, outgoing };
}

/** The messages of an earlier page view; one that somebody else had sent is the reader's choice. */
export function restored(log: RoomLog, items: readonly Outgoing[]): RoomLog {
  const fresh = items.filter(({ key }) => log.outgoing.every((item) => item.key !== key));
  const outgoing = [...log.outgoing, ...fresh].sort((a, b) =>
    a.writtenAt < b.writtenAt ? -1 : Number(a.writtenAt > b.writtenAt),
  );
  return fresh.length === 0 ? log : disown({ ...log, outgoing });
}

/** A key counts for one person: what another one had sent cannot be sent again without harm. */
function disown(log: RoomLog): RoomLog {
  if (log.me === '') return log;
  const outgoing = log.outgoing.flatMap((item): Outgoing[] => {
    if (item.sentAs === null || item.sentAs === log.me || item.status === 'failed') return [item];
    return item.claimedBy === null && item.id === null ? [{ ...item, status: 'failed' }] : [];
  });
  return { ...log, outgoing };
}

export const changePerson = (log: RoomLog, me: string): RoomLog => disown({ ...log, me });
