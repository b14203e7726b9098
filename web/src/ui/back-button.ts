// The browser's Back, while something lies over the page: it takes that away, and leads nowhere else. What
// lies there has an entry of its own in the history, which goes with it however it ends.

interface State {
  readonly over?: true;
}

const isOver = (): boolean => (history.state as State | null)?.over === true;

export class BackButton {
  readonly #onback: () => void;
  #over = false;
  /** Our own way back is under way, from the entry with this address. */
  #returning: string | null = null;
  /** Where the reader went meanwhile. */
  #wanted: string | null = null;

  /** `onback`: the reader went back, so nothing lies over the page any more. */
  constructor(onback: () => void) {
    this.#onback = onback;
  }

  /** Something lies over the page from now on. */
  cover(): void {
    this.#over = true;
    // The entry may be there: the page was loaded anew in it.
    if (!isOver()) history.pushState({ over: true } satisfies State, '');
  }

  /** It has ended, by the reader. */
  uncover(): void {
    if (!this.#over) return;
    this.#over = false;
    if (!isOver()) return;
    this.#returning = location.hash;
    history.back();
  }

  /** It ends by leading elsewhere in the page: what was its entry is that place's. */
  leadTo(hash: string): void {
    if (!this.#over) location.hash = hash;
    else if ((location.hash || '#/') === hash) this.uncover();
    else {
      this.#over = false;
      location.replace(hash);
    }
  }

  /** To be called at each `popstate`. */
  moved(): void {
    if (this.#returning !== null) {
      if (location.hash !== this.#returning) this.#wanted = location.hash;
      else if (!isOver()) {
        this.#returning = null;
        if (this.#wanted !== null) location.hash = this.#wanted;
        this.#wanted = null;
      }
    } else if (this.#over && !isOver()) {
      this.#over = false;
      this.#onback();
    }
  }
}
