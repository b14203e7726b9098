// How the page looks: as the system wants it, or as the reader chose here, the same in all tabs.
import { MediaQuery } from 'svelte/reactivity';
import { follow } from './shared';
import { keep, recall } from './storage';

export const looks = ['system', 'light', 'dark', 'contrast'] as const;
export type LookName = (typeof looks)[number];

const named = (text: string | null): LookName => looks.find((each) => each === text) ?? 'system';

class Look {
  chosen = $state<LookName>(named(recall('rtc.look')));

  readonly #more = new MediaQuery('prefers-contrast: more');

  /** The scheme that was chosen by hand; null: the system's. */
  get scheme(): 'light' | 'dark' | null {
    return this.chosen === 'light' || this.chosen === 'dark' ? this.chosen : null;
  }

  get contrast(): boolean {
    return this.chosen === 'contrast' || this.#more.current;
  }

  choose(look: LookName): void {
    this.chosen = look;
    keep('rtc.look', look);
  }

  /** Another tab chose. */
  follow(): void {
    follow('rtc.look', () => (this.chosen = named(recall('rtc.look'))));
  }
}

export const look = new Look();

/** The colours that the browser gives its own frame, by scheme and contrast. */
const frames = {
  light: { normal: '#ffffff', more: '#ffffff' },
  dark: { normal: '#17201e', more: '#000000' },
} as const;

/** Puts the look on the document. */
export function wear({ scheme, contrast }: Pick<Look, 'scheme' | 'contrast'>): void {
  const { dataset } = document.documentElement;
  if (scheme) dataset.scheme = scheme;
  else delete dataset.scheme;
  if (contrast) dataset.contrast = 'more';
  else delete dataset.contrast;
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]')) {
    const own = meta.media.includes('dark') ? 'dark' : 'light';
    meta.content = frames[scheme ?? own][contrast ? 'more' : 'normal'];
  }
}
