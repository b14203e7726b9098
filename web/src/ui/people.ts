// How a person looks: a hue and a letter, drawn from tag and name, the same for everyone.

/** Degrees on the colour circle, far apart for tags that differ little. */
export function hueOf(nameTag: string): number {
  let hash = 2_166_136_261;
  for (const char of nameTag) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16_777_619);
  return (hash >>> 0) % 360;
}

export const letterOf = (nickname: string): string => [...nickname][0]?.toUpperCase() ?? '';
