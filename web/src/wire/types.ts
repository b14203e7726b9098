// The whole wire between the page and the server: every shape, path, destination and bound.
// parse.ts reads them.
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

/** Stands in a room's stream for messages that do not come: docs/wire.md, Resuming. */
export interface Marker {
  type: 'HISTORY_GAP' | 'EPOCH_CHANGED';
  from: number;
  to: number;
}

/** A person as the roster and presence name him. */
export interface PersonName {
  senderId: string;
  randId: string;
  nameTag: string;
}

/** Who came, went and types in a room. */
export interface PeopleChange {
  people: number;
  joined: PersonName[];
  left: string[];
  typing: PersonName[];
  /** False: only the roster says who is there. */
  complete: boolean;
}

export interface PeoplePage {
  people: number;
  page: PersonName[];
}

export interface RoomInfo {
  roomId: string;
  /** Empty for a room of two. */
  name: string;
  /** What it is about; empty: nobody said. */
  topic: string;
  history: boolean;
  /** Of a room of two: the other person's id. */
  other: string | null;
}

/** Somebody opened a room of two with the reader. */
export interface Call extends PersonName {
  roomId: string;
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
  search: (words: string, limit: number): string =>
    `/chatroom/search?limit=${limit}&words=${encodeURIComponent(words)}`,
  room: (roomId: string): string => `/chatroom/room?roomId=${encodeURIComponent(roomId)}`,
  makeRoom: '/chatroom',
  privateRooms: (after: string | null, limit: number): string =>
    `/chatroom/private?limit=${limit}` +
    (after === null ? '' : `&after=${encodeURIComponent(after)}`),
  privateRoom: '/chatroom/private',
  people: (roomId: string, after: string | null, limit: number): string =>
    `/chatroom/people?roomId=${encodeURIComponent(roomId)}&limit=${limit}` +
    (after === null ? '' : `&after=${encodeURIComponent(after)}`),
  health: '/healthz',
  socket: '/ws',
  sockjs: '/connect',
  sockjsClient: '/assets/sockjs-client-1.6.1.js',
} as const;

export const destination = {
  room: (roomId: string): string => `/sub/channel/${roomId}`,
  presence: (roomId: string): string => `/sub/channel/${roomId}/presence`,
  count: '/sub/channel/entry',
  errors: '/user/queue/errors',
  calls: '/user/queue/rooms',
  post: '/pub/chat',
  typing: '/pub/typing',
} as const;

/** Too often, or as many as the server allows: rooms, for one. */
export const tooManyError = 'TOO_MANY_REQUESTS';

/** Types of a refusal that pass by themselves: the same message may be taken a moment later. */
export const passingErrors: ReadonlySet<string> = new Set([
  tooManyError,
  'SERVER_OVERLOAD',
  'INTERNAL_SERVER_ERROR',
]);

/** Types of an envelope that say: there is no such room for this person. */
export const roomErrors: ReadonlySet<string> = new Set([
  'NOT_FOUND_CHATROOM',
  'FORBIDDEN_ACCESS',
  'INVALID_PARAMETER',
]);

/** The person, or the address, may not be here: nothing helps but time, or the operator. */
export const bannedError = 'BANNED';

/** Until when and why, if the server says so. */
export interface Ban {
  readonly until: Date | null;
  /** In the words of who banned. */
  readonly why: string;
}

/** Types of an envelope that say: this token does not count any more, as /init will tell. */
export const tokenErrors: ReadonlySet<string> = new Set([
  bannedError,
  'INVALID_TOKEN',
  'EXPIRED_TOKEN',
  'NO_TOKEN',
]);

export const limits = {
  /** Bytes of UTF-8 in one message, until the server says otherwise. */
  messageBytes: 65_536,
  /** Characters of a room's name and topic, as the server has them by default. */
  roomName: 60,
  roomTopic: 120,
  /** Messages in one page of history, and in the first one of a room. */
  page: 100,
  firstPage: 60,
  heartbeatMs: 10_000,
} as const;
