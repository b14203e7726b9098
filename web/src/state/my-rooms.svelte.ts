// The rooms that the reader has opened, kept in this browser, and what they are called.
import { limits, lobby } from '../wire/types';
import { uuid } from './address';
import { Shared } from './shared';

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

const idsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((id) => typeof id === 'string') : [];

function roomsOf(value: unknown): readonly MyRoom[] {
  if (!Array.isArray(value)) return [];
  const rooms = value.flatMap((each): MyRoom[] => {
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
  return rooms.slice(0, joinedMax - 1);
}

const lobbyRoom: MyRoom = { id: lobby, name: '', other: null };

export class MyRooms {
  readonly #kept = new Shared('rtc.rooms', roomsOf);
  readonly #left = new Shared('rtc.left', idsOf);

  /** The lobby first, then as they were opened, the newest last. */
  list = $state.raw<readonly MyRoom[]>([lobbyRoom, ...this.#kept.get()]);

  /** Another tab may have changed it. */
  refresh(): void {
    this.list = [lobbyRoom, ...this.#kept.get()];
  }

  get(id: string): MyRoom | undefined {
    return this.list.find((room) => room.id === id);
  }

  /** Adds a room, or what is known of it; the oldest one makes place. */
  add(room: MyRoom): void {
    if (room.id === lobby) return;
    this.#change((list) =>
      list.some(({ id }) => id === room.id)
        ? list.map((old) => (old.id === room.id ? joined(old, room) : old))
        : [...list.slice(list.length < joinedMax - 1 ? 0 : 1), room],
    );
  }

  /** Notes what is known of a room, if it is one of the reader's. */
  learn(room: MyRoom): void {
    this.#change((list) => list.map((old) => (old.id === room.id ? joined(old, room) : old)));
  }

  /** True when a room of somebody else's making may come in: it pushes none of the reader's out. */
  hasPlace(): boolean {
    return this.#kept.get().length < joinedMax - 1;
  }

  /** The reader is there. */
  seen(id: string): void {
    if (this.get(id)?.fresh)
      this.#change((list) => list.map((room) => (room.id === id ? { ...room, fresh: false } : room)));
  }

  remove(id: string): void {
    this.#change((list) => list.filter((room) => room.id !== id));
  }

  /** Takes a room out because the reader wants so. */
  leave(id: string): void {
    if (this.get(id)?.other)
      this.#left.change((ids) => [id, ...ids.filter((each) => each !== id)].slice(0, leftMax));
    this.remove(id);
  }

  hasLeft(id: string): boolean {
    return this.#left.get().includes(id);
  }

  /** He is called there anew. */
  forgive(id: string): void {
    if (this.hasLeft(id)) this.#left.change((ids) => ids.filter((each) => each !== id));
  }

  #change(by: (list: readonly MyRoom[]) => readonly MyRoom[]): void {
    this.list = [lobbyRoom, ...this.#kept.change(by)];
  }
}

/** What is known of a room, with what was known before. */
function joined(old: MyRoom, room: MyRoom): MyRoom {
  const topic = room.topic ?? old.topic;
  return {
    ...old,
    name: room.name || old.name,
    ...(topic === undefined ? {} : { topic }),
    other: room.other ?? old.other,
  };
}
