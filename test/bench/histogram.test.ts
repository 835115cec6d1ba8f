/** The histogram of latencies: exact to a tenth of a percent, never too low. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LatencyHistogram, PERCENTILES } from "../../bench/histogram.ts";

function filled(latencies: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const latency of latencies) histogram.record(latency);
  return histogram;
}

describe("a percentile", () => {
  it("is the smallest latency that this share did not exceed", () => {
    const histogram = filled(Array.from({ length: 100 }, (_, i) => i + 1));
    expect([1, 50, 99, 100].map((percent) => histogram.percentile(percent))).toEqual([1, 50, 99, 100]);
  });

  it("of nothing is no number", () => {
    expect(new LatencyHistogram().percentile(50)).toBeNaN();
  });

  it("is right to 0.1 % at every size, and not below the truth", () => {
    const latency = fc.oneof(
      fc.double({ min: 0, max: 1e8, noNaN: true }),
      fc.double({ min: 0, max: 500, noNaN: true }),
    );
    fc.assert(
      fc.property(
        fc.array(latency, { minLength: 1, maxLength: 200 }),
        fc.constantFrom(...PERCENTILES),
        (all, percent) => {
          const sorted = all.toSorted((a, b) => a - b);
          const truth = sorted[Math.max(1, Math.ceil((percent / 100) * all.length)) - 1] ?? NaN;
          const told = filled(all).percentile(percent);
          // Recording rounds to a tenth of a microsecond
          expect(told).toBeGreaterThanOrEqual(truth - 0.051);
          expect(told).toBeLessThanOrEqual(truth * 1.001 + 0.051);
        },
      ),
    );
  });

  it.each([
    { latency: -5, told: 0 },
    { latency: 1e12, told: 107_374_182.3 },
  ])("of $latency µs, which cannot be, is $told", ({ latency, told }) => {
    expect(filled([latency]).percentile(100)).toBeCloseTo(told);
  });
});

it("adds what another has counted", () => {
  const one = filled([1, 2, 3]);
  one.add(filled([100, 200]));
  expect([one.total, one.percentile(50), one.percentile(100)]).toEqual([5, 3, 200]);
});
