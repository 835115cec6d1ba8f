/**
 * Options against rules: all mistakes at once, where the options are given, and never a word about them later.
 *
 * The floors above check theirs here, so that a mistake reads the same wherever it was made. A rule says in words what is
 * allowed and whether a value is. What one value has to do with another is for each owner to look at. A name that nobody knows
 * is a mistake too, and the nearest one is named. What is right costs one look and no object, because some options are given
 * with every request. It must never change an option.
 */

import { editDistance, type OptionMistake, renderMistakes, show } from "./option-check.ts";

/** What one option may be. */
export interface OptionRule {
  /** In words, for the message and for reference pages. */
  readonly allowed: string;
  readonly isAllowed: (value: unknown) => boolean;
}

/** A rule for each option. */
export type OptionRules<Options> = { readonly [Name in keyof Options]-?: OptionRule };

/** The most letters by which a name may differ from the one that was meant. */
const MAX_DISTANCE = 3;
/** Of a name that was cut short, the letters that tell which. */
const MIN_PREFIX = 3;

/**
 * Checks options whole. What is `undefined` counts as not given.
 *
 * @param of whose they are, for the message
 * @throws TypeError that names every mistake
 */
export function checkOptions<Options extends object>(of: string, options: Options, rules: OptionRules<Options>): void {
  // A caller without types may give anything
  const given: unknown = options;
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`${of}: the options must be an object, not ${show(given)}`);
  }
  const mistakes = gather(given, rules);
  if (mistakes !== null) throwMistakes(of, mistakes);
}

/** What is wrong with options, for those who have more to say of them. */
export function findMistakes(options: object, rules: Readonly<Record<string, OptionRule>>): OptionMistake[] {
  return gather(options, rules) ?? [];
}

/** A mistake in what a value stands for, or has to do with others. @param what as a clause */
export function mistakeIn(path: string, what: string): OptionMistake {
  return { path, given: "", allowed: "", nearest: "", what };
}

/** @throws TypeError that names every mistake, if there is any */
export function throwMistakes(of: string, mistakes: readonly OptionMistake[]): void {
  if (mistakes.length > 0) throw new TypeError(`${of}: ${renderMistakes(mistakes)}`);
}

function gather(options: object, rules: Readonly<Record<string, OptionRule>>): OptionMistake[] | null {
  let mistakes: OptionMistake[] | null = null;
  for (const path of Object.keys(options)) {
    const value = (options as Readonly<Record<string, unknown>>)[path];
    // A name like "constructor" is no option
    const rule = Object.hasOwn(rules, path) ? rules[path] : undefined;
    if (rule !== undefined && (value === undefined || rule.isAllowed(value))) continue;
    mistakes ??= [];
    if (rule !== undefined) mistakes.push({ path, given: show(value), allowed: rule.allowed, nearest: "" });
    else mistakes.push({ path, given: show(value), allowed: "", nearest: nearestOf(path, Object.keys(rules)) });
  }
  return mistakes;
}

/** Of these names the one that was probably meant, `""` if none comes close. */
export function nearestOf(name: string, names: readonly string[]): string {
  // Where there is but one, it is the one
  if (names.length === 1) return names[0] as string;
  const folded = name.toLowerCase();
  let nearest = "";
  let least = MAX_DISTANCE + 0.5;
  for (const one of names) {
    const isCutShort = folded.length >= MIN_PREFIX && one.toLowerCase().startsWith(folded);
    let distance = editDistance(folded, one.toLowerCase());
    // Of a short name most letters would be others
    if (distance > Math.ceil(name.length / 2)) distance = Infinity;
    if (isCutShort) distance = Math.min(distance, MAX_DISTANCE);
    if (distance < least) {
      least = distance;
      nearest = one;
    }
  }
  return nearest;
}

/** A whole number within bounds, both inclusive; Infinity as `to` is no bound, and no value. */
export function whole(from: number, to: number, unit: string): OptionRule {
  return {
    allowed: to === Infinity ? `whole ${unit} from ${from}` : `whole ${unit} from ${from} to ${to}`,
    isAllowed: (value) => Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to,
  };
}

/** A whole number from a bound on, or Infinity for no limit. */
export function wholeOrInfinity(from: number, unit: string): OptionRule {
  return {
    allowed: `whole ${unit} from ${from}, or Infinity`,
    isAllowed: (value) => value === Infinity || (Number.isSafeInteger(value) && (value as number) >= from),
  };
}

/** One of several words. */
export function oneOf(...words: readonly string[]): OptionRule {
  return {
    allowed: words.map((word) => `"${word}"`).join(" or "),
    isAllowed: (value) => typeof value === "string" && words.includes(value),
  };
}

/** An array of texts that are all right. */
export function listOf(what: string, isAllowed: (item: string) => boolean): OptionRule {
  return {
    allowed: `an array of ${what}`,
    isAllowed: (value) =>
      Array.isArray(value) && value.every((item: unknown) => typeof item === "string" && isAllowed(item)),
  };
}

export const YES_OR_NO: OptionRule = { allowed: "true or false", isAllowed: (value) => typeof value === "boolean" };

export const A_FUNCTION: OptionRule = { allowed: "a function", isAllowed: (value) => typeof value === "function" };

export const AN_OBJECT: OptionRule = { allowed: "an object", isAllowed: isObject };

/** An object whose members are functions. */
export const FUNCTIONS_BY_NAME: OptionRule = {
  allowed: "an object of functions",
  isAllowed: (value) => isObject(value) && Object.values(value).every((one) => typeof one === "function"),
};

export const TEXT: OptionRule = { allowed: "text", isAllowed: (value) => typeof value === "string" };

/** Fields are checked by whoever makes lines of them. */
export const HEADERS: OptionRule = {
  allowed: "headers",
  isAllowed: (value) => typeof value === "object" && value !== null,
};

/** Where time comes from; only tests give another. */
export const A_TIME_SOURCE: OptionRule = {
  allowed: "an object with nowMs, elapsedMs and after",
  isAllowed: (value) =>
    typeof value === "object" && value !== null && "nowMs" in value && "elapsedMs" in value && "after" in value,
};

/** Whether it is an object with members of its own. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
