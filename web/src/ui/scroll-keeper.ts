// Holds the reader's place while the log changes around it: rows come in above, heights change,
// the window is resized. The browser's own scroll anchoring is off in the log (it does nothing at
// the very top, and not every browser has it); this does its work exactly, before the next paint.

/** A visible row and where its top edge is, counted from the top of the scroller. */
interface Place {
  readonly row: Element;
  readonly top: number;
}

/** So near to the end counts as being there. */
const endPx = 48;

export class ScrollKeeper {
  readonly #scroller: HTMLElement;
  #places: readonly Place[] = [];
  #pinned = true;

  constructor(scroller: HTMLElement) {
    this.#scroller = scroller;
  }

  /** True while the reader stays at the end, so that new rows push the old ones up. */
  get pinned(): boolean {
    return this.#pinned;
  }

  /** Notes the place of every visible row, to be kept by the next `restore`. */
  remember(): void {
    const frame = this.#scroller.getBoundingClientRect();
    const places: Place[] = [];
    for (const row of this.#scroller.querySelectorAll('[data-row]')) {
      const { top, bottom } = row.getBoundingClientRect();
      if (bottom > frame.top && top < frame.bottom) places.push({ row, top: top - frame.top });
      else if (places.length > 0) break;
    }
    this.#places = places;
  }

  /** Puts the first remembered row that still exists back to where it was, or stays at the end. */
  restore(): void {
    if (this.#pinned) {
      this.toEnd();
      return;
    }
    const place = this.#places.find(({ row }) => row.isConnected);
    if (place) {
      const frame = this.#scroller.getBoundingClientRect();
      const moved = place.row.getBoundingClientRect().top - frame.top - place.top;
      if (Math.abs(moved) > 0.1) this.#scroller.scrollTop += moved;
    }
    this.remember();
  }

  toEnd(): void {
    this.#pinned = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** After the reader has scrolled. `complete`: the last row is the newest message. */
  scrolled(complete: boolean): void {
    this.#pinned = complete && this.below < endPx;
    this.remember();
  }

  /** Pixels hidden above. */
  get above(): number {
    return this.#scroller.scrollTop;
  }

  /** Pixels hidden below. */
  get below(): number {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }
}
