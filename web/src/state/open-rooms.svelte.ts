// The open rooms that somebody looks for, as the server finds them.
import { searchRooms } from '../wire/http';
import type { RoomInfo } from '../wire/types';

/** Rooms that are shown; more words find fewer. */
export const foundMax = 50;

export class OpenRooms {
  /** Those that the last search found, newest first. */
  found = $state.raw<readonly RoomInfo[]>([]);
  loading = $state(false);
  failed = $state(false);

  readonly #token: () => string;
  #searches = 0;

  constructor(token: () => string) {
    this.#token = token;
  }

  /** The rooms with all the words in name or topic. Of searches under way only the last one counts. */
  async search(words: string): Promise<void> {
    this.#searches += 1;
    const search = this.#searches;
    this.loading = true;
    let found: RoomInfo[] | null = null;
    try {
      found = await searchRooms(this.#token(), words, foundMax);
    } catch {
      // Told below.
    }
    if (search !== this.#searches) return;
    this.loading = false;
    this.failed = found === null;
    this.found = found ?? [];
  }
}
