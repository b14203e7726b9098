// What stays in this browser over a reload. A browser that forbids storage costs the memory of
// the identity, nothing else.

export type Kept = 'rtc.token' | 'rtc.language';

export function recall(key: Kept): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function keep(key: Kept, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Forbidden or full: the page works without.
  }
}
