// The edges of STOMP: what a client sends, and all that must come back for it. Data only; the runner
// is stomp_edges.test.mjs.
//
// Each row: [name, what is sent, what comes back, options]. `⏎` is LF, `␍` CR, `␀` NUL, `⟪ff⟫` a byte;
// $V is the version that CONNECT asks for, $TOKEN a valid token, $ROOM a room. Rows of `opening` are
// the whole conversation; those of `connected` come behind a CONNECT and a SUBSCRIBE to
// /user/queue/errors. Unless the answer ends with a close, the runner says DISCONNECT behind it, and
// its RECEIPT and the close must be all that follows.
//
// What comes back, frame by frame:
//   CONNECTED 1.2          RECEIPT receipt-id:a     (its headers as they are on the wire; of a stored
//   CLOSE 1000              message `id:*`)
//   ERROR <type> [receipt-id]      MESSAGE <subscription> <body>
//   TOLD <type> [receipt-id]       the MESSAGE on /user/queue/errors
// A list holds for every version; {'1.0': […], …} says it for each, and a version that is not named
// is not run. Options: `opens`, what CONNECT asks for instead of each version in turn; `protocols`,
// what the WebSocket offers; `may`: an answer that comes or not, by who is faster; `hears`: it is
// subscribed to what it sends, and says DISCONNECT only when it heard that; the MESSAGE may come
// before or after the receipt.

const connect = 'CONNECT⏎accept-version:$V⏎host:h⏎Authorization:Bearer $TOKEN⏎⏎␀';
const chat = '{"roomId":"$ROOM","message":"m"}';
const escape = String.raw;

export const preamble = `${connect}SUBSCRIBE⏎id:errors⏎destination:/user/queue/errors⏎⏎␀`;
export const goodbye = 'DISCONNECT⏎receipt:bye⏎⏎␀';

const connected = ['CONNECTED $V'];
const malformed = ['ERROR INVALID_MESSAGE_FORMAT', 'CLOSE 1002'];
const parameter = ['ERROR INVALID_PARAMETER', 'CLOSE 1008'];
// The same of a frame whose receipt was read before it broke.
const malformedA = ['ERROR INVALID_MESSAGE_FORMAT a', 'CLOSE 1002'];
const tooLarge = ['ERROR PAYLOAD_TOO_LARGE', 'CLOSE 1009'];
const tooLargeA = ['ERROR PAYLOAD_TOO_LARGE a', 'CLOSE 1009'];
const receipt = (...ids) => ids.map((id) => `RECEIPT receipt-id:${id}`);
// In 1.0, and in both later versions.
const sinceOneOne = (old, later) => ({ '1.0': old, '1.1': later, '1.2': later });

// A frame that is answered by nothing but its receipt, with those header lines.
const begin = (lines, body = '') => `BEGIN⏎transaction:t⏎${lines}⏎⏎${body}␀`;
const accepting = (list) => `CONNECT⏎accept-version:${list}⏎host:h⏎Authorization:Bearer $TOKEN⏎⏎␀`;
const beating = (value) =>
  `CONNECT⏎accept-version:$V⏎host:h⏎heart-beat:${value}⏎Authorization:Bearer $TOKEN⏎⏎␀`;
const send = (lines, body = chat) => `SEND⏎destination:/pub/chat⏎${lines}⏎${body}␀`;
const once = { opens: ['1.2'] };

export const opening = [
  ['CONNECT', connect, connected],
  ['STOMP is CONNECT', connect.replace('CONNECT', 'STOMP'), connected],
  ['no accept-version is 1.0', 'CONNECT⏎host:h⏎Authorization:$TOKEN⏎⏎␀', ['CONNECTED 1.0'], once],
  ['no accept-version in STOMP is 1.0', 'STOMP⏎host:h⏎Authorization:$TOKEN⏎⏎␀', ['CONNECTED 1.0'], once],
  ['an empty accept-version is 1.0', accepting(''), ['CONNECTED 1.0'], once],
  ['the highest version of a list', accepting('1.0,1.2,1.1'), ['CONNECTED 1.2'], once],
  ['versions nobody knows', accepting('9.9,1.1,x,1.20'), ['CONNECTED 1.1'], once],
  ['a version twice', accepting('1.1,1.1'), ['CONNECTED 1.1'], once],
  ['blanks in the list', accepting(' 1.0 , 1.1 '), ['CONNECTED 1.1'], once],
  ['commas only', accepting(',,'), parameter, once],
  ['no version in common', accepting('2.0,0.9'), parameter, once],
  ['a version in part', accepting('1'), parameter, once],
  ['a second accept-version does not count', accepting('1.0⏎accept-version:1.2'), ['CONNECTED 1.0'], once],
  ['a v10.stomp that asks for more', connect, connected, { protocols: ['v10.stomp'] }],
  ['a v12.stomp that asks for less', connect, connected, { protocols: ['v12.stomp'] }],
  ['all subprotocols', connect, connected, { protocols: ['v10.stomp', 'v11.stomp', 'v12.stomp'] }],
  ['no subprotocol', connect, connected, { protocols: [] }],
  ['without host', connect.replace('host:h⏎', ''), connected],
  ['EOLs before CONNECT', `⏎␍⏎⏎${connect}`, connected],
  ['CRLF in CONNECT', connect.replaceAll('⏎', '␍⏎'), connected],
  ['a CR in a header of CONNECT', connect.replace('host:h', 'host:h␍h'), connected],
  ['no escapes in CONNECT', connect.replace('host:h', escape`host:\t\q\n`), connected],
  ['an escape is not the character', accepting(escape`1.2\c`), parameter, once],
  ['content-length with a blank in CONNECT', connect.replace('host:h', 'content-length: 0'), connected],
  ['heart-beat with a blank', beating(' 0,0 '), sinceOneOne(connected, parameter)],
  [
    'blanks around names and values in CONNECT',
    connect.replace('host:h', ' heart-beat : 0,0 ').replace('Authorization:', ' Authorization : '),
    sinceOneOne(connected, ['ERROR NO_TOKEN', 'CLOSE 1008']),
  ],
  ['blanks in a CONNECT without a version', 'CONNECT⏎heart-beat: 0,0⏎ Authorization: $TOKEN⏎⏎␀', ['CONNECTED 1.0'], once],
  ['the token escaped', connect.replace('Bearer ', escape`Bearer\c`), ['ERROR INVALID_TOKEN', 'CLOSE 1008']],
  ['a header of CONNECT without a name', connect.replace('host:', ':'), malformed, once],
  ['content-length 0 in CONNECT', connect.replace('host:h', 'content-length:0'), connected],
  ['a body of CONNECT', connect.replace('␀', 'x␀'), malformed],
  ['no RECEIPT for CONNECT', connect.replace('host:h', 'receipt:a'), connected],
  ['passcode instead of Authorization', connect.replace('Authorization:Bearer ', 'login:x⏎passcode:'), connected],
  ['Authorization before passcode', connect.replace('host:h', 'passcode:x'), connected],
  ['no token', 'CONNECT⏎accept-version:$V⏎host:h⏎⏎␀', ['ERROR NO_TOKEN', 'CLOSE 1008']],
  ['no token, with a receipt', 'CONNECT⏎accept-version:$V⏎receipt:a⏎⏎␀', ['ERROR NO_TOKEN a', 'CLOSE 1008']],
  ['a false token', connect.replace('$TOKEN', 'x'), ['ERROR INVALID_TOKEN', 'CLOSE 1008']],
  ['heart-beat 0,0', beating('0,0'), connected],
  ['a heart-beat in one direction', beating('0,60000'), connected],
  ...['1073741823', '1073741824', '1073741825', '2147483647', '2147483648', '4294967295'].map((ms) => [
    `a heart-beat of ${ms} ms`, beating(`${ms},${ms}`), connected,
  ]),
  ['a heart-beat beyond 32 and 64 bits', beating('4294967296,99999999999999999999999'), connected],
  ['a negative heart-beat', beating('-1,0'), parameter],
  ['one number', beating('10000'), parameter],
  ['three numbers', beating('1,2,3'), parameter],
  ['half a heart-beat', beating('10000,'), parameter],
  ['an empty heart-beat', beating(''), parameter],
  ['a blank in heart-beat', beating('1, 1'), parameter],
  ['no number', beating('1.5,x'), parameter],
  ['a second heart-beat does not count', beating('0,0⏎heart-beat:x'), connected],
  ['connect', connect.replace('CONNECT', 'connect'), malformed, once],
  ['a blank before CONNECT', ` ${connect}`, malformed, once],
  ['a byte order mark', `\ufeff${connect}`, malformed, once],
  ['NUL alone', '␀', malformed, once],
  ['CONNECT without its blank line', 'CONNECT␀', malformed, once],
  ['HTTP', 'GET / HTTP/1.1␍⏎Host: h␍⏎␍⏎', malformed, once],
  ['an unknown first frame', 'HELLO⏎⏎␀', malformed, once],
  ['SEND before CONNECT', send('receipt:a⏎'), ['ERROR UNAUTHORIZED_ACCESS a', 'CLOSE 1008'], once],
  ['DISCONNECT before CONNECT', goodbye, ['ERROR UNAUTHORIZED_ACCESS bye', 'CLOSE 1008'], once],
  ['CONNECTED first', 'CONNECTED⏎version:1.2⏎⏎␀', ['ERROR UNAUTHORIZED_ACCESS', 'CLOSE 1008'], once],
];

const headers64 = (more) => `transaction:t⏎receipt:a⏎${'x:y⏎'.repeat(61 + more)}content-length:0`;
// A BEGIN of so many bytes up to its body.
const headBytes = (bytes) => `BEGIN⏎transaction:t⏎receipt:a⏎x:${'y'.repeat(bytes - 34)}⏎⏎␀`;

const framing = [
  ['EOLs between frames', `⏎⏎⏎${begin('receipt:a')}⏎⏎⏎⏎⏎⏎⏎⏎`, receipt('a')],
  ['CRLF between frames', `␍⏎␍⏎⏎${begin('receipt:a')}␍⏎`, receipt('a')],
  ['CR between frames', `␍${begin('receipt:a')}`, malformed],
  ['a blank between frames', ` ${begin('receipt:a')}`, malformed],
  ['a second NUL', `${begin('receipt:a')}␀`, [...receipt('a'), ...malformed]],
  ['CRLF as line end', 'BEGIN␍⏎transaction:t␍⏎receipt:a␍⏎␍⏎␀', { '1.0': malformed, '1.1': malformed, '1.2': receipt('a') }],
  ['CRLF and LF mixed', 'BEGIN⏎transaction:t␍⏎receipt:a⏎␍⏎␀', { '1.2': receipt('a') }],
  ['a CR before the end of a line', begin('receipt:a␍'), { '1.0': receipt('a␍'), '1.1': receipt('a␍'), '1.2': receipt('a') }],
  ['two CRs before the end of a line', begin('receipt:a␍␍'), { '1.0': receipt('a␍␍'), '1.1': receipt('a␍␍'), '1.2': malformed }],
  ['a CR in a header', begin('receipt:a␍b'), { '1.0': receipt('a␍b'), '1.1': receipt('a␍b'), '1.2': malformed }],
  ['a CR for the blank line', 'BEGIN⏎transaction:t⏎␍⏎␀', { '1.0': malformed, '1.1': malformed, '1.2': [] }],
  ['an unknown command', 'HELLO⏎⏎␀', malformed],
  ['a command in lower case', begin('receipt:a').toLowerCase(), malformed],
  ['a blank behind the command', begin('receipt:a').replace('BEGIN', 'BEGIN '), malformed],
  ['an escaped command', escape`\BEGIN⏎⏎␀`, malformed],
  ['no command', '⏎:⏎⏎␀', malformed],
  ...['CONNECTED', 'MESSAGE', 'RECEIPT', 'ERROR'].map((command) => [
    `${command} from a client`,
    `${command}⏎receipt:a⏎⏎␀`,
    malformedA,
  ]),
  ['a NUL in a header', begin('receipt:␀a'), malformed],
  ['a NUL behind the headers', 'BEGIN⏎transaction:t⏎␀', malformed],
  ['a byte order mark between frames', `\ufeff${begin('receipt:a')}`, malformed],
  ['a header that is no UTF-8', begin('receipt:⟪ff⟫'), malformed],
  ['a surrogate in UTF-8', begin('receipt:⟪eda080⟫'), malformed],
  ['Korean and emoji in a header', begin('receipt:안녕 👩‍👩‍👧‍👦'), receipt('안녕 👩‍👩‍👧‍👦')],
];

const headers = [
  ['a header without a colon', begin('receipt'), malformed],
  ['a header without a name', begin(':a'), malformed],
  ['a header without a value', begin('receipt:'), []],
  ['a header of a colon', begin('receipt::'), sinceOneOne(receipt(':'), receipt(escape`\c`))],
  ['names are case-sensitive', begin('Receipt:a⏎RECEIPT:b'), []],
  ['the first of repeated headers', begin('receipt:a⏎receipt:b'), receipt('a')],
  ['the first of repeated headers, empty', begin('receipt:⏎receipt:b'), []],
  ['blanks around a value', begin('receipt: a '), sinceOneOne(receipt('a'), receipt(' a '))],
  ['blanks around a name', begin(' receipt :a'), sinceOneOne(receipt('a'), [])],
  ['a tab around a value', begin('receipt:\ta'), receipt('\ta')],
  ['a name of blanks', begin('  :a'), sinceOneOne(malformed, [])],
  ['a colon in a value', begin('receipt:a:b'), sinceOneOne(receipt('a:b'), receipt(escape`a\cb`))],
  ['escapes', begin(escape`receipt:\n\c\\`), receipt(escape`\n\c\\`)],
  ['an escaped backslash before an n', begin(escape`receipt:\\n`), receipt(escape`\\n`)],
  ['the escape of CR', begin(escape`receipt:a\r`), { '1.0': receipt(escape`a\r`), '1.1': malformed, '1.2': receipt(escape`a\r`) }],
  ['an unknown escape', begin(escape`receipt:a\tb`), sinceOneOne(receipt(escape`a\tb`), malformed)],
  ['an escape in upper case', begin(escape`receipt:a\N`), sinceOneOne(receipt(escape`a\N`), malformed)],
  ['a backslash at the end', begin('receipt:a\\'), sinceOneOne(receipt('a\\'), malformed)],
  ['a backslash before the colon', begin('receipt\\:a'), sinceOneOne([], malformed)],
  ['an unknown escape in a name', begin(escape`x\y:a`), sinceOneOne([], malformed)],
  ['an unknown escape nobody reads', begin(escape`x:\x⏎receipt:a`), sinceOneOne(receipt('a'), malformed)],
  ['an unknown escape behind a receipt', begin(escape`receipt:a⏎x:\x`), sinceOneOne(receipt('a'), malformedA)],
  ['two ids that differ by an escape', `BEGIN⏎transaction:a\\n⏎⏎␀COMMIT⏎transaction:a\\\\n⏎receipt:a⏎⏎␀`, ['TOLD INVALID_PARAMETER a']],
  ['64 headers', `BEGIN⏎${headers64(0)}⏎⏎␀`, receipt('a')],
  ['65 headers', `BEGIN⏎${headers64(1)}⏎⏎␀`, tooLargeA],
  ['headers of 16 KiB', headBytes(16384), receipt('a')],
  ['headers of 16 KiB and a byte', headBytes(16385), tooLargeA],
  ['a command without an end', 'B'.repeat(16385), tooLarge, once],
  ['a receipt of 256 bytes', begin(`receipt:${'r'.repeat(256)}`), receipt('r'.repeat(256))],
  ['a receipt of 257 bytes', begin(`receipt:${'r'.repeat(257)}`), ['ERROR INVALID_MESSAGE_FORMAT', 'CLOSE 1008']],
];

// The body of SEND is judged as JSON, so TOLD means: the frame was read, and its body handed on.
const notJson = 'TOLD INVALID_MESSAGE_FORMAT a';
const heard = (text) => `MESSAGE room ${text}`;
const listen = 'SUBSCRIBE⏎id:room⏎destination:/sub/channel/$ROOM⏎⏎␀';
const stored = 'RECEIPT receipt-id:a⏎id:*';

const bodies = [
  ['a body up to its NUL', send('receipt:a⏎'), [stored]],
  ['content-length', send('receipt:a⏎content-length:63⏎'), [stored]],
  ['content-length and EOLs', `${send('receipt:a⏎content-length:63⏎')}⏎⏎`, [stored]],
  ['a content-length with zeros before', send('receipt:a⏎content-length:00063⏎'), [stored]],
  ['the first content-length', send('receipt:a⏎content-length:63⏎content-length:x⏎'), [stored]],
  ['too short a content-length', send('receipt:a⏎content-length:62⏎'), malformedA],
  ['too long a content-length', `${send('receipt:a⏎content-length:64⏎')}${begin('receipt:b')}`, malformedA],
  ['a negative content-length', send('content-length:-1⏎'), malformed],
  ['a signed content-length', send('content-length:+63⏎'), malformed],
  ['content-length is no number', send('content-length:6x⏎'), malformed],
  ['an empty content-length', send('content-length:⏎'), malformed],
  ['a content-length with a blank', send('receipt:a⏎content-length: 63⏎'), sinceOneOne([stored], malformedA)],
  ['an escaped content-length', send(escape`content-length:63\n⏎`), malformed],
  ['content-length beyond the bound', send('content-length:524289⏎'), tooLarge],
  ['content-length beyond 64 bits', send('content-length:99999999999999999999999⏎'), tooLarge],
  ['NULs in a body that is counted', send('receipt:a⏎content-length:3⏎', '{␀}'), [notJson]],
  ['NULs only', send('receipt:a⏎content-length:2⏎', '␀␀'), [notJson]],
  // The frame ends there: it may be stored, and receipted, before what follows comes.
  ['a NUL in a body that is not counted', send('receipt:a⏎', `${chat}␀x`), [...malformed], { may: stored }],
  ['a frame in a body that is counted', send('receipt:a⏎content-length:29⏎', 'DISCONNECT⏎receipt:no⏎⏎␀⏎⏎⏎⏎⏎'), [notJson]],
  ['an empty body', send('receipt:a⏎', ''), [notJson]],
  ['an empty body that is counted', send('receipt:a⏎content-length:0⏎', ''), [notJson]],
  ['line ends in a body', send('receipt:a⏎', `⏎␍⏎${chat}␍⏎⏎`), [stored]],
  ['a body that is no UTF-8', send('receipt:a⏎', '{"roomId":"$ROOM","message":"⟪fffe⟫"}'), [notJson]],
  ['a byte order mark in a body', send('receipt:a⏎', `\ufeff${chat}`), [notJson]],
  [
    'Korean and emoji in a body',
    `${listen}${send('receipt:a⏎', '{"roomId":"$ROOM","message":"안녕 👩‍👩‍👧‍👦 e\u0301"}')}`,
    [heard('안녕 👩‍👩‍👧‍👦 e\u0301'), stored],
    { hears: true },
  ],
  [
    'a body of SUBSCRIBE',
    'SUBSCRIBE⏎id:s⏎destination:/user/queue/errors⏎receipt:a⏎⏎body␀',
    sinceOneOne(receipt('a'), malformedA),
  ],
  ['a counted body of BEGIN', begin('receipt:a⏎content-length:3', '␀␀␀'), sinceOneOne(receipt('a'), malformedA)],
  ['an EOL as body', begin('receipt:a', '⏎'), sinceOneOne(receipt('a'), malformedA)],
];

const unsubscribeByName = 'UNSUBSCRIBE⏎destination:/user/queue/errors⏎receipt:b⏎⏎␀';
const anonymous = 'SUBSCRIBE⏎destination:/sub/channel/$ROOM⏎receipt:a⏎⏎␀';
const lobby = '/sub/channel/723a2a33-577b-4380-8116-a1aa8e5868d3';
const again = 'SUBSCRIBE⏎id:errors⏎destination:/sub/channel/$ROOM⏎receipt:a⏎⏎␀';

const subscriptions = [
  ['SUBSCRIBE without id', anonymous, sinceOneOne(receipt('a'), malformedA)],
  ['SUBSCRIBE with an empty id', anonymous.replace('receipt', 'id:⏎receipt'), sinceOneOne(receipt('a'), malformedA)],
  [
    'MESSAGEs of a subscription without id',
    `${anonymous}${send('')}`,
    { '1.0': [...receipt('a'), 'MESSAGE - m'] },
    { hears: true },
  ],
  ['SUBSCRIBE without destination', 'SUBSCRIBE⏎id:s⏎receipt:a⏎⏎␀', malformedA],
  ['SUBSCRIBE with an empty destination', 'SUBSCRIBE⏎id:s⏎destination:⏎receipt:a⏎⏎␀', ['TOLD FORBIDDEN_ACTION a']],
  ['a destination that is not there', 'SUBSCRIBE⏎id:s⏎destination:/nowhere⏎receipt:a⏎⏎␀', ['TOLD FORBIDDEN_ACTION a']],
  ['the same id twice', again, ['TOLD INVALID_PARAMETER a']],
  ['an id that is free again', `UNSUBSCRIBE⏎id:errors⏎⏎␀${again}`, receipt('a')],
  ['an id of 257 bytes', `SUBSCRIBE⏎id:${'i'.repeat(257)}⏎destination:/x⏎receipt:a⏎⏎␀`, ['ERROR INVALID_MESSAGE_FORMAT a', 'CLOSE 1008']],
  [
    'an id with escapes comes back escaped',
    `SUBSCRIBE⏎id:a\\cb:\\n⏎destination:/sub/channel/$ROOM⏎⏎␀${send('')}`,
    sinceOneOne([escape`MESSAGE a\cb:\n m`], [escape`MESSAGE a\cb\c\n m`]),
    { hears: true },
  ],
  ['UNSUBSCRIBE', 'UNSUBSCRIBE⏎id:errors⏎receipt:b⏎⏎␀', receipt('b')],
  ['UNSUBSCRIBE of an unknown id', 'UNSUBSCRIBE⏎id:x⏎receipt:b⏎⏎␀', ['TOLD INVALID_PARAMETER b']],
  [
    'UNSUBSCRIBE of an empty id, of one by destination',
    `SUBSCRIBE⏎destination:${lobby}⏎⏎␀${anonymous}` +
      `UNSUBSCRIBE⏎id:⏎destination:/sub/channel/$ROOM⏎receipt:b⏎⏎␀UNSUBSCRIBE⏎destination:/sub/channel/$ROOM⏎receipt:c⏎⏎␀` +
      `UNSUBSCRIBE⏎destination:${lobby}⏎receipt:d⏎⏎␀`,
    { '1.0': [...receipt('a', 'b'), 'TOLD INVALID_PARAMETER c', ...receipt('d')] },
  ],
  ['UNSUBSCRIBE of an empty id alone', 'UNSUBSCRIBE⏎id:⏎receipt:b⏎⏎␀', ['ERROR INVALID_MESSAGE_FORMAT b', 'CLOSE 1002']],
  ['UNSUBSCRIBE of nothing', 'UNSUBSCRIBE⏎receipt:b⏎⏎␀', ['ERROR INVALID_MESSAGE_FORMAT b', 'CLOSE 1002']],
  [
    'UNSUBSCRIBE by destination, of one with an id',
    unsubscribeByName,
    sinceOneOne(receipt('b'), ['ERROR INVALID_MESSAGE_FORMAT b', 'CLOSE 1002']),
  ],
  [
    'UNSUBSCRIBE by destination, of one without',
    `${anonymous}UNSUBSCRIBE⏎destination:/sub/channel/$ROOM⏎receipt:b⏎⏎␀${send('receipt:c⏎')}`,
    { '1.0': [...receipt('a', 'b'), 'RECEIPT receipt-id:c⏎id:*'] },
  ],
];

const transactions = [
  ['BEGIN without transaction', 'BEGIN⏎receipt:a⏎⏎␀', malformedA],
  ['BEGIN with an empty transaction', 'BEGIN⏎transaction:⏎receipt:a⏎⏎␀', malformedA],
  ['BEGIN twice', `${begin('receipt:a')}${begin('receipt:b')}`, [...receipt('a'), 'TOLD INVALID_PARAMETER b']],
  ['COMMIT without transaction', 'COMMIT⏎receipt:a⏎⏎␀', malformedA],
  ['COMMIT of an unknown one', 'COMMIT⏎transaction:x⏎receipt:a⏎⏎␀', ['TOLD INVALID_PARAMETER a']],
  ['ABORT of an unknown one', 'ABORT⏎transaction:x⏎receipt:a⏎⏎␀', ['TOLD INVALID_PARAMETER a']],
  ['SEND in an unknown one', send('transaction:x⏎receipt:a⏎'), ['TOLD INVALID_PARAMETER a']],
  ['COMMIT of an empty one', `${begin('x:')}COMMIT⏎transaction:t⏎receipt:a⏎⏎␀`, receipt('a')],
  ['COMMIT twice', `${begin('x:')}COMMIT⏎transaction:t⏎⏎␀COMMIT⏎transaction:t⏎receipt:b⏎⏎␀`, ['TOLD INVALID_PARAMETER b']],
  ['ABORT, then COMMIT', `${begin('x:')}ABORT⏎transaction:t⏎receipt:a⏎⏎␀COMMIT⏎transaction:t⏎receipt:b⏎⏎␀`, [...receipt('a'), 'TOLD INVALID_PARAMETER b']],
  ['a name used again', `${begin('x:')}ABORT⏎transaction:t⏎⏎␀${begin('receipt:a')}`, receipt('a')],
  [
    'COMMIT of a spoilt one',
    `${begin('x:')}${send('transaction:t⏎receipt:a⏎', '{}')}COMMIT⏎transaction:t⏎receipt:b⏎⏎␀`,
    [notJson, 'TOLD INVALID_MESSAGE_FORMAT b'],
  ],
  ['DISCONNECT with one open', `${begin('x:')}${send('transaction:t⏎receipt:a⏎')}`, receipt('a')],
];

// Without a broker nothing waits for them.
const settling = [
  ['ACK without a broker', 'ACK⏎id:queue-1⏎message-id:queue-1⏎subscription:errors⏎receipt:a⏎⏎␀', ['TOLD FORBIDDEN_ACTION a']],
  ['NACK without a broker', 'NACK⏎id:queue-1⏎message-id:queue-1⏎subscription:errors⏎receipt:a⏎⏎␀', sinceOneOne(malformedA, ['TOLD FORBIDDEN_ACTION a'])],
  ['ack:client in a room', 'SUBSCRIBE⏎id:s⏎destination:/sub/channel/$ROOM⏎ack:client⏎receipt:a⏎⏎␀', ['TOLD INVALID_PARAMETER a']],
];

const receipts = [
  [
    'a receipt for every frame, in order',
    `SUBSCRIBE⏎id:s⏎destination:/sub/channel/$ROOM/presence⏎receipt:1⏎⏎␀UNSUBSCRIBE⏎id:s⏎receipt:2⏎⏎␀` +
      `${begin('receipt:3')}${send('transaction:t⏎receipt:4⏎')}${send('receipt:5⏎')}` +
      `COMMIT⏎transaction:t⏎receipt:6⏎⏎␀${begin('receipt:7')}ABORT⏎transaction:t⏎receipt:8⏎⏎␀`,
    [
      ...receipt(1), 'MESSAGE s presence', ...receipt(2, 3, 4), 'RECEIPT receipt-id:5⏎id:*',
      'RECEIPT receipt-id:6⏎ids:*', ...receipt(7, 8),
    ],
  ],
  ['one receipt twice', `${begin('receipt:a')}ABORT⏎transaction:t⏎receipt:a⏎⏎␀`, receipt('a', 'a')],
  [
    'receipts around a refusal',
    `${begin('receipt:1')}${send('receipt:2⏎', '{}')}ABORT⏎transaction:t⏎receipt:3⏎⏎␀`,
    [...receipt(1), 'TOLD INVALID_MESSAGE_FORMAT 2', ...receipt(3)],
  ],
  ['SEND without destination', 'SEND⏎receipt:a⏎⏎␀', malformedA],
  ['SEND to an empty destination', 'SEND⏎destination:⏎receipt:a⏎⏎␀', ['TOLD FORBIDDEN_ACTION a']],
  ['SEND to what only the server sends to', 'SEND⏎destination:/sub/channel/$ROOM⏎receipt:a⏎⏎␀', ['TOLD FORBIDDEN_ACTION a']],
  ['the first destination', `SEND⏎destination:/pub/chat⏎destination:/nowhere⏎receipt:a⏎⏎${chat}␀`, [stored]],
  ['a refusal without a subscription to errors', `UNSUBSCRIBE⏎id:errors⏎⏎␀${send('receipt:a⏎', '{}')}`, ['ERROR INVALID_MESSAGE_FORMAT a', 'CLOSE 1008']],
  [
    'an escaped receipt in ERROR',
    escape`COMMIT⏎receipt:a\c\n⏎⏎␀`,
    [escape`ERROR INVALID_MESSAGE_FORMAT a\c\n`, 'CLOSE 1002'],
  ],
];

const endings = [
  ['a second CONNECT', `${connect}`, ['ERROR FORBIDDEN_ACTION', 'CLOSE 1008']],
  ['a second CONNECT, as STOMP', connect.replace('CONNECT', 'STOMP'), ['ERROR FORBIDDEN_ACTION', 'CLOSE 1008']],
  ['DISCONNECT', 'DISCONNECT⏎receipt:a⏎⏎␀', [...receipt('a'), 'CLOSE 1000']],
  ['DISCONNECT without a receipt', 'DISCONNECT⏎⏎␀', ['CLOSE 1000']],
  ['DISCONNECT behind a SEND', `${send('receipt:a⏎')}DISCONNECT⏎receipt:b⏎⏎␀`, [stored, ...receipt('b'), 'CLOSE 1000']],
  ['frames after DISCONNECT', `DISCONNECT⏎receipt:a⏎⏎␀${begin('receipt:b')}${send('receipt:c⏎')}`, [...receipt('a'), 'CLOSE 1000']],
  ['anything after DISCONNECT', 'DISCONNECT⏎receipt:a⏎⏎␀⏎␍␍⟪ff⟫␀␀NO', [...receipt('a'), 'CLOSE 1000']],
  ['DISCONNECT twice', 'DISCONNECT⏎receipt:a⏎⏎␀DISCONNECT⏎receipt:b⏎⏎␀', [...receipt('a'), 'CLOSE 1000']],
  ['frames after ERROR', `HELLO⏎⏎␀${begin('receipt:b')}`, malformed],
  ['what came before ERROR holds', `${send('receipt:a⏎')}${begin('receipt:b')}`, [stored, ...receipt('b')]],
];

export const connectedRows = [
  ...framing, ...headers, ...bodies, ...subscriptions, ...transactions, ...settling, ...receipts, ...endings,
];

// With the broker on. What is sent is a list: what follows the first part is sent part by part, each
// when a MESSAGE came. $NAME is a name of the row's own; the header by which the last MESSAGE is
// acknowledged is $ID, with the subscription where 1.1 asks for it $MESSAGE; $OTHER is the header of
// another version. `again` behind a MESSAGE: redelivered.
const take = (mode) => `SUBSCRIBE⏎id:q⏎destination:/queue/$NAME⏎ack:${mode}⏎⏎␀`;
const hear = 'SUBSCRIBE⏎id:t⏎destination:/topic/$NAME⏎⏎␀';
const put = (body = 'job', lines = '') => `SEND⏎destination:/queue/$NAME⏎${lines}⏎${body}␀`;
const tell = (lines = '') => `SEND⏎destination:/topic/$NAME⏎${lines}⏎news␀`;
const ack = (receiptId, lines = '$MESSAGE') => `ACK⏎${lines}⏎receipt:${receiptId}⏎⏎␀`;
const nack = (receiptId, lines = '$MESSAGE') => `NACK⏎${lines}⏎receipt:${receiptId}⏎⏎␀`;
const inT = '$MESSAGE⏎transaction:t';
const job = 'MESSAGE q job';
const unknown = (id) => `TOLD INVALID_PARAMETER ${id}`;
const noNack = (...later) => sinceOneOne([job, ...malformedA], [job, ...later]);
const commit = (id, name = 't') => `COMMIT⏎transaction:${name}⏎receipt:${id}⏎⏎␀`;

export const brokerRows = [
  ['ACK', [take('client') + put(), ack('a')], [job, ...receipt('a')]],
  ['ACK, individually', [take('client-individual') + put(), ack('a')], [job, ...receipt('a')]],
  ['ACK twice', [take('client') + put(), ack('a') + ack('b')], [job, ...receipt('a'), unknown('b')]],
  ['NACK, then ACK', [take('client') + put(), nack('a'), ack('b')], noNack(...receipt('a'), `${job} again`, ...receipt('b'))],
  ['NACK twice', [take('client-individual') + put(), nack('a'), nack('b'), ''], noNack(...receipt('a'), `${job} again`, ...receipt('b'), `${job} again`)],
  ['NACK behind ACK', [take('client') + put(), ack('a') + nack('b')], sinceOneOne(
    [job, ...receipt('a'), 'ERROR INVALID_MESSAGE_FORMAT b', 'CLOSE 1002'], [job, ...receipt('a'), unknown('b')],
  )],
  ['ACK without a receipt', [take('client') + put(), 'ACK⏎$MESSAGE⏎⏎␀' + ack('b')], [job, unknown('b')]],
  ['ACK of what nobody has', [take('client') + ack('a', 'id:queue-0⏎message-id:queue-0⏎subscription:q')], [unknown('a')]],
  ['ACK of no id at all', [take('client') + ack('a', 'x:y')], malformedA],
  ['ACK of an empty id', [take('client') + ack('a', 'id:⏎message-id:⏎subscription:q')], [unknown('a')]],
  ['ACK with a number alone', [take('client') + ack('a', 'id:1⏎message-id:1⏎subscription:q')], [unknown('a')]],
  ['NACK of no id at all', [take('client') + nack('a', 'x:y')], malformedA],
  ["ACK by another version's header", [take('client') + put(), ack('a', '$OTHER')], [job, ...malformedA]],
  ["NACK by another version's header", [take('client') + put(), nack('a', '$OTHER')], [job, ...malformedA]],
  ['ACK without its subscription', [take('client') + put(), ack('a', '$ID')], {
    '1.0': [job, ...receipt('a')], '1.1': [job, ...malformedA], '1.2': [job, ...receipt('a')],
  }],
  ['ACK of a wrong subscription', [take('client') + put(), ack('a', '$ID⏎subscription:WRONG')], {
    '1.0': [job, ...receipt('a')], '1.1': [job, unknown('a')], '1.2': [job, ...receipt('a')],
  }],
  ["ACK of another's subscription", [hear + take('client') + put(), ack('a', '$ID⏎subscription:t')], {
    '1.0': [job, ...receipt('a')], '1.1': [job, unknown('a')], '1.2': [job, ...receipt('a')],
  }],
  ['NACK of a wrong subscription', [take('client') + put(), nack('a', '$ID⏎subscription:WRONG')], { '1.1': [job, unknown('a')] }],
  ['ACK where none is asked for', [take('auto') + put(), ack('a')], [job, unknown('a')]],
  ['ACK of a topic', [hear + tell(), ack('a', '$ID⏎subscription:t')], ['MESSAGE t news', ...receipt('a')]],
  ['NACK of a topic', [hear + tell(), nack('a', '$ID⏎subscription:t')], sinceOneOne(
    ['MESSAGE t news', ...malformedA], ['MESSAGE t news', ...receipt('a')],
  )],
  ['ack: neither of the three', [`${take('Client')}${take('')}`], ['TOLD INVALID_PARAMETER', 'TOLD INVALID_PARAMETER']],
  [
    'ACK of the last means all, with client',
    [take('client') + put(1) + put(2), '', ack('a') + 'UNSUBSCRIBE⏎id:q⏎⏎␀' + take('auto') + put('end'), ''],
    ['MESSAGE q 1', 'MESSAGE q 2', ...receipt('a'), 'MESSAGE q end'],
  ],
  [
    'ACK of the last means that one, with client-individual',
    [take('client-individual') + put(1) + put(2), '', ack('a') + 'UNSUBSCRIBE⏎id:q⏎⏎␀' + take('auto') + put('end'), '', ''],
    ['MESSAGE q 1', 'MESSAGE q 2', ...receipt('a'), 'MESSAGE q 1 again', 'MESSAGE q end'],
  ],
  ['what a subscription held goes back', [take('client') + put(), 'UNSUBSCRIBE⏎id:q⏎⏎␀' + take('client'), ack('a')], [job, `${job} again`, ...receipt('a')]],
  [
    'ACK in a transaction',
    [take('client') + put(), begin('x:') + ack('a', inT) + commit('b') + ack('c')],
    [job, ...receipt('a', 'b'), unknown('c')],
  ],
  [
    'NACK in a transaction',
    [take('client') + put(), begin('x:') + nack('a', inT) + commit('b'), ''],
    noNack(...receipt('a', 'b'), `${job} again`),
  ],
  [
    'ACK in a transaction that is aborted',
    [take('client') + put(), begin('x:') + ack('a', inT) + 'ABORT⏎transaction:t⏎receipt:b⏎⏎␀' + ack('c')],
    [job, ...receipt('a', 'b', 'c')],
  ],
  ['ACK in an unknown transaction', [take('client') + put(), ack('a', inT) + ack('b')], [job, unknown('a'), ...receipt('b')]],
  [
    'COMMIT of an ACK whose subscription is gone',
    [hear + take('client') + put(), begin('x:') + ack('a', inT) + tell('transaction:t⏎') + 'UNSUBSCRIBE⏎id:q⏎receipt:b⏎⏎␀' + commit('c') + tell(), ''],
    [job, ...receipt('a', 'b'), unknown('c'), 'MESSAGE t news'],
  ],
  [
    'COMMIT of an ACK that was given meanwhile',
    [hear + take('client') + put(), begin('x:') + ack('a', inT) + tell('transaction:t⏎') + ack('b') + commit('c') + tell(), ''],
    [job, ...receipt('a', 'b'), unknown('c'), 'MESSAGE t news'],
  ],
  [
    'COMMIT of two ACKs of one message',
    [take('client') + put(), begin('x:') + ack('a', inT) + ack('b', inT) + commit('c') + ack('d')],
    [job, ...receipt('a', 'b'), unknown('c'), ...receipt('d')],
  ],
  [
    'two transactions with one message',
    [
      take('client') + put(),
      begin('x:') + 'BEGIN⏎transaction:u⏎⏎␀' + ack('a', inT) + ack('b', '$MESSAGE⏎transaction:u') + commit('c') + commit('d', 'u'),
    ],
    [job, ...receipt('a', 'b', 'c'), unknown('d')],
  ],
  ["headers that are the server's", [take('auto') + put('job', 'redelivered:true⏎subscription:x⏎message-id:x⏎ack:x⏎'), ''], [job]],
  ['the same, with Unicode blanks', [take('auto') + put('job', '\u00a0redelivered:true⏎\ufeffsubscription:x⏎content-length\u3000:1⏎'), ''], [job]],
  ['DISCONNECT with a message held', [take('client') + put(), ''], [job]],
];
