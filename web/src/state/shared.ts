// A value that all tabs of this browser share. Each change is made to what is stored, not to what this tab
// remembers: so none undoes another's.
import { parseJson } from '../wire/parse';
import { keep, recall, type Kept } from './storage';

export class Shared<T> {
  readonly #key: Kept;
  readonly #read: (stored: unknown) => T;
  #text: string | null = null;
  #value: T;

  /** `read` makes a value of what was stored, whatever that is; of null, a first one. */
  constructor(key: Kept, read: (stored: unknown) => T) {
    this.#key = key;
    this.#read = read;
    this.#value = read(null);
  }

  /** The value as it is stored now. A browser that forbids storage has that of this tab. */
  get(): T {
    const text = recall(this.#key);
    if (text === null || text === this.#text) return this.#value;
    this.#text = text;
    this.#value = this.#read(parseJson(text));
    return this.#value;
  }

  /** Makes it what `by` says; the value from now on. */
  change(by: (value: T) => T): T {
    this.#value = by(this.get());
    this.#text = JSON.stringify(this.#value);
    keep(this.#key, this.#text);
    return this.#value;
  }
}

/** Calls `changed` when another tab has changed what is stored under `key`, until what it returns is called. */
export function follow(key: Kept, changed: () => void): () => void {
  const heard = (event: StorageEvent): void => {
    if (event.key === key) changed();
  };
  addEventListener('storage', heard);
  return () => removeEventListener('storage', heard);
}
