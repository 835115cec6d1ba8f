/** Medians, ranges and ratios by round. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { halfRange, medianPercentiles, pairRatios, spreadOf } from "../../bench/statistics.ts";

describe("the spread of rounds", () => {
  it.each([
    { numbers: [3, 1, 2], median: 2, min: 1, max: 3 },
    { numbers: [4, 1, 2, 3], median: 2.5, min: 1, max: 4 },
    { numbers: [7], median: 7, min: 7, max: 7 },
    { numbers: [10, 9, 100], median: 10, min: 9, max: 100 },
  ])("of $numbers has the median $median", ({ numbers, ...expected }) => {
    expect(spreadOf(numbers)).toEqual(expected);
  });

  it("of nothing is no number", () => {
    expect(spreadOf([]).median).toBeNaN();
  });

  it("is ordered, and half of its range is its doubt", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.1, max: 1e6, noNaN: true }), { minLength: 1 }), (numbers) => {
        const spread = spreadOf(numbers);
        expect(spread.min).toBeLessThanOrEqual(spread.median);
        expect(spread.median).toBeLessThanOrEqual(spread.max);
        expect(halfRange(spread)).toBeCloseTo((spread.max - spread.min) / 2 / spread.median);
      }),
    );
  });
});

describe("ratios by round", () => {
  it("pair each round with the same round of the reference", () => {
    // The machine was twice as slow in the second round: ratios do not notice
    expect(pairRatios([5, 10, 5], [10, 20, 10])).toEqual([0.5, 0.5, 0.5]);
  });

  it.each([
    { why: "a round of the subject is missing", numbers: [5, null], reference: [10, 10] },
    { why: "a round of the reference is missing", numbers: [5, 7], reference: [10, null] },
    { why: "the reference has fewer rounds", numbers: [5, 7], reference: [10] },
    { why: "the reference measured nothing", numbers: [5, 7], reference: [10, 0] },
  ])("leave out a pair where $why", ({ numbers, reference }) => {
    expect(pairRatios(numbers, reference)).toEqual([0.5]);
  });
});

describe("percentiles of several rounds", () => {
  it("are the medians, place by place", () => {
    const rounds = [10, 30, 20].map((us) => [
      [50, us],
      [99, us * 10],
    ]) as unknown as readonly (readonly (readonly [number, number])[])[];
    expect(medianPercentiles(rounds)).toEqual([
      [50, 20],
      [99, 200],
    ]);
  });

  it("of no rounds are none", () => {
    expect(medianPercentiles([])).toEqual([]);
  });
});
