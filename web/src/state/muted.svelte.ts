// People whom the reader does not want to read, in this browser.
import { parseJson } from '../wire/parse';
import { keep, recall } from './storage';

const mutedMax = 500;

class Muted {
  ids = $state.raw<ReadonlySet<string>>(new Set());

  constructor() {
    const value = parseJson(recall('rtc.muted') ?? '');
    if (Array.isArray(value)) this.ids = new Set(value.filter((id) => typeof id === 'string'));
  }

  toggle(id: string): void {
    const ids = [...this.ids].filter((each) => each !== id);
    if (ids.length === this.ids.size) ids.push(id);
    this.ids = new Set(ids.slice(-mutedMax));
    keep('rtc.muted', JSON.stringify([...this.ids]));
  }
}

export const muted = new Muted();
