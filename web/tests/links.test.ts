// Links: only what is written out, only http and https.
import { describe, expect, it } from 'vitest';
import { piecesOf } from '../src/state/links';

const links = (text: string): string[] =>
  piecesOf(text).flatMap(({ text: words, href }) => (href === null ? [] : [words]));

describe('links', () => {
  it('are found among words, without what ends a sentence', () => {
    expect(links('see https://example.org/a?b=c#d, and (http://example.com).')).toEqual([
      'https://example.org/a?b=c#d',
      'http://example.com',
    ]);
    expect(links('여기 https://ko.wikipedia.org/wiki/채팅_(동음이의)。')).toEqual([
      'https://ko.wikipedia.org/wiki/채팅_(동음이의)',
    ]);
    expect(links('HTTPS://EXAMPLE.ORG!!')).toEqual(['HTTPS://EXAMPLE.ORG']);
  });

  it('are nothing else', () => {
    const none = [
      'javascript:alert(1)',
      'data:text/html,<script>',
      'ftp://example.org',
      'https://',
      'http://user:pass@example.org',
      'https://example.org@evil.example',
      'https://example.org/\u202egnp.exe',
      'xhttps//x',
    ];
    expect(none.flatMap(links)).toEqual([]);
  });

  it('leave the text as it was', () => {
    for (const text of ['', 'a', 'a https://b.c d', 'https://b.c', '\n(https://b.c)\n', 'http://%'])
      expect(
        piecesOf(text)
          .map((piece) => piece.text)
          .join(''),
      ).toBe(text);
  });

  it('take no time for long nonsense', () => {
    expect(links(`https://a${')'.repeat(60_000)}`)).toEqual([]);
    expect(links(`https://a${')'.repeat(2_000)}`)).toEqual(['https://a']);
  });
});
