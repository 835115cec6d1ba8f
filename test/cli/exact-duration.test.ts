import { expect, it } from "vitest";
import { formatExactDuration } from "../../src/cli/exact-duration.ts";

it.each([
  [1, "1 ms"],
  [250, "250 ms"],
  [1000, "1 s"],
  [1234, "1.234 s"],
  [60_000, "1 min"],
  [75_000, "75 s"],
  [78_000, "1.3 min"],
  [90_000, "1.5 min"],
  [90_001, "90.001 s"],
  [600_000, "10 min"],
])("says %i milliseconds without rounding: %s", (ms, text) => expect(formatExactDuration(ms)).toBe(text));
