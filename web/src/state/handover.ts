// What one tab leaves for the next holder of a lock. The browser brings localStorage to the other tabs
// in its own time, perhaps after the lock: a tab that waited for the lock may still find nothing there.
// What a transaction of IndexedDB has stored, everybody finds.
import { get, set } from 'idb-keyval';

/** Longer ago, localStorage has it too, and what it says now counts. */
const lifetimeMs = 60_000;

/** A database that does not answer keeps nobody waiting for longer. */
const patienceMs = 1_000;

interface Left {
  readonly value: string;
  readonly at: number;
}

/** Null when the browser forbids it, as it may localStorage, or does not answer. */
function soon<T>(work: () => Promise<T>): Promise<T | null> {
  const enough = new Promise<null>((resolve) => setTimeout(() => resolve(null), patienceMs));
  const asked = Promise.resolve().then(work);
  return Promise.race([asked.catch(() => null), enough]);
}

/** What was left under this name just now, if anything was. */
export async function left(name: string): Promise<string | null> {
  const found = await soon(() => get<Left>(name));
  return found && Math.abs(Date.now() - found.at) < lifetimeMs ? found.value : null;
}

/** To be called, and waited for, while the lock is held. */
export async function leave(name: string, value: string): Promise<void> {
  await soon(() => set(name, { value, at: Date.now() } satisfies Left));
}
