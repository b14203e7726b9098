// The page's one chat: who the reader is, the connection and its returns, and the room's log.
// Components read its fields and call its verbs; it knows nothing of the document.
import { history, init, TokenRefused } from '../wire/http';
import { Connection } from '../wire/socket';
import { identityOf } from '../wire/token';
import { limits, lobby, type ChatMessage, type Identity } from '../wire/types';
import { boundedMs, pauseMs } from './backoff';
import { newKey } from './key';
import type { Range } from './ranges';
import { emptyLog, holes, newestId, reduce, type LogEvent, type RoomLog } from './room-log';
import { keep, recall } from './storage';

export type LinkState = 'connecting' | 'connected' | 'reconnecting' | 'offline';

const firstPage = 60;
/** A hole up to this size is filled at once; a longer one when the reader scrolls there. */
const eagerHole = 500;
const receiptTimeoutMs = 20_000;
const showEveryMs = 100;

const sizeOf = ({ from, to }: Range): number => to - from + 1;

export class Chat {
  link = $state<LinkState>('connecting');
  me = $state.raw<Identity | null>(null);
  people = $state<number | null>(null);
  log = $state.raw<RoomLog>(emptyLog);
  /** History is on its way. */
  loading = $state(false);
  /** The last try to load history failed; `retryLoad` or a reconnect clears it. */
  loadFailed = $state(false);

  readonly roomId = lobby;

  #token = recall('rtc.token');
  #tokenChecked = false;
  #connection: Connection | null = null;
  #opening = false;
  #wasConnected = false;
  #caughtUp = false;
  #filling = false;
  #attempt = 0;
  #heard: ChatMessage[] = [];
  #shownAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Joins the room, and stays joined. Called once. */
  start(): void {
    addEventListener('online', () => this.#openNow());
    addEventListener('offline', () => {
      this.#connection?.close();
      this.#showLink();
    });
    addEventListener('pageshow', () => this.#openNow());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#openNow();
    });
    void this.#open();
  }

  /** Posts `text`: at once when connected, else as soon as it is. */
  write(text: string): void {
    const key = newKey();
    this.#apply({ type: 'written', key, text, at: new Date().toISOString() });
    this.#flush();
  }

  retry(key: string): void {
    this.#apply({ type: 'retry', key });
    this.#flush();
  }

  discard(key: string): void {
    this.#apply({ type: 'discarded', key });
  }

  /** Loads the history next to a message, on the side where the log ends there. */
  async load(side: 'above' | 'below', id: number): Promise<void> {
    if (this.loading || this.loadFailed || !this.#token) return;
    this.loading = true;
    try {
      await this.#page(side === 'above' ? id : id + 1 + limits.page, limits.page);
    } catch (error) {
      this.loadFailed = true;
      this.#historyFailed(error);
    } finally {
      this.loading = false;
    }
  }

  retryLoad(): void {
    this.loadFailed = false;
  }

  #apply(event: LogEvent): void {
    this.log = reduce(this.log, event);
  }

  #openNow(): void {
    if (this.link !== 'connected') void this.#open();
  }

  async #open(): Promise<void> {
    if (this.#opening || this.#connection) return;
    clearTimeout(this.#timer);
    this.#showLink();
    this.#opening = true;
    try {
      if (this.#needsToken()) await this.#renew();
    } catch {
      this.#lost('lost', null);
      return;
    } finally {
      this.#opening = false;
    }
    this.#connect();
    // The first messages need not wait for the connection.
    if (this.log.known.length === 0) this.#page(null, firstPage).catch(() => undefined);
  }

  /** What to say while there is no connection. */
  #showLink(): void {
    if (!navigator.onLine) this.link = 'offline';
    else this.link = this.#wasConnected ? 'reconnecting' : 'connecting';
  }

  #needsToken(): boolean {
    const expiresAt = this.me?.expiresAt ?? null;
    const expired = expiresAt !== null && expiresAt * 1000 <= Date.now();
    return !this.#token || !this.#tokenChecked || expired;
  }

  async #renew(): Promise<void> {
    // Another tab may have renewed it meanwhile.
    const token = await init(recall('rtc.token') ?? this.#token);
    const me = identityOf(token);
    if (!me) throw new Error('/init gave a token without an identity');
    keep('rtc.token', token);
    this.#token = token;
    this.#tokenChecked = true;
    this.me = me;
    this.#apply({ type: 'identity', me: me.id });
  }

  #connect(): void {
    const connection = new Connection(location.origin, this.#token ?? '', this.roomId, {
      opened: () => {
        this.link = 'connected';
        this.#wasConnected = true;
        this.loadFailed = false;
      },
      subscribed: () => void this.#catchUp(connection),
      message: (message) => this.#hear(message),
      count: (people) => {
        this.people = people;
      },
      receipt: (key, id) => this.#apply({ type: 'receipt', key, id }),
      refused: (key) => this.#apply({ type: 'refused', key }),
      closed: (reason, asked) => this.#lost(reason, asked),
    });
    this.#connection = connection;
  }

  /** A lone message shows at once; of a flood, all that came within a moment show together. */
  #hear(message: ChatMessage): void {
    this.#heard.push(message);
    if (this.#heard.length > 1) return;
    const pause = Math.max(0, this.#shownAt + showEveryMs - performance.now());
    setTimeout(() => {
      this.#shownAt = performance.now();
      this.#apply({ type: 'live', messages: this.#heard.splice(0) });
      const connection = this.#connection;
      if (!connection || !this.#caughtUp) return;
      this.#fillHoles(connection).catch((error) => this.#historyFailed(error));
    }, pause);
  }

  #lost(reason: 'token' | 'lost', askedMs: number | null): void {
    this.#connection = null;
    this.#caughtUp = false;
    this.people = null;
    if (reason === 'token') this.#tokenChecked = false;
    this.#showLink();
    const atOnce = reason === 'token' && this.#attempt === 0;
    const pause = atOnce ? 0 : pauseMs(this.#attempt, Math.random());
    clearTimeout(this.#timer);
    // Also while offline: the server may be this very machine.
    this.#timer = setTimeout(
      () => void this.#open(),
      askedMs === null ? pause : boundedMs(askedMs),
    );
    this.#attempt += 1;
  }

  /** Everything posted while the page was away, then everything written meanwhile. */
  async #catchUp(connection: Connection): Promise<void> {
    try {
      await this.#page(null, firstPage);
      await this.#fillHoles(connection);
    } catch (error) {
      if (this.#connection === connection) this.#historyFailed(error, true);
      return;
    }
    if (this.#connection !== connection) return;
    this.#apply({ type: 'caught-up' });
    this.#caughtUp = true;
    this.#attempt = 0;
    this.#flush();
  }

  async #fillHoles(connection: Connection): Promise<void> {
    if (this.#filling) return;
    this.#filling = true;
    try {
      for (;;) {
        const hole = holes(this.log).findLast((range) => sizeOf(range) <= eagerHole);
        if (!hole || this.#connection !== connection) return;
        await this.#page(hole.to + 1, Math.min(limits.page, sizeOf(hole)));
      }
    } finally {
      this.#filling = false;
    }
  }

  async #page(before: number | null, limit: number): Promise<void> {
    const messages = await history(this.#token ?? '', this.roomId, limit, before);
    this.#apply({ type: 'page', before, messages });
  }

  /** A refused token needs a new one, and so does the connection that was opened with it. */
  #historyFailed(error: unknown, reconnect = false): void {
    if (error instanceof TokenRefused) this.#tokenChecked = false;
    if (reconnect || error instanceof TokenRefused) this.#connection?.close();
  }

  #flush(): void {
    const connection = this.#connection;
    if (!this.#caughtUp || !connection) return;
    for (const { key, text, status } of this.log.outgoing) {
      if (status !== 'waiting') continue;
      this.#apply({ type: 'sending', key });
      connection.send(text, key);
      setTimeout(() => {
        // On the next connection it is sent again.
        if (this.#connection === connection) this.#giveUp(key);
      }, receiptTimeoutMs);
    }
  }

  /** No receipt in a long time: the reader decides what to do. */
  #giveUp(key: string): void {
    const stuck = this.log.outgoing.some(
      (item) => item.key === key && item.status === 'sending' && item.claimedBy === null,
    );
    if (stuck) this.#apply({ type: 'refused', key });
  }

  /** The newest id that is known, for whoever counts what is new. */
  get newest(): number {
    return newestId(this.log);
  }
}
