/**
 * What the command itself reads or writes is not served, though it may lie in the folder that is: the configuration, which may
 * hold a password, the file of users, private keys and their certificates, the log.
 *
 * A configuration counts by its name where one is looked for, also if another one holds, or none (--no-config): it is no less
 * secret for that. Here are the paths, as they were given and as they are without links; what else leads to the same files
 * static/own-things.ts sees.
 */

import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { acmeFolder, localFolder } from "../certificates/state-folder.ts";
import { CONFIG_NAMES } from "./config-find.ts";
import type { Environment } from "./config-layers.ts";
import type { Settings } from "./settings.ts";

/** What of the settings names files of the command. */
export type OwnFileSettings = Pick<Settings, "configFile" | "logFile" | "gate" | "tls" | "server">;

/** Paths of the command's own, absolute. */
export interface OwnPaths {
  readonly files: readonly string[];
  readonly folders: readonly string[];
  /** Those of the files beside which lie what they have become: rotated logs. */
  readonly logs: readonly string[];
}

/**
 * All that is the command's own.
 *
 * @param before what was, and may be in use until the process ends
 */
export function ownPathsOf(
  settings: OwnFileSettings,
  workingFolder: string,
  environment: Environment,
  before: OwnPaths | null,
): OwnPaths {
  const files = ownFilesOf(settings, workingFolder);
  const folders = ownFoldersOf(settings, environment);
  // Where a link has led is remembered too: an old key may be good for as long as its certificate
  const all = (now: readonly string[], old: readonly string[]): string[] => [
    ...new Set([...old, ...now, ...now.map(realOf)]),
  ];
  const logs = settings.logFile === "" ? [] : [resolve(workingFolder, settings.logFile)];
  return {
    files: all(files, before?.files ?? []),
    folders: all(folders, before?.folders ?? []),
    logs: all(logs, before?.logs ?? []),
  };
}

/** What is in either. */
export function joinOwnPaths(one: OwnPaths, other: OwnPaths): OwnPaths {
  const both = (name: keyof OwnPaths): string[] => [...new Set([...one[name], ...other[name]])];
  return { files: both("files"), folders: both("folders"), logs: both("logs") };
}

/** Absolute paths of the files that the command was given for itself. */
export function ownFilesOf(settings: OwnFileSettings, workingFolder: string): string[] {
  const { configFile, logFile, gate, tls, server } = settings;
  // In a working folder that is gone there are none
  const files = [configFile, logFile, ...(workingFolder === "" ? [] : CONFIG_NAMES)];
  if (gate.auth.startsWith("@")) files.push(gate.auth.slice(1));
  if (tls?.kind === "files") files.push(tls.certFile, tls.keyFile);
  files.push(...filesNamedIn(server.tls));
  return [...new Set(files.filter((file) => file !== "").map((file) => resolve(workingFolder, file)))];
}

/** Values of members called `…File`, at any depth: certificates may be several. */
function filesNamedIn(value: unknown, name: string = ""): string[] {
  if (typeof value === "string") return name.endsWith("File") ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => filesNamedIn(member, key));
}

/** Where certificates are kept that the command obtains itself, with the keys of authorities and accounts. */
function ownFoldersOf({ tls }: OwnFileSettings, environment: Environment): string[] {
  const surroundings = { environment, platform: process.platform, homeFolder: environment["HOME"] ?? homedir() };
  switch (tls?.kind) {
    case "local":
      return [resolve(localFolder(surroundings))];
    case "acme":
      return [resolve(acmeFolder(surroundings))];
    case "files":
    case undefined:
      return [];
  }
}

/**
 * Those of some files that lie in a folder, as paths below it.
 *
 * @param root absolute
 * @param files absolute
 */
export function pathsBelow(root: string, files: readonly string[]): string[] {
  const realRoot = realOf(root);
  const places = files.flatMap((file) => [relative(root, file), relative(realRoot, realOf(file))]);
  return [...new Set(places.filter(isBelow).map((path) => path.split(sep).join("/")))];
}

/** Whether a relative path leads down. `..name` does. */
function isBelow(path: string): boolean {
  return path !== "" && path !== ".." && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}

/** A log that is yet to be made has no real path, but the folder has one that it will be in. */
function realOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const folder = dirname(path);
    return folder === path ? path : join(realOf(folder), basename(path));
  }
}
