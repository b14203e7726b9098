// Who the reader is: the token, the same one in all tabs, and its renewal.
import { init } from '../wire/http';
import { identityOf } from '../wire/token';
import type { Identity } from '../wire/types';
import { leave, left } from './handover';
import { keep, recall } from './storage';
import { alone, others } from './tabs';

export class Keyring {
  me = $state.raw<Identity | null>(null);

  #token = recall('rtc.token');
  #checked = false;
  readonly #changed: (me: Identity) => void;

  /** `changed` is told of each person that the reader becomes. */
  constructor(changed: (me: Identity) => void) {
    this.#changed = changed;
    // Nobody has to wait for the server to see who he is.
    this.#take(this.token);
  }

  get token(): string {
    return this.#token ?? '';
  }

  /** Follows the other tabs of this browser: `became` is called when one of them is somebody else. */
  follow(became: () => void): void {
    addEventListener('storage', ({ key, newValue }) => {
      if (key !== 'rtc.token' || newValue === null || newValue === this.#token) return;
      const before = this.me?.id;
      if (this.#take(newValue) && this.me?.id !== before) became();
    });
  }

  /** The server did not take the token: the next `ready` asks for another one. */
  doubt(): void {
    this.#checked = false;
  }

  /** A token that the server has said to be good, or has given, and that has not expired. */
  async ready(): Promise<void> {
    const expiresAt = this.me?.expiresAt ?? null;
    const expired = expiresAt !== null && expiresAt * 1000 <= Date.now();
    if (this.#token && this.#checked && !expired) return;
    // Nobody has to wait here until the token lies ready for the other tabs; they do.
    await new Promise<void>((resolve, reject) => {
      alone('token', async () => {
        const before = await this.#latest();
        const token = await init(before);
        if (!this.#take(token)) throw new Error('/init gave a token without an identity');
        this.#checked = true;
        keep('rtc.token', token);
        resolve();
        if (token !== before) await leave('token', token);
      }).catch(reject);
    });
  }

  /** The token of this browser: another tab may have renewed it meanwhile. */
  async #latest(): Promise<string | null> {
    const renewed = (await others()) ? await left('token') : null;
    return renewed ?? recall('rtc.token') ?? this.#token;
  }

  #take(token: string): boolean {
    const me = identityOf(token);
    if (!me) return false;
    const another = this.me?.id !== me.id;
    this.#token = token;
    this.me = me;
    if (another) this.#changed(me);
    return true;
  }
}
