// Reads the claims of the token. Only the server verifies it: the page just shows who it is.
import { parseJson } from './parse';
import type { Identity } from './types';

function decodeBase64Url(text: string): string | null {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Who the token speaks of; null when it is no token of ours. */
export function identityOf(token: string): Identity | null {
  const parts = token.split('.');
  const payload = parts.length === 3 && parts[1] ? decodeBase64Url(parts[1]) : null;
  const claims = payload === null ? null : (parseJson(payload) as Record<string, unknown> | null);
  if (typeof claims !== 'object' || claims === null) return null;
  const { jti, randId, sub, exp } = claims;
  if (typeof jti !== 'string' || typeof randId !== 'string' || typeof sub !== 'string') return null;
  return {
    id: jti,
    nickname: randId,
    nameTag: sub,
    expiresAt: typeof exp === 'number' ? exp : null,
  };
}
