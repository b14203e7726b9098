// Sends what a room's log holds as waiting: one at a time, in order, so that nothing that is refused
// and tried again is overtaken.
import type { Connection } from '../wire/socket';
import { passingErrors } from '../wire/types';
import { pauseMs } from './backoff';
import type { RoomLog } from './log-shape';
import type { LogEvent } from './room-log';

const receiptTimeoutMs = 20_000;
/** So often a message that the server could not take just now is tried again. */
const triesMax = 5;

export class Sender {
  readonly #roomId: string;
  readonly #log: () => RoomLog;
  readonly #apply: (event: LogEvent) => void;
  #connection: Connection | null = null;
  #current: string | null = null;
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(roomId: string, log: () => RoomLog, apply: (event: LogEvent) => void) {
    this.#roomId = roomId;
    this.#log = log;
    this.#apply = apply;
  }

  /** Sends over this connection from now on; null: over none. */
  use(connection: Connection | null): void {
    clearTimeout(this.#timer);
    this.#connection = connection;
    this.#current = null;
    this.#tries = 0;
    if (!connection) return;
    this.#apply({ type: 'caught-up' });
    this.flush();
  }

  /** Sends the next one, if nothing is on its way. */
  flush(): void {
    if (!this.#connection || this.#current !== null) return;
    const next = this.#log().outgoing.find(({ status }) => status === 'waiting');
    if (!next) return;
    const { key, text } = next;
    this.#current = key;
    this.#apply({ type: 'sending', key });
    this.#connection.send(this.#roomId, text, key);
    // No receipt in a long time: the reader decides what to do.
    this.#timer = setTimeout(() => this.#failed(key), receiptTimeoutMs);
  }

  receipt(key: string, id: number | null): void {
    this.#apply({ type: 'receipt', key, id });
    this.#done(key);
  }

  refused(key: string, type: string): void {
    if (key === this.#current && passingErrors.has(type) && this.#tries < triesMax) {
      clearTimeout(this.#timer);
      this.#apply({ type: 'retry', key });
      this.#timer = setTimeout(
        () => {
          this.#current = null;
          this.flush();
        },
        pauseMs((this.#tries += 1), Math.random()),
      );
    } else this.#failed(key);
  }

  #failed(key: string): void {
    this.#apply({ type: 'refused', key });
    this.#done(key);
  }

  #done(key: string): void {
    if (key !== this.#current) return;
    clearTimeout(this.#timer);
    this.#current = null;
    this.#tries = 0;
    this.flush();
  }
}
