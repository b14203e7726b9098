// How a person looks: a hue and a letter, drawn from id and name, the same for everyone and everywhere.

/** Degrees on the colour circle, far apart for ids that differ little. */
export function hueOf(id: string): number {
  let hash = 2_166_136_261;
  for (const char of id) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16_777_619);
  return (hash >>> 0) % 360;
}

export const letterOf = (nickname: string): string => [...nickname][0]?.toUpperCase() ?? '';
