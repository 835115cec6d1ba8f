/**
 * The text of `_redirects` and `_headers` -> numbered lines, and the paths in them -> patterns over decoded names.
 *
 * Both files are read alike: UTF-8, one rule a line, `#` begins a comment, blank lines count for nothing. What is wrong is
 * collected as `file:line: sentence` and never thrown, so that a person sees every mistake at once. A pattern is matched
 * against names that resolve.ts has decoded, never against raw text: there is one spelling of a path, so none slips by.
 * This file must never look at the disk and must never use a regular expression that came from a file.
 */

/** A line that says something. */
export interface RulesLine {
  /** From 1. */
  readonly number: number;
  /** Without surrounding white space and without comment. */
  readonly text: string;
  readonly isIndented: boolean;
}

/** Collects what is wrong with one file. */
export class Mistakes {
  readonly fileName: string;
  readonly #found: { readonly line: number; readonly sentence: string }[] = [];

  constructor(fileName: string) {
    this.fileName = fileName;
  }

  /** In the order of the lines, whatever found them first. */
  get list(): string[] {
    const inOrder = this.#found.toSorted((one, other) => one.line - other.line);
    // A file that is no rules file at all would have a mistake in each line
    return inOrder.slice(0, MAX_MISTAKES).map(({ line, sentence }) => `${this.placeOf(line)}: ${sentence}`);
  }

  /** Notes a mistake; `line` 0 means the file as a whole. Always null, so that a reader can give up with it. */
  add(line: number, sentence: string): null {
    this.#found.push({ line, sentence });
    return null;
  }

  /** `_redirects:3` */
  placeOf(line: number): string {
    return line === 0 ? this.fileName : `${this.fileName}:${line}`;
  }
}

/** The most octets of a file of rules: 2,000 lines of average length, several times over. */
export const MAX_RULES_BYTES = 262_144;
/** The most characters of a line. Cloudflare Pages: 1,000 for redirects, 2,000 for headers; a policy may be long. */
const MAX_LINE_LENGTH = 4096;
const MAX_MISTAKES = 20;

/** Controls but HTAB; the line ends are gone by then. CR inside of a line would be response splitting. */
const CONTROL = /[\0-\x08\x0a-\x1f\x7f\x80-\x9f\u2028\u2029]/;

/** Cuts a file into lines that say something. Lines that must not be are noted and left out. */
export function readRulesLines(bytes: Uint8Array, mistakes: Mistakes): RulesLine[] {
  if (bytes.length > MAX_RULES_BYTES) {
    mistakes.add(0, `the file has more than ${MAX_RULES_BYTES} octets`);
    return [];
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    mistakes.add(0, "the file is no UTF-8 text");
    return [];
  }
  const lines: RulesLine[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const number = index + 1;
    const trimmed = withoutComment(line).trim();
    if (trimmed === "") continue;
    if (line.length > MAX_LINE_LENGTH) mistakes.add(number, `the line has more than ${MAX_LINE_LENGTH} characters`);
    else if (CONTROL.test(trimmed)) mistakes.add(number, "the line holds a control character");
    else lines.push({ number, text: trimmed, isIndented: /^[ \t]/.test(line) });
  }
  return lines;
}

/** Whole lines only: the values of fields and the targets of redirects may hold a `#` of their own. */
function withoutComment(line: string): string {
  return /^[ \t]*#/.test(line) ? "" : line;
}

/** A part of a path that was asked for: its decoded names, and whether it ended in a slash. */
export interface AskedPath {
  readonly names: readonly string[];
  readonly isFolderPath: boolean;
}

/** What a pattern's placeholders stand for: for each name the decoded segments. `splat` may have none, or several. */
export type Captures = ReadonlyMap<string, readonly string[]>;

const NO_CAPTURES: Captures = new Map();
/** A placeholder as a whole segment (`:year`), or in a target (`/archive-:year`). */
const PLACEHOLDER = /^:([A-Za-z]\w*)$/;

/** A path with placeholders (`:name`, one segment) and perhaps a splat (`*`, all that follows) at its end. */
export class PathPattern {
  /** Literal names, or null where there is a placeholder. */
  readonly #literals: ReadonlyArray<string | null>;
  readonly #placeholders: readonly string[];
  readonly hasSplat: boolean;

  private constructor(literals: ReadonlyArray<string | null>, placeholders: readonly string[], hasSplat: boolean) {
    this.#literals = literals;
    this.#placeholders = placeholders;
    this.hasSplat = hasSplat;
  }

  /** Reads a pattern; a string is what is wrong with it. */
  static parse(text: string): PathPattern | string {
    if (!text.startsWith("/")) return `${JSON.stringify(text)} must begin with "/"`;
    if (/[?#]/.test(text)) return `${JSON.stringify(text)} is a path and must hold neither "?" nor "#"`;
    const literals: (string | null)[] = [];
    const placeholders: string[] = [];
    const segments = text.split("/").filter((segment) => segment !== "");
    const hasSplat = segments.at(-1) === "*";
    if (hasSplat) segments.pop();
    for (const segment of segments) {
      if (segment.includes("*")) return `"*" must be the last segment of ${JSON.stringify(text)}, alone`;
      const placeholder = PLACEHOLDER.exec(segment)?.[1];
      if (placeholder === undefined) {
        const literal = decodeSegment(segment);
        if (literal === null) return `${JSON.stringify(segment)} is not percent-encoded UTF-8`;
        literals.push(literal);
        placeholders.push("");
        continue;
      }
      if (placeholder === "splat" || placeholders.includes(placeholder)) return `":${placeholder}" is there twice`;
      literals.push(null);
      placeholders.push(placeholder);
    }
    return new PathPattern(literals, placeholders, hasSplat);
  }

  /** The names if nothing in the pattern varies, else null. */
  get fixedNames(): readonly string[] | null {
    return this.hasSplat || this.#literals.includes(null) ? null : (this.#literals as readonly string[]);
  }

  /** Names that {@link match} captures. */
  get captureNames(): readonly string[] {
    const names = this.#placeholders.filter((name) => name !== "");
    return this.hasSplat ? [...names, "splat"] : names;
  }

  /** What the placeholders stand for, null if the path is another. A slash at the end makes no difference. */
  match(names: readonly string[]): Captures | null {
    const literals = this.#literals;
    if (names.length < literals.length || (names.length > literals.length && !this.hasSplat)) return null;
    for (let i = 0; i < literals.length; i++) {
      if (literals[i] !== null && literals[i] !== names[i]) return null;
    }
    return this.#capture(names);
  }

  #capture(names: readonly string[]): Captures {
    const captureNames = this.captureNames;
    if (captureNames.length === 0) return NO_CAPTURES;
    const captures = new Map<string, readonly string[]>();
    for (const [index, placeholder] of this.#placeholders.entries()) {
      if (placeholder !== "") captures.set(placeholder, [names[index] as string]);
    }
    if (this.hasSplat) captures.set("splat", names.slice(this.#literals.length));
    return captures;
  }
}

/** A segment decoded once (RFC 3986 §2.4), null if it is no UTF-8 or would be more than one segment. */
function decodeSegment(segment: string): string | null {
  try {
    const name = decodeURIComponent(segment);
    return /[/\\\0]/.test(name) || name === "." || name === ".." ? null : name;
  } catch {
    return null;
  }
}

/** A name as a segment of a path: only what RFC 3986 §3.3 does not allow is percent-encoded. */
export function encodeSegment(name: string): string {
  return encodeURIComponent(name.replace(/\p{Cs}/gu, "\uFFFD")).replace(/%(?:3A|40|24|26|2B|2C|3B|3D)/g, (code) =>
    decodeURIComponent(code),
  );
}

/** Names as a path that begins with exactly one slash (two would be a reference to another host: open redirect). */
export function encodePath({ names, isFolderPath }: AskedPath): string {
  if (names.length === 0) return "/";
  return `/${names.map(encodeSegment).join("/")}${isFolderPath ? "/" : ""}`;
}
