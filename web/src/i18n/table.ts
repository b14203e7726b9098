// What a string table is, and how a language is chosen and a string filled.
import type { en } from './en';

export type Key = keyof typeof en;
export type Table = Readonly<Record<Key, string>>;
export type Language = 'en' | 'ko';

/** The remembered choice, else the first of the browser's languages that there is a table for. */
export function chooseLanguage(kept: string | null, preferred: readonly string[]): Language {
  const candidates = kept === null ? preferred : [kept, ...preferred];
  for (const candidate of candidates) {
    const primary = candidate.toLowerCase().split('-')[0];
    if (primary === 'ko' || primary === 'en') return primary;
  }
  return 'en';
}

/** Puts the values in the places of their names: {n}, {name}. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}
