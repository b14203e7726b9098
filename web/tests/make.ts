// Small logs for the tests of this folder.
import type { RoomLog } from '../src/state/log-shape';
import type { LogEvent } from '../src/state/room-log';
import type { ChatMessage } from '../src/wire/types';

export const me = '11111111-1111-4111-8111-111111111111';
export const other = '22222222-2222-4222-8222-222222222222';

export const message = (id: number, text = `text ${id}`, sender = other): ChatMessage => ({
  id,
  message: text,
  randId: sender === me ? 'Me1' : 'Other2',
  nameTag: sender === me ? '#000001' : '#000002',
  createdAt: new Date(Date.UTC(2026, 0, 1, 12, 0, id)).toISOString(),
  ipAddress: '203.0',
  senderId: sender,
});

/** History below `before` with the ids from..to, newest first; empty without them. */
export function page(before: number | null, from = 1, to = 0, sender = other): LogEvent {
  const messages: ChatMessage[] = [];
  for (let id = to; id >= from; id -= 1) messages.push(message(id, `text ${id}`, sender));
  return { type: 'page', before, messages };
}

export const ids = (log: RoomLog): number[] => log.messages.map(({ id }) => id);
