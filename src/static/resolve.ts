/**
 * Request-target -> names below the root. Pure: it never looks at the disk.
 *
 * Everything that could lead elsewhere ends here: a segment is decoded once (RFC 3986 §2.4), on its own, as strict UTF-8,
 * so that an encoded slash can be told from a real one; then backslashes, NUL and hidden names are refused. Whoever writes
 * `..` so that it reaches a server has not gone through a URL parser, which would have removed it (RFC 3986 §5.2.4): it is
 * refused, not interpreted (path traversal). A single dot leads nowhere else and is removed: apt writes it.
 */

import { decodePath, parseTarget } from "../http/target.ts";

/** Where a request-target points. */
export interface ResolvedTarget {
  /** Decoded segments below the root; none for the root itself. */
  readonly names: readonly string[];
  /** The path ended in a slash: only a folder can be meant. */
  readonly isFolderPath: boolean;
  /** With its `?`, or `""`. */
  readonly search: string;
}

/** The one hidden folder that the world may see (RFC 8615). */
const WELL_KNOWN = ".well-known";

/** A whole segment as it came, encoded or not: both mean the same (RFC 3986 §6.2.2.2). */
const ONE_DOT = /^(?:\.|%2e)$/i;

/** What no name may hold: separators of any system, and NUL. On Windows also what means a drive, a stream or a pattern. */
const FORBIDDEN_IN_NAME = process.platform === "win32" ? /[/\\\0:*?"<>|]|[. ]$/ : /[/\\\0]/;

/**
 * Finds out what a target means below the root.
 *
 * @param method for the form of the target (RFC 9112 §3.2)
 * @param target request-target in origin-form or absolute-form, as received
 * @param showsDotFiles whether names with a leading dot may be asked for
 * @returns null where nothing can be there: to the client that is 404
 */
export function resolveTarget(method: string, target: string, showsDotFiles: boolean): ResolvedTarget | null {
  const parsed = parseTarget(method, target);
  if (parsed === null || !parsed.path.startsWith("/")) return null;
  const names: string[] = [];
  let isFolderPath = true;
  for (const segment of parsed.path.split("/")) {
    // Empty segments count for nothing, as on disk; so does the dot of `/debs/./Packages`, as apt asks a flat repository.
    // RFC 3986 §5.2.4: a dot at the end leaves the slash before it
    isFolderPath = segment === "" || ONE_DOT.test(segment);
    if (isFolderPath) continue;
    const name = decodePath(segment);
    if (name === null || !isServable(name, names.length === 0, showsDotFiles)) return null;
    names.push(name);
  }
  const search = parsed.query === null ? "" : `?${parsed.query}`;
  return { names, isFolderPath, search };
}

/**
 * What a target means that {@link resolveTarget} refuses only because a name in it holds an encoded separator: no file can be
 * called so, but a page of a single-page app can (`/packages/@scope%2Fname`).
 *
 * @returns what stands between the separators, as names: to choose a fallback by, never to look for; null where a part would
 *   be refused, too
 */
export function resolveRoute(method: string, target: string, showsDotFiles: boolean): ResolvedTarget | null {
  const parsed = parseTarget(method, target);
  if (parsed === null || !parsed.path.startsWith("/")) return null;
  const names: string[] = [];
  let isFolderPath = true;
  for (const segment of parsed.path.split("/")) {
    // As in resolveTarget
    isFolderPath = segment === "" || ONE_DOT.test(segment);
    if (isFolderPath) continue;
    const parts = decodePath(segment)?.split(/[/\\]/);
    if (parts === undefined) return null;
    for (const part of parts) {
      if (part === "") continue;
      if (!isServable(part, names.length === 0, showsDotFiles)) return null;
      names.push(part);
    }
  }
  return { names, isFolderPath, search: "" };
}

/**
 * What any path spells, also one that {@link resolveTarget} refuses: to go by for the fields of its answer, never to look for.
 *
 * @returns names, one that is no UTF-8 as it came; null where the target has no path
 */
export function spelledTarget(method: string, target: string): ResolvedTarget | null {
  const parsed = parseTarget(method, target);
  if (parsed === null || !parsed.path.startsWith("/")) return null;
  const segments = parsed.path.split("/").filter((segment) => segment !== "");
  const names = segments.map((segment) => decodePath(segment) ?? segment);
  return { names, isFolderPath: parsed.path.endsWith("/"), search: "" };
}

/**
 * The path of a folder for a Location field, made anew from its names. It begins with exactly one slash: a target of two
 * slashes, given back as it came, would be a reference to another host (open redirect).
 */
export function folderPath(names: readonly string[]): string {
  return `/${names.map((name) => `${encodeURIComponent(name)}/`).join("")}`;
}

/** Whether a decoded segment may be looked for. */
function isServable(name: string, isFirst: boolean, showsDotFiles: boolean): boolean {
  if (FORBIDDEN_IN_NAME.test(name) || name === "." || name === "..") return false;
  if (!name.startsWith(".") || showsDotFiles) return true;
  return isFirst && name === WELL_KNOWN;
}
