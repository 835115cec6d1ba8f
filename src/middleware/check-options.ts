/**
 * Options of a middleware against their rules: all mistakes at once, when it is made, and never a word about them later.
 *
 * A rule says in words what is allowed and whether a value is; the reference page is checked against the same rules. What one
 * value has to do with another is for each middleware to look at. A name that nobody knows is a mistake too.
 */

import { isFieldValue } from "../http/fields.ts";
import { editDistance, type OptionMistake, renderMistakes, show } from "../server/option-check.ts";

/** What one option may be. */
export interface OptionRule {
  /** In words, for the message and the reference page. */
  readonly allowed: string;
  readonly isAllowed: (value: unknown) => boolean;
}

/** A rule for each option. */
export type OptionRules<Options> = { readonly [Name in keyof Options]-?: OptionRule };

/** The most letters by which a name may differ from the one that was meant. */
const MAX_DISTANCE = 3;

/**
 * Checks options whole. What is `undefined` counts as not given.
 *
 * @param middleware its name, for the message
 * @throws TypeError that names every mistake
 */
export function checkOptions<Options extends object>(
  middleware: string,
  options: Options,
  rules: OptionRules<Options>,
): void {
  const known: Readonly<Record<string, OptionRule>> = rules;
  // A caller without types may give anything
  const given: unknown = options;
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`${middleware}: the options must be an object, not ${show(given)}`);
  }
  const mistakes: OptionMistake[] = [];
  for (const [path, value] of Object.entries(given as Record<string, unknown>)) {
    const rule = Object.hasOwn(known, path) ? known[path] : undefined;
    if (rule === undefined) {
      mistakes.push({ path, given: show(value), allowed: "", nearest: nearestOf(path, Object.keys(known)) });
    } else if (value !== undefined && !rule.isAllowed(value)) {
      mistakes.push({ path, given: show(value), allowed: rule.allowed, nearest: "" });
    }
  }
  if (mistakes.length > 0) throw new TypeError(`${middleware}: ${renderMistakes(mistakes)}`);
}

function nearestOf(name: string, names: readonly string[]): string {
  let nearest = "";
  let least = MAX_DISTANCE + 1;
  for (const one of names) {
    const distance = editDistance(name.toLowerCase(), one.toLowerCase());
    if (distance < least) {
      least = distance;
      nearest = one;
    }
  }
  return nearest;
}

/** A whole number. */
export function whole(from: number, to: number, unit: string): OptionRule {
  const bounds = to === Infinity ? `from ${from}` : `from ${from} to ${to}`;
  return {
    allowed: `whole ${unit} ${bounds}`,
    isAllowed: (value) => Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to,
  };
}

/** One of several words. */
export function oneOf(...words: readonly string[]): OptionRule {
  return {
    allowed: words.map((word) => `"${word}"`).join(" or "),
    isAllowed: (value) => typeof value === "string" && words.includes(value),
  };
}

/** A list of texts that are all right; also any other iterable but a text. */
export function listOf(what: string, isAllowed: (item: string) => boolean): OptionRule {
  return {
    allowed: `an array of ${what}`,
    isAllowed: (value) =>
      Array.isArray(value) && value.every((item: unknown) => typeof item === "string" && isAllowed(item)),
  };
}

export const YES_OR_NO: OptionRule = { allowed: "true or false", isAllowed: (value) => typeof value === "boolean" };

export const A_FUNCTION: OptionRule = { allowed: "a function", isAllowed: (value) => typeof value === "function" };

/** What it is may be left out with null. */
export const VALUE_OR_NULL: OptionRule = {
  allowed: "the value of a field, or null to leave it out",
  isAllowed: (value) => value === null || (typeof value === "string" && value !== "" && isFieldValue(value)),
};

/** Text for a quoted-string (RFC 9110 §5.6.4) that every client can read. */
export const QUOTABLE: OptionRule = {
  allowed: "text of printable ASCII",
  isAllowed: (value) => typeof value === "string" && /^[\x20-\x7e]*$/.test(value),
};

/** Where time comes from; only tests give another. */
export const A_TIME_SOURCE: OptionRule = {
  allowed: "an object with nowMs, elapsedMs and after",
  isAllowed: (value) =>
    typeof value === "object" && value !== null && "nowMs" in value && "elapsedMs" in value && "after" in value,
};

/** As a quoted-string (RFC 9110 §5.6.4). */
export function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
