// What browsers tell of while an input method composes, event by event, up to the Enter at its end and
// what the reader expects of that. Chrome's orders are those of the UI Events specification and of
// Chromium itself (composition.test.mjs lets the Chromium here do the same live); Safari's are those of
// WebKit's bug 165004 and of the logs in the editors' trackers that quote it, as no Safari runs here.
//
// A step is [event, what it says]. `text` is what stands in the field after the event; a `beforeinput` of
// a line break puts one there unless the page takes it.

const key = (type, key, keyCode, isComposing = false, more = {}) => [type, { key, keyCode, isComposing, ...more }];
const input = (type, inputType, data, isComposing = false) => [type, { inputType, data, isComposing }];

/** One more letter of a composition that the field shows as `text`, by a key of that name. */
const composes = (name, data, text, first = false) => [
  key('keydown', name, 229, !first),
  ...(first ? [['compositionstart', { data: '' }]] : []),
  input('beforeinput', 'insertCompositionText', data, true),
  ['compositionupdate', { data }],
  [...input('input', 'insertCompositionText', data, true), text],
  key('keyup', name, 0, true),
];

/** Chrome: the input method has taken the key, the composition ends within it. */
const chromeEnds = (name, data, text) => [
  key('keydown', name, 229, true),
  input('beforeinput', 'insertCompositionText', data, true),
  ['compositionupdate', { data }],
  [...input('input', 'insertCompositionText', data, true), text],
  ['compositionend', { data }],
];

/** Safari: the composition is over when the key is told of. */
const safariEnds = (data, text) => [
  input('beforeinput', 'deleteCompositionText', null, true),
  [...input('input', 'deleteCompositionText', null, true), ''],
  input('beforeinput', 'insertFromComposition', data, true),
  [...input('input', 'insertFromComposition', data, true), text],
  ['compositionend', { data }],
  key('keydown', 'Enter', 229),
];

const enter = [key('keydown', 'Enter', 13), input('beforeinput', 'insertLineBreak', null), key('keyup', 'Enter', 13)];
const shiftEnter = [
  key('keydown', 'Enter', 13, false, { shiftKey: true }),
  input('beforeinput', 'insertLineBreak', null),
  key('keyup', 'Enter', 13, false, { shiftKey: true }),
];

const hangul = (name) => [
  ...composes(name, 'ㅎ', 'ㅎ', true),
  ...composes(name, '하', '하'),
  ...composes(name, '한', '한'),
];
/** Safari replaces the syllable and tells of no composition. */
const safariHangul = [
  key('keydown', 'ㅎ', 229),
  input('beforeinput', 'insertText', 'ㅎ'),
  [...input('input', 'insertText', 'ㅎ'), 'ㅎ'],
  key('keydown', 'ㅏ', 229),
  input('beforeinput', 'insertReplacementText', '하'),
  [...input('input', 'insertReplacementText', '하'), '하'],
  key('keydown', 'ㄴ', 229),
  input('beforeinput', 'insertReplacementText', '한'),
  [...input('input', 'insertReplacementText', '한'), '한'],
];
const kana = (name) => [
  ...composes(name, 'に', 'に', true),
  ...composes(name, 'にほん', 'にほん'),
  ...composes(name, '日本', '日本'),
];
const pinyin = (name) => [...composes(name, 'n', 'n', true), ...composes(name, 'ni', 'ni')];

/** By name: the steps, what is sent in order, what is left in the field. */
export const recordings = {
  'Korean, Chrome on Windows: one Enter ends the syllable and sends': {
    steps: [...hangul('Process'), ...chromeEnds('Process', '한', '한'), ...enter],
    sent: ['한'],
    left: '',
  },
  'Korean, Chrome on macOS: the Enter comes twice, and sends once': {
    steps: [...hangul('ㅎ'), ...chromeEnds('Enter', '한', '한'), ...enter],
    sent: ['한'],
    left: '',
  },
  'Korean, Chrome on macOS: Shift and Enter break the line': {
    steps: [...hangul('ㅎ'), ...chromeEnds('Enter', '한', '한'), ...shiftEnter],
    sent: [],
    left: '한\n',
  },
  'Korean, Safari: one Enter sends': {
    steps: [...safariHangul, key('keydown', 'Enter', 229), input('beforeinput', 'insertLineBreak', null), key('keyup', 'Enter', 13)],
    sent: ['한'],
    left: '',
  },
  'Korean, Chrome on Android: the keyboard names no key': {
    steps: [
      ...composes('Unidentified', '한', '한', true),
      ['compositionend', { data: '한' }],
      key('keydown', 'Enter', 13),
      input('beforeinput', 'insertLineBreak', null),
    ],
    sent: ['한'],
    left: '',
  },
  'Japanese, Chrome: Enter takes the candidate and sends nothing': {
    steps: [...kana('Process'), ...chromeEnds('Enter', '日本', '日本'), key('keyup', 'Enter', 13)],
    sent: [],
    left: '日本',
  },
  'Japanese, Chrome: the next Enter sends': {
    steps: [...kana('Process'), ...chromeEnds('Enter', '日本', '日本'), key('keyup', 'Enter', 13), ...enter],
    sent: ['日本'],
    left: '',
  },
  'Japanese, Safari: Enter takes the candidate and sends nothing': {
    steps: [...kana('に'), ...safariEnds('日本', '日本'), key('keyup', 'Enter', 13)],
    sent: [],
    left: '日本',
  },
  'Japanese, Safari: the next Enter sends': {
    steps: [...kana('に'), ...safariEnds('日本', '日本'), key('keyup', 'Enter', 13), ...enter],
    sent: ['日本'],
    left: '',
  },
  'Chinese, Chrome: Enter takes the letters as they are, and sends nothing': {
    steps: [...pinyin('Process'), ...chromeEnds('Process', 'ni', 'ni'), key('keyup', 'Enter', 13)],
    sent: [],
    left: 'ni',
  },
  'Chinese, Chrome: the blank takes the candidate, Enter sends': {
    steps: [...pinyin('Process'), ...chromeEnds('Process', '你', '你'), key('keyup', ' ', 32), ...enter],
    sent: ['你'],
    left: '',
  },
  'Chinese, Safari: Enter takes the letters as they are, and sends nothing': {
    steps: [...pinyin('n'), ...safariEnds('ni', 'ni'), key('keyup', 'Enter', 13)],
    sent: [],
    left: 'ni',
  },
};
