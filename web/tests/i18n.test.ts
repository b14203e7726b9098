// Both languages are complete, and one of them is always found.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'svelte/compiler';
import { describe, expect, it } from 'vitest';
import { en } from '../src/i18n/en';
import { ko } from '../src/i18n/ko';
import { chooseLanguage, fill, type Key } from '../src/i18n/table';

const places = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();

describe('string tables', () => {
  it('have the same keys, none empty', () => {
    expect(Object.keys(ko).sort()).toEqual(Object.keys(en).sort());
    for (const text of [...Object.values(en), ...Object.values(ko)])
      expect(text.trim()).not.toBe('');
  });

  it('have the same places to fill', () => {
    for (const key of Object.keys(en) as Key[]) expect(places(ko[key])).toEqual(places(en[key]));
  });

  it('are filled by name', () => {
    expect(fill('{n} of {total}, {n}', { n: 1 })).toBe('1 of {total}, 1');
  });
});

describe('choice', () => {
  it('takes what was chosen by hand, then what the browser prefers, then English', () => {
    expect(chooseLanguage('en', ['ko-KR'])).toBe('en');
    expect(chooseLanguage(null, ['fr-FR', 'ko-KR', 'en'])).toBe('ko');
    expect(chooseLanguage('xx', ['de'])).toBe('en');
  });
});

interface Node {
  readonly type: string;
  readonly name?: string;
  readonly data?: string;
  readonly value?: unknown;
}

/** What a reader would see or hear of a component that stands in no table. */
function texts(source: string): string[] {
  const found: string[] = [];
  const spoken = /^(title|alt|label|placeholder|aria-(label|description|roledescription|valuetext))$/;
  const visit = (node: unknown, inAttribute: boolean): void => {
    if (Array.isArray(node)) for (const each of node) visit(each, inAttribute);
    if (typeof node !== 'object' || node === null || !('type' in node)) return;
    const { type, name = '', data = '' } = node as Node;
    if (type === 'Text' && !inAttribute && /\p{L}/u.test(data)) found.push(data.trim());
    const isAttribute = type === 'Attribute' || type === 'StyleDirective';
    if (isAttribute && spoken.test(name)) {
      const { value } = node as Node;
      for (const part of Array.isArray(value) ? (value as Node[]) : [])
        if (part.type === 'Text' && /\p{L}/u.test(part.data ?? '')) found.push(part.data!);
    }
    // Strings of the language itself, shown as they are.
    if (type === 'ExpressionTag' && !inAttribute) {
      const { expression } = node as { expression?: { type: string; value?: unknown } };
      if (expression?.type === 'Literal' && /\p{L}/u.test(String(expression.value)))
        found.push(String(expression.value));
    }
    for (const each of Object.values(node)) visit(each, inAttribute || isAttribute);
  };
  visit(parse(source, { modern: true }).fragment, false);
  return found;
}

describe('what the page says', () => {
  const folder = join(__dirname, '../src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.svelte'),
  );

  it('stands in the tables', () => {
    expect(files.length).toBeGreaterThan(15);
    for (const name of files) expect([name, texts(readFileSync(join(folder, name), 'utf8'))]).toEqual([name, []]);
  });

  it('would be seen here if it did not', () => {
    expect(texts('<p>Hello <b title="there" class="x">{1}</b></p>{"you"}')).toEqual(['Hello', 'there', 'you']);
  });

  it('is all used: no string is left behind', () => {
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(svelte|ts)$/.test(name) && !/^i18n.(en|ko)\.ts$/.test(name))
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('\n');
    // The states of the connection are asked for by their own names.
    for (const key of Object.keys(en)) expect([key, new RegExp(`'${key}'`).test(sources)]).toEqual([key, true]);
  });
});
