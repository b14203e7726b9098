// Tells a room that the reader is typing: at the first letter, again while it goes on, and when it ends.

/** The server forgets after six seconds. */
const repeatMs = 3_000;
const idleMs = 5_000;

export class Typist {
  readonly #tell: (typing: boolean) => void;
  #toldAt = -Infinity;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(tell: (typing: boolean) => void) {
    this.#tell = tell;
  }

  /** The reader changed what he writes; `typing` false: nothing is left of it. */
  changed(typing: boolean): void {
    clearTimeout(this.#idle);
    if (!typing) {
      this.#stop();
      return;
    }
    this.#idle = setTimeout(() => this.#stop(), idleMs);
    const now = performance.now();
    if (now - this.#toldAt < repeatMs) return;
    this.#toldAt = now;
    this.#tell(true);
  }

  /** His message says it by itself. */
  sent(): void {
    clearTimeout(this.#idle);
    this.#toldAt = -Infinity;
  }

  #stop(): void {
    if (this.#toldAt === -Infinity) return;
    this.#toldAt = -Infinity;
    this.#tell(false);
  }
}
