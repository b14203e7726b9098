// Sets of ids as sorted, disjoint, non-touching ranges: what a room log knows of its room.

/** The ids from `from` to `to`, both included. `to` may be `from - 1`: nothing, but known. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** `ranges` with `added` in it; touching and overlapping ones become one. */
export function addRange(ranges: readonly Range[], added: Range): readonly Range[] {
  const inside = ranges.find((range) => range.from <= added.from && added.to <= range.to);
  if (inside) return ranges;
  const before = ranges.filter((range) => range.to + 1 < added.from);
  const after = ranges.filter((range) => range.from > added.to + 1);
  const touched = ranges.slice(before.length, ranges.length - after.length);
  const from = Math.min(added.from, ...touched.map((range) => range.from));
  const to = Math.max(added.to, ...touched.map((range) => range.to));
  return [...before, { from, to }, ...after];
}

/** What lies between the ranges. */
export function holesOf(ranges: readonly Range[]): Range[] {
  return ranges.slice(1).map((range, index) => ({
    from: (ranges[index]?.to ?? 0) + 1,
    to: range.from - 1,
  }));
}

/** The part of `ranges` that lies in `within`. */
export const clip = (ranges: readonly Range[], within: Range): Range[] =>
  ranges
    .map(({ from, to }) => ({ from: Math.max(from, within.from), to: Math.min(to, within.to) }))
    .filter(({ from, to }) => from <= to);
