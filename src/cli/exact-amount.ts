/**
 * Values of options as people say them, with nothing lost: 75 s is not 1.3 min, which is 78 s, and 17000 B is not 16.6 KiB.
 *
 * For tables of settings, where somebody may take the value from. What was measured is rounded, in log-line.ts. What 0 means is
 * the option's to say, so that it is shown as its row in the option table has it.
 */

import type { OptionRow } from "../server/option-table.ts";

/** In the words of those options where 0 is no number of anything. */
const ZERO_IS_NO_LIMIT = /\b0 or Infinity: no limit\b/;

/** And of those where it is none of what the option is about. */
const ZERO_IS_OFF = /\b0: none\b/;

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What is needed of an option to show its value. */
export type AmountRow = Pick<OptionRow, "path" | "unit" | "description">;

/** A number with its unit. */
export function formatExactAmount(value: number, { path, unit, description }: AmountRow): string {
  if (value === Infinity || (value === 0 && ZERO_IS_NO_LIMIT.test(description))) return "no limit";
  if (value === 0 && ZERO_IS_OFF.test(description)) return "off";
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

/** The largest unit in which one decimal says all; days, which are counted from two on, whole. @param ms finite */
export function formatExactDuration(ms: number): string {
  if (ms < SECOND_MS) return `${ms} ms`;
  if (ms >= 2 * DAY_MS && ms % DAY_MS === 0) return `${ms / DAY_MS} days`;
  if (ms >= HOUR_MS && ms % (HOUR_MS / 10) === 0) return `${ms / HOUR_MS} h`;
  if (ms >= MINUTE_MS && ms % (MINUTE_MS / 10) === 0) return `${ms / MINUTE_MS} min`;
  return `${ms / SECOND_MS} s`;
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
