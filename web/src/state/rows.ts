// From messages to rows: who heads a group, where a day begins, what is still on its way.
import type { ChatMessage, Identity } from '../wire/types';
import type { Outgoing, OutgoingStatus } from './log-shape';
import type { Shown } from './view';

export interface DayRow {
  readonly kind: 'day';
  readonly key: string;
  readonly day: Date;
}

/** What stands below is new since the reader left. */
export interface LineRow {
  readonly kind: 'line';
  readonly key: string;
}

export interface MessageRow {
  readonly kind: 'message';
  readonly key: string;
  /** Null until the room has given it one. */
  readonly id: number | null;
  readonly own: boolean;
  readonly senderId: string;
  readonly nickname: string;
  readonly nameTag: string;
  readonly address: string;
  readonly text: string;
  readonly at: Date;
  readonly status: 'sent' | OutgoingStatus;
  /** First of its group: shows who speaks. */
  readonly head: boolean;
  /** Last of its group: shows when. */
  readonly tail: boolean;
}

export type Row = DayRow | LineRow | MessageRow;

type Line = Omit<MessageRow, 'head' | 'tail'> & { readonly sender: string };

const groupGapMs = 5 * 60_000;

const dayOf = (at: Date): string => `${at.getFullYear()}-${at.getMonth() + 1}-${at.getDate()}`;

const minuteOf = (at: Date): number => Math.floor(at.getTime() / 60_000);

function lineOf(message: ChatMessage, me: string, keys: ReadonlyMap<number, string>): Line {
  return {
    kind: 'message',
    key: keys.get(message.id) ?? `m${message.id}`,
    id: message.id,
    own: message.senderId !== '' && message.senderId === me,
    senderId: message.senderId,
    nickname: message.randId,
    nameTag: message.nameTag,
    address: message.ipAddress,
    text: message.message,
    at: new Date(message.createdAt),
    status: 'sent',
    sender: message.senderId || message.nameTag,
  };
}

function outgoingLine(item: Outgoing, me: Identity): Line {
  return {
    kind: 'message',
    key: item.key,
    id: null,
    own: true,
    senderId: me.id,
    nickname: me.nickname,
    nameTag: me.nameTag,
    address: '',
    text: item.text,
    at: new Date(item.writtenAt),
    status: item.status,
    sender: me.id,
  };
}

const sameGroup = (a: Line, b: Line): boolean =>
  a.sender === b.sender &&
  dayOf(a.at) === dayOf(b.at) &&
  Math.abs(b.at.getTime() - a.at.getTime()) <= groupGapMs;

/** The rows of what is shown, then those of the messages on their way. */
export function rowsOf(
  { above, messages }: Shown,
  outgoing: readonly Outgoing[],
  me: Identity | null,
  keys: ReadonlyMap<number, string>,
  line: number | null = null,
): Row[] {
  const own = me?.id ?? '';
  const lines = messages.map((message) => lineOf(message, own, keys));
  if (me) lines.push(...outgoing.map((item) => outgoingLine(item, me)));
  const rows: Row[] = [];
  let previous = above ? lineOf(above, own, keys) : null;
  let drawn = line === null || (previous?.id ?? 0) > line;
  lines.forEach(({ sender, ...row }, index) => {
    const current = { sender, ...row };
    const next = lines[index + 1];
    const day = dayOf(row.at);
    if (!previous || dayOf(previous.at) !== day) {
      rows.push({ kind: 'day', key: `day-${day}-${row.key}`, day: row.at });
    }
    const fresh = !drawn && row.id !== null && row.id > (line ?? 0);
    if (fresh) {
      drawn = true;
      rows.push({ kind: 'line', key: `line-${line}` });
    }
    rows.push({
      ...row,
      head: fresh || !previous || !sameGroup(previous, current),
      tail: !next || !sameGroup(current, next) || minuteOf(next.at) !== minuteOf(row.at),
    });
    previous = current;
  });
  return rows;
}

const same = (a: unknown, b: unknown): boolean =>
  a === b || (a instanceof Date && b instanceof Date && a.getTime() === b.getTime());

/** Both of one kind, so of the same fields. */
const equal = (a: Row, b: Row): boolean =>
  a.kind === b.kind &&
  Object.entries(a).every(([name, value]) => same(value, b[name as keyof Row]));

/** `rows`, of which those that say what they said `before` are the same objects: they are not drawn again. */
export function reused(before: readonly Row[], rows: readonly Row[]): Row[] {
  const old = new Map(before.map((row) => [row.key, row]));
  return rows.map((row) => {
    const was = old.get(row.key);
    return was && equal(was, row) ? was : row;
  });
}
