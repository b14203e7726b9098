// Both languages are complete, and one of them is always found.
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
