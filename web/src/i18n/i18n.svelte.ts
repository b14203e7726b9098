// The language of the page, switched without a reload.
import { follow } from '../state/shared';
import { keep, recall } from '../state/storage';
import { en } from './en';
import { ko } from './ko';
import { chooseLanguage, fill, type Key, type Language, type Table } from './table';

const tables: Record<Language, Table> = { en, ko };

const chosen = (): Language => chooseLanguage(recall('rtc.language'), navigator.languages);

/** The beginning of that day, in the reader's zone. */
const midnight = (at: Date): number =>
  new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();

/** So long after midnight, at most, today is called yesterday. */
const lookMs = 20_000;

class I18n {
  language = $state(chosen());
  #today = $state(midnight(new Date()));

  #day = $derived(new Intl.DateTimeFormat(this.language, { dateStyle: 'full' }));
  #full = $derived(
    new Intl.DateTimeFormat(this.language, { dateStyle: 'medium', timeStyle: 'medium' }),
  );
  #number = $derived(new Intl.NumberFormat(this.language));

  t = (key: Key, values: Readonly<Record<string, string | number>> = {}): string =>
    fill(tables[this.language][key], values);

  number = (value: number): string =>
    value < 1000 ? String(value) : this.#number.format(value);
  // By the table: the browser's own formatter takes a slow phone longer to make than all rows to draw.
  time = (at: Date): string =>
    this.t(at.getHours() < 12 ? 'morning' : 'afternoon', {
      hour: at.getHours() % 12 || 12,
      minute: String(at.getMinutes()).padStart(2, '0'),
    });
  full = (at: Date): string => this.#full.format(at);

  day = (at: Date): string => {
    const days = Math.round((this.#today - midnight(at)) / 86_400_000);
    if (days === 0) return this.t('today');
    return days === 1 ? this.t('yesterday') : this.#day.format(at);
  };

  /** Another tab switches; a day ends. */
  follow = (): void => {
    follow('rtc.language', () => (this.language = chosen()));
    setInterval(() => (this.#today = midnight(new Date())), lookMs);
  };

  toggle = (): void => {
    this.language = this.language === 'ko' ? 'en' : 'ko';
    keep('rtc.language', this.language);
  };
}

export const i18n = new I18n();
