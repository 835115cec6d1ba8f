/**
 * `serve.json`, the file of vercel's serve: what of it means the same here, and a note on the rest.
 *
 * It lies in the folder that is served and may come from whoever made that folder. So it may not lead out of it: `public`
 * stays inside, and `symlinks` is not taken. Redirects and rewrites have a place of their own here, `_redirects`.
 */

import { dirname, relative, resolve } from "node:path";
import { CommandError } from "./command-error.ts";
import type { ConfigFile } from "./config-layers.ts";
import { flagsOf } from "./config-schema.ts";
import type { ConfigSource } from "./config-schema.ts";
import type { FlagName } from "./flags.ts";

type Entry = readonly [FlagName, string | boolean];

/** Why something is not taken. */
const INSTEAD: Readonly<Record<string, string>> = {
  etag: "every file has an entity tag",
  headers: "fields by path stand in the folder's _headers",
  redirects: "they stand in the folder's _redirects",
  renderSingle: "a lone file is served by naming it",
  rewrites: "they stand in the folder's _redirects, with status 200",
  symlinks: "links that lead out of the folder are followed by --follow",
  trailingSlash: "a folder's address ends in a slash, a file's does not",
  unlisted: "names with a leading dot are not listed",
};

/** Reads it. Whatever has no meaning here is in a note and never a mistake: the file is another tool's. */
export function readServeJson(value: unknown, source: ConfigSource): ConfigFile {
  const entries: Entry[] = [];
  const taken: string[] = [];
  const left: string[] = [];
  const mistakes: CommandError[] = [];
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    mistakes.push(new CommandError(1, `${source.shown} holds no object`));
  } else {
    for (const [name, given] of Object.entries(value)) {
      const found = entriesOf(name, given, source, mistakes);
      entries.push(...found);
      if (found.length > 0) taken.push(name);
      else if (name !== "$schema") left.push(Object.hasOwn(INSTEAD, name) ? `${name} (${INSTEAD[name]})` : name);
    }
  }
  const places = new Map<string, string>();
  for (const [ours, theirs] of NAMES) places.set(ours, source.placeOf(theirs));
  return {
    path: source.path,
    shown: source.shown,
    flags: flagsOf(entries),
    places,
    placeOf: source.placeOf,
    server: {},
    files: {},
    mistakes,
    notes: [notesOf(source.shown, taken, left)],
  };
}

/** Our settings and where they come from there. */
const NAMES: readonly (readonly [ours: string, theirs: string])[] = [
  ["root", "public"],
  ["cleanUrls", "cleanUrls"],
  ["list", "directoryListing"],
  ["single", "rewrites"],
  ["headers", "headers"],
];

function entriesOf(name: string, given: unknown, source: ConfigSource, mistakes: CommandError[]): Entry[] {
  switch (name) {
    case "public":
      return typeof given === "string" ? rootOf(given, source, mistakes) : [];
    case "cleanUrls":
      return typeof given === "boolean" ? [["clean-urls", given]] : [];
    case "directoryListing":
      return typeof given === "boolean" ? [["list", given]] : [];
    case "rewrites":
      return singlePageOf(given);
    case "headers":
      return headersOf(given);
    default:
      return [];
  }
}

function rootOf(given: string, source: ConfigSource, mistakes: CommandError[]): Entry[] {
  const folder = dirname(source.path);
  const root = resolve(folder, given);
  if (/^\.\.(?:[/\\]|$)|^(?:\/|[a-z]:)/i.test(relative(folder, root))) {
    const message = `${source.placeOf("public")}: public: ${JSON.stringify(given)} leads out of the folder of the file`;
    mistakes.push(new CommandError(1, message, ["Name what shall be served on the command line"]));
  }
  return [["root", root]];
}

/** One rewrite of everything to one page is what `serve -s` writes. */
function singlePageOf(given: unknown): Entry[] {
  if (!Array.isArray(given) || given.length !== 1) return [];
  const { source, destination } = objectOf(given[0]);
  if ((source !== "**" && source !== "/**") || typeof destination !== "string") return [];
  return [["single", destination.replace(/^\//, "")]];
}

/** Fields of every path; all or none, because those of one path may take back those of all. */
function headersOf(given: unknown): Entry[] {
  if (!Array.isArray(given)) return [];
  const entries: Entry[] = [];
  for (const rule of given) {
    const { source, headers } = objectOf(rule);
    if ((source !== "**" && source !== "/**" && source !== "**/*") || !Array.isArray(headers)) return [];
    for (const field of headers) {
      const { key, value } = objectOf(field);
      if (typeof key !== "string" || typeof value !== "string") return [];
      entries.push(["header", `${key}: ${value}`]);
    }
  }
  return entries;
}

/** What is no object has no members. */
function objectOf(
  value: unknown,
): Readonly<Partial<Record<"source" | "destination" | "headers" | "key" | "value", unknown>>> {
  return typeof value === "object" && value !== null ? value : {};
}

function notesOf(shown: string, taken: readonly string[], left: readonly string[]): string {
  const first = taken.length === 0 ? `nothing was taken from ${shown}` : `${taken.join(", ")} taken from ${shown}`;
  return left.length === 0 ? first : `${first}; not taken: ${left.join(", ")}`;
}
