/**
 * What the command itself reads or writes is not served, though it may lie in the folder that is: the configuration, which may
 * hold a password, the file of users, private keys and their certificates, the log.
 *
 * A configuration counts by its name where one is looked for, also if another one holds, or none (--no-config): it is no less
 * secret for that. A link to such a file by another name is not seen: who makes one in the folder wants it there.
 */

import { realpathSync } from "node:fs";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { CONFIG_NAMES } from "./config-find.ts";
import type { Settings } from "./settings.ts";

/** What of the settings names files of the command. */
export type OwnFileSettings = Pick<Settings, "configFile" | "logFile" | "gate" | "tls" | "server">;

/** Absolute paths of the files that the command was given for itself. */
export function ownFilesOf(settings: OwnFileSettings, workingFolder: string): string[] {
  const { configFile, logFile, gate, tls, server } = settings;
  const files = [configFile, logFile, ...CONFIG_NAMES];
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

/**
 * Those of some files that lie in a folder, as paths below it.
 *
 * @param root absolute
 * @param files absolute
 */
export function pathsBelow(root: string, files: readonly string[]): string[] {
  const places = files.flatMap((file) => [relative(root, file), relative(realOf(root), realOf(file))]);
  const below = places.filter((path) => path !== "" && !path.startsWith("..") && !isAbsolute(path));
  return [...new Set(below.map((path) => path.split(sep).join("/")))];
}

/** A log that is yet to be made has no real path. */
function realOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
