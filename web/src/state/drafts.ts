// What is written in each room and not sent, kept over a reload.
import { parseJson } from '../wire/parse';
import { keep, recall } from './storage';

const roomsMax = 30;
const bytesMax = 512 * 1024;

function all(): [string, string][] {
  const value = parseJson(recall('rtc.drafts') ?? '');
  if (!Array.isArray(value)) return [];
  const isPair = (each: unknown): each is [string, string] =>
    Array.isArray(each) && typeof each[0] === 'string' && typeof each[1] === 'string';
  return value.filter(isPair);
}

export const draftOf = (roomId: string): string =>
  all().find(([id]) => id === roomId)?.[1] ?? '';

/** Keeps `text`; beyond the bounds the drafts of the rooms longest untouched are dropped. */
export function keepDraft(roomId: string, text: string): void {
  const others = all().filter(([id]) => id !== roomId);
  const drafts = text === '' ? others : [[roomId, text] as [string, string], ...others];
  let length = 0;
  const kept = drafts.slice(0, roomsMax).filter(([, each]) => (length += each.length) <= bytesMax);
  keep('rtc.drafts', JSON.stringify(kept));
}
