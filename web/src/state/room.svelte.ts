// One room as the page has it: its log, its history, and its place in the stream of the server.
import { history, NoRoom, TokenRefused } from '../wire/http';
import type { Connection, Resume } from '../wire/socket';
import { limits, type ChatMessage, type Marker } from '../wire/types';
import { pauseMs } from './backoff';
import { newKey } from './key';
import { emptyLog, heardOf, holes, holdsId, indexOfId, newestId } from './log-shape';
import type { Outgoing, RoomLog } from './log-shape';
import { muted } from './muted.svelte';
import { sync } from './outbox';
import { ReadMark } from './read-mark.svelte';
import { reduce, type LogEvent } from './room-log';
import { Sender } from './sender';

/** What a room asks of the page around it. */
export interface RoomHost {
  token(): string;
  /** The server did not take the token. */
  tokenRefused(): void;
  /** More of the log is known. */
  learned(): void;
  /** These came live, or were missed while there was no connection. */
  heard(messages: readonly ChatMessage[]): void;
  /** There is no such room, or not for this person. */
  missing(): void;
}

const showEveryMs = 100;
/** Messages in memory: beyond the first bound those far from the reader's place are let go. */
const messagesMax = 3_000;
const keptAround = 1_000;

export class Room {
  log = $state.raw<RoomLog>(emptyLog);
  /** History is on its way. */
  loading = $state(false);
  /** The last try to load history failed; `retryLoad` or a reconnect clears it. */
  loadFailed = $state(false);
  /** There is no such room, or not for this person. */
  missing = $state(false);
  /** Where the reader is: the id of a drawn message; null: at the newest. */
  place: number | null = null;

  readonly id: string;
  readonly mark: ReadMark;
  readonly #host: RoomHost;
  readonly #sender: Sender;
  readonly #heardLog = $derived(heardOf(this.log, muted.ids));
  #connection: Connection | null = null;
  #epoch: string | null = null;
  #attempt = 0;
  #first: Promise<void> | null = null;
  #heard: ChatMessage[] = [];
  #shownAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(id: string, host: RoomHost) {
    this.id = id;
    this.mark = new ReadMark(id);
    this.#host = host;
    this.#sender = new Sender(
      id,
      () => this.log,
      (event) => this.#apply(event),
    );
  }

  /** The newest id that is known, for whoever counts what is new. */
  get newest(): number {
    return newestId(this.log);
  }

  /** What the reader hears: all but those whom he muted. */
  get heard(): RoomLog {
    return this.#heardLog;
  }

  /** New messages that the reader would hear. */
  get unread(): number {
    const read = this.mark.read ?? this.newest;
    const { messages } = this.log;
    const known = messages.length - indexOfId(messages, read + 1);
    const heard = this.heard.messages.length - indexOfId(this.heard.messages, read + 1);
    return Math.max(0, this.newest - read - (known - heard));
  }

  /** The reader is this person from now on. */
  becomes(me: string): void {
    this.#apply({ type: 'identity', me });
  }

  /** Posts `text`: at once when connected, else as soon as it is. */
  write(text: string): void {
    this.mark.clearLine();
    this.#apply({ type: 'written', key: newKey(), text, at: new Date().toISOString() });
    this.#sender.flush();
  }

  retry(key: string): void {
    this.#apply({ type: 'retry', key });
    this.#sender.flush();
  }

  discard(key: string): void {
    this.#apply({ type: 'discarded', key });
  }

  /** Messages that were written before this page was loaded. */
  inherit(items: readonly Outgoing[]): void {
    this.#apply({ type: 'restored', items });
    this.#sender.flush();
  }

  /** Loads the first messages, which need not wait for a connection. */
  begin(): Promise<void> {
    if (this.log.known.length > 0) return Promise.resolve();
    this.#first ??= this.#page(null, limits.firstPage).finally(() => {
      this.#first = null;
    });
    return this.#first;
  }

  /** Hears the room over this connection, from where it stopped hearing it. */
  async attach(connection: Connection): Promise<void> {
    this.#connection = connection;
    clearTimeout(this.#timer);
    try {
      await this.begin();
    } catch (error) {
      if (this.#connection === connection) this.#later(error, () => void this.attach(connection));
      return;
    }
    if (this.#connection === connection) connection.subscribe(this.id, this.#resume());
  }

  /** The connection is gone. */
  detach(): void {
    clearTimeout(this.#timer);
    this.#connection = null;
    this.#sender.use(null);
  }

  /** The subscription holds. */
  subscribed(): void {
    this.#attempt = 0;
    this.loadFailed = false;
    this.#sender.use(this.#connection);
  }

  /** The subscription was refused, or ended. */
  unsubscribed(type: string): void {
    const connection = this.#connection;
    if (!connection) return;
    const error = type === 'NOT_FOUND_CHATROOM' || type === 'FORBIDDEN_ACCESS' ? new NoRoom() : null;
    this.#later(error, () => void this.attach(connection));
  }

  receipt(key: string, id: number | null): void {
    this.#sender.receipt(key, id);
  }

  refused(key: string, type: string): void {
    this.#sender.refused(key, type);
  }

  /** A lone message shows at once; of a flood, all that came within a moment show together. */
  hear(message: ChatMessage, epoch: string | null): void {
    this.#epoch = epoch;
    this.#heard.push(message);
    if (this.#heard.length > 1) return;
    const pause = Math.max(0, this.#shownAt + showEveryMs - performance.now());
    setTimeout(() => this.#show(), pause);
  }

  /** Messages that do not come: they are read from history, all anew if the ids are others. */
  marked({ type, to }: Marker, epoch: string | null): void {
    this.#show();
    this.#epoch = epoch;
    if (type === 'EPOCH_CHANGED') this.#apply({ type: 'forgotten' });
    this.#repair(to);
  }

  /** Loads the history next to a message, on the side where the log ends there. */
  async load(side: 'above' | 'below', id: number): Promise<void> {
    if (this.loading || this.loadFailed) return;
    this.loading = true;
    try {
      const hole = holes(this.log).find(({ from }) => from === id + 1);
      const end = Math.min(id + limits.page, hole?.to ?? Infinity) + 1;
      await this.#page(side === 'above' ? id : end, limits.page);
      this.#trim();
    } catch (error) {
      this.loadFailed = true;
      if (error instanceof TokenRefused) this.#host.tokenRefused();
    } finally {
      this.loading = false;
    }
  }

  retryLoad(): void {
    this.loadFailed = false;
  }

  #apply(event: LogEvent): void {
    const before = this.log;
    this.log = reduce(before, event);
    if (this.log.known !== before.known && this.log.known.length > 0) {
      this.mark.arrived(this.newest);
      this.#host.learned();
    }
    if (this.log.outgoing !== before.outgoing)
      sync(this.id, before.outgoing, this.log.outgoing);
  }

  #show(): void {
    if (this.#heard.length === 0) return;
    this.#shownAt = performance.now();
    const messages = this.#heard.splice(0);
    // A subscription may begin with the newest message of the history.
    const fresh = messages.filter(({ id }) => !holdsId(this.log, id));
    this.#apply({ type: 'live', messages });
    this.#trim();
    this.#host.heard(fresh);
  }

  #trim(): void {
    if (this.log.messages.length <= messagesMax) return;
    const place = this.place ?? this.newest;
    this.#apply({ type: 'trimmed', keep: { from: place - keptAround, to: place + keptAround } });
  }

  /** The newest messages below a marker, until they are here. */
  #repair(to: number): void {
    const connection = this.#connection;
    this.#page(to + 1, limits.page).catch((error: unknown) => {
      if (this.#connection === connection) this.#later(error, () => this.#repair(to));
    });
  }

  /** Where to go on. Without an epoch the newest message is asked for again, since it tells it. */
  #resume(): Resume {
    const epoch = this.#epoch;
    return { since: epoch === null ? Math.max(0, this.newest - 1) : this.newest, epoch };
  }

  async #page(before: number | null, limit: number): Promise<void> {
    const messages = await history(this.#host.token(), this.id, limit, before);
    this.#apply({ type: 'page', before, messages });
  }

  #later(error: unknown, again: () => void): void {
    if (error instanceof TokenRefused) this.#host.tokenRefused();
    else if (error instanceof NoRoom) {
      this.missing = true;
      this.#host.missing();
    } else {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(again, pauseMs(this.#attempt, Math.random()));
      this.#attempt += 1;
    }
  }
}
