/**
 * Reads TypeScript sources for the architecture test: files, imports, and code apart from strings and comments.
 *
 * A lexer of just enough depth: it tells code, strings, regular expressions and comments apart, so that a rule about
 * `Date.now` is not broken by a comment about `Date.now`. It must never be used on anything but our own, well-formed code.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Piece {
  readonly kind: "code" | "string" | "comment" | "regex";
  /** For strings without the quotes. */
  readonly text: string;
  readonly line: number;
}

export interface Source {
  /** Relative to the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly lineCount: number;
  readonly pieces: readonly Piece[];
  /** Code alone: strings, regular expressions and comments left out. */
  readonly code: string;
  readonly strings: readonly Piece[];
  /** What it imports or re-exports, types included: paths of the repository, or names of modules. */
  readonly imports: readonly string[];
}

/** All files under `folder` whose name ends in one of `endings`, relative to the repository, sorted. */
export function listFiles(folder: string, endings: readonly string[]): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .toSorted();
}

/** Text of a file of the repository. */
export function readText(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** One file, cut up. */
export function readSource(path: string): Source {
  const text = readText(path);
  const pieces = cut(text);
  const code = pieces.map((piece) => (piece.kind === "code" ? piece.text : " ")).join("");
  const strings = pieces.filter((piece) => piece.kind === "string");
  return {
    path,
    text,
    lineCount: text.split("\n").length - 1,
    pieces,
    code,
    strings,
    imports: findImports(path, pieces),
  };
}

function findImports(path: string, pieces: readonly Piece[]): string[] {
  const found: string[] = [];
  for (const [index, piece] of pieces.entries()) {
    const before = pieces[index - 1];
    if (piece.kind !== "string" || before?.kind !== "code") continue;
    if (!/(?:\bfrom|\bimport\s*\(?|\brequire\s*\()\s*$/.test(before.text)) continue;
    const isRelative = piece.text.startsWith(".");
    found.push(isRelative ? relative(ROOT, join(ROOT, dirname(path), piece.text)) : piece.text);
  }
  return found;
}

/** What may stand before a regular expression, where a division could not. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void))\s*$/;

// Sticky patterns, in order of trial. A template's substitutions are taken as part of its string: no rule here looks there.
const PATTERNS: ReadonlyArray<readonly [Piece["kind"], RegExp]> = [
  ["comment", /\/\/[^\n]*|\/\*[^]*?\*\//y],
  ["string", /"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'|`(?:[^`\\]|\\[^])*`/y],
  ["regex", /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y],
];

function cut(text: string): Piece[] {
  const pieces: Piece[] = [];
  let codeStart = 0;
  let line = 1;
  const push = (kind: Piece["kind"], from: number, to: number): void => {
    if (from === to) return;
    const whole = text.slice(from, to);
    pieces.push({ kind, text: kind === "string" ? whole.slice(1, -1) : whole, line });
    line += whole.split("\n").length - 1;
  };
  for (let at = 0; at < text.length;) {
    const end = "/\"'`".includes(text.charAt(at)) ? endOfPiece(text, at, codeStart) : null;
    if (end === null) {
      at += 1;
      continue;
    }
    push("code", codeStart, at);
    push(end.kind, at, end.to);
    at = codeStart = end.to;
  }
  push("code", codeStart, text.length);
  return pieces;
}

function endOfPiece(text: string, at: number, codeStart: number): { kind: Piece["kind"]; to: number } | null {
  for (const [kind, pattern] of PATTERNS) {
    if (kind === "regex" && !BEFORE_REGEX.test(text.slice(codeStart, at))) continue;
    pattern.lastIndex = at;
    if (pattern.test(text)) return { kind, to: pattern.lastIndex };
  }
  return null;
}
