/**
 * What the command was pointed at: a folder, a module or a file. It only looks, it opens nothing.
 *
 * Without an argument: the first of ./public, ./dist and ./htdocs that holds an index.html, else the current folder.
 */

import { statSync } from "node:fs";
import { extname, isAbsolute, join, resolve } from "node:path";
import { CommandError, whyNotOpened } from "./command-error.ts";

/** Something that can be served. */
export interface Subject {
  readonly kind: "folder" | "file" | "module";
  /** Absolute. */
  readonly path: string;
}

/** Folders that builders and people put finished sites in, in order of trust. */
const USUAL_FOLDERS = ["public", "dist", "htdocs"];

/** Extensions of what is run, not shown. */
const MODULES: ReadonlySet<string> = new Set([".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx", ".jsx"]);

/**
 * Finds out what is meant.
 *
 * @param word as it was typed, undefined if nothing was
 * @param root the same by the flag of other tools
 * @param workingFolder absolute
 * @param hints for what else the word may have been meant for, if nothing is there
 * @throws CommandError with exit code 1 if nothing is there that can be served, 2 if two things are meant
 */
export function findSubject(
  word: string | undefined,
  root: string | undefined,
  workingFolder: string,
  hints: readonly string[] = [],
): Subject {
  if (word !== undefined && root !== undefined) {
    throw new CommandError(2, `one thing can be served, not two: ${word} and ${root}`, [`Leave --root ${root} out`]);
  }
  const argument = word ?? root;
  if (argument === undefined) return { kind: "folder", path: usualFolder(resolve(workingFolder)) };
  // A script whose variable is not set would open whatever folder it runs in
  if (argument === "") {
    throw new CommandError(2, "what shall be served is empty", [
      "Give a folder, a file or a module, or nothing at all for the current folder",
    ]);
  }
  const path = resolve(workingFolder, argument);
  switch (kindAt(path)) {
    case "folder":
      return { kind: "folder", path };
    case "file":
      return { kind: MODULES.has(extname(path).toLowerCase()) ? "module" : "file", path };
    case "other":
      throw new CommandError(1, `${argument} is neither a folder nor a file`, ["Give a folder, a file or a module"]);
    case "nothing":
      throw new CommandError(
        1,
        isAbsolute(argument) ? `there is no ${argument}` : `there is no ${argument} in ${workingFolder}`,
        [...hints, "Give a folder, a file or a module, or nothing at all for the current folder"],
      );
  }
}

function usualFolder(workingFolder: string): string {
  const found = USUAL_FOLDERS.find((name) => hasFile(join(workingFolder, name, "index.html")));
  return found === undefined ? workingFolder : join(workingFolder, found);
}

/** @throws CommandError with exit code 1 where the system will not say: links in a circle, a folder that is closed to us */
function kindAt(path: string): "folder" | "file" | "other" | "nothing" {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return "nothing";
    if (stats.isDirectory()) return "folder";
    return stats.isFile() ? "file" : "other";
  } catch (error) {
    throw new CommandError(1, `${path} cannot be served: ${whyNotOpened(error)}`, [], { cause: error });
  }
}

/** Nobody has asked for these by name: what cannot be looked at is none. */
function hasFile(path: string): boolean {
  try {
    return kindAt(path) === "file";
  } catch {
    return false;
  }
}
