/**
 * What a configuration file says -> flags with values, options of serve() and of files; every mistake with its place.
 *
 * Names and kinds of values come from the tables of flags and options, so that a new flag is a setting without a word here. It
 * must never look at the disk: the file has been read.
 */

import { dirname, resolve } from "node:path";
import { ServerError } from "../http/errors.ts";
import { nameDistance, show } from "../server/option-check.ts";
import type { OptionMistake } from "../server/option-check.ts";
import { OPTION_TABLE } from "../server/option-table.ts";
import { resolveOptions } from "../server/options.ts";
import { isNeedOfTls } from "../server/tls-options.ts";
import { CommandError } from "./command-error.ts";
import { SETTABLE, settingOf } from "./config-layers.ts";
import type { ConfigFile } from "./config-layers.ts";
import type { FlagName, FlagRow, Flags } from "./flags.ts";
import { describeMistake, isMissing } from "./server-mistakes.ts";

type Value = string | boolean;
type Plain = Readonly<Record<string, unknown>>;

/** Options of serve() that a flag says, or that are code. */
const NOT_FROM_FILES: ReadonlySet<string> = new Set([
  "fetch",
  "port",
  "hostname",
  "unix",
  "fd",
  "listen",
  "sendfile",
  "signal",
  "hooks",
]);

/** Options of serve() that a file may hold, by their first name. */
export const SERVER_SETTINGS: readonly string[] = [
  ...new Set(OPTION_TABLE.map(({ path }) => path.replace(/\..*/, "")).filter((name) => !NOT_FROM_FILES.has(name))),
];

/** Of files, besides what flags say: name -> what is allowed. */
const FILE_SETTINGS: ReadonlyMap<string, "text" | "page" | "count" | "types"> = new Map([
  ["index", "text"],
  ["notFound", "page"],
  ["prefix", "text"],
  ["mediaTypes", "types"],
  ["maxCacheBytes", "count"],
  ["maxCacheEntries", "count"],
]);

const ALLOWED = {
  text: "text",
  page: "true, false or the path of a page",
  count: "a whole number from 0",
  types: "an object of media types by extension",
};

/** Names from elsewhere, of serve(), serveStatic() and other tools. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  address: "host",
  hostname: "host",
  fd: "listen",
  unix: "listen",
  cacheControl: "cache",
  directory: "root",
  directoryListing: "list",
  dotFiles: "dotfiles",
  folder: "root",
  followLinks: "follow",
  header: "headers",
  listing: "list",
  logger: "log",
  public: "root",
  silent: "quiet",
  spa: "single",
  symlinks: "follow",
};

const APP = 'an app is a module of its own: name it in root, as in root: "./app.ts"';
const CODE = "it is code, and a configuration is data: run a module that calls serve()";

/** Names whose values are code. */
const NO_SETTINGS: Readonly<Record<string, string>> = { fetch: APP, routes: APP, hooks: CODE, signal: CODE };

/** Permissions as chmod takes them: `660`, `0660`, `0o660`. */
const OCTAL_MODE = /^(?:0o?)?[0-7]{3}$/;
const HIGHEST_MODE = 0o777;

/** What is known of the file besides its value. */
export interface ConfigSource {
  readonly path: string;
  readonly shown: string;
  /** `fairlead.config.ts:3` for the path of a setting. */
  readonly placeOf: (setting: string) => string;
}

/** Checks what a file exports, whole. */
export function readConfig(value: unknown, source: ConfigSource): ConfigFile {
  const reader = new ConfigReader(source);
  reader.read(value);
  return {
    path: source.path,
    shown: source.shown,
    flags: reader.flags,
    places: reader.places,
    placeOf: source.placeOf,
    server: reader.server,
    files: reader.files,
    mistakes: reader.mistakes,
    notes: [],
  };
}

class ConfigReader {
  readonly flags: Map<FlagName, readonly Value[]> = new Map();
  readonly places: Map<string, string> = new Map();
  readonly server: Record<string, unknown> = {};
  readonly files: Record<string, unknown> = {};
  readonly mistakes: CommandError[] = [];
  readonly #source: ConfigSource;

  constructor(source: ConfigSource) {
    this.#source = source;
  }

  read(value: unknown): void {
    if (!isPlain(value) || nameOfKind(value) !== "Object") {
      const kind = isPlain(value) ? `a ${nameOfKind(value)}` : show(value);
      const what = value === undefined ? "nothing by default" : kind;
      const isJson = this.#source.path.endsWith(".json");
      const message = `${this.#source.shown} ${isJson ? "holds" : "exports"} ${what}, an object of settings is allowed`;
      const right = kind === "a Promise" ? "await …" : "defineConfig({ … })";
      this.mistakes.push(new CommandError(1, message, [isJson ? '{ "root": "./site" }' : `export default ${right}`]));
      return;
    }
    for (const [name, given] of Object.entries(value)) {
      if (given !== undefined && name !== "$schema") this.#take(name, given);
    }
    this.#checkServer();
    this.#checkCertificate();
  }

  #take(name: string, given: unknown): void {
    const row = SETTABLE.find((one) => settingOf(one.name) === name);
    this.places.set(name, this.#source.placeOf(name));
    const isInFull = name === "tls" && isPlain(given);
    if (row !== undefined && !isInFull) this.#takeFlag(row, name, given);
    else if (name === "files") this.#takeFiles(given);
    else if (SERVER_SETTINGS.includes(name)) {
      const value = name === "mode" ? this.#modeOf(given) : given;
      this.server[name] = isInFull ? this.#withPaths(given) : value;
      if (isPlain(given))
        for (const inner of Object.keys(given))
          this.places.set(`${name}.${inner}`, this.#source.placeOf(`${name}.${inner}`));
    } else this.#refuseName(name, name);
  }

  /** A flag whose values are all wrong has none: it was given all the same, and may be at odds with another. */
  #takeFlag(row: FlagRow, name: string, given: unknown): void {
    const values = row.name === "header" ? this.#fieldsOf(given) : this.#valuesOf(row, name, given);
    this.flags.set(row.name, isPathOf(row.name) ? values.map((one) => this.#pathOf(row.name, one)) : values);
  }

  /** Those that the flag can have; each other one is a mistake. */
  #valuesOf(row: FlagRow, name: string, given: unknown): Value[] {
    if (!isList(row) || !Array.isArray(given) || given.length === 0) {
      const value = valueOf(row, given);
      if (value === null)
        this.#refuseValue(name, given, isList(row) ? `${allowedFor(row)}, or an array of it` : allowedFor(row));
      return value === null ? [] : [value];
    }
    const isText = row.name === "cors";
    const all: Value[] = [];
    for (const one of given as unknown[]) {
      const value = isText && typeof one !== "string" ? null : valueOf(row, one);
      if (value === null) this.#refuseValue(name, one, isText ? "text" : allowedFor(row));
      else all.push(value);
    }
    return isText && all.length > 0 ? [all.join(",")] : all;
  }

  #fieldsOf(given: unknown): Value[] {
    if (!isPlain(given)) {
      this.#refuseValue("headers", given, "an object of field names and values");
      return [];
    }
    const lines: Value[] = [];
    for (const [name, value] of Object.entries(given)) {
      for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
        if (typeof one === "string") lines.push(`${name}: ${one}`);
        else this.#refuseValue(`headers.${name}`, one, "text, or an array of it");
      }
    }
    return lines;
  }

  /** Paths are relative to the file, wherever the command is started. */
  #pathOf(name: FlagName, value: Value): Value {
    if (typeof value !== "string" || value === "") return value;
    const folder = dirname(this.#source.path);
    if (name === "auth") return /^@./.test(value) ? `@${resolve(folder, value.slice(1))}` : value;
    if (name === "listen")
      return value.replace(/^unix:(?!\/)(.+)/i, (_, path: string) => `unix:${resolve(folder, path)}`);
    return resolve(folder, value);
  }

  /** Names of files in the options of TLS. */
  #withPaths(given: Plain): Plain {
    const entries = Object.entries(given).map(([name, value]): [string, unknown] => {
      if (typeof value === "string" && name.endsWith("File")) return [name, resolve(dirname(this.#source.path), value)];
      if (name !== "servers" || !Array.isArray(value)) return [name, value];
      return [name, value.map((one: unknown) => (isPlain(one) ? this.#withPaths(one) : one))];
    });
    return Object.fromEntries(entries);
  }

  /** JSON has no octal numbers, and who writes 660 for 0o660 gets a mode that nobody means. */
  #modeOf(given: unknown): unknown {
    if (typeof given === "string" && OCTAL_MODE.test(given)) return Number.parseInt(given.replace(/^0o/, ""), 8);
    const isMode = Number.isInteger(given) && Number(given) >= -1 && Number(given) <= HIGHEST_MODE;
    if (isMode) return given;
    this.#refuseValue("mode", given, 'text as for chmod, e.g. "0660", or its number, 0o660,');
    return undefined;
  }

  #takeFiles(given: unknown): void {
    if (!isPlain(given)) return this.#refuseValue("files", given, "an object");
    for (const [name, value] of Object.entries(given)) {
      if (value === undefined) continue;
      const path = `files.${name}`;
      this.places.set(path, this.#source.placeOf(path));
      const kind = FILE_SETTINGS.get(name);
      if (kind === undefined) this.#refuseName(path, name);
      else if (kind === "types" && isPlain(value)) this.files[name] = this.#typesOf(path, value);
      else if (isAllowed(kind, value)) this.files[name] = value;
      else this.#refuseValue(path, value, ALLOWED[kind]);
    }
  }

  #typesOf(path: string, given: Plain): Plain {
    const isText = ([extension, type]: readonly [string, unknown]): boolean => {
      if (typeof type !== "string") this.#refuseValue(`${path}.${extension}`, type, "text");
      return typeof type === "string";
    };
    return Object.fromEntries(Object.entries(given).filter(isText));
  }

  /** By the server's own check, so that no rule stands in two places. */
  #checkServer(): void {
    try {
      // Flags say where to listen, so that whether there is a socket for `mode` a start or a check tells
      resolveOptions({ ...this.server, unix: "socket", fetch: () => undefined });
    } catch (error) {
      if (!(error instanceof ServerError) || !Array.isArray(error.cause)) throw error;
      for (const mistake of withoutFlagsPart(error.cause as OptionMistake[]))
        this.#tell(mistake.path, describeMistake(mistake));
    }
  }

  /** One of two places that say where the certificate comes from would be ignored. */
  #checkCertificate(): void {
    const { tls } = this.server;
    if (!isPlain(tls)) return;
    const inFull = ["cert", "certFile", "key", "keyFile"].find((name) => (tls[name] ?? null) !== null);
    if (inFull === undefined) return;
    for (const byFlag of ["tls-cert", "acme"] as const) {
      if (this.flags.has(byFlag))
        this.#tell(settingOf(byFlag), `together with tls.${inFull} was given, one of the two is allowed`);
    }
  }

  #refuseName(path: string, name: string): void {
    if (Object.hasOwn(NO_SETTINGS, name)) return this.#tell(path, NO_SETTINGS[name] as string);
    const nearest = nearestSetting(name);
    this.#tell(
      path,
      `there is no such setting${nearest === "" || nearest === path ? "" : `, did you mean ${nearest}?`}`,
    );
  }

  #refuseValue(path: string, given: unknown, allowed: string): void {
    // A password, or a key in a field, must not get into a log because something else is wrong with it
    const shown = path === "auth" || path.startsWith("headers.") ? typeGiven(given) : show(given);
    this.#tell(path, `${shown} was given, ${allowed} is allowed`);
  }

  #tell(path: string, said: string): void {
    // A name may be anything; what is said of it is a line, and moves no cursor
    const named = /\p{Cc}/u.test(path) ? JSON.stringify(path).slice(1, -1) : path;
    this.mistakes.push(new CommandError(1, `${this.#source.placeOf(path)}: ${named}: ${said}`));
  }
}

/** Whether there is TLS, and where its certificate comes from, a flag may say: then a start, or a check, tells what is missing. */
function withoutFlagsPart(mistakes: readonly OptionMistake[]): OptionMistake[] {
  const missing = mistakes.filter(isMissing);
  return mistakes.filter((one) => !isNeedOfTls(one) && !(missing.length === 2 && missing.includes(one)));
}

function typeGiven(given: unknown): string {
  if (given === null || given === undefined) return String(given);
  return typeof given === "object" ? "an object" : `a ${typeof given}`;
}

/** Whether it may be an array in a file. */
function isList(row: FlagRow): boolean {
  return row.isRepeatable || row.name === "cors";
}

/** Null if a flag can have no such value. */
function valueOf(row: FlagRow, given: unknown): Value | null {
  if (typeof given === "boolean") return row.value.startsWith("<") ? null : given;
  if (row.value === "") return null;
  if (typeof given === "number") return takesNumbers(row) && Number.isFinite(given) ? String(given) : null;
  return typeof given === "string" ? given : null;
}

/** Counts, and times, which are seconds then. A name or a path that is a number was meant as something else. */
function takesNumbers({ value }: FlagRow): boolean {
  return value === "<N>" || value === "<TIME>";
}

function allowedFor(row: FlagRow): string {
  if (row.value === "") return "true or false";
  if (row.value === "<TIME>") return "text or a number";
  if (row.value.startsWith("[")) return "true, false or text";
  return row.value === "<N>" ? "a number" : "text";
}

/** Flags whose values are paths, or hold one. */
function isPathOf(name: FlagName): boolean {
  return ["root", "log-file", "auth", "listen", "tls-cert", "tls-key"].includes(name);
}

function isAllowed(kind: "text" | "page" | "count" | "types", value: unknown): boolean {
  switch (kind) {
    case "text":
      return typeof value === "string";
    case "page":
      return typeof value === "string" || typeof value === "boolean";
    case "count":
      return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
    case "types":
      return false;
  }
}

/** The name that was probably meant, `""` if none comes close. */
function nearestSetting(name: string): string {
  // "constructor" is a member of every object
  if (Object.hasOwn(ELSEWHERE, name)) return ELSEWHERE[name] as string;
  const paths = [
    ...SETTABLE.map((row) => settingOf(row.name)),
    "files",
    ...[...FILE_SETTINGS.keys()].map((inner) => `files.${inner}`),
    ...SERVER_SETTINGS,
    ...OPTION_TABLE.map(({ path }) => path).filter((path) => SERVER_SETTINGS.includes(path.replace(/\..*/, ""))),
  ];
  const folded = name.toLowerCase().replaceAll("-", "");
  let nearest = "";
  let fewest = Math.max(name.length < 4 ? 1 : 2, Math.floor(name.length / 3)) + 0.5;
  for (const path of paths) {
    const last = path.slice(path.indexOf(".") + 1).toLowerCase();
    const distance = nameDistance(folded, last);
    if (distance >= fewest) continue;
    fewest = distance;
    nearest = path;
  }
  return nearest;
}

function isPlain(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `Object` for what holds settings; a promise or a map has no members of its own, and nothing would be set. */
function nameOfKind(value: Plain): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** Flags as a file would have said them, for a file that says them in another way. */
export function flagsOf(entries: Iterable<readonly [FlagName, Value]>): Flags {
  const flags = new Map<FlagName, Value[]>();
  for (const [name, value] of entries) flags.set(name, [...(flags.get(name) ?? []), value]);
  return flags;
}
