// The room log: one order, no repeats, holes known, own messages once.
import { describe, expect, it } from 'vitest';
import { emptyLog, holes, newestId, unsettled, type Outgoing, type RoomLog } from '../src/state/log-shape';
import { keptNewest, reduce, type LogEvent } from '../src/state/room-log';
import { ids, message, me, other, page } from './make';

const play = (events: readonly LogEvent[], from: RoomLog = { ...emptyLog, me }): RoomLog =>
  events.reduce(reduce, from);

const live = (id: number, text = `text ${id}`, sender = other): LogEvent => ({
  type: 'live',
  messages: [message(id, text, sender)],
});

const written = (key: string, text: string): LogEvent[] => [
  { type: 'written', key, text, at: '2026-01-01T00:00:00Z' },
  { type: 'sending', key },
];

const receipt = (key: string, id: number | null): LogEvent => ({ type: 'receipt', key, id });

describe('order and repeats', () => {
  it('orders by id whatever comes first', () => {
    expect(ids(play([live(3), live(1), live(2)]))).toEqual([1, 2, 3]);
  });

  it('takes every message once, live or by history', () => {
    const log = play([live(4), live(5), page(null, 3, 5), live(5), page(5, 2, 4)]);
    expect(ids(log)).toEqual([2, 3, 4, 5]);
    expect(log.known).toEqual([{ from: 2, to: 5 }]);
  });

  it('takes several live ones at once, in any order', () => {
    const several: LogEvent = { type: 'live', messages: [5, 3, 4, 3].map((id) => message(id)) };
    const log = play([live(2), several]);
    expect([ids(log), log.known]).toEqual([[2, 3, 4, 5], [{ from: 2, to: 5 }]]);
  });

  it('is the same log when nothing is new', () => {
    const log = play([page(null, 1, 9)]);
    expect(reduce(log, live(7))).toBe(log);
  });

  it('inserts a page between others', () => {
    const log = play([page(null, 8, 9), page(4, 1, 3), page(8, 4, 7)]);
    expect(ids(log)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('holes', () => {
  it('sees that a live id jumps, and that history fills it', () => {
    const jumped = play([page(null, 1, 7), live(11)]);
    expect(holes(jumped)).toEqual([{ from: 8, to: 10 }]);
    expect(holes(reduce(jumped, page(11, 8, 10)))).toEqual([]);
  });

  it('fills a long one page by page', () => {
    const log = play([page(null, 1, 10), page(null, 251, 300), page(251, 151, 250)]);
    expect(holes(log)).toEqual([{ from: 11, to: 150 }]);
    expect(holes(play([page(151, 51, 150), page(51, 1, 50)], log))).toEqual([]);
  });

  it('knows the beginning by an empty page only', () => {
    expect(play([page(null, 5, 9)]).known).toEqual([{ from: 5, to: 9 }]);
    expect(play([page(null, 5, 9), page(5)]).known).toEqual([{ from: 1, to: 9 }]);
  });

  it('knows an empty room, and its first message', () => {
    const log = play([page(null)]);
    expect([newestId(log), log.known]).toEqual([0, [{ from: 1, to: 0 }]]);
    expect(reduce(log, live(1)).known).toEqual([{ from: 1, to: 1 }]);
  });

  it('asks for no id twice when the server has nothing there', () => {
    const log = play([page(null, 1, 4), live(9), page(9)]);
    expect(holes(log)).toEqual([]);
  });
});

describe('own messages on their way', () => {
  const start = play([page(null, 1, 2)]);

  it('is one row when the receipt comes before the message', () => {
    const sent = play([...written('k', 'hi'), receipt('k', 3)], start);
    expect(unsettled(sent).map(({ status }) => status)).toEqual(['stored']);
    const log = reduce(sent, live(3, 'hi', me));
    expect([log.outgoing, log.keys.get(3)]).toEqual([[], 'k']);
  });

  it('is one row when the message comes before the receipt', () => {
    const seen = play([...written('k', 'hi'), live(3, 'hi', me)], start);
    expect(unsettled(seen)).toEqual([]);
    expect(reduce(seen, receipt('k', 3)).outgoing).toEqual([]);
    expect(reduce(seen, receipt('k', null)).outgoing).toEqual([]);
  });

  it('matches equal texts one by one', () => {
    const two = play([...written('a', 'ha'), ...written('b', 'ha'), live(3, 'ha', me)], start);
    expect(unsettled(two).map(({ key }) => key)).toEqual(['b']);
    expect(reduce(two, live(4, 'ha', me)).keys).toEqual(
      new Map([
        [3, 'a'],
        [4, 'b'],
      ]),
    );
  });

  it('does not take another person or an older message for it', () => {
    const log = play([...written('k', 'hi'), live(3, 'hi', other), page(2, 1, 1, me)], start);
    expect(unsettled(log)).toHaveLength(1);
  });

  it('comes back as failed when the claim was wrong', () => {
    const claimed = play([...written('k', 'hi'), live(3, 'hi', me)], start);
    const log = reduce(claimed, { type: 'refused', key: 'k' });
    expect(unsettled(log).map(({ status }) => status)).toEqual(['failed']);
    expect(log.keys.has(3)).toBe(false);
  });

  it('is the message that the receipt names, whatever its text seemed to say', () => {
    // The same words of the same person, written in another tab.
    const claimed = play([...written('k', 'hi'), live(3, 'hi', me)], start);
    const stored = reduce(claimed, receipt('k', 4));
    expect(unsettled(stored).map(({ status }) => status)).toEqual(['stored']);
    const log = reduce(stored, live(4, 'hi', me));
    expect([log.outgoing, [...log.keys]]).toEqual([[], [[4, 'k']]]);
  });

  it('is the one with the id before one with the same text', () => {
    const two = play([...written('a', 'ha'), ...written('b', 'ha'), receipt('b', 3)], start);
    const log = reduce(two, live(3, 'ha', me));
    expect([[...log.keys], unsettled(log).map(({ key }) => key)]).toEqual([[[3, 'b']], ['a']]);
  });

  it('has its place when its receipt names what is seen, or lies in a hole', () => {
    const seen = play([live(3, 'hi', me), ...written('k', 'hi'), receipt('k', 3)], start);
    expect([seen.outgoing, [...seen.keys]]).toEqual([[], [[3, 'k']]]);
    const hole = play([live(9), ...written('k', 'hi'), receipt('k', 5)], start);
    expect([hole.outgoing, [...hole.keys]]).toEqual([[], []]);
  });

  it('is sent again after a lost connection, one row all the while', () => {
    const lost = play([...written('a', 'one'), ...written('b', 'two')], start);
    const found: LogEvent = { type: 'page', before: null, messages: [message(3, 'one', me)] };
    const log = play([found, { type: 'caught-up' }], lost);
    expect(log.outgoing.map(({ key, status }) => [key, status])).toEqual([
      ['a', 'waiting'],
      ['b', 'waiting'],
    ]);
    expect([ids(log), unsettled(log).map(({ key }) => key)]).toEqual([[1, 2, 3], ['b']]);
    const sent: LogEvent[] = ['a', 'b'].map((key) => ({ type: 'sending', key }));
    const done = play([...sent, receipt('a', 3), receipt('b', 4), live(4, 'two', me)], log);
    expect([done.outgoing, ids(done)]).toEqual([[], [1, 2, 3, 4]]);
    expect(done.keys).toEqual(
      new Map([
        [3, 'a'],
        [4, 'b'],
      ]),
    );
  });

  it('is not sent again as somebody else', () => {
    const log = play([...written('k', 'hi'), { type: 'identity', me: other }], start);
    expect(play([{ type: 'caught-up' }], log).outgoing[0]?.status).toBe('failed');
    const same = play([...written('k', 'hi'), { type: 'identity', me }], start);
    expect(play([{ type: 'caught-up' }], same).outgoing[0]?.status).toBe('waiting');
  });

  it('waits without a connection, is retried and discarded', () => {
    const [first] = written('k', 'hi');
    const waiting = play([first!, { type: 'caught-up' }], start);
    expect(waiting.outgoing[0]?.status).toBe('waiting');
    const failed = play(
      [
        { type: 'sending', key: 'k' },
        { type: 'refused', key: 'k' },
      ],
      waiting,
    );
    expect(reduce(failed, { type: 'retry', key: 'k' }).outgoing[0]?.status).toBe('waiting');
    expect(reduce(failed, { type: 'discarded', key: 'k' }).outgoing).toEqual([]);
  });

  it('has come through after all when its receipt is late', () => {
    const late = play([...written('k', 'hi'), { type: 'refused', key: 'k' }], start);
    expect(reduce(late, live(3, 'hi', me)).outgoing).toEqual([]);
  });
});

describe('another numbering', () => {
  const start = play([page(null, 1, 9), ...written('k', 'hi'), ...written('s', 'yo')]);

  it('forgets what it knew, and sends again what had no receipt', () => {
    const log = play([receipt('s', 12), live(10, 'hi', me), { type: 'forgotten' }], start);
    expect([ids(log), log.known, [...log.keys], log.me]).toEqual([[], [], [], me]);
    expect(log.outgoing.map(({ key, claimedBy, after }) => [key, claimedBy, after])).toEqual([
      ['k', null, 0],
    ]);
    const anew = play([live(4, 'later'), page(4, 1, 3)], log);
    expect([ids(anew), anew.known]).toEqual([[1, 2, 3, 4], [{ from: 1, to: 4 }]]);
  });

  it('drops what is stored once its id lies behind the newest, seen or not', () => {
    const log = play([receipt('s', 12)], start);
    expect(log.outgoing.map(({ key }) => key)).toEqual(['k', 's']);
    expect(play([page(21, 15, 20)], log).outgoing.map(({ key }) => key)).toEqual(['k']);
  });
});

describe('what is kept in memory', () => {
  const log = play([page(null, 1, 5000), ...written('k', 'hi')]);
  const trimmed = (from: number, to: number): RoomLog =>
    reduce(log, { type: 'trimmed', keep: { from, to } });

  it('is what is near the reader, and the newest', () => {
    const kept = trimmed(1000, 1999);
    expect(kept.known).toEqual([
      { from: 1000, to: 1999 },
      { from: 5001 - keptNewest, to: 5000 },
    ]);
    expect(kept.messages.length).toBe(1000 + keptNewest);
    expect([newestId(kept), kept.outgoing.length]).toEqual([5000, 1]);
  });

  it('is one piece when the reader is near the newest', () => {
    expect(trimmed(4500, 5500).known).toEqual([{ from: 4500, to: 5000 }]);
    expect(trimmed(1, 6000)).toBe(log);
  });

  it('still knows where the room begins, and comes back by history', () => {
    const kept = trimmed(-500, 500);
    expect(kept.known[0]).toEqual({ from: 1, to: 500 });
    const again = reduce(kept, page(601, 501, 600));
    expect(again.known[0]).toEqual({ from: 1, to: 600 });
  });
});

describe('messages of an earlier page view', () => {
  const earlier = (key: string, at: string, sentAs: string | null): Outgoing => ({
    text: key,
    key,
    writtenAt: at,
    status: 'waiting',
    sentAs,
    after: 0,
    claimedBy: null,
    id: null,
  });

  it('stand in the order in which they were written, each once', () => {
    const items = [earlier('b', '2026-01-02T00:00:00Z', null), earlier('a', '2026-01-01T00:00:00Z', me)];
    const log = play([{ type: 'restored', items }, { type: 'restored', items }]);
    expect(log.outgoing.map(({ key, status }) => [key, status])).toEqual([
      ['a', 'waiting'],
      ['b', 'waiting'],
    ]);
  });

  it('are not sent by themselves when somebody else had sent them', () => {
    const items = [earlier('a', '2026-01-01T00:00:00Z', other)];
    expect(play([{ type: 'restored', items }]).outgoing[0]?.status).toBe('failed');
    const before = play([{ type: 'restored', items }, { type: 'identity', me }], emptyLog);
    expect(before.outgoing[0]?.status).toBe('failed');
  });

  it('are found in the room when they had come through', () => {
    const items = [earlier('hi', '2026-01-01T00:00:00Z', me)];
    const log = play([{ type: 'restored', items }, page(null, 1, 2), live(3, 'hi', me)]);
    expect([log.outgoing[0]?.claimedBy, unsettled(log)]).toEqual([3, []]);
    expect(play([{ type: 'sending', key: 'hi' }, receipt('hi', 3)], log).outgoing).toEqual([]);
  });
});
