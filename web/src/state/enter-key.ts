// When Enter sends. Input methods use the key to end a composition, and browsers tell of it in
// different orders; which ones is in tests/browser/recordings.mjs.

/** The key code that browsers give to a key which the input method has taken. */
const takenByInputMethod = 229;

export type KeyPress = Pick<KeyboardEvent, 'key' | 'keyCode' | 'isComposing' | 'shiftKey'>;
export type Insertion = Pick<InputEvent, 'inputType' | 'isComposing'>;

export class EnterKey {
  #shift = false;

  /** True when this key press sends, and must not do anything else. */
  pressed({ key, keyCode, isComposing, shiftKey }: KeyPress): boolean {
    this.#shift = shiftKey;
    return key === 'Enter' && !shiftKey && !isComposing && keyCode !== takenByInputMethod;
  }

  /**
   * True when this insertion is an Enter that first ended a composition and goes on to break the
   * line: it sends, and must not break it.
   */
  inserts({ inputType, isComposing }: Insertion): boolean {
    if (inputType !== 'insertLineBreak' && inputType !== 'insertParagraph') return false;
    const shift = this.#shift;
    // A keyboard on the screen may name no key before its next line break.
    this.#shift = false;
    return !isComposing && !shift;
  }
}
