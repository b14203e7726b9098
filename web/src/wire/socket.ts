// The STOMP half of the wire: one connection, from CONNECT to its end. It never reconnects by
// itself; state/link decides when to open the next one.
import { Client, type IMessage } from '@stomp/stompjs';
import {
  asCall,
  asCount,
  asEnvelope,
  asMarker,
  asMessage,
  askedPauseMs,
  asPeopleChange,
  parseJson,
} from './parse';
import type { SocketFactory } from './transport';
import {
  destination,
  limits,
  tokenErrors,
  type Call,
  type ChatMessage,
  type ChatPost,
  type Envelope,
  type Marker,
  type PeopleChange,
} from './types';

export interface ConnectionEvents {
  /** CONNECTED arrived; `messageBytes` are what it allows a message, if it says so. */
  opened(messageBytes: number | null): void;
  /** The subscription of this room holds: what was missed, then what is live, follows. */
  subscribed(roomId: string): void;
  /** The server refused that subscription, or ended it. */
  unsubscribed(roomId: string, error: Envelope<unknown>): void;
  message(roomId: string, message: ChatMessage, epoch: string | null): void;
  /** In the place of missed messages; `epoch` is that of what follows. */
  marker(roomId: string, marker: Marker, epoch: string | null): void;
  people(roomId: string, change: PeopleChange): void;
  /** The presence subscription holds: a roster read from now on has no gap to it. */
  watching(roomId: string): void;
  count(people: number): void;
  /** Somebody opened a room of two with the reader. */
  called(call: Call): void;
  /** Such calls are heard from now on: a list of rooms read now has no gap to them. */
  listening(): void;
  /** The SEND of this key is durable, as the message `id`. */
  receipt(key: string, id: number | null): void;
  /** The SEND of this key was refused. */
  refused(key: string, error: Envelope<unknown>): void;
  /**
   * The end, exactly once; `token` says that the server refused the token, `pauseMs` how long it
   * asked to stay away, `connected` that it had been open.
   */
  closed(reason: 'token' | 'lost', pauseMs: number | null, connected: boolean): void;
}

/** Where the messages of a subscription begin: after `since`, of the numbering `epoch`. */
export interface Resume {
  readonly since: number;
  readonly epoch: string | null;
}

const connectTimeoutMs = 8_000;
const probeTimeoutMs = 5_000;

const roomPrefix = 'room:';
const presencePrefix = 'people:';
const probeReceipt = 'probe';
const callsId = 'calls';
const messageBytesHeader = 'message-bytes-max';

const after = (prefix: string, text: string): string | null =>
  text.startsWith(prefix) ? text.slice(prefix.length) : null;

export class Connection {
  readonly #client: Client;
  readonly #events: ConnectionEvents;
  #reason: 'token' | 'lost' = 'lost';
  #connected = false;
  #ended = false;
  #probe: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: SocketFactory, token: string, events: ConnectionEvents) {
    this.#events = events;
    this.#client = new Client({
      webSocketFactory: socket,
      connectHeaders: { Authorization: `Bearer ${token}` },
      heartbeatIncoming: limits.heartbeatMs,
      heartbeatOutgoing: limits.heartbeatMs,
      connectionTimeout: connectTimeoutMs,
      reconnectDelay: 0,
      // A silent network never answers a close handshake: give the socket up at once.
      discardWebsocketOnCommFailure: true,
      onConnect: ({ headers }) => this.#open(asCount(headers[messageBytesHeader])),
      onUnhandledReceipt: ({ headers }) =>
        this.#receipt(headers['receipt-id'] ?? '', asCount(headers['id'])),
      onStompError: ({ body }) => {
        const type = asEnvelope(parseJson(body))?.type ?? '';
        if (tokenErrors.has(type)) this.#reason = 'token';
        // Nothing follows an ERROR; do not wait for the server's close.
        this.#end();
      },
      onWebSocketClose: ({ code, reason }: CloseEvent) => this.#end(askedPauseMs(code, reason)),
    });
    this.#client.activate();
  }

  /** Hears a room: from `resume` on, or what is posted from now on. */
  subscribe(roomId: string, resume: Resume | null): void {
    const id = roomPrefix + roomId;
    const headers: Record<string, string> = { id, receipt: id };
    if (resume) headers.since = String(resume.since);
    if (resume?.epoch) headers.epoch = resume.epoch;
    this.#client.subscribe(destination.room(roomId), (frame) => this.#heard(roomId, frame), headers);
  }

  unsubscribe(roomId: string): void {
    this.#client.unsubscribe(roomPrefix + roomId);
  }

  /** Hears who comes, goes and types in a room. */
  watch(roomId: string): void {
    const id = presencePrefix + roomId;
    const heard = (frame: IMessage): void => {
      const change = asPeopleChange(parseJson(frame.body));
      if (!this.#ended && change) this.#events.people(roomId, change);
    };
    this.#client.subscribe(destination.presence(roomId), heard, { id, receipt: id });
  }

  unwatch(roomId: string): void {
    this.#client.unsubscribe(presencePrefix + roomId);
  }

  /**
   * Sends `text`; its receipt or refusal comes with the same `key`. However often it is sent with
   * one key, the server stores it once.
   */
  send(roomId: string, text: string, key: string): void {
    const post: ChatPost = { roomId, message: text };
    this.#client.publish({
      destination: destination.post,
      headers: { receipt: key, 'message-key': key, 'content-type': 'application/json' },
      body: JSON.stringify(post),
    });
  }

  type(roomId: string, typing: boolean): void {
    const body = JSON.stringify({ roomId, typing });
    this.#client.publish({ destination: destination.typing, body });
  }

  /** Asks for a sign of life, and ends the connection when none comes soon. */
  probe(): void {
    if (!this.#connected || this.#probe !== undefined) return;
    this.#probe = setTimeout(() => this.#end(), probeTimeoutMs);
    const headers = { id: probeReceipt, receipt: probeReceipt };
    this.#client.subscribe(destination.count, () => undefined, headers);
  }

  /** Ends the connection; `closed` follows before this returns. */
  close(): void {
    this.#end();
  }

  #open(messageBytes: number | null): void {
    if (this.#ended) return;
    this.#connected = true;
    this.#client.subscribe(destination.errors, (frame) => this.#error(frame));
    this.#client.subscribe(destination.count, (frame) => {
      const people = Number(frame.body);
      if (!this.#ended && Number.isSafeInteger(people)) this.#events.count(people);
    });
    const called = (frame: IMessage): void => {
      const call = asCall(parseJson(frame.body));
      if (!this.#ended && call) this.#events.called(call);
    };
    const headers = { id: callsId, receipt: callsId };
    this.#client.subscribe(destination.calls, called, headers);
    this.#events.opened(messageBytes);
  }

  #heard(roomId: string, frame: IMessage): void {
    if (this.#ended) return;
    const value = parseJson(frame.body);
    const epoch = frame.headers.epoch ?? null;
    const marker = frame.headers.marker === undefined ? null : asMarker(value);
    const message = marker ? null : asMessage(value);
    if (marker) this.#events.marker(roomId, marker, epoch);
    else if (message) this.#events.message(roomId, message, epoch);
  }

  #receipt(receipt: string, id: number | null): void {
    if (this.#ended) return;
    const room = after(roomPrefix, receipt);
    const watched = after(presencePrefix, receipt);
    if (receipt === probeReceipt) {
      clearTimeout(this.#probe);
      this.#probe = undefined;
      this.#client.unsubscribe(probeReceipt);
    } else if (receipt === callsId) this.#events.listening();
    else if (room !== null) this.#events.subscribed(room);
    else if (watched !== null) this.#events.watching(watched);
    else this.#events.receipt(receipt, id);
  }

  #error(frame: IMessage): void {
    const envelope = asEnvelope(parseJson(frame.body));
    if (this.#ended || !envelope) return;
    const about = frame.headers['ended-subscription'] ?? frame.headers['receipt-id'] ?? '';
    const room = after(roomPrefix, about);
    if (room !== null) this.#events.unsubscribed(room, envelope);
    else if (about !== '' && about !== callsId && after(presencePrefix, about) === null)
      this.#events.refused(about, envelope);
  }

  #end(pauseMs: number | null = null): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#probe);
    void this.#client.deactivate({ force: true });
    this.#events.closed(this.#reason, pauseMs, this.#connected);
  }
}
