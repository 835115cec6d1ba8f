/**
 * The two files in which a folder says what is to happen under its paths: `_redirects` and `_headers`, loaded together.
 *
 * They are read at start and again when one of them has changed; a new version that has mistakes does not replace one that
 * had none. Rules say what is wanted, the pipeline does it. This file must never follow what a rule says, never wait
 * (a FIFO of that name is no file), and never throw for what is in a file.
 */

import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import type { FieldChanges } from "./rules-headers.ts";
import { HeaderRules } from "./rules-headers.ts";
import type { AskedTarget, RuleAction } from "./rules-redirects.ts";
import { RedirectRules } from "./rules-redirects.ts";
import type { AskedPath } from "./rules-text.ts";
import { MAX_RULES_BYTES, Mistakes, readRulesLines } from "./rules-text.ts";

const REDIRECTS_FILE = "_redirects";
const HEADERS_FILE = "_headers";

/** O_NONBLOCK: a FIFO put there opens at once instead of waiting for a writer. 0 where it does not exist (Windows). */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** The rules of one folder at one time. Immutable; a change of the files makes another. */
export class Rules {
  /** No rules: nothing matches. */
  static readonly NONE: Rules = new Rules(RedirectRules.NONE, HeaderRules.NONE, "", []);

  readonly #redirects: RedirectRules;
  readonly #headers: HeaderRules;
  /** Which versions of the two files were read; equal texts mean that nothing has changed. */
  readonly version: string;
  /** `_redirects:3: what is wrong`, one for each mistake in this version; the rules are then those of the version before. */
  readonly mistakes: readonly string[];

  constructor(redirects: RedirectRules, headers: HeaderRules, version: string, mistakes: readonly string[]) {
    this.#redirects = redirects;
    this.#headers = headers;
    this.version = version;
    this.mistakes = mistakes;
  }

  /** Number of redirects and rewrites. */
  get redirectCount(): number {
    return this.#redirects.size;
  }

  /** Number of sections of fields. */
  get headerCount(): number {
    return this.#headers.size;
  }

  /** Whether a rule may want something of a path where there is a file. */
  get hasForced(): boolean {
    return this.#redirects.hasForced;
  }

  /** What the first forced rule that matches wants. Ask before looking at the disk; costs nothing where no rule is forced. */
  findForced(asked: AskedTarget, base?: string): RuleAction | null {
    return this.#redirects.findForced(asked, base);
  }

  /** What the first rule that matches wants. Ask where no file (nor clean URL, nor index) was found, before any fallback. */
  find(asked: AskedTarget, base?: string): RuleAction | null {
    return this.#redirects.find(asked, base);
  }

  /** What the fields of answers under a path become; null for no change. The same object as long as the same sections match. */
  changesFor(asked: AskedPath): FieldChanges | null {
    return this.#headers.changesFor(asked);
  }

  /** These rules under another version's name and mistakes. */
  afterMistakes(version: string, mistakes: readonly string[]): Rules {
    return new Rules(this.#redirects, this.#headers, version, mistakes);
  }
}

/** Whether names lead to one of the two files; while rules are on they are none of the client's business. */
export function isRulesFile(names: readonly string[]): boolean {
  if (names.length !== 1) return false;
  // On many systems the disk does not tell cases apart
  const name = (names[0] as string).toLowerCase();
  return name === REDIRECTS_FILE || name === HEADERS_FILE;
}

/**
 * Reads the rules of a folder, unless they are those of `before`.
 *
 * Two stat calls where nothing has changed, so it may be called each second. Synchronous, because rules are small, change
 * seldom, and must be whole before the next request is looked at.
 *
 * @param folder absolute path of the root
 * @param before what was read last; the very same object is returned if no file has changed
 * @returns the rules; with {@link Rules.mistakes}, they are those of `before`
 */
export function readRules(folder: string, before: Rules = Rules.NONE): Rules {
  const redirectsPath = join(folder, REDIRECTS_FILE);
  const headersPath = join(folder, HEADERS_FILE);
  const version = `${versionOf(redirectsPath)} ${versionOf(headersPath)}`;
  if (version === before.version) return before;
  const ofRedirects = new Mistakes(REDIRECTS_FILE);
  const ofHeaders = new Mistakes(HEADERS_FILE);
  const redirects = RedirectRules.parse(
    readRulesLines(readSmallFile(redirectsPath, ofRedirects), ofRedirects),
    ofRedirects,
  );
  const headers = HeaderRules.parse(readRulesLines(readSmallFile(headersPath, ofHeaders), ofHeaders), ofHeaders);
  const mistakes = [...ofRedirects.list, ...ofHeaders.list];
  if (mistakes.length > 0) return before.afterMistakes(version, mistakes);
  return new Rules(redirects, headers, version, []);
}

/** What changes when a file does; `-` where there is none. */
function versionOf(path: string): string {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? "-" : `${stats.ino}:${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}`;
  } catch {
    return "?";
  }
}

/** The octets of a regular file, one more than allowed where it is too large; none where there is no such file. */
function readSmallFile(path: string, mistakes: Mistakes): Uint8Array {
  let fd = -1;
  try {
    fd = openSync(path, OPEN_FLAGS);
    if (!fstatSync(fd).isFile()) {
      mistakes.add(0, "is no regular file");
      return new Uint8Array(0);
    }
    const bytes = new Uint8Array(MAX_RULES_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(fd, bytes, length, bytes.length - length, length);
    }
    return bytes.subarray(0, length);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "an error";
    if (code !== "ENOENT" && code !== "ENOTDIR") mistakes.add(0, `cannot be read (${code})`);
    return new Uint8Array(0);
  } finally {
    if (fd !== -1) closeSync(fd);
  }
}
