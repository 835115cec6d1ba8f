/**
 * What is known of an option: the shape of the rows of the option tables. Data only.
 *
 * The tables stand in option-table.ts and tls-option-rows.ts; option-check.ts holds values against them.
 */

/** How a value is checked. */
export type OptionType =
  | "integer"
  | "boolean"
  | "text"
  | "tokens"
  | "function"
  | "signal"
  | "pem"
  | "texts"
  | "objects"
  | "path"
  | "forwarding-header"
  | "tls-version"
  | "ticket-keys";

/** One option. */
export interface OptionRow {
  /** As a user writes it, e.g. `limits.maxHeadBytes`. */
  readonly path: string;
  readonly type: OptionType;
  /** Of a number: `B`, `ms`, `B/s`, `s`, `""` for a count. */
  readonly unit: string;
  /** What holds when it is not given; null where there is nothing then. */
  readonly default: number | boolean | string | readonly string[] | null;
  /** Least and most of an integer; `max` Infinity allows Infinity itself. */
  readonly min: number;
  readonly max: number;
  /** What it means, as a sentence without period; what 0 and Infinity mean where that is not plain. */
  readonly description: string;
  /** Who else does it so, where that decided the default. */
  readonly precedent: string;
}

/** A row of a number. */
export const integer = (
  path: string,
  unit: string,
  value: number,
  min: number,
  max: number,
  description: string,
  precedent = "",
): OptionRow => ({ path, type: "integer", unit, default: value, min, max, description, precedent });

/** A row of anything else. */
export const other = (
  path: string,
  type: OptionType,
  value: OptionRow["default"],
  description: string,
  precedent = "",
): OptionRow => ({ path, type, unit: "", default: value, min: 0, max: 0, description, precedent });
