// What is written and not yet stored by the server, kept over a reload: each message under a key of
// its own, so that several tabs never overwrite each other's. The tab that wrote a message sends it;
// when that tab is gone another one takes it over. Sending one twice does no harm: the server knows it
// by its key.
import type { Outgoing } from './log-shape';
import { forget, keep, recall, waitingKeys, waitingPrefix } from './storage';
import { seesTabs, thisTab, whenGone } from './tabs';
import { utf8Bytes } from './utf8';
import { parseJson } from '../wire/parse';

/** Messages of all rooms that may wait in one tab, and their bytes. */
export const waitingMax = 100;
export const waitingBytesMax = 1024 * 1024;
/** The server forgets keys after two days: what was sent longer ago is the reader's choice. */
const keyLifetimeMs = 47 * 3_600_000;

interface Entry {
  readonly tab: string;
  readonly roomId: string;
  readonly key: string;
  readonly text: string;
  readonly writtenAt: string;
  readonly sentAs: string | null;
  readonly failed: boolean;
}

function entryOf(text: string | null): Entry | null {
  const value = text === null ? null : (parseJson(text) as Partial<Entry> | null);
  if (!value || typeof value !== 'object') return null;
  const { tab, roomId, key, text: words, writtenAt, sentAs, failed } = value;
  const texts = [tab, roomId, key, words, writtenAt];
  if (!texts.every((each) => typeof each === 'string')) return null;
  if (Number.isNaN(Date.parse(writtenAt!))) return null;
  const person = typeof sentAs === 'string' ? sentAs : null;
  return { ...(value as Entry), sentAs: person, failed: failed === true };
}

function entries(): Entry[] {
  const all = waitingKeys().map((key) => entryOf(recall(key)));
  return all.filter((entry) => entry !== null);
}

function outgoingOf(entry: Entry, now: number): Outgoing {
  const { key, text, writtenAt, sentAs } = entry;
  const forgotten = sentAs !== null && now - Date.parse(writtenAt) > keyLifetimeMs;
  const status = entry.failed || forgotten ? 'failed' : 'waiting';
  return { key, text, writtenAt, status, sentAs, after: 0, claimedBy: null, id: null };
}

const store = (entry: Entry): boolean =>
  keep(`${waitingPrefix}${entry.key}`, JSON.stringify(entry));

/** True when one more message of this size may wait beside those. */
export function hasPlace(waiting: readonly Outgoing[], text: string): boolean {
  const bytes = waiting.reduce((sum, item) => sum + utf8Bytes(item.text), utf8Bytes(text));
  return waiting.length < waitingMax && bytes <= waitingBytesMax;
}

/** Makes the kept messages of a room those of `after`, of which `before` were kept. */
export function sync(
  roomId: string,
  before: readonly Outgoing[],
  after: readonly Outgoing[],
): void {
  const old = new Map(before.map((item) => [item.key, item]));
  for (const item of after) {
    const was = old.get(item.key);
    old.delete(item.key);
    const failed = item.status === 'failed';
    if (was && was.sentAs === item.sentAs && (was.status === 'failed') === failed) continue;
    const { key, text, writtenAt, sentAs } = item;
    store({ tab: thisTab, roomId, key, text, writtenAt, sentAs, failed });
  }
  for (const key of old.keys()) forget(`${waitingPrefix}${key}`);
}

/** Takes over what other tabs left, now and later; `take` gets the messages of one room at a time. */
export function inherit(take: (roomId: string, items: readonly Outgoing[]) => void): void {
  const watched = new Set([thisTab]);
  const takeOver = (tab: string): void => {
    const rooms = new Map<string, Outgoing[]>();
    for (const entry of entries()) {
      if (entry.tab !== tab) continue;
      store({ ...entry, tab: thisTab });
      const item = outgoingOf(entry, Date.now());
      rooms.set(entry.roomId, [...(rooms.get(entry.roomId) ?? []), item]);
    }
    for (const [roomId, items] of rooms) take(roomId, items);
  };
  const watch = (): void => {
    for (const { tab } of entries()) {
      if (watched.has(tab)) continue;
      watched.add(tab);
      whenGone(tab, () => takeOver(tab));
    }
  };
  watch();
  if (!seesTabs()) return;
  addEventListener('storage', ({ key }) => {
    if (key?.startsWith(waitingPrefix)) watch();
  });
}
