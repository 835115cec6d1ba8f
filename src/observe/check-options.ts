/**
 * Options of observers against their rules: all mistakes at once, when one is made, and never a word about them later.
 *
 * A rule says in words what is allowed and whether a value is. What one value has to do with another is for each observer
 * to look at. A name that nobody knows is a mistake too, and the nearest one is named.
 */

import { editDistance, type OptionMistake, renderMistakes, show } from "../server/option-check.ts";

/** What one option may be. */
export interface OptionRule {
  /** In words, for the message. */
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
 * @param observer its name, for the message
 * @param more mistakes that were found by looking at several options together
 * @throws TypeError that names every mistake
 */
export function checkOptions<Options extends object>(
  observer: string,
  options: Options,
  rules: OptionRules<Options>,
  more: readonly OptionMistake[] = [],
): void {
  const known: Readonly<Record<string, OptionRule>> = rules;
  // A caller without types may give anything
  const given: unknown = options;
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`${observer}: the options must be an object, not ${show(given)}`);
  }
  const mistakes: OptionMistake[] = [...more];
  for (const [path, value] of Object.entries(given as Record<string, unknown>)) {
    const rule = Object.hasOwn(known, path) ? known[path] : undefined;
    if (rule === undefined) {
      mistakes.push({ path, given: show(value), allowed: "", nearest: nearestOf(path, Object.keys(known)) });
    } else if (value !== undefined && !rule.isAllowed(value)) {
      mistakes.push({ path, given: show(value), allowed: rule.allowed, nearest: "" });
    }
  }
  if (mistakes.length > 0) throw new TypeError(`${observer}: ${renderMistakes(mistakes)}`);
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
  return {
    allowed: to === Infinity ? `whole ${unit} from ${from}` : `whole ${unit} from ${from} to ${to}`,
    isAllowed: (value) => Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to,
  };
}

/** A list of texts, each of them right. */
export function listOf(what: string, isAllowed: (item: string) => boolean): OptionRule {
  return {
    allowed: `an array of ${what}`,
    isAllowed: (value) =>
      Array.isArray(value) && value.every((item: unknown) => typeof item === "string" && isAllowed(item)),
  };
}

/** An object whose members are functions. */
export const FUNCTIONS_BY_NAME: OptionRule = {
  allowed: "an object of functions",
  isAllowed: (value) => isObject(value) && Object.values(value).every((one) => typeof one === "function"),
};

export const AN_OBJECT: OptionRule = { allowed: "an object", isAllowed: isObject };

export const A_FUNCTION: OptionRule = { allowed: "a function", isAllowed: (value) => typeof value === "function" };

export const YES_OR_NO: OptionRule = { allowed: "true or false", isAllowed: (value) => typeof value === "boolean" };

/** Where time comes from; only tests give another. */
export const A_TIME_SOURCE: OptionRule = {
  allowed: "an object with nowMs, elapsedMs and after",
  isAllowed: (value) => isObject(value) && "nowMs" in value && "elapsedMs" in value && "after" in value,
};

/** Whether it is an object with members of its own. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
