// The connection and its returns: when to open one, how long to wait, and over what it runs.
import { Banned, healthy } from '../wire/http';
import { Connection, type ConnectionEvents } from '../wire/socket';
import { sockJs, webSocket, type SocketFactory } from '../wire/transport';
import { limits, type Ban } from '../wire/types';
import { boundedMs, pauseMs } from './backoff';
import type { Keyring } from './keyring.svelte';

export type LinkState = 'connecting' | 'connected' | 'reconnecting' | 'offline' | 'banned';

export type LinkEvents = Omit<ConnectionEvents, 'opened' | 'closed' | 'count'> & {
  /** The token is good: calls over HTTP need not wait for the connection. */
  ready(): void;
  opened(connection: Connection): void;
  lost(): void;
};

/** After so many WebSockets that came to nothing while the server answered HTTP, SockJS is tried. */
const blockedFrom = 2;
/** A clock that jumps by this much has slept. */
const sleepMs = 15_000;
const tickMs = 5_000;

export class Link {
  state = $state<LinkState>('connecting');
  /** Connected sessions, of all rooms. */
  count = $state<number | null>(null);
  /** The reader may not be here. */
  banned = $state.raw<Ban | null>(null);
  /** Bytes of UTF-8 that a message may have. */
  messageBytes = $state<number>(limits.messageBytes);

  readonly #keyring: Keyring;
  readonly #events: LinkEvents;
  #connection: Connection | null = null;
  #opening = false;
  #wasConnected = false;
  #attempt = 0;
  #blocked = 0;
  #overHttp = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(keyring: Keyring, events: LinkEvents) {
    this.#keyring = keyring;
    this.#events = events;
  }

  /** The open connection, if there is one. */
  get connection(): Connection | null {
    return this.state === 'connected' ? this.#connection : null;
  }

  /** Connects, and stays connected. Called once. */
  start(): void {
    addEventListener('online', () => this.#wake());
    addEventListener('offline', () => {
      this.#connection?.close();
      this.#showState();
    });
    addEventListener('pageshow', () => this.#wake());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#wake();
    });
    let before = Date.now();
    setInterval(() => {
      const now = Date.now();
      if (now - before > sleepMs && document.visibilityState === 'visible') this.#wake();
      before = now;
    }, tickMs);
    void this.#open();
  }

  /** Ends the connection and opens another one. */
  reopen(): void {
    this.#connection?.close();
  }

  /** All is well: the next loss is the first one. */
  settled(): void {
    this.#attempt = 0;
  }

  /** The tab, the machine or the network came back: no more waiting, and no trust in old sockets. */
  #wake(): void {
    if (this.#connection) {
      this.#connection.probe();
      return;
    }
    this.#attempt = 0;
    void this.#open();
  }

  /** What to say while there is no connection. */
  #showState(): void {
    if (this.banned !== null) this.state = 'banned';
    else if (!navigator.onLine) this.state = 'offline';
    else this.state = this.#wasConnected ? 'reconnecting' : 'connecting';
  }

  async #open(): Promise<void> {
    if (this.#opening || this.#connection) return;
    clearTimeout(this.#timer);
    this.#showState();
    this.#opening = true;
    try {
      await this.#keyring.ready();
      const socket = await this.#socket();
      this.#connection = new Connection(socket, this.#keyring.token, this.#connectionEvents());
      this.#opening = false;
    } catch (error) {
      this.#opening = false;
      // Asked again when he comes back to the page, not by the clock.
      if (error instanceof Banned) this.#ban(error.ban);
      else this.#again(null);
      return;
    }
    this.#events.ready();
  }

  #ban(ban: Ban): void {
    this.banned = ban;
    this.#showState();
  }

  async #socket(): Promise<SocketFactory> {
    this.#overHttp = this.#blocked >= blockedFrom;
    if (!this.#overHttp) return webSocket;
    this.#blocked = 0;
    return sockJs();
  }

  #connectionEvents(): ConnectionEvents {
    return {
      ...this.#events,
      opened: (messageBytes) => {
        this.banned = null;
        this.messageBytes = messageBytes ?? limits.messageBytes;
        this.state = 'connected';
        this.#wasConnected = true;
        // The next return gives the WebSocket one chance first: the network may be another one.
        this.#blocked = this.#overHttp ? blockedFrom - 1 : 0;
        if (this.#connection) this.#events.opened(this.#connection);
      },
      count: (people) => {
        this.count = people;
      },
      closed: (reason, askedMs, connected) => {
        this.#connection = null;
        this.count = null;
        if (reason === 'token') this.#keyring.doubt();
        this.#events.lost();
        if (!connected && reason !== 'token') void this.#judge();
        this.#again(askedMs, reason === 'token');
      },
    };
  }

  /** Nothing came of a socket: is it the server that is away, or are WebSockets blocked? */
  async #judge(): Promise<void> {
    if (!(await healthy())) return;
    // Or is it that the reader may not come in? /init says so.
    this.#keyring.doubt();
    this.#blocked += 1;
    // The server is there: the other way need not wait.
    if (this.#blocked >= blockedFrom) void this.#open();
  }

  #again(askedMs: number | null, atOnce = false): void {
    if (this.#connection || this.#opening) return;
    this.#showState();
    const first = atOnce && this.#attempt === 0;
    const pause = first ? 0 : pauseMs(this.#attempt, Math.random());
    this.#attempt += 1;
    clearTimeout(this.#timer);
    // Also while offline: the server may be this very machine.
    this.#timer = setTimeout(
      () => void this.#open(),
      askedMs === null ? pause : boundedMs(askedMs),
    );
  }
}
