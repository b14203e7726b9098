// The list of open rooms, read page by page when somebody looks for one.
import { rooms } from '../wire/http';
import { limits, lobby, type RoomInfo } from '../wire/types';

/** Rooms that are read at most; a list longer than this wants a search of the server's. */
const listedMax = 2_000;

export class OpenRooms {
  list = $state.raw<readonly RoomInfo[]>([]);
  loading = $state(false);
  failed = $state(false);

  readonly #token: () => string;

  constructor(token: () => string) {
    this.#token = token;
  }

  /** Reads the list anew. */
  async read(): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    this.failed = false;
    try {
      const all: RoomInfo[] = [];
      for (let after: string | null = null; all.length < listedMax; ) {
        const page = await rooms(this.#token(), limits.page, after);
        const last = page.at(-1);
        if (!last) break;
        all.push(...page);
        after = last.roomId;
      }
      this.list = all.filter(({ roomId }) => roomId !== lobby);
    } catch {
      this.failed = true;
    } finally {
      this.loading = false;
    }
  }

  /** The rooms whose name has all the words, the newest first. */
  search(words: string): RoomInfo[] {
    const wanted = words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const fits = ({ name }: RoomInfo): boolean => {
      const low = name.toLocaleLowerCase();
      return wanted.every((word) => low.includes(word));
    };
    return this.list.filter(fits).reverse();
  }
}
