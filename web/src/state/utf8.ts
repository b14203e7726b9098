// Sizes as the server counts them.

const encoder = new TextEncoder();

export const utf8Bytes = (text: string): number => encoder.encode(text).length;
