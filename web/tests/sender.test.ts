// Sending: in order, one at a time, again where the server could not take it just now.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { emptyLog, type RoomLog } from '../src/state/log-shape';
import { reduce } from '../src/state/room-log';
import { Sender } from '../src/state/sender';
import type { Connection } from '../src/wire/socket';
import { me } from './make';

let log: RoomLog;
let sender: Sender;
let sent: string[];

const connection = { send: (_room: string, text: string) => sent.push(text) } as unknown as Connection;
const statuses = (): string[] => log.outgoing.map(({ key, status }) => `${key} ${status}`);

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  log = { ...emptyLog, me };
  sender = new Sender(
    'room',
    () => log,
    (event) => {
      log = reduce(log, event);
    },
  );
  for (const key of ['a', 'b', 'c'])
    log = reduce(log, { type: 'written', key, text: key, at: '2026-01-01T00:00:00Z' });
});

afterEach(() => void vi.useRealTimers());

describe('the sender', () => {
  it('sends the next when the one before is stored', () => {
    sender.use(connection);
    expect(sent).toEqual(['a']);
    sender.receipt('a', 1);
    sender.receipt('b', 2);
    expect([sent, statuses()]).toEqual([['a', 'b', 'c'], ['a stored', 'b stored', 'c sending']]);
  });

  it('lets nothing overtake what is refused for the moment', () => {
    sender.use(connection);
    sender.refused('a', 'TOO_MANY_REQUESTS');
    sender.flush();
    expect([sent, statuses()[0]]).toEqual([['a'], 'a waiting']);
    vi.advanceTimersByTime(2_000);
    sender.receipt('a', 1);
    expect(sent).toEqual(['a', 'a', 'b']);
  });

  it('gives up what is refused for good, or too often, and goes on', () => {
    sender.use(connection);
    sender.refused('a', 'INVALID_MESSAGE_FORMAT');
    for (let turn = 0; turn < 6; turn += 1) {
      sender.refused('b', 'SERVER_OVERLOAD');
      vi.advanceTimersByTime(19_000);
    }
    expect(statuses()).toEqual(['a failed', 'b failed', 'c sending']);
    expect(sent).toEqual(['a', 'b', 'b', 'b', 'b', 'b', 'b', 'c']);
  });

  it('hears nothing for long: the reader decides', () => {
    sender.use(connection);
    vi.advanceTimersByTime(20_000);
    expect([sent, statuses()[0]]).toEqual([['a', 'b'], 'a failed']);
  });

  it('sends again, in order, over the next connection', () => {
    sender.use(connection);
    sender.use(null);
    vi.advanceTimersByTime(60_000);
    expect([sent, statuses()[0]]).toEqual([['a'], 'a sending']);
    sender.use(connection);
    sender.receipt('a', 1);
    expect(sent).toEqual(['a', 'a', 'b']);
  });
});
