// People whom the reader does not want to read, in this browser.
import { follow, Shared } from './shared';

const mutedMax = 500;

const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];

class Muted {
  readonly #kept = new Shared('rtc.muted', textsOf);

  ids = $state.raw<ReadonlySet<string>>(new Set(this.#kept.get()));

  /** Mutes who is not muted here, and the other way round. */
  toggle(id: string): void {
    const muting = !this.ids.has(id);
    const ids = this.#kept.change((kept) => {
      const others = kept.filter((each) => each !== id);
      return (muting ? [...others, id] : others).slice(-mutedMax);
    });
    this.ids = new Set(ids);
  }

  /** Another tab mutes. */
  follow(): void {
    follow('rtc.muted', () => (this.ids = new Set(this.#kept.get())));
  }
}

export const muted = new Muted();
