/**
 * What a folder has that is not served: names with a leading dot, and links that lead out of it. Counted, to be said at the
 * start: what is hidden in silence costs people hours.
 *
 * It looks at no more entries than a start may wait for, opens no file, and never fails: what cannot be read is not counted.
 */

import { join, sep } from "node:path";
import { opendir, realpath } from "../static/descriptor.ts";
import type { FileSettings } from "./settings.ts";

/** How much was found. */
export interface HiddenThings {
  readonly dotFiles: number;
  readonly outsideLinks: number;
  /** Everything was looked at; otherwise there may be more. */
  readonly isComplete: boolean;
}

/** A tree of this size takes some 20 ms. */
const MOST_ENTRIES = 2000;
/** Entries that the system is asked for at a time. */
const READ_BATCH = 32;

/** Counts what stays hidden below a folder. A hidden folder counts as one. */
export async function countHidden(root: string, settings: FileSettings): Promise<HiddenThings> {
  let dotFiles = 0;
  let outsideLinks = 0;
  let looked = 0;
  const inside = await realpath(root).catch(() => root);
  const folders = [inside];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await opendir(folder, READ_BATCH).catch(() => null);
    if (entries === null) continue;
    for await (const entry of entries) {
      if (++looked > MOST_ENTRIES) return { dotFiles, outsideLinks, isComplete: false };
      const path = join(folder, entry.name);
      // RFC 8615: served whatever the rule for other dot files
      const isWellKnown = entry.name === ".well-known" && folder === inside;
      if (entry.name.startsWith(".") && !isWellKnown && !settings.showsDotFiles) dotFiles++;
      else if (entry.isDirectory()) folders.push(path);
      else if (entry.isSymbolicLink() && !settings.followsLinks && !(await leadsInside(path, inside))) outsideLinks++;
    }
  }
  return { dotFiles, outsideLinks, isComplete: true };
}

/** A link that leads nowhere hides nothing. */
async function leadsInside(path: string, root: string): Promise<boolean> {
  const target = await realpath(path).catch(() => root);
  return target === root || target.startsWith(root.endsWith(sep) ? root : root + sep);
}

/** `3 dot files, 1 outside link: --dotfiles, --follow`; `""` if there is nothing to say. */
export function renderHidden({ dotFiles, outsideLinks, isComplete }: HiddenThings): string {
  const things: string[] = [];
  const flags: string[] = [];
  if (dotFiles > 0) {
    things.push(dotFiles === 1 ? "1 dot file" : `${dotFiles} dot files`);
    flags.push("--dotfiles");
  }
  if (outsideLinks > 0) {
    things.push(outsideLinks === 1 ? "1 outside link" : `${outsideLinks} outside links`);
    flags.push("--follow");
  }
  if (things.length === 0) return "";
  return `${isComplete ? "" : "at least "}${things.join(", ")} hidden: ${flags.join(", ")}`;
}
