/**
 * `--limits`: every size, count and time that is enforced, with its default, meaning and precedent.
 *
 * Printed from the very table that options are checked with, so that it cannot say anything else than what holds.
 */

import { OPTION_TABLE } from "../server/option-table.ts";
import type { OptionRow } from "../server/option-table.ts";
import { formatExactAmount } from "./exact-amount.ts";
import type { Painter } from "./paint.ts";

/** The table as text, ending in a newline. */
export function renderLimits(paint: Painter): string {
  const rows = OPTION_TABLE.filter(({ path }) => path.startsWith("limits.") || path.startsWith("timeouts."));
  const optionWidth = Math.max(...rows.map((row) => row.path.length));
  const values = new Map(rows.map((row) => [row, formatDefault(row)]));
  const valueWidth = Math.max(...[...values.values()].map((value) => value.length));
  let text = `${paint("title", "Limits and timeouts, as options of serve(), with their defaults")}\n\n`;
  for (const [row, value] of values) {
    const precedent = row.precedent === "" ? "" : paint("faint", ` (${row.precedent})`);
    text += `${row.path.padEnd(optionWidth)}  ${paint("good", value.padStart(valueWidth))}  ${row.description}${precedent}\n`;
  }
  return text;
}

/** A default with its unit, as people say it. */
function formatDefault(row: OptionRow): string {
  const value = row.default;
  return typeof value === "number" ? formatExactAmount(value, row) : String(value);
}
