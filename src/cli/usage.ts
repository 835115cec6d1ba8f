/**
 * Arguments -> what is wanted, of what, and with which flags.
 *
 * Cutting words into flags and values is Node's `parseArgs`; here stand the rules that it has no words for: values that may be
 * left out, names that are switched off by `no-`, and names of other tools. What is none of ours ends in an
 * {@link UnknownFlag}, for foreign-flags.ts to explain. It must never look at the disk or the environment.
 */

import { parseArgs } from "node:util";
import { CommandError, joinMistakes } from "./command-error.ts";
import { ALIASES } from "./flag-aliases.ts";
import { FLAG_TABLE } from "./flags.ts";
import type { FlagName, FlagRow, Flags } from "./flags.ts";
import { hintsFor } from "./word-hints.ts";

/** What the command can do. */
export type Verb = "serve" | "check" | "explain" | "fetch" | "hash-password" | "trust";

/** What was typed. */
export interface Usage {
  readonly verb: Verb;
  /** What is served, or what the verb is about. */
  readonly words: readonly string[];
  readonly flags: Flags;
}

/** A flag that is none of ours. */
export class UnknownFlag extends Error {
  /** As it was typed, with its value if that hangs on it: `-c-1`. */
  readonly word: string;
  /** With its dashes, without value: `-c`. */
  readonly flag: string;
  /** Those besides. */
  readonly others: readonly UnknownFlag[];
  /** What is wrong with flags of ours, besides. */
  readonly mistakes: readonly CommandError[];

  constructor(word: string, flag: string, others: readonly UnknownFlag[] = [], mistakes: readonly CommandError[] = []) {
    super(`there is no flag ${flag}`);
    this.word = word;
    this.flag = flag;
    this.others = others;
    this.mistakes = mistakes;
  }
}

const VERBS: ReadonlySet<string> = new Set(["check", "explain", "fetch", "hash-password", "trust"]);

/** What `parseArgs` says of a flag. */
interface FlagToken {
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** A name that was typed, understood. */
interface Known {
  readonly row: FlagRow;
  readonly isOff: boolean;
}

const BY_NAME: ReadonlyMap<string, FlagRow> = new Map(FLAG_TABLE.map((row) => [row.name, row]));

/** As `parseArgs` wants to be told of a flag. */
interface ParseOption {
  type: "string" | "boolean";
  short?: string;
}

const OPTIONS: Readonly<Record<string, ParseOption>> = Object.fromEntries<ParseOption>([
  ...FLAG_TABLE.map((row) => [row.name, optionOf(row)] as const),
  ...[...ALIASES].map(([alias, name]) => [alias, { type: typeOf(BY_NAME.get(name)) }] as const),
]);

function optionOf(row: FlagRow): ParseOption {
  return row.short === "" ? { type: typeOf(row) } : { type: typeOf(row), short: row.short };
}

/** Only what must have a value takes the next word unseen. */
function typeOf(row: FlagRow | undefined): "string" | "boolean" {
  return row?.value.startsWith("<") === true ? "string" : "boolean";
}

/**
 * Reads arguments.
 *
 * @param args without node and the script
 * @throws UnknownFlag for flags that are none of ours
 * @throws CommandError with exit code 2 for a value that is missing or too much, and for too many words
 */
export function readUsage(args: readonly string[]): Usage {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words: string[] = [];
  const flags = new Map<FlagName, (string | boolean)[]>();
  const strangers: UnknownFlag[] = [];
  const mistakes: CommandError[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === undefined || token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      words.push(token.value);
      continue;
    }
    const word = args[token.index] ?? token.rawName;
    const known = findFlag(token.name);
    if (known === null) {
      // Letters that hang together are one mistake
      if (!strangers.some((one) => one.word === word)) strangers.push(new UnknownFlag(word, token.rawName));
      continue;
    }
    const { row } = known;
    let value = valueOf(known, token);
    const next = tokens[i + 1];
    if (value instanceof CommandError) {
      mistakes.push(value);
      continue;
    }
    if (value === true && next?.kind === "positional" && row.fits?.(next.value, words.length > 0) === true) {
      value = next.value;
      i++;
    }
    const values = flags.get(row.name);
    if (values === undefined || !row.isRepeatable) flags.set(row.name, [value]);
    else values.push(value);
  }
  const [first, ...others] = strangers;
  if (first !== undefined) throw new UnknownFlag(first.word, first.flag, others, mistakes);
  if (mistakes.length > 0) throw joinMistakes(mistakes, "flags");
  return sortWords(words, flags);
}

/** What hangs on a flag, or stands behind one that must have a value; true or false where nothing does. */
function valueOf({ row, isOff }: Known, { rawName, value, inlineValue }: FlagToken): string | boolean | CommandError {
  if (isOff || row.value === "") return value === undefined ? !isOff : noValue(rawName);
  return row.fits === null ? requiredValue(row, rawName, value, inlineValue === true) : (value ?? true);
}

function noValue(flag: string): CommandError {
  const isPlain = flag.startsWith("--") && !flag.startsWith("--no-");
  const advice = isPlain ? [`On it is ${flag} alone, off it is --no-${flag.slice("--".length)}`] : [];
  return new CommandError(2, `${flag} takes no value`, advice);
}

function requiredValue(
  row: FlagRow,
  flag: string,
  value: string | undefined,
  isInline: boolean,
): string | CommandError {
  if (value === undefined) return new CommandError(2, `${flag} needs a value: ${row.shown}`);
  // Most likely the value was forgotten; a negative number is somebody's mistake of another kind
  if (!isInline && /^-./.test(value) && !/^-\d/.test(value)) {
    return new CommandError(2, `${flag} needs a value: ${row.shown}`, [
      `If ${value} is the value, write --${row.name}=${value}`,
    ]);
  }
  // Some write -p=3000
  return isInline && /^-\w$/.test(flag) ? value.replace(/^=/, "") : value;
}

function findFlag(name: string): Known | null {
  const row = BY_NAME.get(ALIASES.get(name) ?? name);
  if (row !== undefined) return { row, isOff: false };
  if (!name.startsWith("no-")) return null;
  const positive = name.slice("no-".length);
  const negated = BY_NAME.get(ALIASES.get(positive) ?? positive);
  if (negated === undefined) return null;
  // That none shall be looked for can be said, though a file must be named
  if (negated.value.startsWith("<") && negated.name !== "config") return null;
  return { row: negated, isOff: true };
}

/** Tells verbs from what is served. A folder of a verb's name is served as `./explain`. */
function sortWords(words: readonly string[], flags: Flags): Usage {
  const [first = ""] = words;
  if (first !== "check" && flags.has("json")) {
    throw new CommandError(2, "--json is for fairlead check", ["The line per request as JSON is --log json"]);
  }
  if (first === "trust" && words.length > 1)
    throw new CommandError(2, `trust takes nothing more, and was given ${words.slice(1).join(" ")}`);
  const named = first === "check" ? words.length - 1 : words.length;
  const isOneNamed = first === "check" || !VERBS.has(first);
  if (isOneNamed && named > 1 && hasHalfPassword(flags)) {
    const what = "they are not shown, since one may be a password";
    throw new CommandError(2, `one thing can be served, not ${named}; ${what}`, [HALF_PASSWORD]);
  }
  if (VERBS.has(first)) return { verb: first as Verb, words: words.slice(1), flags };
  if (words.length > 1) {
    const odd = words.find((word) => /^\d+$/.test(word)) ?? first;
    throw new CommandError(2, `one thing can be served, not ${words.length}: ${words.join(" ")}`, [
      ...hintsFor(odd, flags),
      "Put them into one folder, or run the command once for each with a --port of its own",
    ]);
  }
  return { verb: "serve", words, flags };
}

/** What to do about it. */
export const HALF_PASSWORD = "--auth takes one word, with a colon in it: --auth USER:PASS";

/** `--auth me SECRET`: the password has become a word, and what is said of words ends up in logs (CWE-532). */
export function hasHalfPassword(flags: Flags): boolean {
  return flags.get("auth")?.some((value) => typeof value === "string" && !/^@|:./.test(value)) === true;
}
