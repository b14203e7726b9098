// The files of docs/examples/, which the tests run with addresses, names and files of their own.
import { readFileSync } from 'node:fs';

export const example = (file) => readFileSync(new URL(`../../docs/examples/${file}`, import.meta.url), 'utf8');

// A file of lines like "name words": the lines without comments.
export const linesOf = (text) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
