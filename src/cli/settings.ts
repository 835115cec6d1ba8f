/**
 * Flags and environment -> settings, by one rule: flag over environment over default.
 *
 * It must never read `process` itself, nor the disk, so that the rule can be tested as a table.
 */

import type { CacheSetting } from "../http/cache-control.ts";
import { parseCacheSetting } from "../http/cache-control.ts";
import { CommandError } from "./command-error.ts";
import { isOn, lastOf, textOf } from "./flags.ts";
import type { Flags } from "./flags.ts";
import { isLocal, parseHostname, parseListenUri, parsePort } from "./targets.ts";
import type { Target } from "./targets.ts";

/** Names and values of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How a request is written down. */
export type LogForm = "text" | "json" | "combined" | "off";

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
}

const DEFAULT_PORT = 8080;
const DEFAULT_HOSTNAME = "127.0.0.1";

/**
 * Applies the rule.
 *
 * @param isTerminal somebody watches the output
 * @throws CommandError with exit code 2 that names the flag or variable with an impossible value
 */
export function readSettings(flags: Flags, environment: Environment, isTerminal: boolean): Settings {
  const targets = readTargets(flags, environment);
  const logFile = textOf(flags, "log-file");
  if (logFile === "") throw new CommandError(2, "--log-file is empty", ["Give the name of a file"]);
  return {
    targets,
    isPortFixed: isPortFixed(flags, environment),
    isQuiet: isOn(flags, "quiet", false),
    isVerbose: isOn(flags, "verbose", false),
    logForm: readLogForm(flags, isTerminal && logFile === undefined),
    logFile: logFile ?? "",
    openPath: readOpenPath(lastOf(flags, "open")),
    showsQrCode: isOn(flags, "qr", false),
    files: readFileSettings(flags, targets.every(isLocal)),
    gate: readGateSettings(flags, environment),
  };
}

function readOpenPath(value: string | boolean | undefined): string {
  if (value === undefined || value === false) return "";
  if (value === true) return "/";
  if (value.startsWith("/")) return value;
  throw new CommandError(2, `--open is ${JSON.stringify(value)}, which is no path`, ["Give one from the root: /docs/"]);
}

function readTargets(flags: Flags, environment: Environment): Target[] {
  const uris = flags.get("listen");
  if (uris === undefined) {
    const port = readPort(flags, environment);
    const hosts = flags.get("host") ?? [valueOf(environment, "HOST") ?? DEFAULT_HOSTNAME];
    // `--no-host` is as good as none
    const hostnames = hosts.filter((host) => host !== false).map((host) => parseHostname(host, "--host"));
    return [...new Set(hostnames)].map((hostname) => ({ kind: "tcp", hostname, port }));
  }
  for (const name of ["port", "host"] as const) {
    if (flags.has(name)) {
      throw new CommandError(2, `--listen and --${name} both say where to listen`, [
        "Write it all into --listen, as in --listen tcp://0.0.0.0:3000",
      ]);
    }
  }
  return uris.map((uri) => parseListenUri(String(uri), DEFAULT_PORT));
}

function readPort(flags: Flags, environment: Environment): number {
  const flag = textOf(flags, "port");
  if (flag !== undefined) return parsePort(flag, "--port");
  const variable = valueOf(environment, "PORT");
  return variable === undefined ? DEFAULT_PORT : parsePort(variable, "the environment's PORT");
}

function isPortFixed(flags: Flags, environment: Environment): boolean {
  if (flags.has("port") || flags.has("listen") || valueOf(environment, "PORT") !== undefined) return true;
  return !isOn(flags, "port-switching", true);
}

/** A variable that is set to nothing counts as not set, as in most scripts. */
function valueOf(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  return value === "" ? undefined : value;
}

const LOG_FORMS: readonly string[] = ["text", "json", "combined", "off"] satisfies LogForm[];

function readLogForm(flags: Flags, isForPerson: boolean): LogForm {
  const form = textOf(flags, "log") ?? (isForPerson ? "text" : "json");
  if (LOG_FORMS.includes(form)) return form as LogForm;
  throw new CommandError(2, `--log is ${JSON.stringify(form)}, which is no form of a log`, [
    `Give one of ${LOG_FORMS.join(", ")}; a file is --log-file`,
  ]);
}

/** @param isLocalOnly nobody but this machine can ask: then a list of the folder tells nobody anything new */
function readFileSettings(flags: Flags, isLocalOnly: boolean): FileSettings {
  return {
    singlePage: lastOf(flags, "single") ?? false,
    cache: readCache(textOf(flags, "cache")),
    hasCleanUrls: isOn(flags, "clean-urls", true),
    listsFolders: isOn(flags, "list", isLocalOnly),
    showsDotFiles: isOn(flags, "dotfiles", false),
    followsLinks: isOn(flags, "follow", false),
    compresses: isOn(flags, "compress", true),
    usesPrecompressed: isOn(flags, "precompressed", true),
    hasRules: isOn(flags, "rules", true),
  };
}

function readCache(words: string | undefined): CacheSetting {
  if (words === undefined) return "auto";
  const setting = parseCacheSetting(words);
  if (setting !== null) return setting;
  const isNegative = /^-\d/.test(words);
  throw new CommandError(2, `--cache is ${JSON.stringify(words)}, which is no time`, [
    isNegative ? "Caching off is --cache off" : "Give a time such as 90s, 10m, 12h, 7d or 1y; or off, or auto",
  ]);
}

function readGateSettings(flags: Flags, environment: Environment): GateSettings {
  const auth = textOf(flags, "auth") ?? valueOf(environment, "FAIRLEAD_AUTH") ?? "";
  if (flags.has("auth") && auth === "") throw new CommandError(2, "--auth is empty", ["Give USER:PASS, or @FILE"]);
  return {
    auth,
    corsOrigins: readOrigins(lastOf(flags, "cors")),
    isIsolated: isOn(flags, "isolated", false),
    headers: (flags.get("header") ?? []).map((line) => splitField(String(line))),
  };
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
export function splitField(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(":");
  if (colon < 1) {
    throw new CommandError(2, `--header is ${JSON.stringify(line)}, which is no field`, [
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
