/** The guard's verdict: slower than the baseline, beyond what both differ by in themselves. */
import { describe, expect, it } from "vitest";
import { type GuardEntry, guardText, isPassed, judge } from "../../bench/guard-verdict.ts";

function entry(median: number, doubt: number, profile = "plaintext"): GuardEntry {
  return { profile, ratio: { median, min: median * (1 - doubt), max: median * (1 + doubt) } };
}

describe("the guard", () => {
  it.each([
    { now: 0.6, doubt: 0.01, verdict: "as before" },
    { now: 0.617, doubt: 0.01, verdict: "as before" },
    { now: 0.62, doubt: 0.01, verdict: "WORSE" },
    { now: 0.62, doubt: 0.06, verdict: "as before" },
    { now: 0.58, doubt: 0.01, verdict: "better" },
  ])("calls $now of 0.60, both to $doubt, $verdict", ({ now, doubt, verdict }) => {
    const rows = judge([entry(0.6, doubt)], [entry(now, doubt)]);
    expect(rows.map((row) => row.verdict)).toEqual([verdict]);
    expect(isPassed(rows)).toBe(verdict !== "WORSE");
  });

  it("allows 3 % where rounds do not differ at all", () => {
    expect(judge([entry(1, 0)], [entry(1.02, 0)])[0]?.tolerance).toBe(0.03);
  });

  it("does not pass what was not measured, and passes what is new", () => {
    const missing = judge([entry(0.6, 0), entry(0.7, 0, "json")], [entry(0.6, 0)]);
    expect(missing.map(({ verdict }) => verdict)).toEqual(["as before", "NOT MEASURED"]);
    expect(isPassed(missing)).toBe(false);
    const added = judge([entry(0.6, 0)], [entry(0.6, 0), entry(0.7, 0, "json")]);
    expect(added.map(({ verdict }) => verdict)).toEqual(["as before", "new"]);
    expect(isPassed(added)).toBe(true);
  });

  it("does not pass where nothing was compared", () => {
    expect(isPassed(judge([], [entry(0.6, 0)]))).toBe(false);
    expect(isPassed(judge([], []))).toBe(false);
  });

  it("does not pass rounds that differ so much that they would allow more than a quarter", () => {
    const rows = (now: number): string[] => judge([entry(0.6, 0.05)], [entry(now, 0.21)]).map(({ verdict }) => verdict);
    expect(rows(0.6)).toEqual(["IN DOUBT"]);
    expect(rows(0.75)).toEqual(["IN DOUBT"]);
    expect(rows(0.77)).toEqual(["WORSE"]);
    expect(rows(0.4)).toEqual(["better"]);
    expect(isPassed(judge([entry(0.6, 0.05)], [entry(0.6, 0.21)]))).toBe(false);
    expect(isPassed(judge([entry(0.6, 0.05)], [entry(0.6, 0.19)]))).toBe(true);
  });

  it("says it in a table", () => {
    const text = guardText(judge([entry(0.6, 0.01)], [entry(0.66, 0.01)]));
    expect(text).toContain("0.600 (0.594-0.606)");
    expect(text).toContain("+10.0 %");
    expect(text).toContain("WORSE");
  });
});
