/**
 * What was typed, what the environment says and what a file says, laid over each other: flags over environment over file.
 *
 * Everything becomes flags with their values and where they came from; what the values mean is settings.ts's. Where to listen
 * is one thing that two sets of flags can say, so that the upper layer's way of saying it replaces the lower's whole. Every
 * start goes through here: it must load nothing and look at no disk.
 */

import type { FileConfig, ServerConfig } from "../config/config.ts";
import { CommandError } from "./command-error.ts";
import { FLAG_TABLE } from "./flags.ts";
import type { FlagName, FlagRow, Flags } from "./flags.ts";

/** Names and values of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a value came from. */
export interface Origin {
  readonly source: "flag" | "environment" | "file";
  /** As people know it: `--port`, `the environment's PORT`, `port in fairlead.config.ts:3`. */
  readonly shown: string;
}

/** Where each setting that was given came from. */
export type Origins = ReadonlyMap<FlagName, Origin>;

/** A configuration file, read and checked by itself. */
export interface ConfigFile {
  /** Absolute. */
  readonly path: string;
  /** As people know it. */
  readonly shown: string;
  readonly flags: Flags;
  /** `fairlead.config.ts:3` by the name of a setting; the file alone where the line is not known. */
  readonly places: ReadonlyMap<string, string>;
  /** The same for any path, also of what is not there: then that of the group it would be in. */
  readonly placeOf: (setting: string) => string;
  readonly server: ServerConfig;
  readonly files: FileConfig;
  readonly mistakes: readonly CommandError[];
  /** What should be known about it: what of another tool's file was taken. */
  readonly notes: readonly string[];
}

/** All that was given. */
export interface Given {
  readonly flags: Flags;
  /** Of each flag that is in `flags`. */
  readonly origins: Origins;
  readonly file: ConfigFile | null;
  /** What is wrong with the layers themselves. */
  readonly mistakes: readonly CommandError[];
}

/** Flags that are about one run of the command and no setting of a server. */
const OF_THE_RUN: ReadonlySet<FlagName> = new Set(["help", "version", "limits", "config", "json"]);

/** Flags that a file or the environment can set, in the order of the help. */
export const SETTABLE: readonly FlagRow[] = FLAG_TABLE.filter(({ name }) => !OF_THE_RUN.has(name));

const ON = /^(?:1|true|yes|on)$/i;
const OFF = /^(?:0|false|no|off)$/i;

/**
 * The variable for a flag: `FAIRLEAD_LOG_FILE`. Port and host have the names that they have everywhere, and no other: in
 * Kubernetes a service called `fairlead` sets FAIRLEAD_PORT of its neighbours to a URI.
 */
export function variableOf(name: FlagName): string {
  if (name === "port" || name === "host") return name.toUpperCase();
  return `FAIRLEAD_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** A variable that is set to nothing counts as not set, as in most scripts. */
export function valueOf(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  return value === "" ? undefined : value;
}

/** Lays the layers over each other. */
export function layer(flags: Flags, environment: Environment, file: ConfigFile | null): Given {
  const values = new Map<FlagName, readonly (string | boolean)[]>();
  const origins = new Map<FlagName, Origin>();
  const mistakes: CommandError[] = [];
  for (const [name, given] of flags) {
    values.set(name, given);
    origins.set(name, { source: "flag", shown: `--${name}` });
  }
  layEnvironment(environment, values, origins, mistakes);
  if (file !== null) layFile(file, values, origins);
  return { flags: values, origins, file, mistakes: [...mistakes, ...(file?.mistakes ?? [])] };
}

/** Whether the layers above say already where to listen, in the other way. */
function isListeningDecided(name: FlagName, above: ReadonlySet<FlagName>): boolean {
  if (name === "listen") return above.has("port") || above.has("host");
  return (name === "port" || name === "host") && above.has("listen");
}

function layEnvironment(
  environment: Environment,
  values: Map<FlagName, readonly (string | boolean)[]>,
  origins: Map<FlagName, Origin>,
  mistakes: CommandError[],
): void {
  const above = new Set(values.keys());
  for (const row of SETTABLE) {
    if (above.has(row.name)) continue;
    const variable = variableOf(row.name);
    const text = valueOf(environment, variable);
    if (text === undefined || isListeningDecided(row.name, above)) continue;
    const read = readVariable(row, text);
    if (read === null) {
      mistakes.push(
        new CommandError(2, `the environment's ${variable} is ${JSON.stringify(text)}, which is neither on nor off`, [
          "Give 1 or 0, true or false, yes or no, on or off",
        ]),
      );
      continue;
    }
    values.set(row.name, read);
    origins.set(row.name, { source: "environment", shown: `the environment's ${variable}` });
  }
}

/** Null for what is neither on nor off. */
function readVariable(row: FlagRow, text: string): (string | boolean)[] | null {
  if (row.value.startsWith("<")) return row.isRepeatable ? splitList(row, text) : [text];
  if (ON.test(text)) return [true];
  if (OFF.test(text)) return [false];
  if (row.value === "") return null;
  return row.isRepeatable ? splitList(row, text) : [text];
}

/** One per line; where no comma can be part of a value, by commas as well. */
function splitList(row: FlagRow, text: string): string[] {
  const pieces = text.split(row.name === "header" ? /\r?\n/ : /[\s,]+/);
  return pieces.map((piece) => piece.trim()).filter((piece) => piece !== "");
}

function layFile(
  file: ConfigFile,
  values: Map<FlagName, readonly (string | boolean)[]>,
  origins: Map<FlagName, Origin>,
): void {
  const above = new Set(values.keys());
  for (const [name, given] of file.flags) {
    if (above.has(name) || isListeningDecided(name, above)) continue;
    values.set(name, given);
    const setting = settingOf(name);
    origins.set(name, { source: "file", shown: `${setting} in ${file.places.get(setting) ?? file.shown}` });
  }
}

/** What a flag is called in a file: `logFile`. Fields are an object there, and many. */
export function settingOf(name: FlagName): string {
  if (name === "header") return "headers";
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
