// How far the reader has read a room, the same in all tabs and after a reload, and where the line
// stands that says what is new since then.
import { parseJson } from '../wire/parse';
import { keep, recall } from './storage';

const roomsMax = 200;

function all(): [string, number][] {
  const value = parseJson(recall('rtc.read') ?? '');
  if (!Array.isArray(value)) return [];
  const isPair = (each: unknown): each is [string, number] =>
    Array.isArray(each) && typeof each[0] === 'string' && Number.isSafeInteger(each[1]);
  return value.filter(isPair);
}

const readOf = (roomId: string): number | null =>
  all().find(([id]) => id === roomId)?.[1] ?? null;

function keepRead(roomId: string, read: number): void {
  const others = all().filter(([id]) => id !== roomId);
  keep('rtc.read', JSON.stringify([[roomId, read], ...others].slice(0, roomsMax)));
}

export class ReadMark {
  /** The newest id that was read; null: the reader was never here. */
  read = $state<number | null>(null);
  /** The line stands behind this id. */
  line = $state<number | null>(null);
  /** The reader looks at the newest messages. */
  present = false;

  readonly #roomId: string;
  #begun = false;
  /** Nobody sees the line, and all behind it was read: it stands behind the newest when more comes. */
  #old = false;

  constructor(roomId: string) {
    this.#roomId = roomId;
    this.read = readOf(roomId);
  }

  /** The newest id that is known now. */
  arrived(newest: number): void {
    const first = !this.#begun;
    this.#begun = true;
    if (this.read === null || newest < this.read) this.#put(newest);
    else if (first && newest > this.read) this.line = this.#below();
    if (this.present) this.readTo(newest);
    else if (newest > (this.read ?? newest)) {
      if (this.#old) this.line = null;
      this.#old = false;
      this.line ??= this.#below();
    }
  }

  /** Nothing of the room was read, although the reader was never here. */
  begin(): void {
    if (this.read === null) this.#put(0);
  }

  readTo(id: number): void {
    if (this.read !== null && id > this.read) this.#put(id);
  }

  /** Another tab may have read on. */
  refresh(): void {
    const read = readOf(this.#roomId);
    if (read !== null && this.read !== null && read > this.read) this.read = read;
  }

  /** The reader looks at older messages, or at nothing of the page; the line stays where it is to be found. */
  away(newest: number, hidden: boolean): void {
    this.present = false;
    this.#old = hidden && this.read === newest;
  }

  /** The reader goes away, having read all up to `newest`: what comes from now on is new to him. */
  left(newest: number): void {
    this.present = false;
    if (this.read === newest) this.line = null;
  }

  clearLine(): void {
    this.line = null;
  }

  /** What is read already; where nothing is, all is new and needs no line. */
  #below(): number | null {
    return this.read === 0 ? null : this.read;
  }

  #put(id: number): void {
    this.read = id;
    keepRead(this.#roomId, id);
  }
}
