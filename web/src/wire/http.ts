// The HTTP half of the wire: the token, history, rooms and people.
import { early } from './early';
import { asEnvelope, asMessage, asPeoplePage, asRoomInfo, banOf, listOf } from './parse';
import { request } from './request';
import {
  bannedError,
  path,
  roomErrors,
  tokenErrors,
  type Ban,
  type ChatMessage,
  type Envelope,
  type PeoplePage,
  type RoomInfo,
} from './types';

const timeoutMs = 10_000;

/** The server refused the token: ask /init, then try again. */
export class TokenRefused extends Error {}

/** The reader may not be here. */
export class Banned extends Error {
  constructor(readonly ban: Ban) {
    super(bannedError);
  }
}

/** There is no such room, or not for this person: trying again does not help. */
export class NoRoom extends Error {}

/** Any other refusal; `type` is the envelope's. */
export class Refused extends Error {
  constructor(readonly type: string) {
    super(type);
  }
}

async function ask(
  address: string,
  token: string | null,
  body?: unknown,
): Promise<Envelope<unknown>> {
  const before = body === undefined ? early(address, token) : undefined;
  const { status, value } = await (before ?? request(address, token, body));
  const envelope = asEnvelope(value);
  if (!envelope) throw new Error(`${address}: no envelope, status ${status}`);
  return envelope;
}

/** An answer that the token was good for. */
async function call(address: string, token: string, body?: unknown): Promise<unknown> {
  const { response, type, success } = await ask(address, token, body);
  if (tokenErrors.has(type) || type === 'SUCCESS_TOKEN_ISSUANCE') throw new TokenRefused(type);
  if (roomErrors.has(type)) throw new NoRoom(type);
  if (!success) throw new Refused(type);
  return response;
}

/** The token to use from now on: a new one when the server gives one, else the one we have. */
export async function init(token: string | null): Promise<string> {
  const { response, type, error } = await ask(path.init, token);
  if (type === bannedError) throw new Banned(banOf(error?.message ?? ''));
  if (typeof response === 'string' && response !== '') return response;
  if (token === null) throw new Error('/init gave no token');
  return token;
}

/** True when the server answers plain HTTP. */
export async function healthy(): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    return (await fetch(path.health, { cache: 'no-store', credentials: 'omit', signal })).ok;
  } catch {
    return false;
  }
}

/** One page of history, newest first: the newest one, or the one below the id `before`. */
export async function history(
  token: string,
  roomId: string,
  limit: number,
  before: number | null,
): Promise<ChatMessage[]> {
  const address = before === null ? path.newest(roomId, limit) : path.before(roomId, limit, before);
  const response = await call(address, token);
  if (!Array.isArray(response)) throw new Error(`${address}: no array`);
  return listOf(response, asMessage);
}

/** The open rooms that have all the words in name or topic, newest first; without words the newest. */
export async function searchRooms(
  token: string,
  words: string,
  limit: number,
): Promise<RoomInfo[]> {
  return listOf(await call(path.search(words, limit), token), asRoomInfo);
}

/** One page of the reader's rooms of two, oldest first, those after the room `after`. */
export async function privateRooms(
  token: string,
  limit: number,
  after: string | null,
): Promise<RoomInfo[]> {
  return listOf(await call(path.privateRooms(after, limit), token), asRoomInfo);
}

/** What a room is called, or with whom it is. */
export async function roomOf(token: string, roomId: string): Promise<RoomInfo> {
  const room = asRoomInfo(await call(path.room(roomId), token));
  if (!room) throw new Error('no room in the answer');
  return room;
}

/** Makes an open room; without a topic when that is empty. */
export async function makeRoom(token: string, name: string, topic: string): Promise<RoomInfo> {
  const body = topic === '' ? { name } : { name, topic };
  const room = asRoomInfo(await call(path.makeRoom, token, body));
  if (!room) throw new Error('no room in the answer');
  return room;
}

/** The room of two people, the same whoever asks. */
export async function privateRoom(token: string, me: string, other: string): Promise<string> {
  const body = { senderId: me, receiverId: other };
  const room = asRoomInfo(await call(path.privateRoom, token, body));
  if (!room) throw new Error('no room in the answer');
  return room.roomId;
}

/** One page of who is in a room, those beyond the person `after`. */
export async function peopleOf(
  token: string,
  roomId: string,
  limit: number,
  after: string | null,
): Promise<PeoplePage> {
  const page = asPeoplePage(await call(path.people(roomId, after, limit), token));
  if (!page) throw new Error('no people in the answer');
  return page;
}
