// What a screen reader is told of the open room: each thing once, as it comes. Of what was there before
// nothing: the log itself is silent, however much of it is drawn.
import { i18n } from '../i18n/i18n.svelte';
import type { ChatMessage } from '../wire/types';

/** More at once are told by their number. */
const eachMax = 3;
const textMax = 1_000;
/** Lines that stay in the document: what goes out of it is not told. */
const linesMax = 6;

export class Announcer {
  lines = $state.raw<readonly { readonly key: number; readonly text: string }[]>([]);

  #said = 0;

  /** Others said this; `unread` are waiting below, if the reader is not at the newest. */
  heard(messages: readonly ChatMessage[], unread: number | null): void {
    if (unread === null && messages.length <= eachMax) {
      for (const { randId, message } of messages) this.#say(`${randId}: ${message.slice(0, textMax)}`);
      return;
    }
    const n = unread ?? messages.length;
    this.#say(n === 1 ? i18n.t('newMessage') : i18n.t('newMessages', { n: i18n.number(n) }));
  }

  #say(text: string): void {
    this.lines = [...this.lines, { key: (this.#said += 1), text }].slice(-linesMax);
  }
}
