// How long to wait before the next try, spread out so that a restarted server does not meet all
// its clients in the same instant.

const firstMs = 500;
const longestMs = 15_000;

/** The pause that the server asked for, within the same bound. */
export const boundedMs = (asked: number): number => Math.min(longestMs, asked);

/** The pause before try `attempt` (0 is the first one after a loss); `random` is in [0, 1). */
export function pauseMs(attempt: number, random: number): number {
  const ceiling = Math.min(longestMs, firstMs * 2 ** attempt);
  return Math.round(ceiling * (0.5 + random / 2));
}
