// Key events as browsers tell of them when an Enter ends a composition: in short, and then all that
// browsers are known to tell of (tests/browser/recordings.mjs, which names who told of it).
import { describe, expect, it } from 'vitest';
import { recordings, type Recording } from '../../tests/browser/recordings.mjs';
import { EnterKey, type Insertion, type KeyPress } from '../src/state/enter-key';

type Step = { down: Partial<KeyPress> } | { before: Partial<Insertion> };

const down = (key: string, keyCode: number, isComposing = false, shiftKey = false): Step => ({
  down: { key, keyCode, isComposing, shiftKey },
});
const before = (inputType: string, isComposing = false): Step => ({
  before: { inputType, isComposing },
});

/** How often the message is sent; what is sent twice would be seen. */
function sends(steps: readonly Step[]): number {
  const enter = new EnterKey();
  return steps.filter((step) =>
    'down' in step
      ? enter.pressed({ shiftKey: false, ...step.down } as KeyPress)
      : enter.inserts(step.before as Insertion),
  ).length;
}

const hangul = [
  down('Process', 229),
  before('insertCompositionText', true),
  down('Process', 229, true),
  before('insertCompositionText', true),
];

const cases: Record<string, [steps: Step[], times: number]> = {
  'Enter without a composition': [[down('a', 65), before('insertText'), down('Enter', 13)], 1],
  'Shift+Enter': [[down('Enter', 13, false, true), before('insertLineBreak')], 0],
  'an on-screen keyboard that tells no key': [[before('insertLineBreak')], 1],
  'Chrome, Windows, Korean: Enter ends the syllable, and comes again': [
    [...hangul, down('Process', 229, true), down('Enter', 13)],
    1,
  ],
  'Chrome, macOS, Korean: the same under the name Enter': [
    [...hangul, down('Enter', 229, true), down('Enter', 13)],
    1,
  ],
  'Chrome, Japanese: the first Enter only takes the candidate': [
    [...hangul, down('Enter', 229, true)],
    0,
  ],
  'Chrome, Japanese: the second Enter sends': [
    [...hangul, down('Enter', 229, true), down('Enter', 13)],
    1,
  ],
  'Chrome, Chinese: Enter takes the letters as they are': [
    [...hangul, down('Process', 229, true), before('insertCompositionText', true)],
    0,
  ],
  'Safari, Japanese: keydown 229 after compositionend only takes the candidate': [
    [...hangul, before('insertFromComposition'), down('Enter', 229)],
    0,
  ],
  'Safari, Japanese: the second Enter sends': [
    [...hangul, before('insertFromComposition'), down('Enter', 229), down('Enter', 13)],
    1,
  ],
  'Safari, Korean: the same Enter goes on to break the line': [
    [...hangul, down('Enter', 229), before('insertLineBreak')],
    1,
  ],
  'Safari, Korean: Shift+Enter ends the syllable and breaks the line': [
    [...hangul, down('Enter', 229, false, true), before('insertLineBreak')],
    0,
  ],
  'pasted lines': [[down('v', 86), before('insertFromPaste')], 0],
};

describe('Enter', () => {
  for (const [name, [steps, times]] of Object.entries(cases))
    it(`${name}: sent ${times} times`, () => expect(sends(steps)).toBe(times));
});

/** What is sent, and what is left, where each event does what it does in a browser. */
function played({ steps }: Recording): { sent: string[]; left: string } {
  const enter = new EnterKey();
  const sent: string[] = [];
  let left = '';
  let taken = false;
  const send = (): void => {
    if (left !== '') sent.push(left);
    left = '';
  };
  for (const [event, says, text] of steps) {
    if (text !== undefined) left = text;
    const insertion = says as unknown as Insertion;
    if (event === 'keydown') {
      taken = enter.pressed({ shiftKey: false, ...says } as unknown as KeyPress);
      if (taken) send();
    } else if (event === 'beforeinput' && !(taken && insertion.inputType === 'insertLineBreak')) {
      if (enter.inserts(insertion)) send();
      else if (insertion.inputType === 'insertLineBreak') left += '\n';
    }
  }
  return { sent, left };
}

describe('Enter, as recorded', () => {
  for (const [name, recording] of Object.entries(recordings)) {
    const { sent, left } = recording;
    // The composer sends without the blanks around it.
    it(name, () => {
      const found = played(recording);
      expect({ ...found, sent: found.sent.map((text) => text.trim()) }).toEqual({ sent, left });
    });
  }
});
