// Who is in a room, and who types there.
import { peopleOf } from '../wire/http';
import { limits, type PeopleChange, type PersonName } from '../wire/types';

/** People that the roster names; beyond them there is only the number. */
export const rosterMax = 300;

export class Presence {
  people = $state<number | null>(null);
  typing = $state.raw<readonly PersonName[]>([]);
  roster = $state.raw<ReadonlyMap<string, PersonName>>(new Map());

  readonly roomId: string;
  readonly #token: () => string;
  /** The roster was read; changes apply to it. */
  #read = false;
  #reading = false;
  #meanwhile: PeopleChange[] = [];

  constructor(roomId: string, token: () => string) {
    this.roomId = roomId;
    this.#token = token;
  }

  change(change: PeopleChange): void {
    this.people = change.people;
    this.typing = change.typing;
    if (!this.#read) return;
    if (this.#reading) this.#meanwhile.push(change);
    else if (change.complete) this.#apply(change);
    else void this.readRoster();
  }

  /** Reads who is there; afterwards the changes keep it up. */
  async readRoster(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    this.#read = true;
    const roster = new Map<string, PersonName>();
    try {
      for (let after: string | null = null; roster.size < rosterMax; ) {
        const { page } = await peopleOf(this.#token(), this.roomId, limits.page, after);
        const last: PersonName | undefined = page.at(-1);
        if (!last) break;
        for (const person of page) roster.set(person.senderId, person);
        after = last.senderId;
      }
      this.roster = roster;
      for (const change of this.#meanwhile) this.#apply(change);
    } catch {
      // The number is there all the same; the next opening of the list reads it again.
      this.#read = false;
    } finally {
      this.#reading = false;
      this.#meanwhile = [];
    }
  }

  #apply({ joined, left }: PeopleChange): void {
    if (joined.length + left.length === 0) return;
    const roster = new Map(this.roster);
    for (const id of left) roster.delete(id);
    for (const person of joined) {
      if (roster.size < rosterMax) roster.set(person.senderId, person);
    }
    this.roster = roster;
  }

  /** Nobody tells any more: what is known grows old. */
  lost(): void {
    this.people = null;
    this.typing = [];
    this.#read = false;
  }
}
