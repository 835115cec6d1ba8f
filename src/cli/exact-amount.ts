/**
 * Values of options as people say them, with nothing lost: 75 s is not 1.3 min, which is 78 s, and 17000 B is not 16.6 KiB.
 *
 * For tables of settings, where somebody may take the value from. What was measured is rounded, in log-line.ts. What 0 means is
 * the option's to say, so that it is shown as its row in the option table has it.
 */

import type { OptionRow } from "../server/option-table.ts";

/** In the words of those options where 0 is no number of anything. */
const ZERO_IS_NO_LIMIT = /\b0 or Infinity: no limit\b/;

/** What is needed of an option to show its value. */
export type AmountRow = Pick<OptionRow, "path" | "unit" | "description">;

/** A number with its unit. */
export function formatExactAmount(value: number, { path, unit, description }: AmountRow): string {
  if (value === Infinity || (value === 0 && ZERO_IS_NO_LIMIT.test(description))) return "no limit";
  // As for chmod
  if (path === "mode") return `0o${value.toString(8).padStart(3, "0")}`;
  switch (unit) {
    case "":
      return String(value);
    case "B":
      return formatExactBytes(value);
    case "ms":
      return formatExactDuration(value);
    default:
      return `${value} ${unit}`;
  }
}

/** Minutes where one decimal says all, else seconds. @param ms finite */
export function formatExactDuration(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000 || ms % 6000 !== 0) return `${ms / 1000} s`;
  return `${ms / 60_000} min`;
}

/** The largest unit in which one decimal says all. @param count finite */
export function formatExactBytes(count: number): string {
  let text = `${count} B`;
  let value = count;
  for (const unit of ["KiB", "MiB", "GiB", "TiB"]) {
    value /= 1024;
    if (value < 1) break;
    if (Number.isInteger(value * 10)) text = `${value} ${unit}`;
  }
  return text;
}
