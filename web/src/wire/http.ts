// The HTTP half of the wire: the token and history. Every call ends within a bounded time.
import { asEnvelope, asMessage, path, tokenErrors, type ChatMessage, type Envelope } from './types';

const timeoutMs = 10_000;

/** The server refused the token: ask /init, then try again. */
export class TokenRefused extends Error {}

async function get(address: string, token: string | null): Promise<Envelope<unknown>> {
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(address, {
    headers,
    cache: 'no-store',
    credentials: 'omit',
    signal: AbortSignal.timeout(timeoutMs),
  });
  const envelope = asEnvelope(await answer.json());
  if (!envelope) throw new Error(`${address}: no envelope, status ${answer.status}`);
  return envelope;
}

/** The token to use from now on: a new one when the server gives one, else the one we have. */
export async function init(token: string | null): Promise<string> {
  const { response } = await get(path.init, token);
  if (typeof response === 'string' && response !== '') return response;
  if (token === null) throw new Error('/init gave no token');
  return token;
}

/** One page of history, newest first: the newest one, or the one below the id `before`. */
export async function history(
  token: string,
  roomId: string,
  limit: number,
  before: number | null,
): Promise<ChatMessage[]> {
  const address = before === null ? path.newest(roomId, limit) : path.before(roomId, limit, before);
  const { response, type } = await get(address, token);
  if (tokenErrors.has(type)) throw new TokenRefused(type);
  if (!Array.isArray(response)) throw new Error(`${address}: ${type}`);
  return response.map(asMessage).filter((message) => message !== null);
}
