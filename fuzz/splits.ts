/**
 * Octets as they may arrive: cut anywhere, by a seed.
 */

import type { Random } from "./random.ts";

/** Two to five pieces, or one if there is no place to cut; views of `input`. */
export function cutsOf(input: Uint8Array, random: Random): Uint8Array[] {
  const places = new Set([0, input.length]);
  for (let left = 1 + random.below(4); left > 0; left--) places.add(random.below(input.length + 1));
  const sorted = [...places].toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, i) => input.subarray(sorted[i], end));
}

/** Single octets. */
export function octetsOf(input: Uint8Array): Uint8Array[] {
  return Array.from(input, (_, i) => input.subarray(i, i + 1));
}
