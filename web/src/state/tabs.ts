// The other tabs of this browser. A tab that lives holds a lock by its name, so that what it leaves
// behind finds another owner. Pages without TLS have no Web Locks: there each tab takes what it finds,
// which costs nothing but a repeat, since the server stores a key once.
import { newKey } from './key';

/** The name of this tab; another one after each reload. */
export const thisTab = newKey();

const lockOf = (tab: string): string => `rtc.tab.${tab}`;

const locks = (): LockManager | undefined =>
  typeof navigator === 'undefined' ? undefined : navigator.locks;

/** Whether it can be known that another tab lives. */
export const seesTabs = (): boolean => locks() !== undefined;

const never = new Promise<void>(() => undefined);

/** Says to the other tabs that this one lives. */
export function live(): void {
  void locks()?.request(lockOf(thisTab), () => never);
}

/** True when another tab lives. */
export async function others(): Promise<boolean> {
  const { held = [] } = (await locks()?.query()) ?? {};
  return held.some(({ name }) => name?.startsWith(lockOf('')) && name !== lockOf(thisTab));
}

/** Calls `then` when that tab lives no more: at once, or whenever it is closed. */
export function whenGone(tab: string, then: () => void): void {
  const manager = locks();
  if (manager) void manager.request(lockOf(tab), then);
  else then();
}

/** One tab at a time does `work` of that name; without Web Locks each does. */
export function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  const manager = locks();
  return manager ? (manager.request(`rtc.${name}`, work) as Promise<T>) : work();
}
