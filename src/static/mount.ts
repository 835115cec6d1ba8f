/**
 * The prefix under which a root is mounted: `/docs` and all below it is the root, everything else is none of its business.
 *
 * Compared in decoded names, so that no spelling of a path slips past. Pure: it must never look at the disk.
 */

import type { ResolvedTarget } from "./resolve.ts";
import { encodePath } from "./rules-text.ts";

/** A prefix, taken apart. */
export interface Mount {
  /** Decoded names; none for no prefix. */
  readonly names: readonly string[];
  /** What goes before local paths in a Location or a link: `""` or `/docs`, encoded, without slash at the end. */
  readonly base: string;
}

/** No prefix: the root is mounted at `/`. */
export const NO_MOUNT: Mount = { names: [], base: "" };

/**
 * Reads a prefix: `/docs`, `docs/` and `/docs/` are one.
 *
 * @returns null if it is no path of plain names
 */
export function parseMount(prefix: string): Mount | null {
  const names: string[] = [];
  for (const segment of prefix.split("/")) {
    if (segment === "") continue;
    let name: string;
    try {
      name = decodeURIComponent(segment);
    } catch {
      return null;
    }
    if (/[/\\?#\0-\x1f\x7f]|^\.\.?$/.test(name)) return null;
    names.push(name);
  }
  if (names.length === 0) return NO_MOUNT;
  return { names, base: encodePath({ names, isFolderPath: false }) };
}

/**
 * The target below the prefix.
 *
 * @returns null if it is not below; the target itself where there is no prefix. `/docs` without its slash becomes the root
 *   with `isFolderPath` false: to be redirected to its slash like any folder
 */
export function belowMount(target: ResolvedTarget, mount: Mount): ResolvedTarget | null {
  const { names } = mount;
  if (names.length === 0) return target;
  if (target.names.length < names.length) return null;
  for (let i = 0; i < names.length; i++) {
    if (names[i] !== target.names[i]) return null;
  }
  return { ...target, names: target.names.slice(names.length) };
}
