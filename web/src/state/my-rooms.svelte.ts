// The rooms that the reader has opened, kept in this browser, and what they are called.
import { parseJson } from '../wire/parse';
import { limits, lobby } from '../wire/types';
import { keep, recall } from './storage';

/** A session may hold only so many subscriptions. */
export const joinedMax = 20;
/** Rooms of two that the reader left: only the other one's new call brings them back. */
const leftMax = 200;

export interface MyRoom {
  readonly id: string;
  /** Empty: not known. */
  readonly name: string;
  /** Of an open room; empty: it has none; absent: not known. */
  readonly topic?: string;
  /** With whom, when it is a room of two. */
  readonly other: string | null;
  /** Somebody else opened it, and the reader has not been there. */
  readonly fresh?: boolean;
}

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The room that an address leads to; null when it is none. */
export function roomOfHash(hash: string): string | null {
  if (hash === '' || hash === '#' || hash === '#/') return lobby;
  const id = hash.replace(/^#\//, '');
  return uuid.test(id) ? id.toLowerCase() : null;
}

export const hashOf = (roomId: string): string => (roomId === lobby ? '#/' : `#/${roomId}`);

function recalledLeft(): string[] {
  const value = parseJson(recall('rtc.left') ?? '');
  return Array.isArray(value) ? value.filter((id) => typeof id === 'string') : [];
}

function recalled(): MyRoom[] {
  const value = parseJson(recall('rtc.rooms') ?? '');
  if (!Array.isArray(value)) return [];
  return value.flatMap((each): MyRoom[] => {
    const { id, name, topic, other, fresh } = (each ?? {}) as Partial<MyRoom>;
    if (typeof id !== 'string' || !uuid.test(id) || id === lobby) return [];
    return [
      {
        id,
        name: typeof name === 'string' ? name.slice(0, limits.roomName * 2) : '',
        ...(typeof topic === 'string' ? { topic: topic.slice(0, limits.roomTopic * 2) } : {}),
        other: typeof other === 'string' ? other : null,
        ...(fresh === true ? { fresh } : {}),
      },
    ];
  });
}

export class MyRooms {
  /** The lobby first, then as they were opened, the newest last. */
  list = $state.raw<readonly MyRoom[]>([]);

  #left: readonly string[] = recalledLeft();

  constructor() {
    this.list = [{ id: lobby, name: '', other: null }, ...recalled().slice(0, joinedMax - 1)];
  }

  get(id: string): MyRoom | undefined {
    return this.list.find((room) => room.id === id);
  }

  /** Adds a room, or what is known of it; returns the rooms that had to make place. */
  add(room: MyRoom): readonly MyRoom[] {
    const old = this.get(room.id);
    if (old) {
      const name = room.name || old.name;
      const topic = room.topic ?? old.topic;
      const other = room.other ?? old.other;
      const known = { ...old, name, ...(topic === undefined ? {} : { topic }), other };
      this.#put(this.list.map((each) => (each === old ? known : each)));
      return [];
    }
    const away = this.list.length < joinedMax ? [] : this.list.slice(1, 2);
    this.#put([...this.list.filter((each) => !away.includes(each)), room]);
    return away;
  }

  /**
   * Adds a room of somebody else's making, unless there is no place: it pushes none of the reader's out.
   * False when nothing was added.
   */
  offer(room: MyRoom): boolean {
    if (this.get(room.id) || this.list.length >= joinedMax) return false;
    this.#put([...this.list, room]);
    return true;
  }

  /** The reader is there. */
  seen(id: string): void {
    if (!this.get(id)?.fresh) return;
    this.#put(this.list.map((room) => (room.id === id ? { ...room, fresh: false } : room)));
  }

  remove(id: string): void {
    if (id !== lobby) this.#put(this.list.filter((room) => room.id !== id));
  }

  /** Takes a room out because the reader wants so. */
  leave(id: string): void {
    if (this.get(id)?.other) this.#putLeft([id, ...this.#left.filter((each) => each !== id)]);
    this.remove(id);
  }

  hasLeft(id: string): boolean {
    return this.#left.includes(id);
  }

  /** He is called there anew. */
  forgive(id: string): void {
    if (this.hasLeft(id)) this.#putLeft(this.#left.filter((each) => each !== id));
  }

  #putLeft(ids: readonly string[]): void {
    this.#left = ids.slice(0, leftMax);
    keep('rtc.left', JSON.stringify(this.#left));
  }

  #put(list: readonly MyRoom[]): void {
    this.list = list;
    keep('rtc.rooms', JSON.stringify(list.slice(1)));
  }
}
