// The addresses of rooms within the page.
import { lobby } from '../wire/types';

export const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The room that an address leads to; null when it is none. */
export function roomOfHash(hash: string): string | null {
  if (hash === '' || hash === '#' || hash === '#/') return lobby;
  const id = hash.replace(/^#\//, '');
  return uuid.test(id) ? id.toLowerCase() : null;
}

export const hashOf = (roomId: string): string => (roomId === lobby ? '#/' : `#/${roomId}`);
