// The rooms that the reader has opened, kept in this browser, and what they are called.
import { parseJson } from '../wire/parse';
import { lobby } from '../wire/types';
import { keep, recall } from './storage';

/** A session may hold only so many subscriptions. */
export const joinedMax = 20;
const nameMax = 60;

export interface MyRoom {
  readonly id: string;
  /** Empty: not known. */
  readonly name: string;
  /** With whom, when it is a room of two. */
  readonly other: string | null;
}

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The room that an address leads to; null when it is none. */
export function roomOfHash(hash: string): string | null {
  if (hash === '' || hash === '#' || hash === '#/') return lobby;
  const id = hash.replace(/^#\//, '');
  return uuid.test(id) ? id.toLowerCase() : null;
}

export const hashOf = (roomId: string): string => (roomId === lobby ? '#/' : `#/${roomId}`);

function recalled(): MyRoom[] {
  const value = parseJson(recall('rtc.rooms') ?? '');
  if (!Array.isArray(value)) return [];
  return value.flatMap((each): MyRoom[] => {
    const { id, name, other } = (each ?? {}) as Partial<MyRoom>;
    if (typeof id !== 'string' || !uuid.test(id) || id === lobby) return [];
    return [
      {
        id,
        name: typeof name === 'string' ? name.slice(0, nameMax * 2) : '',
        other: typeof other === 'string' ? other : null,
      },
    ];
  });
}

export class MyRooms {
  /** The lobby first, then as they were opened, the newest last. */
  list = $state.raw<readonly MyRoom[]>([]);

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
      const known = { ...old, name, other: room.other ?? old.other };
      this.#put(this.list.map((each) => (each === old ? known : each)));
      return [];
    }
    const away = this.list.length < joinedMax ? [] : this.list.slice(1, 2);
    this.#put([...this.list.filter((each) => !away.includes(each)), room]);
    return away;
  }

  remove(id: string): void {
    if (id !== lobby) this.#put(this.list.filter((room) => room.id !== id));
  }

  #put(list: readonly MyRoom[]): void {
    this.list = list;
    keep('rtc.rooms', JSON.stringify(list.slice(1)));
  }
}
