/** Charts: their geometry, and that what they draw is whole, escaped, and within the picture. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawBars } from "../../bench/charts/bars.ts";
import { drawLatency } from "../../bench/charts/latency.ts";
import { drawRatios } from "../../bench/charts/ratios.ts";
import { linearScale, logScale, moveApart, percentileScale, tickText } from "../../bench/charts/scale.ts";

describe("scales", () => {
  it("that are linear begin at zero and end at a round number that has room for all", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e9, noNaN: true }), (max) => {
        const { ticks, at } = linearScale(max, [100, 500]);
        const last = ticks.at(-1) ?? 0;
        expect(ticks[0]).toBe(0);
        expect(last).toBeGreaterThanOrEqual(max * 0.999999);
        expect(last).toBeLessThanOrEqual(max * 2.5);
        expect([at(0), at(last)]).toEqual([100, 500]);
      }),
    );
  });

  it("that are logarithmic have room for all, and ticks in order", () => {
    const value = fc.double({ min: 1e-3, max: 1e7, noNaN: true });
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [min, max] = [Math.min(a, b), Math.max(a, b)];
        const { ticks, at } = logScale(min, max, [500, 100]);
        expect(ticks.toSorted((x, y) => x - y)).toEqual(ticks);
        expect(at(min)).toBeLessThanOrEqual(500.01);
        expect(at(max)).toBeGreaterThanOrEqual(99.9);
      }),
    );
  });

  it("of percentiles give each nine the same room", () => {
    const { at, ticks } = percentileScale(99.99, [0, 400]);
    expect([90, 99, 99.9, 99.99].map((percent) => Math.round(at(percent)))).toEqual([100, 200, 300, 400]);
    expect(ticks).toEqual([0, 50, 90, 99, 99.9, 99.99]);
    expect(at(100)).toBe(400);
  });

  it.each([
    { value: 0.25, text: "0.25" },
    { value: 1500, text: "1,500" },
    { value: 20_000, text: "20k" },
    { value: 2.5e6, text: "2.5M" },
  ])("call $value $text", ({ value, text }) => {
    expect(tickText(value)).toBe(text);
  });
});

describe("labels", () => {
  it("stay where they are if they have room, and are moved apart if they have not", () => {
    expect(moveApart([10, 50], 17, [0, 100])).toEqual([10, 50]);
    expect(moveApart([50, 50, 50], 17, [0, 200])).toEqual([50, 67, 84]);
    expect(moveApart([100, 99], 17, [0, 100])).toEqual([100, 83]);
  });

  it("keep their order, their distance and the limits", () => {
    const wanted = fc.array(fc.double({ min: -50, max: 350, noNaN: true }), { minLength: 2, maxLength: 16 });
    fc.assert(
      fc.property(wanted, (places) => {
        const moved = moveApart(places, 17, [0, 300]).toSorted((a, b) => a - b);
        for (const [i, y] of moved.entries()) {
          expect(y).toBeGreaterThanOrEqual(-0.001);
          expect(y).toBeLessThanOrEqual(300.001);
          if (i > 0) expect(y - (moved[i - 1] ?? 0)).toBeGreaterThanOrEqual(16.999);
        }
      }),
    );
  });
});

const spread = (median: number): { median: number; min: number; max: number } => ({
  median,
  min: median * 0.95,
  max: median * 1.08,
});

/** Every coordinate of lines, circles, boxes and texts. */
function isWithin(svg: string): boolean {
  const [, width = 0, height = 0] = (/viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []).map(Number);
  const inside = (names: string, limit: number): boolean =>
    [...svg.matchAll(new RegExp(` (?:${names})="([-\\d.]+)"`, "g"))].every(
      ([, text]) => Number(text) >= 0 && Number(text) <= limit,
    );
  return inside("x|x1|x2|cx", width) && inside("y|y1|y2|cy", height) && !svg.includes("NaN");
}

const BARS = [
  { label: "fairlead (Node 26)", isOurs: true, figure: spread(8), digits: 2, ratio: 0.53 },
  { label: '<evil> & "co"', isOurs: false, figure: spread(15), digits: 2, ratio: null },
];
const SERIES = ["a", "b", "c"].map((label, i) => ({
  label,
  points: [
    [0, 10],
    [50, 20 * (i + 1)],
    [99, 900],
    [99.99, 5000],
    [100, 9000],
  ] as (readonly [number, number])[],
}));
const ROW = { profile: "plaintext", note: "Node 20", reference: "node-http", ratio: spread(0.55), target: null };

describe("pictures", () => {
  const words = ["title", "about", "reading"] as const;
  it.each([
    { what: "bars", svg: drawBars(["title", "about"], "CPU µs/req", "node-http", BARS) },
    {
      what: "points instead of bars where one is many times another",
      svg: drawBars(["title", "about"], "ms", "x", [
        ...BARS,
        { ...BARS[1], label: "slow", figure: spread(900) } as never,
      ]),
    },
    { what: "percentiles", svg: drawLatency(words, SERIES, 99.99) },
    { what: "ratios", svg: drawRatios("title", [ROW, { ...ROW, target: { must: 0.15, aim: 0.1 } }]) },
  ])("of $what are within their frame, follow the reader's colours and have text", ({ svg }) => {
    expect(isWithin(svg)).toBe(true);
    expect(svg).toContain("prefers-color-scheme:dark");
    expect(svg).toContain('class="ground"');
    expect(svg).toContain("<title>title</title>");
  });

  it("escape what names could break", () => {
    const svg = drawBars(["title", "about"], "ms", "node-http", BARS);
    expect(svg).toContain("&#60;evil&#62; &#38; &#34;co&#34;");
  });

  it("use a logarithmic axis only where bars would tell nothing", () => {
    expect(drawBars(["t", "a"], "ms", "x", BARS)).not.toContain("<circle");
    const slow = { label: "slow", isOurs: false, figure: spread(900), digits: 0, ratio: null };
    expect(drawBars(["t", "a"], "ms", "x", [...BARS, slow])).toContain("<circle");
  });
});
