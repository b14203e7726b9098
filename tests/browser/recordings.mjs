// What browsers tell of while an input method composes, event by event, up to the Enter at its end and
// what the reader expects of that; played to the page by composition.test.mjs and to the key's own logic by
// web/tests/enter-key.test.ts. Chrome's orders are those of the UI Events specification and of Chromium
// itself (composition.test.mjs lets the Chromium here do the same live). No Safari runs here: its orders, and
// those of Firefox and of phones, are the published ones, each with where it was told of (`of`).
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

/** Safari: what a key does to a composition is told before the key. */
const safariComposes = (name, data, text, first = false) => [
  ...(first ? [['compositionstart', { data: '' }]] : []),
  ['compositionupdate', { data }],
  input('beforeinput', 'insertCompositionText', data, true),
  [...input('input', 'insertCompositionText', data, true), text],
  key('keydown', name, 229, true),
  key('keyup', name, 0, true),
];

/** What is composed becomes text. */
const safariTakes = (data, text) => [
  input('beforeinput', 'deleteCompositionText', null, true),
  [...input('input', 'deleteCompositionText', null, true), ''],
  input('beforeinput', 'insertFromComposition', data, true),
  [...input('input', 'insertFromComposition', data, true), text],
  ['compositionend', { data }],
];

/** So the composition is over when its last key is told of. */
const safariEnds = (data, text) => [...safariTakes(data, text), key('keydown', 'Enter', 229)];

/** Firefox, and Safari's order to come: the key first, and it says that it composes. */
const keyEnds = (takes) => [key('keydown', 'Enter', 229, true), ...takes];

/** Korean on iOS: no composition; each key takes the last syllable away and writes it anew. */
const rewrites = (name, text, before = '') => [
  key('keydown', name, 0),
  ...(before === ''
    ? []
    : [
        input('beforeinput', 'deleteContentBackward', null),
        [...input('input', 'deleteContentBackward', null), ''],
      ]),
  input('beforeinput', 'insertText', text),
  [...input('input', 'insertText', text), text],
  key('keyup', name, 0),
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
const safariKana = [
  ...safariComposes('に', 'に', 'に', true),
  ...safariComposes('ん', 'にほん', 'にほん'),
  ...safariComposes(' ', '日本', '日本'),
];
const safariPinyin = [...safariComposes('n', 'n', 'n', true), ...safariComposes('i', 'ni', 'ni')];
const iosHangul = [...rewrites('ㅎ', 'ㅎ'), ...rewrites('ㅏ', '하', 'ㅎ'), ...rewrites('ㄴ', '한', '하')];
const kana = (name) => [
  ...composes(name, 'に', 'に', true),
  ...composes(name, 'にほん', 'にほん'),
  ...composes(name, '日本', '日本'),
];
const pinyin = (name) => [...composes(name, 'n', 'n', true), ...composes(name, 'ni', 'ni')];

/** What comes of Enter alone. */
const breaks = [input('beforeinput', 'insertLineBreak', null), key('keyup', 'Enter', 13)];

const webkit = 'https://bugs.webkit.org/show_bug.cgi?id=165004';
const startsFirst = 'https://github.com/w3c/uievents/issues/360';
const iosKeys = 'https://github.com/JetBrains/compose-multiplatform-core/pull/2454';

/** By name: the steps, what is sent in order, what is left in the field, and who told of it. */
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
  'Korean, Chrome on macOS: the Enter comes once, as the input method\'s, and sends': {
    of: ['https://github.com/openai/chatkit-js/issues/213'],
    steps: [...hangul('ㅎ'), ...chromeEnds('Enter', '한', '한'), ...breaks],
    sent: ['한'],
    left: '',
  },
  'Korean, Chrome on macOS: Shift and Enter break the line': {
    steps: [...hangul('ㅎ'), ...chromeEnds('Enter', '한', '한'), ...shiftEnter],
    sent: [],
    left: '한\n',
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
  'Korean, Firefox on Windows: all of the Enter comes again after the composition': {
    of: ['https://github.com/w3c/uievents/issues/202'],
    steps: [...hangul('Process'), ...chromeEnds('Process', '한', '한'), key('keyup', 'Enter', 13), ...enter],
    sent: ['한'],
    left: '',
  },
  'Korean, Firefox on macOS: only the press comes again, without a keydown': {
    of: ['https://github.com/w3c/uievents/issues/202'],
    steps: [
      ...hangul('Process'),
      ...keyEnds([['compositionend', { data: '한' }]]),
      key('keypress', 'Enter', 13),
      ...breaks,
    ],
    sent: ['한'],
    left: '',
  },
  'Korean, Safari on macOS: one Enter sends': {
    of: [webkit],
    steps: [...safariHangul, key('keydown', 'Enter', 229), ...breaks],
    sent: ['한'],
    left: '',
  },
  'Korean, Safari on macOS: Shift and Enter break the line': {
    of: [webkit],
    steps: [...safariHangul, key('keydown', 'Enter', 229, false, { shiftKey: true }), ...shiftEnter.slice(1)],
    sent: [],
    left: '한\n',
  },
  'Korean, iOS: syllables are taken away and written anew, one Enter sends': {
    of: [iosKeys, 'https://github.com/facebook/lexical/issues/5841'],
    steps: [...iosHangul, ...enter],
    sent: ['한'],
    left: '',
  },
  'Korean, iOS, ten keys: the same, of several letters a key': {
    of: ['https://github.com/facebook/lexical/pull/8475'],
    steps: [...rewrites('ㅇ', 'ㅇ'), ...rewrites('ㅣ', '이', 'ㅇ'), ...rewrites('ㆍ', '아', '이'), ...enter],
    sent: ['아'],
    left: '',
  },
  'Korean, iOS: the next message begins anew': {
    of: [iosKeys],
    steps: [...iosHangul, ...enter, ...rewrites('ㄱ', 'ㄱ'), ...rewrites('ㅏ', '가', 'ㄱ'), ...enter],
    sent: ['한', '가'],
    left: '',
  },
  'iOS, with predictive text or dictation: an Enter without a name sends': {
    of: ['https://github.com/drn/argus/pull/536'],
    steps: [
      [...input('input', 'insertText', '말'), '말'],
      key('keydown', 'Unidentified', 229),
      input('beforeinput', 'insertLineBreak', null),
    ],
    sent: ['말'],
    left: '',
  },
  'iOS, an Enter without any key after a line that a keyboard broke: sends': {
    of: ['https://github.com/drn/argus/pull/536'],
    steps: [
      [...input('input', 'insertText', '말'), '말'],
      ...shiftEnter.slice(0, 2),
      input('beforeinput', 'insertLineBreak', null),
    ],
    sent: ['말'],
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
  'Japanese, Linux: a key of the input method says nothing of a composition, and sends nothing': {
    of: ['https://github.com/yomidevs/yomitan/pull/2082'],
    steps: [...kana('Process'), key('keydown', 'Enter', 229), ['compositionend', { data: '日本' }], key('keyup', 'Enter', 13)],
    sent: [],
    left: '日本',
  },
  'Japanese, Safari on macOS: Enter takes the candidate and sends nothing': {
    of: [webkit, startsFirst, 'https://github.com/threema-ch/threema-web/pull/879'],
    steps: [...safariKana, ...safariEnds('日本', '日本'), key('keyup', 'Enter', 13)],
    sent: [],
    left: '日本',
  },
  'Japanese, Safari on macOS: the next Enter sends': {
    of: [webkit, startsFirst, 'https://github.com/ProseMirror/prosemirror-view/pull/44'],
    steps: [...safariKana, ...safariEnds('日本', '日本'), key('keyup', 'Enter', 13), ...enter],
    sent: ['日本'],
    left: '',
  },
  'Japanese, WebKit in an application: the key before the end of the composition, and it denies to be of it': {
    of: ['https://github.com/sstraus/tuicommander/pull/113'],
    steps: [...safariKana, key('keydown', 'Enter', 229), ...safariTakes('日本', '日本'), key('keyup', 'Enter', 13)],
    sent: [],
    left: '日本',
  },
  'Japanese, Safari to come, in the order of the specification: sends nothing': {
    of: ['https://github.com/mdn/browser-compat-data/pull/30009'],
    steps: [...kana('に'), ...keyEnds(safariTakes('日本', '日本')), key('keyup', 'Enter', 13)],
    sent: [],
    left: '日本',
  },
  'Japanese, iOS: a tap takes the candidate without a key, Enter sends': {
    of: [iosKeys],
    steps: [...composes('に', 'に', 'に', true), ...safariTakes('日本', '日本'), ...enter],
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
  'Chinese, Chrome on macOS: an Enter of the input method comes after the end, and sends nothing': {
    of: ['https://github.com/NousResearch/hermes-agent/pull/41026'],
    steps: [...pinyin('n'), ['compositionend', { data: 'ni' }], key('keydown', 'Enter', 229), key('keyup', 'Enter', 13)],
    sent: [],
    left: 'ni',
  },
  'Chinese, Safari on macOS: Enter takes the letters as they are, and sends nothing': {
    of: [webkit, startsFirst],
    steps: [...safariPinyin, ...safariEnds('ni', 'ni'), key('keyup', 'Enter', 13)],
    sent: [],
    left: 'ni',
  },
  'Chinese, Safari on macOS: a digit takes the candidate, Enter sends': {
    of: [iosKeys, startsFirst],
    steps: [...safariPinyin, ...safariTakes('你', '你'), key('keydown', '1', 229), key('keyup', '1', 49), ...enter],
    sent: ['你'],
    left: '',
  },
};
