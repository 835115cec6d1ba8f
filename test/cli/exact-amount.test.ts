import { expect, it } from "vitest";
import { formatExactAmount, formatExactBytes, formatExactDuration } from "../../src/cli/exact-amount.ts";
import { OPTION_TABLE } from "../../src/server/option-table.ts";

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
  [3_600_000, "1 h"],
  [3_960_000, "1.1 h"],
  [4_000_000, "4000 s"],
  [86_400_000, "24 h"],
  [172_800_000, "2 days"],
  [180_000_000, "50 h"],
  [604_800_000, "7 days"],
])("says %i milliseconds without rounding: %s", (ms, text) => expect(formatExactDuration(ms)).toBe(text));

it.each([
  [0, "0 B"],
  [1000, "1000 B"],
  [1024, "1 KiB"],
  [1536, "1.5 KiB"],
  [17_000, "17000 B"],
  [1_048_576, "1 MiB"],
  [1_048_577, "1048577 B"],
  [2_000_000, "2000000 B"],
  [67_108_864, "64 MiB"],
  [1_610_612_736, "1.5 GiB"],
])("says %i octets without rounding: %s", (count, text) => expect(formatExactBytes(count)).toBe(text));

it.each([
  ["timeouts.headMs", 0, "no limit"],
  ["timeouts.handlerMs", 0, "no limit"],
  ["timeouts.handlerMs", Infinity, "no limit"],
  // Not at all, and at once
  ["timeouts.lingerMs", 0, "0 ms"],
  ["timeouts.lameDuckMs", 0, "0 ms"],
  ["timeouts.drainMs", 0, "0 ms"],
  ["timeouts.drainMs", Infinity, "no limit"],
  ["timeouts.minContentRate", 0, "off"],
  ["timeouts.minContentRate", 240, "240 B/s"],
  ["limits.maxContentBytes", 0, "0 B"],
  ["limits.maxFields", 100, "100"],
  ["mode", 0o660, "0o660"],
  ["mode", 0o7, "0o007"],
  ["port", 8080, "8080"],
])("shows %s of %d as %s, which is what its row says", (path, value, text) => {
  const row = OPTION_TABLE.find((one) => one.path === path)!;
  expect(formatExactAmount(value, row)).toBe(text);
});
