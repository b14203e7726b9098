// Reads what comes from the wire, and takes nothing for what it is not.
import type {
  Ban,
  Call,
  ChatMessage,
  Envelope,
  Marker,
  PeopleChange,
  PeoplePage,
  PersonName,
  RoomInfo,
} from './types';

/** The pause that a server which restarts asks for in its close's reason; null without one. */
export function askedPauseMs(code: number, reason: string): number | null {
  const asked = code === 1001 ? /(?:^|;\s*)retry-after-ms=(\d{1,9})(?:;|$)/.exec(reason) : null;
  return asked ? Number(asked[1]) : null;
}

/** Until when and why, of what the server says to who is banned; of other words neither. */
export function banOf(message: string): Ban {
  const [, until = '', why = ''] = /^you are banned(?: until (\S+Z))?(?:: (.*))?$/s.exec(message) ?? [];
  const at = new Date(until);
  return { until: Number.isNaN(at.getTime()) ? null : at, why };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads JSON text; null when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

export function asEnvelope(value: unknown): Envelope<unknown> | null {
  if (!isRecord(value) || typeof value.type !== 'string') return null;
  const error = isRecord(value.error) ? value.error : null;
  return {
    response: value.response ?? null,
    error: error && { message: String(error.message ?? ''), cause: null },
    type: value.type,
    success: value.success === true,
  };
}

export function asMessage(value: unknown): ChatMessage | null {
  if (!isRecord(value)) return null;
  const { id, message, randId, nameTag, createdAt, ipAddress, senderId } = value;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1) return null;
  if (typeof message !== 'string') return null;
  if (typeof createdAt !== 'string' || Number.isNaN(Date.parse(createdAt))) return null;
  return {
    id,
    message,
    createdAt,
    randId: typeof randId === 'string' ? randId : '',
    nameTag: typeof nameTag === 'string' ? nameTag : '',
    ipAddress: typeof ipAddress === 'string' ? ipAddress : '',
    senderId: typeof senderId === 'string' ? senderId : '',
  };
}

/** What may come to a room's subscription in place of missed messages. */
export function asMarker(value: unknown): Marker | null {
  if (!isRecord(value)) return null;
  const { type, from, to } = value;
  if (type !== 'HISTORY_GAP' && type !== 'EPOCH_CHANGED') return null;
  return isId(from) && isId(to) ? { type, from, to } : null;
}

/** A header's whole number above 0. */
export function asCount(text: string | undefined): number | null {
  const count = Number(text);
  return Number.isSafeInteger(count) && count > 0 ? count : null;
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

export function asPersonName(value: unknown): PersonName | null {
  if (!isRecord(value) || typeof value.senderId !== 'string') return null;
  const { senderId, randId, nameTag } = value;
  return {
    senderId,
    randId: typeof randId === 'string' ? randId : '',
    nameTag: typeof nameTag === 'string' ? nameTag : '',
  };
}

/** The entries of an array that `as` takes; none of what is no array. */
export const listOf = <T>(value: unknown, as: (entry: unknown) => T | null): T[] =>
  Array.isArray(value) ? value.map(as).filter((entry): entry is T & {} => entry !== null) : [];

export function asPeopleChange(value: unknown): PeopleChange | null {
  if (!isRecord(value) || !isId(value.people)) return null;
  return {
    people: value.people,
    joined: listOf(value.joined, asPersonName),
    left: listOf(value.left, (id) => (typeof id === 'string' ? id : null)),
    typing: listOf(value.typing, asPersonName),
    complete: value.complete === true,
  };
}

export function asPeoplePage(value: unknown): PeoplePage | null {
  if (!isRecord(value) || !isId(value.people)) return null;
  return { people: value.people, page: listOf(value.page, asPersonName) };
}

export function asRoomInfo(value: unknown): RoomInfo | null {
  if (!isRecord(value) || typeof value.roomId !== 'string') return null;
  const { roomId, name, topic, history, receiverId } = value;
  return {
    roomId,
    name: typeof name === 'string' ? name : '',
    topic: typeof topic === 'string' ? topic : '',
    history: history !== false,
    other: typeof receiverId === 'string' ? receiverId : null,
  };
}

export function asCall(value: unknown): Call | null {
  const person = asPersonName(value);
  const room = asRoomInfo(value);
  return person && room && { ...person, roomId: room.roomId };
}
