// What a room is called, and about.
import { i18n } from '../i18n/i18n.svelte';
import { lobby } from '../wire/types';
import type { MyRoom } from './my-rooms.svelte';

export function roomName(id: string, known: Pick<MyRoom, 'name' | 'other'> | undefined): string {
  if (id === lobby) return i18n.t('room');
  if (known?.other) return i18n.t('privateWith', { name: known.name || i18n.t('someone') });
  return known?.name || i18n.t('roomUnnamed', { id: id.slice(0, 8) });
}

/** Empty: it has none, or it is not known yet. */
export const topicOf = (id: string, known: Pick<MyRoom, 'topic'> | undefined): string =>
  id === lobby ? i18n.t('roomTopic') : (known?.topic ?? '');
