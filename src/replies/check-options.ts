/**
 * Options of replies, looked at whole before anything is written: every mistake is told at once, at the line that made it.
 *
 * A name that nobody knows is a mistake too, and the nearest known one is named. It must never change an option.
 */

import { editDistance, show } from "../server/option-check.ts";

/** What one option may be: a test, and the words for it. */
export interface OptionRule {
  readonly allowed: string;
  readonly test: (value: unknown) => boolean;
}

/** Rules by the option's name. What is not given, or undefined, is always allowed. */
export type OptionRules = Readonly<Record<string, OptionRule>>;

export const BOOLEAN: OptionRule = { allowed: "true or false", test: (value) => typeof value === "boolean" };
export const FUNCTION: OptionRule = { allowed: "a function", test: (value) => typeof value === "function" };
export const TEXT: OptionRule = { allowed: "text", test: (value) => typeof value === "string" };
/** Where time comes from. */
export const TIME: OptionRule = {
  allowed: "a TimeSource",
  test: (value) => typeof value === "object" && value !== null && "nowMs" in value,
};
/** Headers are checked by whoever makes lines of them. */
export const HEADERS: OptionRule = {
  allowed: "headers",
  test: (value) => typeof value === "object" && value !== null,
};

/** A whole number within bounds, both inclusive; `max` may be Infinity and then is allowed itself. */
export function integerFrom(min: number, max: number = Number.MAX_SAFE_INTEGER): OptionRule {
  const bound = max === Infinity ? ", or Infinity" : "";
  const most = max === Infinity || max === Number.MAX_SAFE_INTEGER ? "" : ` to ${max}`;
  return {
    allowed: `a whole number from ${min}${most}${bound}`,
    test: (value) =>
      typeof value === "number" && value >= min && value <= max && (Number.isSafeInteger(value) || value === Infinity),
  };
}

/** One of some words. */
export function oneOf(...words: readonly string[]): OptionRule {
  return {
    allowed: words.map((word) => JSON.stringify(word)).join(", "),
    test: (value) => typeof value === "string" && words.includes(value),
  };
}

/** What is wrong with `options`, a sentence each. */
export function findMistakes(options: object, rules: OptionRules): string[] {
  const mistakes: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    // A name like "constructor" is no option
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) mistakes.push(`there is no option ${JSON.stringify(name)}${hint(name, rules)}`);
    else if (value !== undefined && !rule.test(value)) {
      mistakes.push(`${name} must be ${rule.allowed}, not ${show(value)}`);
    }
  }
  return mistakes;
}

/**
 * @param of whose options they are, for the message
 * @throws TypeError that tells every mistake, if there is any
 */
export function throwMistakes(of: string, mistakes: readonly string[]): void {
  if (mistakes.length > 0) throw new TypeError(`${of}: ${mistakes.join("; ")}`);
}

function hint(name: string, rules: OptionRules): string {
  const folded = name.toLowerCase();
  let nearest = "";
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const known of Object.keys(rules)) {
    const distance = known.toLowerCase().startsWith(folded) ? 0 : editDistance(folded, known.toLowerCase());
    if (distance < least) {
      least = distance;
      nearest = known;
    }
  }
  return nearest === "" ? "" : `, did you mean ${nearest}?`;
}
