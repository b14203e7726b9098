// The page's one chat: who the reader is, the connection, and the rooms over it. Components read its
// fields and call its verbs; it knows nothing of the document.
import { makeRoom, privateRoom, privateRooms, roomOf } from '../wire/http';
import {
  limits,
  lobby,
  type Call,
  type ChatMessage,
  type PersonName,
  type RoomInfo,
} from '../wire/types';
import { Keyring } from './keyring.svelte';
import { Link } from './link.svelte';
import { muted } from './muted.svelte';
import { MyRooms, type MyRoom } from './my-rooms.svelte';
import { OpenRooms } from './open-rooms.svelte';
import { hasPlace, inherit } from './outbox';
import { Presence } from './presence.svelte';
import { Room } from './room.svelte';
import { follow } from './shared';
import { live } from './tabs';
import { Typist } from './typist';

/** Rooms of the list whose number of people is watched beside one's own. */
const listedMax = 20;
/** Rooms of two that are looked through for those that others opened. */
const privateMax = 500;

/** What the reader is told of his rooms: somebody calls him to one, or one is not there any more. */
export interface Notice {
  readonly kind: 'called' | 'gone';
  readonly room: MyRoom;
}

export class Chat {
  readonly keyring: Keyring;
  readonly link: Link;
  readonly mine = new MyRooms();
  readonly listed: OpenRooms;
  /** The room that is open. */
  room = $state.raw() as Room;
  notice = $state.raw<Notice | null>(null);
  /** Told of what others say in the reader's rooms, as it comes. */
  onheard: (roomId: string, messages: readonly ChatMessage[]) => void = () => undefined;

  readonly #rooms = new Map<string, Room>();
  readonly #presences = new Map<string, Presence>();
  /** The rooms of the list, as far as they were joined. */
  #joined = new Set<string>();
  #watched = new Set<string>();
  #looking: readonly string[] = [];
  #typist = new Typist((typing) => this.link.connection?.type(this.room.id, typing));

  constructor(first: string) {
    this.keyring = new Keyring((me) => this.#each((room) => room.becomes(me.id)));
    this.listed = new OpenRooms(() => this.keyring.token);
    this.link = new Link(this.keyring, {
      ready: () => void this.room.begin().catch(() => undefined),
      opened: (connection) => {
        this.#watched.clear();
        this.#each((room) => void room.attach(connection));
        this.#watch();
        for (const mine of this.mine.list) this.#lookUp(mine);
      },
      lost: () => {
        this.#each((room) => room.detach());
        for (const presence of this.#presences.values()) presence.lost();
      },
      subscribed: (id) => {
        this.#rooms.get(id)?.subscribed();
        if (id === lobby) this.link.settled();
      },
      unsubscribed: (id, { type }) => this.#rooms.get(id)?.unsubscribed(type),
      message: (id, message, epoch) => this.#rooms.get(id)?.hear(message, epoch),
      marker: (id, marker, epoch) => this.#rooms.get(id)?.marked(marker, epoch),
      people: (id, change) => this.#presences.get(id)?.change(change),
      watching: (id) => {
        if (id === this.room.id) void this.presence(id).readRoster();
      },
      called: (call) => this.#called(call),
      listening: () => void this.#findPrivate(),
      receipt: (key, id) => this.#each((room) => room.receipt(key, id)),
      refused: (key, { type }) => this.#each((room) => room.refused(key, type)),
    });
    this.room = this.#join({ id: first, name: '', other: null });
    this.mine.seen(first);
  }

  /** Joins, and stays joined. Called once. */
  start(): void {
    live();
    this.keyring.follow(() => this.link.reopen());
    inherit((roomId, items) => this.#open(roomId).inherit(items));
    follow('rtc.read', () => this.#each((room) => room.mark.refresh()));
    follow('rtc.rooms', () => {
      this.mine.refresh();
      this.#settle();
      // He has seen it there.
      const { notice } = this;
      if (notice?.kind === 'called' && !this.mine.get(notice.room.id)?.fresh) this.notice = null;
    });
    this.link.start();
  }

  /** Opens a room, one of the reader's from now on. */
  show(id: string): void {
    if (id === this.room.id) return;
    this.#typist.changed(false);
    this.room = this.#join({ id, name: '', other: null });
    this.mine.seen(id);
    if (this.notice?.room.id === id) this.notice = null;
    void this.room.begin().catch(() => undefined);
    if (this.#watched.has(id)) void this.presence(id).readRoster();
  }

  /** Makes an open room, perhaps with a topic, and is there; the room. */
  async make(name: string, topic: string): Promise<RoomInfo> {
    const room = await makeRoom(this.keyring.token, name, topic);
    this.#join({ id: room.roomId, name: room.name, topic: room.topic, other: null });
    return room;
  }

  /** The room with that person alone; its id. */
  async withPerson({ senderId, randId }: PersonName): Promise<string> {
    const me = this.keyring.me?.id ?? '';
    const id = await privateRoom(this.keyring.token, me, senderId);
    this.mine.forgive(id);
    this.#join({ id, name: randId, other: senderId });
    return id;
  }

  /** Notes what an open room is called, and about. */
  named({ roomId: id, name, topic }: RoomInfo): void {
    this.mine.learn({ id, name, topic, other: null });
  }

  leave(id: string): void {
    if (id === lobby) return;
    this.mine.leave(id);
    this.#settle();
  }

  write(text: string): void {
    this.#typist.sent();
    this.room.write(text);
  }

  typing(typing: boolean): void {
    this.#typist.changed(typing);
  }

  unread(id: string): number {
    const unread = this.#rooms.get(id)?.unread ?? 0;
    const { fresh, other } = this.mine.get(id) ?? {};
    return fresh && !(other && muted.ids.has(other)) ? Math.max(1, unread) : unread;
  }

  /** Who is in a room, as far as it is watched. */
  presence(id: string): Presence {
    let presence = this.#presences.get(id);
    if (!presence) {
      presence = new Presence(id, () => this.keyring.token);
      this.#presences.set(id, presence);
    }
    return presence;
  }

  /** The rooms of the list that somebody looks at. */
  look(ids: readonly string[]): void {
    this.#looking = ids.slice(0, listedMax);
    this.#watch();
  }

  /** False when too much waits to be sent already. */
  hasPlace(text: string): boolean {
    const waiting = [...this.#rooms.values()].flatMap((room) => room.log.outgoing);
    return hasPlace(waiting, text);
  }

  #join(mine: MyRoom): Room {
    this.mine.add(mine);
    this.#settle();
    return this.#open(mine.id);
  }

  /** Joins and leaves rooms as the list says now, whichever tab changed it. */
  #settle(): void {
    const { list } = this.mine;
    for (const id of this.#joined) if (!this.mine.get(id)) this.#drop(id);
    for (const mine of list) {
      if (this.#joined.has(mine.id)) continue;
      this.#open(mine.id);
      if (this.link.connection) this.#lookUp(mine);
    }
    this.#joined = new Set(list.map(({ id }) => id));
    this.#watch();
  }

  /** The room of that id, heard while there is a connection. */
  #open(id: string): Room {
    const old = this.#rooms.get(id);
    const room = old ?? this.#make(id);
    const { connection } = this.link;
    if (connection && !old) void room.attach(connection);
    return room;
  }

  /** Somebody opened a room with the reader. */
  #called({ roomId, senderId, randId }: Call): void {
    if (muted.ids.has(senderId)) return;
    this.mine.forgive(roomId);
    const room = { id: roomId, name: randId, other: senderId, fresh: true };
    if (this.#offered(room)) this.notice = { kind: 'called', room };
  }

  /** Those rooms with the reader that were opened while he was away. */
  async #findPrivate(): Promise<void> {
    try {
      for (let after: string | null = null, seen = 0; seen < privateMax; ) {
        const page = await privateRooms(this.keyring.token, limits.page, after);
        const last = page.at(-1);
        if (!last) break;
        for (const { roomId, other } of page) {
          if (!this.mine.hasLeft(roomId) && !(other && muted.ids.has(other)))
            this.#offered({ id: roomId, name: '', other });
        }
        after = last.roomId;
        seen += page.length;
      }
    } catch {
      // The next connection asks again.
    }
  }

  #offered(offer: MyRoom): boolean {
    const known = this.mine.get(offer.id);
    // Another tab may have been called a moment earlier.
    if (known) return known.fresh === true;
    if (!this.mine.hasPlace()) return false;
    // Kept before the room is: the other tabs must not take for read what they find there.
    this.#open(offer.id).mark.begin();
    this.mine.add(offer);
    this.#settle();
    return true;
  }

  /** Asks what a room is called, and about, that was opened by its link. */
  #lookUp({ id, name, topic, other }: MyRoom): void {
    if (id === lobby || (name !== '' && topic !== undefined) || other !== null) return;
    roomOf(this.keyring.token, id).then(
      (room) => {
        this.mine.learn({ id, name: room.name, topic: room.topic, other: room.other });
        this.#learned(id);
      },
      // The room itself tells when there is none; else the next connection asks again.
      () => undefined,
    );
  }

  /** Who the other one is, of a room of two, is known by what he said there. */
  #learned(id: string): void {
    const mine = this.mine.get(id);
    if (!mine?.other || mine.name !== '') return;
    const said = this.#rooms.get(id)?.log.messages.find(({ senderId }) => senderId === mine.other);
    if (said) this.mine.learn({ ...mine, name: said.randId });
  }

  #heard(id: string, messages: readonly ChatMessage[]): void {
    const me = this.keyring.me?.id;
    const others = messages.filter(({ senderId }) => senderId !== me && !muted.ids.has(senderId));
    if (others.length > 0) this.onheard(id, others);
  }

  /** A room that is not there, or not for the reader, is none of his. */
  #gone(id: string): void {
    const room = this.mine.get(id);
    if (!room) return;
    this.mine.remove(id);
    this.#settle();
    if (id !== this.room.id) this.notice = { kind: 'gone', room };
  }

  #drop(id: string): void {
    const room = this.#rooms.get(id);
    room?.detach();
    this.#rooms.delete(id);
    if (!room?.missing) this.link.connection?.unsubscribe(id);
    this.#watch();
  }

  /** Watches who is in the reader's rooms and in those that he looks at, and in no others. */
  #watch(): void {
    const { connection } = this.link;
    if (!connection) return;
    const wanted = new Set([...this.mine.list.map(({ id }) => id), ...this.#looking]);
    for (const id of this.#watched) if (!wanted.has(id)) connection.unwatch(id);
    for (const id of this.#presences.keys()) if (!wanted.has(id)) this.#presences.delete(id);
    for (const id of wanted) {
      this.presence(id);
      if (!this.#watched.has(id)) connection.watch(id);
    }
    this.#watched = wanted;
  }

  #make(id: string): Room {
    const room = new Room(id, {
      token: () => this.keyring.token,
      tokenRefused: () => {
        this.keyring.doubt();
        this.link.reopen();
      },
      learned: () => this.#learned(id),
      heard: (messages) => this.#heard(id, messages),
      missing: () => this.#gone(id),
    });
    if (this.keyring.me) room.becomes(this.keyring.me.id);
    this.#rooms.set(id, room);
    return room;
  }

  #each(act: (room: Room) => void): void {
    for (const room of this.#rooms.values()) act(room);
  }
}
