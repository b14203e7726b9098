// The links in a text. Only http and https, only what is written out: the words of a link are its
// address, so that nobody is led elsewhere than he reads.

export interface Piece {
  readonly text: string;
  /** Where it leads; null: it is text. */
  readonly href: string | null;
}

const candidates = /https?:\/\/[^\s<>"'`\u3000\u2028\u2029]+/giu;
/** Longer ones stay text. */
const longest = 2_048;
/** Ends a sentence rather than an address. */
const trailing = /[.,:;!?…。，、！？'"*_~]$/u;
const brackets: readonly (readonly [string, string])[] = [
  ['(', ')'],
  ['[', ']'],
  ['{', '}'],
];
/** Letters that cannot be seen or turn the direction of what stands beside them. */
const deceiving = /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;

const count = (text: string, letter: string): number => text.split(letter).length - 1;

function trimmed(address: string): string {
  for (;;) {
    const unopened = brackets.some(
      ([open, close]) => address.endsWith(close) && count(address, close) > count(address, open),
    );
    if (!unopened && !trailing.test(address)) return address;
    address = address.slice(0, -1);
  }
}

function hrefOf(address: string): string | null {
  if (deceiving.test(address)) return null;
  try {
    const url = new URL(address);
    // Names before the host are there to deceive.
    return url.hostname !== '' && url.username === '' && url.password === '' ? url.href : null;
  } catch {
    return null;
  }
}

/** `text` in pieces that together are the text. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  for (const match of text.matchAll(candidates)) {
    if (match[0].length > longest) continue;
    const address = trimmed(match[0]);
    const href = hrefOf(address);
    if (href === null) continue;
    if (match.index > done) pieces.push({ text: text.slice(done, match.index), href: null });
    pieces.push({ text: address, href });
    done = match.index + address.length;
  }
  if (done < text.length) pieces.push({ text: text.slice(done), href: null });
  return pieces;
}
