// The page's one chat: who the reader is, the connection, and the rooms over it. Components read its
// fields and call its verbs; it knows nothing of the document.
import { lobby } from '../wire/types';
import { Keyring } from './keyring.svelte';
import { Link } from './link.svelte';
import { hasPlace, inherit } from './outbox';
import { Room } from './room.svelte';
import { live } from './tabs';

export class Chat {
  readonly keyring: Keyring;
  readonly link: Link;
  readonly #rooms = new Map<string, Room>();
  /** The room that is open. */
  room: Room;

  constructor() {
    this.keyring = new Keyring((me) => this.#each((room) => room.becomes(me.id)));
    this.link = new Link(this.keyring, {
      ready: () => void this.room.begin().catch(() => undefined),
      opened: (connection) => this.#each((room) => void room.attach(connection)),
      lost: () => this.#each((room) => room.detach()),
      subscribed: (id) => {
        this.#rooms.get(id)?.subscribed();
        if (id === this.room.id) this.link.settled();
      },
      unsubscribed: (id, { type }) => this.#rooms.get(id)?.unsubscribed(type),
      message: (id, message, epoch) => this.#rooms.get(id)?.hear(message, epoch),
      marker: (id, marker, epoch) => this.#rooms.get(id)?.marked(marker, epoch),
      people: () => undefined,
      watching: () => undefined,
      receipt: (key, id) => this.#each((room) => room.receipt(key, id)),
      refused: (key, { type }) => this.#each((room) => room.refused(key, type)),
    });
    this.room = this.#make(lobby);
  }

  /** Joins, and stays joined. Called once. */
  start(): void {
    live();
    this.keyring.follow(() => this.link.reopen());
    inherit((roomId, items) => this.#rooms.get(roomId)?.inherit(items));
    this.link.start();
  }

  /** False when too much waits to be sent already. */
  hasPlace(text: string): boolean {
    const waiting = [...this.#rooms.values()].flatMap((room) => room.log.outgoing);
    return hasPlace(waiting, text);
  }

  #make(id: string): Room {
    const room = new Room(id, {
      token: () => this.keyring.token,
      tokenRefused: () => {
        this.keyring.doubt();
        this.link.reopen();
      },
    });
    if (this.keyring.me) room.becomes(this.keyring.me.id);
    this.#rooms.set(id, room);
    return room;
  }

  #each(act: (room: Room) => void): void {
    for (const room of this.#rooms.values()) act(room);
  }
}
