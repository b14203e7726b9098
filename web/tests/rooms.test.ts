// Rooms of one's own, who is in them, and who types.
import { webcrypto } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hashOf, roomOfHash } from '../src/state/address';
import { joinedMax, MyRooms } from '../src/state/my-rooms.svelte';
import { Presence } from '../src/state/presence.svelte';
import { Typist } from '../src/state/typist';
import { lobby, type PersonName } from '../src/wire/types';

const stored = new Map<string, string>();

beforeEach(() => {
  stored.clear();
  vi.stubGlobal('crypto', webcrypto);
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  });
});

afterEach(() => void vi.useRealTimers());

const idOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

describe('the rooms of the reader', () => {
  it('are kept in this browser, the lobby first', () => {
    const rooms = new MyRooms();
    rooms.add({ id: idOf(1), name: 'one', other: null });
    rooms.add({ id: idOf(1), name: '', other: null });
    rooms.add({ id: idOf(2), name: 'two', other: idOf(9) });
    const list = new MyRooms().list.map(({ id, name, other }) => [id, name, other]);
    expect(list).toEqual([
      [lobby, '', null],
      [idOf(1), 'one', null],
      [idOf(2), 'two', idOf(9)],
    ]);
    rooms.remove(idOf(1));
    rooms.remove(lobby);
    expect(new MyRooms().list.map(({ id }) => id)).toEqual([lobby, idOf(2)]);
  });

  it('have a topic, or none, or it is not known', () => {
    const rooms = new MyRooms();
    rooms.add({ id: idOf(1), name: 'one', other: null });
    rooms.add({ id: idOf(2), name: 'two', topic: '', other: null });
    rooms.add({ id: idOf(3), name: 'three', topic: 'about', other: null });
    rooms.add({ id: idOf(3), name: '', other: null });
    const topics = (): unknown[] => new MyRooms().list.slice(1).map(({ topic }) => topic);
    expect(topics()).toEqual([undefined, '', 'about']);
    rooms.add({ id: idOf(1), name: '', topic: 'found', other: null });
    expect(topics()).toEqual(['found', '', 'about']);
  });

  it('are bounded: the oldest makes place, never the lobby', () => {
    const rooms = new MyRooms();
    for (let n = 0; n <= joinedMax; n += 1) rooms.add({ id: idOf(n), name: 'x', other: null });
    expect([rooms.list.length, rooms.list[0]?.id]).toEqual([joinedMax, lobby]);
    expect(rooms.list[1]?.id).toBe(idOf(2));
  });

  it('are nothing that is no room', () => {
    const odd = [null, 1, { id: 'x' }, { id: lobby }, { id: idOf(1), name: 7 }];
    stored.set('rtc.rooms', JSON.stringify(odd));
    expect(new MyRooms().list.slice(1)).toEqual([{ id: idOf(1), name: '', other: null }]);
  });

  it('of others are taken in while there is place, and push out none', () => {
    const rooms = new MyRooms();
    const add = (n: number): void => rooms.add({ id: idOf(n), name: 'x', other: idOf(99), fresh: true });
    add(1);
    expect(new MyRooms().get(idOf(1))?.fresh).toBe(true);
    rooms.seen(idOf(1));
    expect(new MyRooms().get(idOf(1))?.fresh ?? false).toBe(false);
    for (let n = 2; n < joinedMax; n += 1) {
      expect(rooms.hasPlace()).toBe(true);
      add(n);
    }
    expect(rooms.hasPlace()).toBe(false);
  });

  it('are those of all tabs: none undoes what another one did', () => {
    const [here, there] = [new MyRooms(), new MyRooms()];
    const two = { id: idOf(2), name: 'two', other: idOf(9) };
    here.add({ id: idOf(1), name: 'one', other: null });
    there.add(two);
    there.leave(idOf(2));
    here.add({ id: idOf(3), name: '', other: null });
    there.learn({ id: idOf(3), name: 'three', other: null });
    there.learn({ ...two, name: 'not of the list any more' });
    expect(new MyRooms().list.map(({ name }) => name)).toEqual(['', 'one', 'three']);
    expect(here.hasLeft(idOf(2))).toBe(true);
    here.refresh();
    expect(here.get(idOf(3))?.name).toBe('three');
  });

  it('are kept in memory where the browser forbids to store', () => {
    vi.stubGlobal('localStorage', undefined);
    const rooms = new MyRooms();
    rooms.add({ id: idOf(1), name: 'one', other: null });
    rooms.add({ id: idOf(2), name: 'two', other: null });
    rooms.refresh();
    expect(rooms.list.length).toBe(3);
  });

  it('of two that were left are known as such, until he is called there anew', () => {
    const rooms = new MyRooms();
    rooms.add({ id: idOf(1), name: 'open', other: null });
    rooms.add({ id: idOf(2), name: 'two', other: idOf(9) });
    rooms.leave(idOf(1));
    rooms.leave(idOf(2));
    const again = new MyRooms();
    expect([again.hasLeft(idOf(1)), again.hasLeft(idOf(2)), again.list.length]).toEqual([
      false,
      true,
      1,
    ]);
    again.forgive(idOf(2));
    expect(new MyRooms().hasLeft(idOf(2))).toBe(false);
  });

  it('have an address each', () => {
    for (const id of [lobby, idOf(3)]) expect(roomOfHash(hashOf(id))).toBe(id);
    expect([roomOfHash(''), roomOfHash('#/x'), roomOfHash('#top')]).toEqual([lobby, null, null]);
    expect(roomOfHash(`#/${lobby.toUpperCase()}`)).toBe(lobby);
  });
});

const person = (senderId: string): PersonName => ({ senderId, randId: senderId, nameTag: '#000001' });
const change = (part: object) => ({
  people: 1,
  joined: [],
  left: [],
  typing: [],
  complete: true,
  ...part,
});

describe('who is in a room', () => {
  const answers: { roster: string[]; meanwhile?: () => void }[] = [];
  const names = (presence: Presence): string[] => [...presence.roster.keys()];

  beforeEach(() => {
    answers.length = 0;
    vi.stubGlobal('fetch', async (address: string) => {
      const after = new URL(address, 'http://h').searchParams.get('after');
      const answer = after === null ? answers[0] : answers.shift();
      if (after !== null) answer?.meanwhile?.();
      const page = after === null ? (answer?.roster ?? []).map(person) : [];
      const response = { people: page.length, page };
      return { json: async () => ({ response, type: 'SUCCESS_GET_PEOPLE', success: true }) };
    });
  });

  it('is the roster, and what changed since', async () => {
    const presence = new Presence('room', () => '');
    const late = change({ people: 3, joined: [person('c')], left: ['a'] });
    answers.push({ roster: ['a', 'b'], meanwhile: () => presence.change(late) });
    presence.change(change({ people: 2, complete: false }));
    expect([presence.people, names(presence)]).toEqual([2, []]);
    await presence.readRoster();
    expect(names(presence)).toEqual(['b', 'c']);
    presence.change(change({ people: 1, left: ['c'], typing: [person('b')] }));
    expect([presence.people, names(presence), presence.typing.length]).toEqual([1, ['b'], 1]);
  });

  it('is read again when the changes do not say all', async () => {
    const presence = new Presence('room', () => '');
    answers.push({ roster: ['a'] });
    await presence.readRoster();
    answers.push({ roster: ['x', 'y'] });
    presence.change(change({ people: 2, complete: false }));
    await vi.waitFor(() => expect(names(presence)).toEqual(['x', 'y']));
  });
});

describe('typing', () => {
  it('is told at once, every few seconds while it goes on, and when it ends', () => {
    vi.useFakeTimers();
    const told: boolean[] = [];
    const typist = new Typist((typing) => told.push(typing));
    typist.changed(false);
    for (let second = 0; second < 7; second += 1) {
      typist.changed(true);
      vi.advanceTimersByTime(1_000);
    }
    expect(told).toEqual([true, true, true]);
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual([true, true, true, false]);
    typist.changed(true);
    typist.sent();
    vi.advanceTimersByTime(10_000);
    expect(told.slice(4)).toEqual([true]);
  });
});
