/**
 * What was given -> settings: values understood, defaults filled in, all mistakes told at once.
 *
 * Which of several layers holds has been decided (config-layers.ts). It must never read `process` itself, nor the disk, so that
 * the rules can be tested as a table.
 */

import { availableParallelism } from "node:os";
import type { CacheSetting } from "../http/cache-control.ts";
import { parseCacheSetting } from "../http/cache-control.ts";
import type { FileConfig, ServerConfig } from "../config/config.ts";
import { CommandError, Mistakes } from "./command-error.ts";
import { valueOf } from "./config-layers.ts";
import type { Environment, Given } from "./config-layers.ts";
import { isOn, lastOf, textOf } from "./flags.ts";
import type { FlagName, Flags } from "./flags.ts";
import {
  isLocal,
  nextToAdmin,
  parseAdminAddress,
  parseHostname,
  parseListenUri,
  parsePort,
  refuseSharedPlace,
} from "./targets.ts";
import type { AdminPlace, Target } from "./targets.ts";
import { readTlsSettings } from "./tls-settings.ts";
import type { TlsSettings } from "./tls-settings.ts";

/** How a request is written down. */
export type LogForm = "text" | "json" | "combined" | "common" | "off";

/** How files are served. */
export interface FileSettings {
  /** The page for pages that do not exist, `true` for the index, `false` for none. */
  readonly singlePage: string | boolean;
  readonly cache: CacheSetting;
  readonly hasCleanUrls: boolean;
  readonly listsFolders: boolean;
  readonly showsDotFiles: boolean;
  readonly followsLinks: boolean;
  readonly compresses: boolean;
  readonly usesPrecompressed: boolean;
  /** `_redirects` and `_headers` in the folder are read. */
  readonly hasRules: boolean;
  /** Options that no flag has. */
  readonly more: FileConfig;
}

/** What stands before the handler. */
export interface GateSettings {
  /** As given: `user:password` or `@file`; `""`: everybody may come in. */
  readonly auth: string;
  /** Origins whose scripts may read, `*` for all, `null` for none but ours. */
  readonly corsOrigins: "*" | readonly string[] | null;
  readonly isIsolated: boolean;
  /** Name and value of each field that every response gets. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** What holds. */
export interface Settings {
  /** At least one. */
  readonly targets: readonly Target[];
  /** Somebody asked for this port, so that another one will not do. */
  readonly isPortFixed: boolean;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
  readonly logForm: LogForm;
  /** `""`: where everything else is said. */
  readonly logFile: string;
  /** Path that is shown in the browser, `""` for none. */
  readonly openPath: string;
  readonly showsQrCode: boolean;
  readonly files: FileSettings;
  readonly gate: GateSettings;
  /** The kernel sends large files by itself. */
  readonly usesSendfile: boolean;
  /** Worker processes, 0: this process serves itself. */
  readonly workers: number;
  /** Where metrics and health are told, null: nowhere but by what `server.health` says. */
  readonly admin: AdminPlace | null;
  /** Where the certificate comes from; null: there is none, or `server.tls` says it. */
  readonly tls: TlsSettings;
  /** Options of serve() besides handler, address and hooks. */
  readonly server: ServerConfig;
  /** The configuration file, absolute; `""` for none. */
  readonly configFile: string;
  /** What of another tool's file was taken, and what is otherwise than one may think. */
  readonly notes: readonly string[];
}

/** More would be a slip of the finger. */
const MOST_WORKERS = 1024;
const DEFAULT_PORT = 8080;
const HTTPS_PORT = 443;
const DEFAULT_HOSTNAME = "127.0.0.1";
const SENDFILE_UNDER_TLS = "sendfile does nothing under TLS: what is encrypted passes through this process";

/**
 * Understands what was given.
 *
 * @param isTerminal somebody watches the output
 * @throws CommandError that tells every impossible value with its flag, variable or line; exit code 2, or 1 if all are the file's
 */
export function readSettings(given: Given, isTerminal: boolean): Settings {
  const mistakes = new Mistakes();
  const settings = understand(given, isTerminal, mistakes);
  mistakes.complain();
  return settings;
}

/** The same for who goes on to look for more: what is impossible is in `mistakes`, and counts as not given. */
export function understand(given: Given, isTerminal: boolean, mistakes: Mistakes): Settings {
  const { flags, file } = given;
  for (const mistake of given.mistakes) mistakes.add(mistake);
  const reader = new SettingsReader(given, mistakes);
  const wanted = readTargets(given, reader);
  const logFile = textOf(flags, "log-file");
  const admin = reader.read(["admin"], () => readAdmin(given), null);
  const place = flags.has("listen") ? "listen" : "port";
  const isFixed = isPortFixed(flags);
  const { targets, notes } = isFixed ? { targets: wanted, notes: [] } : nextToAdmin(admin, wanted);
  if (isFixed) {
    reader.read(["admin", place], () => refuseSharedPlace(admin, targets, originOf(given, place)), undefined);
  }
  const settings: Settings = {
    targets,
    isPortFixed: isFixed,
    isQuiet: isOn(flags, "quiet", false),
    isVerbose: isOn(flags, "verbose", false),
    logForm: reader.read(["log"], () => readLogForm(given, isTerminal && logFile === undefined), "off"),
    logFile: reader.read(["log-file"], () => readLogFile(given, logFile), ""),
    openPath: reader.read(["open"], () => readOpenPath(given), ""),
    showsQrCode: isOn(flags, "qr", false),
    files: {
      ...readFileSettings(flags, targets.every(isLocal), file?.files ?? {}),
      cache: reader.read(["cache"], () => readCache(given), "auto"),
    },
    gate: {
      auth: reader.read(["auth"], () => readAuth(given), ""),
      corsOrigins: readOrigins(lastOf(flags, "cors")),
      isIsolated: isOn(flags, "isolated", false),
      headers: reader.read(["header"], () => readHeaders(given), []),
    },
    usesSendfile: isOn(flags, "sendfile", false),
    workers: reader.read(["workers"], () => readWorkers(given), 0),
    admin,
    tls: reader.read(
      ["tls", "tls-cert", "tls-key", "acme", "domain", "acme-directory"],
      (found) => readTlsSettings(given, found),
      null,
    ),
    server: readServer(given),
    configFile: file?.path ?? "",
    notes: [...(file?.notes ?? []), ...notes],
  };
  const { usesSendfile, tls, server } = settings;
  if (!usesSendfile || (tls === null && server.tls === undefined)) return settings;
  return { ...settings, notes: [...settings.notes, SENDFILE_UNDER_TLS] };
}

function readWorkers({ flags, origins }: Given): number {
  const text = textOf(flags, "workers");
  if (text === undefined) return 0;
  if (text === "auto") return availableParallelism();
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MOST_WORKERS) return count;
  const shown = origins.get("workers")?.shown ?? "--workers";
  throw new CommandError(2, `${shown} is ${JSON.stringify(text)}, which is no number of workers`, [
    `Give auto, one per core, or a number from 1 to ${MOST_WORKERS}; to have one process without a supervisor leave it out`,
  ]);
}

/** Goes on after a mistake, so that the next one is found too. */
class SettingsReader {
  readonly #given: Given;
  readonly #mistakes: Mistakes;

  constructor(given: Given, mistakes: Mistakes) {
    this.#given = given;
    this.#mistakes = mistakes;
  }

  /**
   * @param names of the flags that it is about
   * @param read throws what is wrong, or tells it and gives what it has understood
   * @param instead for the rest to go on with
   */
  read<T>(names: readonly FlagName[], read: (found: Mistakes) => T, instead: T): T {
    const found = new Mistakes();
    const value = found.attemptNow(() => read(found), instead);
    const sources = names.map((name) => this.#given.origins.get(name)?.source).filter((one) => one !== undefined);
    const isOfFile = sources.length > 0 && sources.every((source) => source === "file");
    for (const one of found.all) {
      this.#mistakes.add(isOfFile ? new CommandError(1, one.message, one.advice, { cause: one }) : one);
    }
    return value;
  }
}

/** How people know where a value comes from: `--port`, `the environment's PORT`, `port in fairlead.config.ts:3`. */
function originOf({ origins }: Given, name: FlagName): string {
  return origins.get(name)?.shown ?? `--${name}`;
}

function readOpenPath(given: Given): string {
  const value = lastOf(given.flags, "open");
  if (value === undefined || value === false) return "";
  if (value === true) return "/";
  if (value.startsWith("/")) return value;
  const message = `${originOf(given, "open")} is ${JSON.stringify(value)}, which is no path`;
  throw new CommandError(2, message, ["Give one from the root: /docs/"]);
}

function readAdmin(given: Given): AdminPlace | null {
  const value = lastOf(given.flags, "admin");
  return value === undefined || value === false ? null : parseAdminAddress(value, originOf(given, "admin"));
}

/** Both ways to say it are looked at, also where they are at odds. */
function readTargets(given: Given, reader: SettingsReader): Target[] {
  const { flags } = given;
  const port = textOf(flags, "port");
  // Where the names of the certificate lead to, and nowhere else
  const isPublic = isOfAcme(flags);
  const portByDefault = isPublic ? HTTPS_PORT : DEFAULT_PORT;
  const number = reader.read(
    ["port"],
    () => (port === undefined ? portByDefault : parsePort(port, originOf(given, "port"))),
    -1,
  );
  const hosts = flags.get("host") ?? [isPublic ? true : DEFAULT_HOSTNAME];
  // `--no-host` is as good as none
  const wanted = hosts.filter((host) => host !== false);
  const readHost = (host: string | boolean): string => parseHostname(host, originOf(given, "host"));
  const named = reader.read(["host"], () => readEach(wanted, readHost), null);
  const uris = flags.get("listen");
  if (uris === undefined) {
    // It counts as nowhere, which no other address can be at odds with
    if (number === -1 || named === null) return [];
    const hostnames = named.length === 0 ? [DEFAULT_HOSTNAME] : named;
    return [...new Set(hostnames)].map((hostname) => ({ kind: "tcp", hostname, port: number }));
  }
  const readUri = (uri: string | boolean): Target =>
    parseListenUri(String(uri), DEFAULT_PORT, originOf(given, "listen"));
  const targets = reader.read(["listen"], () => readEach(uris, readUri), []);
  for (const name of ["port", "host"] as const) {
    if (flags.has(name)) reader.read(["listen", name], (found) => tellBoth(given, name, found), undefined);
  }
  return targets;
}

function tellBoth(given: Given, name: "port" | "host", found: Mistakes): void {
  found.tell(2, `${originOf(given, "listen")} and ${originOf(given, name)} both say where to listen`, [
    "Write it all into --listen, as in --listen tcp://0.0.0.0:3000",
  ]);
}

/** `--no-tls` is heard, whatever a file says. */
function readServer({ flags, file }: Given): ServerConfig {
  if (file === null) return {};
  const { tls: _tls, hsts: _hsts, redirectFrom: _redirect, ...plain } = file.server;
  return isOn(flags, "tls", true) ? file.server : plain;
}

function isOfAcme(flags: Flags): boolean {
  return flags.has("acme") && isOn(flags, "tls", true);
}

function isPortFixed(flags: Flags): boolean {
  if (isOfAcme(flags)) return true;
  return flags.has("port") || flags.has("listen") || !isOn(flags, "port-switching", true);
}

/** @internal */
export const LOG_FORMS: readonly string[] = ["text", "json", "combined", "common", "off"] satisfies LogForm[];

function readLogFile(given: Given, name: string | undefined): string {
  if (name === "") throw new CommandError(2, `${originOf(given, "log-file")} is empty`, ["Give the name of a file"]);
  return name ?? "";
}

function readLogForm(given: Given, isForPerson: boolean): LogForm {
  const form = textOf(given.flags, "log") ?? (isForPerson ? "text" : "json");
  if (LOG_FORMS.includes(form)) return form as LogForm;
  throw new CommandError(2, `${originOf(given, "log")} is ${JSON.stringify(form)}, which is no form of a log`, [
    `Give one of ${LOG_FORMS.join(", ")}; a file is --log-file`,
  ]);
}

/** @param isLocalOnly nobody but this machine can ask: then a list of the folder tells nobody anything new */
function readFileSettings(flags: Flags, isLocalOnly: boolean, more: FileConfig): Omit<FileSettings, "cache"> {
  return {
    singlePage: lastOf(flags, "single") ?? false,
    hasCleanUrls: isOn(flags, "clean-urls", true),
    listsFolders: isOn(flags, "list", isLocalOnly),
    showsDotFiles: isOn(flags, "dotfiles", false),
    followsLinks: isOn(flags, "follow", false),
    compresses: isOn(flags, "compress", true),
    usesPrecompressed: isOn(flags, "precompressed", true),
    hasRules: isOn(flags, "rules", true),
    more,
  };
}

function readCache(given: Given): CacheSetting {
  const words = textOf(given.flags, "cache");
  if (words === undefined) return "auto";
  const setting = parseCacheSetting(words);
  if (setting !== null) return setting;
  const isNegative = /^-\d/.test(words);
  throw new CommandError(2, `${originOf(given, "cache")} is ${JSON.stringify(words)}, which is no time`, [
    isNegative ? "Caching off is --cache off" : "Give a time such as 90s, 10m, 12h, 7d or 1y; or off, or auto",
  ]);
}

function readAuth(given: Given): string {
  const auth = textOf(given.flags, "auth");
  if (auth === "") throw new CommandError(2, `${originOf(given, "auth")} is empty`, ["Give USER:PASS, or @FILE"]);
  return auth ?? "";
}

function readHeaders(given: Given): (readonly [name: string, value: string])[] {
  return readEach(given.flags.get("header") ?? [], (line) => splitField(String(line), originOf(given, "header")));
}

/** @throws CommandError that tells all that are wrong */
function readEach<T>(values: readonly (string | boolean)[], read: (value: string | boolean) => T): T[] {
  const mistakes = new Mistakes();
  const all = values.flatMap((value) => mistakes.attemptNow(() => [read(value)], []));
  mistakes.complain();
  return all;
}

function readOrigins(value: string | boolean | undefined): "*" | readonly string[] | null {
  if (value === undefined || value === false) return null;
  if (value === true || value === "*") return "*";
  return value.split(",").map((origin) => origin.trim());
}

/**
 * `Name: value`, as curl has it.
 *
 * @throws CommandError with exit code 2 if there is no name
 */
export function splitField(line: string, origin = "--header"): readonly [name: string, value: string] {
  const colon = line.indexOf(":");
  if (colon < 1) {
    throw new CommandError(2, `${origin} is ${JSON.stringify(line)}, which is no field`, [
      'Give name and value, as in --header "X-Frame-Options: DENY"',
    ]);
  }
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

/**
 * Whether to write in colour: on a terminal that can, unless somebody does not want it (no-color.org).
 */
export function wantsColour(flags: Flags, environment: Environment, isTerminal: boolean): boolean {
  if (!isOn(flags, "color", true) || !isTerminal) return false;
  return valueOf(environment, "NO_COLOR") === undefined && environment["TERM"] !== "dumb";
}
