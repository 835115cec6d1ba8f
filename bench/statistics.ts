/**
 * The statistics of a few rounds: medians with their range, and ratios round by round.
 *
 * Rounds of subjects are interleaved, so round 3 of one and round 3 of the reference saw the same machine: their ratio is
 * taken first and the median of ratios then, which takes out what made the whole machine slower for a while. No mean is
 * ever taken: one bad round in five would move it.
 */

/** Median and range of some numbers. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @returns median and range; all NaN where there are no numbers */
export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
  return { median, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN };
}

/**
 * Ratios of pairs of rounds.
 *
 * @param numbers figure of a subject by round, null for a round that is missing
 * @param reference the same of the reference
 * @returns of rounds that both have, in order
 */
export function pairRatios(
  numbers: readonly (number | null)[],
  reference: readonly (number | null)[],
): readonly number[] {
  const ratios: number[] = [];
  for (const [round, number] of numbers.entries()) {
    const base = reference[round] ?? null;
    if (number !== null && base !== null && base !== 0) ratios.push(number / base);
  }
  return ratios;
}

/** @returns half of the range over the median: 0.05 says "give or take 5 %"; 0 for a single number */
export function halfRange({ median, min, max }: Spread): number {
  return median === 0 ? 0 : (max - min) / 2 / Math.abs(median);
}

/**
 * Medians, place by place, of percentiles of several rounds.
 *
 * @param rounds lists of `[percentile, microseconds]` with the same percentiles
 */
export function medianPercentiles(
  rounds: readonly (readonly (readonly [number, number])[])[],
): readonly (readonly [number, number])[] {
  const [first = []] = rounds;
  return first.map(([percentile], place) => {
    const values = rounds.flatMap((round) => {
      const point = round[place];
      return point === undefined ? [] : [point[1]];
    });
    return [percentile, spreadOf(values).median];
  });
}
