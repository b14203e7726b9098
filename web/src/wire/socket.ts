// The STOMP half of the wire: one connection, from CONNECT to its end. It never reconnects by
// itself; state/chat decides when to open the next one.
import { Client, type IMessage } from '@stomp/stompjs';
import {
  asEnvelope,
  askedPauseMs,
  asMessage,
  destination,
  limits,
  parseJson,
  path,
  tokenErrors,
  type ChatMessage,
  type ChatPost,
  type Envelope,
} from './types';

export interface ConnectionEvents {
  /** CONNECTED arrived. */
  opened(): void;
  /** The server has processed the subscriptions: what is posted from now on arrives live. */
  subscribed(): void;
  message(message: ChatMessage): void;
  count(people: number): void;
  /** The SEND of this key is durable, as the message `id`. */
  receipt(key: string, id: number | null): void;
  /** The SEND of this key was refused. */
  refused(key: string, error: Envelope<unknown>): void;
  /**
   * The end, exactly once; `token` says that the server refused the token, `pauseMs` how long it
   * asked to stay away.
   */
  closed(reason: 'token' | 'lost', pauseMs: number | null): void;
}

const connectTimeoutMs = 8_000;
const subscribeReceipt = 'subscribed';

export class Connection {
  readonly #client: Client;
  readonly #events: ConnectionEvents;
  readonly #roomId: string;
  #reason: 'token' | 'lost' = 'lost';
  #ended = false;

  constructor(origin: string, token: string, roomId: string, events: ConnectionEvents) {
    this.#events = events;
    this.#roomId = roomId;
    this.#client = new Client({
      brokerURL: origin.replace(/^http/, 'ws') + path.socket,
      connectHeaders: { Authorization: `Bearer ${token}` },
      heartbeatIncoming: limits.heartbeatMs,
      heartbeatOutgoing: limits.heartbeatMs,
      connectionTimeout: connectTimeoutMs,
      reconnectDelay: 0,
      // A silent network never answers a close handshake: give the socket up at once.
      discardWebsocketOnCommFailure: true,
      onConnect: () => this.#connected(),
      onUnhandledReceipt: ({ headers }) =>
        this.#receipt(headers['receipt-id'] ?? '', Number(headers['id'])),
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

  /**
   * Sends `text`; its receipt or refusal comes with the same `key`. However often it is sent with
   * one key, the server stores it once.
   */
  send(text: string, key: string): void {
    const post: ChatPost = { roomId: this.#roomId, message: text };
    this.#client.publish({
      destination: destination.post,
      headers: { receipt: key, 'message-key': key, 'content-type': 'application/json' },
      body: JSON.stringify(post),
    });
  }

  /** Ends the connection; `closed` follows before this returns. */
  close(): void {
    this.#end();
  }

  #connected(): void {
    if (this.#ended) return;
    this.#events.opened();
    this.#client.subscribe(destination.errors, (frame) => this.#error(frame));
    this.#client.subscribe(destination.count, (frame) => {
      const people = Number(frame.body);
      if (!this.#ended && Number.isSafeInteger(people)) this.#events.count(people);
    });
    this.#client.subscribe(
      destination.room(this.#roomId),
      (frame) => {
        const message = asMessage(parseJson(frame.body));
        if (!this.#ended && message) this.#events.message(message);
      },
      { receipt: subscribeReceipt },
    );
  }

  #receipt(key: string, id: number): void {
    if (this.#ended) return;
    if (key === subscribeReceipt) this.#events.subscribed();
    else this.#events.receipt(key, Number.isSafeInteger(id) && id > 0 ? id : null);
  }

  #error(frame: IMessage): void {
    const envelope = asEnvelope(parseJson(frame.body));
    const key = frame.headers['receipt-id'];
    if (!this.#ended && envelope && key) this.#events.refused(key, envelope);
  }

  #end(pauseMs: number | null = null): void {
    if (this.#ended) return;
    this.#ended = true;
    void this.#client.deactivate({ force: true });
    this.#events.closed(this.#reason, pauseMs);
  }
}
