// What is asked before the page is there: by whom, what, and that each answer is taken once.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { history, init } from '../src/wire/http';
import { lobby, path } from '../src/wire/types';

let calls: [string, string | undefined][];
let answers: Map<string, unknown>;

const envelope = (type: string, response: unknown): unknown => ({ response, error: null, type, success: true });
const newest = path.newest(lobby, 60);

beforeEach(() => {
  calls = [];
  answers = new Map([
    [`${path.init} `, envelope('SUCCESS_TOKEN_ISSUANCE', 'new')],
    [`${path.init} good`, envelope('SUCCESS_TOKEN_VALIDATION', null)],
    [`${newest} new`, envelope('SUCCESS_GET_CHAT_LIST', [])],
    [`${newest} good`, envelope('SUCCESS_GET_CHAT_LIST', [])],
  ]);
  vi.stubGlobal('fetch', (address: string, { headers }: { headers: Record<string, string> }) => {
    const token = headers.Authorization?.replace('Bearer ', '');
    calls.push([address, token]);
    const value = answers.get(`${address} ${token ?? ''}`);
    if (value === undefined) return Promise.reject(new Error('no network'));
    return Promise.resolve({ status: 200, json: () => Promise.resolve(value) });
  });
});

async function asked(token: string | null): Promise<typeof import('../src/wire/early')> {
  const early = await import('../src/wire/early');
  early.askEarly(token, lobby);
  await new Promise((done) => setTimeout(done));
  return early;
}

describe('the first questions', () => {
  it('are who one is, and then what is new', async () => {
    await asked(null);
    expect(calls).toEqual([
      [path.init, undefined],
      [newest, 'new'],
    ]);
    expect(await init(null)).toBe('new');
    expect(await history('new', lobby, 60, null)).toEqual([]);
    expect(calls.length).toBe(2);
    // Each once: the next time it is asked again.
    await init(null);
    await history('new', lobby, 60, null);
    expect(calls.length).toBe(4);
  });

  it('are both at once where one is somebody already', async () => {
    const { early } = await asked('good');
    expect(calls.length).toBe(2);
    expect(await init('good')).toBe('good');
    expect(await history('good', lobby, 60, null)).toEqual([]);
    expect(calls.length).toBe(2);
    expect(early(newest, 'good')).toBe(undefined);
  });

  it('count for nobody else: who became another person meanwhile asks himself', async () => {
    await asked('good');
    answers.set(`${newest} other`, envelope('SUCCESS_GET_CHAT_LIST', []));
    await history('other', lobby, 60, null);
    expect(calls.at(-1)).toEqual([newest, 'other']);
    await init('good');
    await history('good', lobby, 60, null);
    expect(calls.length).toBe(3);
  });

  it('may fail: who takes the answer learns of it, and asks again', async () => {
    answers.delete(`${path.init} good`);
    await asked('good');
    await expect(init('good')).rejects.toThrow('no network');
    answers.set(`${path.init} good`, envelope('SUCCESS_TOKEN_VALIDATION', null));
    expect(await init('good')).toBe('good');
    await history('good', lobby, 60, null);
  });
});
