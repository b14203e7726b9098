/** [event, what it says, what then stands in the field]. */
export type Step = readonly [event: string, says: Readonly<Record<string, unknown>>, text?: string];

export interface Recording {
  /** Who told of this order; absent: the specification, and Chromium itself. */
  readonly of?: readonly string[];
  readonly steps: readonly Step[];
  readonly sent: readonly string[];
  readonly left: string;
}

export const recordings: Readonly<Record<string, Recording>>;
