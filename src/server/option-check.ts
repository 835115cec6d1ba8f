/**
 * One value against one row of the option table, and mistakes as people read them.
 *
 * It says what was given, what is allowed and, for a name that nobody knows, which one was probably meant. Values shown are
 * cut short: options may hold secrets, and a log line has an end.
 */

import { isToken } from "../http/fields.ts";
import type { OptionRow } from "./option-row.ts";
import { TICKET_KEY_BYTES } from "./tls-settings.ts";

/** One thing that is wrong with the options. */
export interface OptionMistake {
  /** Of the option, e.g. `limits.maxHeadBytes`. */
  readonly path: string;
  /** The value, shortened for reading. */
  readonly given: string;
  /** What would be right; `""` if there is no such option. */
  readonly allowed: string;
  /** The known name nearest to an unknown one, else `""`. */
  readonly nearest: string;
  /** What is wrong with what the value stands for, e.g. a file, as a clause; then the rest does not matter. */
  readonly what?: string;
}

const MAX_SHOWN = 40;

/** A value for a message, short. */
export function show(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value === null || typeof value === "number" || typeof value === "boolean" || value === undefined)
    return String(value);
  if (typeof value === "bigint") return `${value}n`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** What a row allows, in words. */
export function allowedBy(row: OptionRow): string {
  switch (row.type) {
    case "integer": {
      const unit = row.unit === "" ? "" : ` ${row.unit}`;
      return row.max === Infinity
        ? `an integer from ${row.min}${unit}, or Infinity`
        : `an integer from ${row.min} to ${row.max}${unit}`;
    }
    case "boolean":
      return "true or false";
    case "text":
      return "text that is not empty and holds no NUL";
    case "tokens":
      return "an array of method names, each a token (RFC 9110 §9.1)";
    case "function":
      return "a function";
    case "signal":
      return "an AbortSignal";
    case "pem":
      return "text or octets";
    case "texts":
      return "an array of text";
    case "objects":
      return "an array of objects";
    case "path":
      return "a path that begins with a slash, without query";
    case "forwarding-header":
      return '"x-forwarded" or "forwarded"';
    case "tls-version":
      return '"TLSv1.2" or "TLSv1.3"';
    case "ticket-keys":
      return `${TICKET_KEY_BYTES} octets`;
  }
}

/** Checks a value that was given; null if it is right. */
export function mistakeIn(row: OptionRow, value: unknown): OptionMistake | null {
  if (isAllowed(row, value)) return null;
  // A key must not get into a log because it stands where something else belongs
  let given = row.type === "pem" || row.path.endsWith(".passphrase") ? `a ${typeof value}` : show(value);
  // The most common one: an environment variable
  if (row.type === "integer" && typeof value === "string" && /^[0-9]+$/.test(value))
    given += " (text; Number() makes it a number)";
  return { path: row.path, given, allowed: allowedBy(row), nearest: "" };
}

/** Of lists whose elements are looked at one by one: what each may be. */
const ELEMENTS: Readonly<Partial<Record<OptionRow["type"], readonly [(item: string) => boolean, string]>>> = {
  tokens: [isToken, "the name of a method, a token (RFC 9110 §9.1),"],
  texts: [() => true, "text"],
};

/** Those elements of a list that are right; each other one is a mistake of its own. Null for what is no such list. */
export function takeList(row: OptionRow, value: unknown, mistakes: OptionMistake[]): readonly string[] | null {
  const element = ELEMENTS[row.type];
  if (element === undefined || !Array.isArray(value)) return null;
  const [isRight, allowed] = element;
  const right: string[] = [];
  for (const item of value as unknown[]) {
    if (typeof item === "string" && isRight(item)) right.push(item);
    else mistakes.push({ path: row.path, given: show(item), allowed, nearest: "" });
  }
  return right;
}

/**
 * Whether a mistake in what several values come to is but another one's shadow: of what is wrong by itself nothing is known but
 * that it was given.
 *
 * @param wrong paths of options that are wrong by themselves
 * @param strangers those of them that are no options
 */
export function isConsequence(
  { path, given, what = "" }: OptionMistake,
  wrong: ReadonlySet<string>,
  strangers: readonly string[],
): boolean {
  if (path === "health.readyPath") return wrong.has(path) || wrong.has("health.livePath");
  const group = `${path.slice(0, path.indexOf("."))}.`;
  // Of a name that nobody knows, too, it may have been the value
  const isMeant = strangers.some((stranger) => stranger.startsWith(group));
  if (what.includes("passphrase")) return isMeant || wrong.has("tls.passphrase");
  if (given !== "nobody" && !what.startsWith("is missing")) return false;
  return isMeant || wrong.has(path) || wrong.has(`${path}File`) || (group === "tls." && wrong.has("tls.servers"));
}

function isAllowed(row: OptionRow, value: unknown): boolean {
  switch (row.type) {
    case "integer":
      if (typeof value !== "number" || value < row.min || value > row.max) return false;
      return Number.isSafeInteger(value) || value === Infinity;
    case "boolean":
      return typeof value === "boolean";
    case "text":
      return typeof value === "string" && value !== "" && !value.includes("\0");
    case "tokens":
      return Array.isArray(value) && value.every((item) => typeof item === "string" && isToken(item));
    case "function":
      return typeof value === "function";
    case "signal":
      return value instanceof AbortSignal;
    case "pem":
      return (typeof value === "string" || value instanceof Uint8Array) && value.length > 0;
    case "texts":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    case "objects":
      return Array.isArray(value) && value.every((item) => typeof item === "object" && item !== null);
    case "path":
      return typeof value === "string" && /^\/[^?#\s]*$/.test(value);
    case "forwarding-header":
      return value === "x-forwarded" || value === "forwarded";
    case "tls-version":
      return value === "TLSv1.2" || value === "TLSv1.3";
    case "ticket-keys":
      return value instanceof Uint8Array && value.length === TICKET_KEY_BYTES;
  }
}

/** All mistakes as one message, a line each. */
export function renderMistakes(mistakes: readonly OptionMistake[]): string {
  const lines = mistakes.map((mistake) => {
    if (mistake.what !== undefined) return `  ${mistake.path}: ${mistake.what}`;
    if (mistake.allowed !== "") return `  ${mistake.path}: ${mistake.given} was given, ${mistake.allowed} is allowed`;
    const hint = mistake.nearest === "" ? "" : `, did you mean ${mistake.nearest}?`;
    return `  ${mistake.path}: there is no such option${hint}`;
  });
  return `${mistakes.length === 1 ? "an option is" : `${mistakes.length} options are`} invalid:\n${lines.join("\n")}`;
}

/** Of two names that are as near, the one with the same letters was meant; too little to make up for a step. */
const TRANSPOSITION = 1 - 1 / 64;

/** Letters from which on the beginning of a name stands for it. */
const MIN_PREFIX = 4;

/** How far what was written is from a known name, both in lower case: its beginning alone, as without the unit, is not far. */
export function nameDistance(written: string, known: string): number {
  const distance = editDistance(written, known);
  return written.length >= MIN_PREFIX && known.startsWith(written) ? Math.min(distance, 2) : distance;
}

/**
 * How many slips of the pen lie between two words: letters to insert, remove or replace, and neighbours that changed places
 * (optimal string alignment, after Damerau), which count a trifle less than a whole one.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isTransposed = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] && a[i - 1] !== b[j - 1];
      const transposed = isTransposed ? (beforeLast[j - 2] as number) + TRANSPOSITION : Infinity;
      current.push(Math.min(replaced, transposed, (last[j] as number) + 1, (current[j - 1] as number) + 1));
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length] as number;
}
