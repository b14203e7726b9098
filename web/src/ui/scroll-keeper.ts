// Holds the reader's place while the log changes around it: rows come in above, heights change,
// the window is resized. The browser's own scroll anchoring is off in the log (it does nothing at
// the very top, and not every browser has it); this does its work exactly, before the next paint.

/** A visible row and where its top edge is, counted from the top of what is scrolled. */
interface Place {
  readonly row: Element;
  readonly top: number;
}

/** So near to the end counts as being there. */
const endPx = 48;

const lastOf = (rows: NodeListOf<Element>): Element | null => rows[rows.length - 1] ?? null;

export class ScrollKeeper {
  readonly #scroller: HTMLElement;
  #places: readonly Place[] = [];
  #pinned = true;
  /** As they were remembered: the position, what was hidden below it, the last row. */
  #scrollTop = 0;
  #below = 0;
  #last: Element | null = null;

  constructor(scroller: HTMLElement) {
    this.#scroller = scroller;
  }

  /** True while the reader stays at the end, so that new rows push the old ones up. */
  get pinned(): boolean {
    return this.#pinned;
  }

  /**
   * Puts the first remembered row that still exists back to where it was. At the end: keeps the end
   * in sight, and goes to it when there is another last row. Where the reader has scrolled meanwhile
   * (the event comes later than the scrolling), that is added; but not when the window was `resized`, which
   * may have been large for a moment and have moved the log then.
   */
  restore(resized = false): void {
    const { scrollHeight, clientHeight, scrollTop } = this.#scroller;
    const most = Math.max(0, scrollHeight - clientHeight);
    // A log that has become too short for the position was moved by the browser, not by the reader.
    const scrolled = resized || this.#scrollTop > most ? 0 : scrollTop - this.#scrollTop;
    if (this.#pinned) {
      const another = lastOf(this.#rows()) !== this.#last;
      if (another && scrolled >= 0) this.toEnd();
      // Who has begun to scroll up is not taken along by what comes below.
      else if (!another) this.#move(most - this.#below + scrolled);
    } else {
      const place = this.#places.find(({ row }) => row.isConnected);
      if (place) {
        const frame = this.#scroller.getBoundingClientRect();
        const top = place.row.getBoundingClientRect().top - frame.top + scrollTop;
        this.#move(this.#scrollTop + scrolled + top - place.top);
      }
    }
    this.#remember();
  }

  toEnd(): void {
    this.#pinned = true;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#remember();
  }

  /**
   * After the reader has scrolled, or a scrolling of our own is told of late: what else has changed since (rows
   * above, the window) is none of it, and is set right first. `complete`: the last row is the newest message.
   */
  scrolled(complete: boolean): void {
    this.restore();
    this.#pinned = complete && this.below < endPx;
    this.#remember();
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

  #rows(): NodeListOf<Element> {
    return this.#scroller.querySelectorAll('[data-row]');
  }

  /**
   * Notes what the next `restore` keeps: the end, or else the place of every visible row. It is noted as the
   * reader last saw it, after each change and each scrolling, and not right before a change: by then rows may
   * be there already.
   */
  #remember(): void {
    const rows = this.#rows();
    this.#scrollTop = this.#scroller.scrollTop;
    this.#below = this.below;
    this.#last = lastOf(rows);
    this.#places = this.#pinned ? [] : this.#visible(rows);
  }

  #visible(rows: NodeListOf<Element>): Place[] {
    const frame = this.#scroller.getBoundingClientRect();
    const places: Place[] = [];
    for (const row of rows) {
      const { top, bottom } = row.getBoundingClientRect();
      if (bottom > frame.top && top < frame.bottom)
        places.push({ row, top: top - frame.top + this.#scrollTop });
      else if (places.length > 0) break;
    }
    return places;
  }

  #move(to: number): void {
    if (Math.abs(to - this.#scroller.scrollTop) > 0.1) this.#scroller.scrollTop = to;
  }
}
