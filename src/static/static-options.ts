/**
 * How folders are served: every option with its default, and what they come to.
 *
 * Options are read once, when the handler is made; all mistakes are reported together. It must never look at the disk but for
 * the roots themselves.
 */

import { statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { CacheSetting } from "../http/cache-control.ts";
import { ServerError } from "../http/errors.ts";
import type { FieldLines } from "../http/exchange.ts";
import { isFieldValue } from "../http/fields.ts";
import { renderMistakes } from "../server/option-check.ts";
import {
  A_TIME_SOURCE,
  AN_OBJECT,
  findMistakes,
  HEADERS,
  type OptionRule,
  type OptionRules,
  TEXT,
  YES_OR_NO,
} from "../server/option-rules.ts";
import type { HeadersInput } from "../web/header-lines.ts";
import { appendLines } from "../web/header-lines.ts";
import { SYSTEM_TIME } from "../web/clock.ts";
import type { TimeSource } from "../web/clock.ts";
import { isNotThere, Root } from "./contain.ts";
import { findHideMistakes, HiddenPaths } from "./hidden-paths.ts";
import type { KeptBack, OwnThings } from "./own-things.ts";
import type { MediaTypes } from "./mime.ts";
import type { Mount } from "./mount.ts";
import { NO_MOUNT, parseMount } from "./mount.ts";
import type { FieldChanges } from "./rules-headers.ts";

/** How a folder is served. */
export interface StaticOptions {
  /** File that stands for its folder; `""`: none. Default `index.html`, as everywhere. */
  readonly index?: string;
  /** Show the entries of folders without index. Default false: a listing tells more than most people mean to. */
  readonly listing?: boolean;
  /**
   * Serve names with a leading dot. Default false: `.env` and `.git` are on many disks and meant for nobody;
   * `/.well-known/` is served all the same (RFC 8615). By the name asked for: a link with a plain name may lead to a hidden one
   * inside, which is how Kubernetes mounts files; so in nginx and Caddy.
   */
  readonly dotFiles?: boolean;
  /**
   * Paths below the folder that are as good as not there, and not listed: `["users.txt", "keys"]`; with a folder goes all that is
   * in it, and with a file its `.gz`, `.br` and `.zst`. Names as the disk has them with `/` between: patterns, `..`, a leading
   * `/` and percent-encoding match nothing and are mistakes. Without regard to case, which many disks have none of. By the name
   * asked for, as `dotFiles`. Default none.
   */
  readonly hide?: readonly string[];
  /** Serve what links lead to outside of the folder. Default false. */
  readonly followLinks?: boolean;
  /** Answer `/about` with `about.html` where nothing else is called so. Default false. */
  readonly cleanUrls?: boolean;
  /**
   * Answer navigations to what is not there with a page of the folder: true for the index, or its path. Default false. Only
   * requests that name `text/html` in Accept and whose last name has no extension: a missing `app.js` stays 404.
   */
  readonly spa?: boolean | string;
  /** Page of a 404: true for the nearest `404.html` above what was asked for, a path for that file, false for ours. Default true. */
  readonly notFound?: boolean | string;
  /**
   * How long answers may be reused: `"auto"` (names with a hash of the content for a year, all else only after asking),
   * `"off"` (never stored), seconds, or the value of Cache-Control by path, `""` for none. Default `"auto"`. Seconds are not for
   * the page of `spa`, which is asked for anew each time: one that is kept wants files of a build that is gone.
   */
  readonly cacheControl?: CacheSetting | ((path: string) => string);
  /**
   * Fields of all answers; they replace ours of the same name, but Vary is added to, and errors are kept by nobody for as long as
   * Cache-Control says. What frames or describes content is not to be had.
   */
  readonly headers?: HeadersInput;
  /** Compress text and its like on the fly, once per version of a file. Default true. */
  readonly compress?: boolean;
  /** Answer with `app.js.br`, `.zst` or `.gz` beside `app.js` where the client takes it. Default true. */
  readonly precompressed?: boolean;
  /** Path under which the folder is mounted, `/docs`; all else is 404. Default `""`. */
  readonly prefix?: string;
  /** Read `_redirects` and `_headers` in the first root. Default false. */
  readonly rules?: boolean;
  /** Types by lower-case extension without the dot, before ours: `{ "gltf": "model/gltf+json" }`. Default none. */
  readonly mediaTypes?: MediaTypes;
  /** Octets of content that are kept in memory; 0 keeps none. Default 64 MiB. A file takes at most a quarter, and 1 MiB. */
  readonly maxCacheBytes?: number;
  /** Paths that are remembered; 0 for none. Default 4,096 (nginx open_file_cache: none; its documentation's example 1,000). */
  readonly maxCacheEntries?: number;
  /** Where time comes from. Default the system. For tests. */
  readonly time?: TimeSource;
}

/** A folder, or several: what the first does not have is looked for in the next. */
export type StaticRoots = string | URL | readonly (string | URL)[];

/** What options come to. */
export interface StaticSettings {
  readonly roots: readonly Root[];
  readonly index: string;
  readonly listsFolders: boolean;
  readonly showsDotFiles: boolean;
  readonly hidden: HiddenPaths;
  readonly hasCleanUrls: boolean;
  /** Names of the page of a single-page app. */
  readonly spaNames: readonly string[] | null;
  /** Names of the page of a 404; `"nearest"`; null for ours. */
  readonly notFoundNames: readonly string[] | "nearest" | null;
  readonly cacheControl: CacheSetting | ((path: string) => string);
  readonly headers: FieldChanges | null;
  readonly compresses: boolean;
  readonly hasPrecompressed: boolean;
  readonly mount: Mount;
  readonly hasRules: boolean;
  readonly mediaTypes: MediaTypes;
  readonly maxCacheBytes: number;
  readonly maxCacheEntries: number;
  readonly time: TimeSource;
}

/** What is more than one look is looked at below. */
const LATER: OptionRule = { allowed: "", isAllowed: () => true };
const A_PAGE: OptionRule = {
  allowed: "true, false or a path",
  isAllowed: (value) => typeof value === "boolean" || typeof value === "string",
};
const PATHS: OptionRule = {
  allowed: "an array of paths",
  // A copy, because every() passes over places that are empty
  isAllowed: (value) => Array.isArray(value) && [...(value as unknown[])].every((one) => typeof one === "string"),
};
const RULES: OptionRules<StaticOptions> = {
  index: TEXT,
  listing: YES_OR_NO,
  dotFiles: YES_OR_NO,
  hide: PATHS,
  followLinks: YES_OR_NO,
  cleanUrls: YES_OR_NO,
  spa: A_PAGE,
  notFound: A_PAGE,
  cacheControl: LATER,
  headers: HEADERS,
  compress: YES_OR_NO,
  precompressed: YES_OR_NO,
  prefix: TEXT,
  rules: YES_OR_NO,
  mediaTypes: AN_OBJECT,
  maxCacheBytes: LATER,
  maxCacheEntries: LATER,
  time: A_TIME_SOURCE,
};

const DEFAULT_CACHE_BYTES: number = 64 * 1024 * 1024;
const DEFAULT_CACHE_ENTRIES = 4096;

/** What an answer says of its content and framing, which the file alone decides. */
const OF_THE_FILE =
  /^(?:accept-ranges|connection|content-(?:encoding|length|range|type)|date|etag|last-modified|location|transfer-encoding|allow)$/;

/**
 * Reads options.
 *
 * @param kept of the server itself; null for none
 * @throws ServerError ERR_OPTIONS that names every mistake
 */
export function readStaticOptions(
  roots: StaticRoots,
  options: StaticOptions,
  kept: KeptBack | null = null,
): StaticSettings {
  const wrong = findMistakes(options, RULES);
  if (wrong.length > 0) throw new ServerError("ERR_OPTIONS", `serveStatic: ${renderMistakes(wrong)}`);
  const mistakes: string[] = [];
  const index = options.index ?? "index.html";
  if (/[/\\\0]|^\.\.?$/.test(index)) mistakes.push(`index must be the name of a file, not ${JSON.stringify(index)}`);
  const mediaTypes = { ...options.mediaTypes };
  findMediaTypeMistakes(mediaTypes, mistakes);
  findHideMistakes(options.hide ?? [], mistakes);
  const settings = {
    index,
    listsFolders: options.listing ?? false,
    showsDotFiles: options.dotFiles ?? false,
    hidden: new HiddenPaths([...(options.hide ?? []), ...(kept?.paths ?? [])].map(namesOf)),
    hasCleanUrls: options.cleanUrls ?? false,
    spaNames: namesOfPage("spa", options.spa ?? false, [index === "" ? "index.html" : index], mistakes),
    notFoundNames: namesOfPage("notFound", options.notFound ?? true, "nearest", mistakes),
    cacheControl: readCacheControl(options.cacheControl ?? "auto", mistakes),
    headers: readHeaders(options.headers, mistakes),
    compresses: options.compress ?? true,
    hasPrecompressed: options.precompressed ?? true,
    mount: readMount(options.prefix ?? "", mistakes),
    hasRules: options.rules ?? false,
    mediaTypes,
    maxCacheBytes: readCount("maxCacheBytes", options.maxCacheBytes ?? DEFAULT_CACHE_BYTES, mistakes),
    maxCacheEntries: readCount("maxCacheEntries", options.maxCacheEntries ?? DEFAULT_CACHE_ENTRIES, mistakes),
    time: options.time ?? SYSTEM_TIME,
  };
  const opened = openRoots(roots, options.followLinks ?? false, kept?.things ?? null, mistakes);
  if (mistakes.length > 0) throw new ServerError("ERR_OPTIONS", mistakes.join("; "));
  return Object.freeze({ roots: opened, ...settings });
}

function findMediaTypeMistakes(mediaTypes: MediaTypes, mistakes: string[]): void {
  for (const [extension, type] of Object.entries(mediaTypes)) {
    if (!/^[^./\\]+$/.test(extension) || extension !== extension.toLowerCase()) {
      mistakes.push(
        `mediaTypes must have extensions in lower case and without a dot, not ${JSON.stringify(extension)}`,
      );
    }
    if (!isFieldValue(type)) mistakes.push(`mediaTypes.${extension} is no value of a field`);
  }
}

/** A path below the root as its names. */
function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** Names of a page below the root. */
function namesOfPage<const Default>(
  option: string,
  value: boolean | string,
  byDefault: Default,
  mistakes: string[],
): readonly string[] | Default | null {
  if (value === false) return null;
  if (value === true) return byDefault;
  const names = value.split("/").filter((name) => name !== "");
  if (names.length === 0 || names.some((name) => /^\.\.?$|[\\\0]/.test(name))) {
    mistakes.push(`${option} must be the path of a file below the folder, not ${JSON.stringify(value)}`);
  }
  return names;
}

function readCacheControl(
  value: CacheSetting | ((path: string) => string),
  mistakes: string[],
): CacheSetting | ((path: string) => string) {
  const isSetting =
    value === "auto" || value === "off" || (typeof value === "number" && value >= 0 && Number.isInteger(value));
  if (!isSetting && typeof value !== "function") {
    mistakes.push(`cacheControl must be "auto", "off", whole seconds or a function, not ${JSON.stringify(value)}`);
  }
  return value;
}

function readHeaders(headers: HeadersInput | undefined, mistakes: string[]): FieldChanges | null {
  if (headers === undefined) return null;
  const lines: string[] = [];
  try {
    appendLines(lines, headers);
  } catch (error) {
    mistakes.push(`headers: ${error instanceof Error ? error.message : "not to be read"}`);
  }
  return lines.length === 0 ? null : changesOf(lines, mistakes);
}

function changesOf(lines: FieldLines, mistakes: string[]): FieldChanges {
  const removed = new Set<string>();
  for (let i = 0; i < lines.length; i += 2) {
    const name = (lines[i] as string).toLowerCase();
    if (OF_THE_FILE.test(name)) mistakes.push(`headers must not have ${name}: the file decides it`);
    // Caches would mix answers if ours were gone
    if (name !== "vary") removed.add(name);
  }
  return { key: "", removed, lines, places: new Map() };
}

function readMount(prefix: string, mistakes: string[]): Mount {
  const mount = parseMount(prefix);
  if (mount === null) mistakes.push(`prefix must be a path like "/docs", not ${JSON.stringify(prefix)}`);
  return mount ?? NO_MOUNT;
}

function readCount(option: string, value: number, mistakes: string[]): number {
  if (!Number.isSafeInteger(value) || value < 0) mistakes.push(`${option} must be a whole number from 0, not ${value}`);
  return value;
}

function openRoots(
  roots: StaticRoots,
  followsLinks: boolean,
  own: OwnThings | null,
  mistakes: string[],
): readonly Root[] {
  const list = typeof roots === "string" || roots instanceof URL ? [roots] : roots;
  if (list.length === 0) mistakes.push("at least one folder is needed");
  const opened: Root[] = [];
  for (const one of list) {
    const root = openRoot(resolve(typeof one === "string" ? one : fileURLToPath(one)), followsLinks, own);
    if (typeof root === "string") mistakes.push(root);
    else opened.push(root);
  }
  return opened;
}

/** The root, or what is wrong with it. */
function openRoot(path: string, followsLinks: boolean, own: OwnThings | null): Root | string {
  try {
    return statSync(path).isDirectory() ? new Root(path, followsLinks, own) : `${path} is not a folder`;
  } catch (error) {
    return isNotThere(error) ? `the folder ${path} does not exist or must not be read` : `${path}: ${String(error)}`;
  }
}
