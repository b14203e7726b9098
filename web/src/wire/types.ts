// The whole wire between the page and the server: every shape, path, destination and bound.
// docs/wire.md describes the same things in words.

/** Every HTTP answer, and every body on the errors queue. */
export interface Envelope<T> {
  response: T | null;
  error: { message: string; cause: string | null } | null;
  type: string;
  success: boolean;
}

/** A stored message, the same live and in history. Within a room the ids are 1, 2, 3 … */
export interface ChatMessage {
  id: number;
  message: string;
  /** The sender's nickname. */
  randId: string;
  /** The sender's name tag, such as #A1B2C3. */
  nameTag: string;
  createdAt: string;
  /** Masked to its first two parts by the server. */
  ipAddress: string;
  senderId: string;
}

/** Body of a SEND to `destination.post`. */
export interface ChatPost {
  roomId: string;
  message: string;
}

/** What the page reads of the token's claims. */
export interface Identity {
  id: string;
  nickname: string;
  nameTag: string;
  /** Seconds since 1970, or null when the token does not say. */
  expiresAt: number | null;
}

export const lobby = '723a2a33-577b-4380-8116-a1aa8e5868d3';

export const path = {
  init: '/init',
  newest: (roomId: string, limit: number): string =>
    `/message?roomId=${encodeURIComponent(roomId)}&limit=${limit}`,
  before: (roomId: string, limit: number, before: number): string =>
    `/message/lastMessageId?roomId=${encodeURIComponent(roomId)}&limit=${limit}` +
    `&lastMessageId=${before}`,
  socket: '/ws',
} as const;

export const destination = {
  room: (roomId: string): string => `/sub/channel/${roomId}`,
  count: '/sub/channel/entry',
  errors: '/user/queue/errors',
  post: '/pub/chat',
} as const;

/** Types of an envelope that say: this token does not count any more. */
export const tokenErrors: ReadonlySet<string> = new Set([
  'INVALID_TOKEN',
  'EXPIRED_TOKEN',
  'NO_TOKEN',
]);

export const limits = {
  /** Bytes of UTF-8 in one message. */
  messageBytes: 65_536,
  /** Messages in one page of history. */
  page: 100,
  heartbeatMs: 10_000,
} as const;

/** The pause that a server which restarts asks for in its close's reason; null without one. */
export function askedPauseMs(code: number, reason: string): number | null {
  const asked = code === 1001 ? /(?:^|;\s*)retry-after-ms=(\d{1,9})(?:;|$)/.exec(reason) : null;
  return asked ? Number(asked[1]) : null;
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
