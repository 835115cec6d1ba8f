/**
 * Clean URLs: `/about` is answered with `about.html`, where nothing is called `about`.
 *
 * The order of trials for `/about`: the file `about`; then `about.html`, before a folder `about/` is redirected to its
 * slash. For `/about/`: the folder's index; then, if only `about.html` exists, a redirect to `/about`, because in a page
 * under two paths the relative references of one are wrong. `/about.html` is served as it is and never redirected. Pure:
 * it must never look at the disk; names come from resolve.ts and so do those that it gives.
 */

import type { AskedPath } from "./rules-text.ts";
import { encodePath } from "./rules-text.ts";

const PAGE_EXTENSION = ".html";

/**
 * The names of the page that a clean URL stands for.
 *
 * @param names decoded segments below the root
 * @returns null where there can be none: the root, and what is called `.html` itself
 */
export function cleanUrlNames(names: readonly string[]): readonly string[] | null {
  const last = names.at(-1);
  if (last === undefined || last.toLowerCase().endsWith(PAGE_EXTENSION)) return null;
  return [...names.slice(0, -1), last + PAGE_EXTENSION];
}

/**
 * The path of a page without slash, for the Location of a redirect from `/about/`. It begins with exactly one slash.
 *
 * @param base prefix under which the root is mounted, `""` or `/docs`
 */
export function cleanUrlPath(names: readonly string[], base = ""): string {
  const asked: AskedPath = { names, isFolderPath: false };
  return base + encodePath(asked);
}
