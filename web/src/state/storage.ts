// What stays in this browser over a reload, for all tabs of it. A browser that forbids storage
// costs the memory, nothing else.

export type Kept =
  | 'rtc.token'
  | 'rtc.language'
  | 'rtc.look'
  | 'rtc.notify'
  | 'rtc.drafts'
  | 'rtc.read'
  | 'rtc.rooms'
  | 'rtc.left'
  | 'rtc.muted';

/** Messages that wait to be sent stand each under a key of its own. */
export const waitingPrefix = 'rtc.waiting.';
export type WaitingKey = `${typeof waitingPrefix}${string}`;

export function recall(key: Kept | WaitingKey): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** False when the browser does not keep it: forbidden, or full. */
export function keep(key: Kept | WaitingKey, value: string): boolean {
  try {
    localStorage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

export function forget(key: Kept | WaitingKey): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // Forbidden: then nothing is there.
  }
}

export function waitingKeys(): WaitingKey[] {
  try {
    return Object.keys(localStorage).filter((key): key is WaitingKey =>
      key.startsWith(waitingPrefix),
    );
  } catch {
    return [];
  }
}
