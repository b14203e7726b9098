// One question to the server over HTTP, and its answer as JSON. Every one ends within a bounded time.

const timeoutMs = 10_000;

export interface Answer {
  readonly status: number;
  readonly value: unknown;
}

export async function request(address: string, token: string | null, body?: unknown): Promise<Answer> {
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(address, {
    headers,
    cache: 'no-store',
    credentials: 'omit',
    signal: AbortSignal.timeout(timeoutMs),
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  return { status: answer.status, value: (await answer.json()) as unknown };
}
