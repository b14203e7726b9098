// What the page asks first, asked while the rest of its script is still on its way: over a slow network that
// saves the time of a round trip or two.
import { request, type Answer } from './request';
import { limits, path } from './types';

const asked = new Map<string, Promise<Answer>>();

const keyOf = (address: string, token: string | null): string => `${token ?? ''} ${address}`;

function ask(address: string, token: string | null): Promise<Answer> {
  const answer = request(address, token);
  // Who takes it deals with its failure.
  answer.catch(() => undefined);
  asked.set(keyOf(address, token), answer);
  return answer;
}

/** Asks who the reader is, if he has a token whether it is good, and what is new in that room. */
export function askEarly(token: string | null, roomId: string): void {
  const newest = path.newest(roomId, limits.firstPage);
  const checked = ask(path.init, token);
  if (token !== null) {
    void ask(newest, token);
    return;
  }
  checked.then(
    ({ value }) => {
      const given = (value as { response?: unknown } | null)?.response;
      if (typeof given === 'string') void ask(newest, given);
    },
    () => undefined,
  );
}

/** The answer that is on its way to this very question, of this person; each once. */
export function early(address: string, token: string | null): Promise<Answer> | undefined {
  const key = keyOf(address, token);
  const answer = asked.get(key);
  asked.delete(key);
  return answer;
}
