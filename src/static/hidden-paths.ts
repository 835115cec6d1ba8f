/**
 * Paths below the roots that are kept from everybody: not found under any name that leads to them, and in no listing.
 *
 * Compared are decoded names, as the disk gets them, and without regard to case or form, because many disks have none. With a
 * folder goes all that is below it, and with a file what was packed of it for clients that take it so (`key.pem.gz`). A link of
 * another name is not seen: who makes one wants what it leads to shown. It must never look at the disk.
 */

import { SIBLING_EXTENSIONS } from "./coding.ts";

const NO_NAMES: ReadonlySet<string> = new Set();

/** A set of paths. */
export class HiddenPaths {
  /** Each ends in a slash. */
  readonly #paths: readonly string[];
  readonly #namesIn: ReadonlyMap<string, ReadonlySet<string>>;

  /** @param paths each as its names below the root; what has none is left out */
  constructor(paths: readonly (readonly string[])[]) {
    const namesIn = new Map<string, Set<string>>();
    const folded: string[] = [];
    for (const names of paths) {
      const last = names.at(-1);
      if (last === undefined) continue;
      const folder = fold(names.slice(0, -1));
      const known = namesIn.get(folder) ?? new Set();
      namesIn.set(folder, known);
      for (const extension of SIBLING_EXTENSIONS) {
        known.add(foldName(last + extension));
        folded.push(fold([...names.slice(0, -1), last + extension]));
      }
    }
    this.#namesIn = namesIn;
    this.#paths = folded;
  }

  /** Whether names lead to one of them, or below it. */
  has(names: readonly string[]): boolean {
    if (this.#paths.length === 0) return false;
    const path = fold(names);
    return this.#paths.some((hidden) => path.startsWith(hidden));
  }

  /** Names that are not shown in a folder, as {@link foldName} gives them. */
  namesIn(folder: readonly string[]): ReadonlySet<string> {
    return this.#namesIn.size === 0 ? NO_NAMES : (this.#namesIn.get(fold(folder)) ?? NO_NAMES);
  }
}

/** What is wrong with paths that were given to be hidden: one that can never match would leave its file to everybody. */
export function findHideMistakes(paths: readonly string[], mistakes: string[]): void {
  for (const [index, path] of paths.entries()) {
    const mistake = mistakeOf(path);
    if (mistake !== "") mistakes.push(`hide[${index}] is ${JSON.stringify(path)}: ${mistake}`);
  }
}

/** As a clause that says what to write; `""` for none. */
function mistakeOf(path: string): string {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  if (names.length === 0) return "that is the whole folder; name what in it is to be hidden";
  if (path.includes("\0")) return "no name can hold NUL";
  if (path.includes("\\")) return `names are parted by "/": ${JSON.stringify(path.replaceAll("\\", "/"))}`;
  if (path.startsWith("/")) {
    return `a path begins below the folder that is served, without "/": ${JSON.stringify(path.replace(/^\/+/, ""))}`;
  }
  if (names.includes(".."))
    return 'no request has a ".."; write the path without it, from the folder that is served on';
  if (/[*?]/.test(path)) return "patterns are not known; name each file, or the folder that they are in";
  // Half of one, as in "100%.txt", is a name
  if (/%[\da-f]{2}/i.test(path)) return `names are as the disk has them, not percent-encoded${decodedHint(path)}`;
  return "";
}

function decodedHint(path: string): string {
  try {
    return `: ${JSON.stringify(decodeURIComponent(path))}`;
  } catch {
    return "";
  }
}

function fold(names: readonly string[]): string {
  return foldName(`${names.join("/")}/`);
}

/** A name without regard to case and form. */
export function foldName(name: string): string {
  return name.normalize().toLowerCase();
}
