/**
 * The kept inputs: fuzz/corpus/<target>/*.txt, small files that can be read in a review. Lines that begin with `# ` say why
 * an input is kept; all other lines are put together without their line ends, with the escapes `\r \n \t \0 \s \xHH \\`, so
 * that what is on the wire is what is seen. `reached.lines` beside them has an input on each line: a set, made by `--grow`,
 * that reaches all code which fuzzing has ever reached. test/fuzz replays all of it.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { latin1 } from "./mutate.ts";

const FOLDER = new URL("corpus/", import.meta.url);
const ESCAPES: Readonly<Record<string, string>> = { "r": "\r", "n": "\n", "t": "\t", "0": "\0", "s": " ", "\\": "\\" };

/** One kept input. */
export interface KeptInput {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Above this many octets an input is not worth a line that nobody can read. */
const MAX_LINE_INPUT_BYTES = 400;

/** The inputs that reach what fuzzing has reached. */
export function reachingInputs(target: string): KeptInput[] {
  const file = new URL(`${target}/reached.lines`, FOLDER);
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .map((line, i) => ({ name: `reached.lines:${i + 1}`, line }))
    .filter(({ line }) => line !== "" && !line.startsWith("# "))
    .map(({ name, line }) => ({ name, bytes: parseInput(line) }));
}

/** Replaces them. Returns how many there are. */
export function writeReachingInputs(target: string, inputs: readonly Uint8Array[]): number {
  const folder = new URL(`${target}/`, FOLDER);
  mkdirSync(folder, { recursive: true });
  const lines = inputs
    .filter((bytes) => bytes.length > 0 && bytes.length <= MAX_LINE_INPUT_BYTES)
    .map((bytes) => showInput(bytes).replace(/^#/, "\\x23").replaceAll(/^ | $/g, "\\s"));
  const sorted = [...new Set(lines)].toSorted();
  writeFileSync(new URL("reached.lines", folder), `${sorted.join("\n")}\n`);
  return sorted.length;
}

/** All that is kept for a target because it once failed or easily could, in the order of names. */
export function keptInputs(target: string): KeptInput[] {
  const folder = new URL(`${target}/`, FOLDER);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".txt"))
    .toSorted()
    .map((name) => ({ name, bytes: parseInput(readFileSync(new URL(name, folder), "utf8")) }));
}

/** Names of the folders that are there. */
export function corpusFolders(): string[] {
  return existsSync(FOLDER) ? readdirSync(FOLDER).toSorted() : [];
}

/** Keeps an input under a name made of its octets. Returns the path. */
export function keepInput(target: string, bytes: Uint8Array, why: string): string {
  const folder = new URL(`${target}/`, FOLDER);
  mkdirSync(folder, { recursive: true });
  const name = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  writeFileSync(new URL(`${name}.txt`, folder), renderInput(bytes, why));
  return `fuzz/corpus/${target}/${name}.txt`;
}

/** The text of a corpus file -> octets. Throws at what is no escape. */
export function parseInput(text: string): Buffer {
  const joined = text
    .split("\n")
    .filter((line) => !line.startsWith("# "))
    .join("");
  const plain = joined.replaceAll(/\\(x[0-9a-f]{2}|.|$)/g, (whole, code: string) => {
    const known = code.length === 3 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : ESCAPES[code];
    if (known === undefined) throw new Error(`unknown escape ${whole}`);
    return known;
  });
  return Buffer.from(plain, "latin1");
}

/** Octets -> the text of a corpus file, with a line break behind each line end. */
export function renderInput(bytes: Uint8Array, why: string): string {
  const shown = showInput(bytes).replaceAll("\\n", "\\n\n").replace(/\n$/, "");
  const safe = shown.replaceAll(/^#/gm, "\\x23").replaceAll(/ $/gm, "\\s");
  return `${why === "" ? "" : `# ${why.replaceAll(/[\r\n]+/g, " ")}\n`}${safe}\n`;
}

/** Octets as text with escapes, on one line. */
export function showInput(bytes: Uint8Array): string {
  return latin1(bytes).replaceAll(/[^ -[\]-~]/g, (character) => {
    const named = Object.entries(ESCAPES).find(([code, meant]) => meant === character && code !== "0");
    return named === undefined ? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}` : `\\${named[0]}`;
  });
}
