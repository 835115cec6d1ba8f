/**
 * What the command itself reads or writes is not served, though it may lie in the folder that is: the configuration, which may
 * hold a password, the file of users, private keys and their certificates, the log.
 *
 * Compared are decoded names, as the disk gets them, and without regard to case, because many disks have none. A link to such a
 * file by another name is not seen: who makes one in the folder wants it there.
 */

import { realpathSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { HttpError } from "../http/errors.ts";
import { parseMount } from "../static/mount.ts";
import { resolveTarget } from "../static/resolve.ts";
import type { Handler } from "../web/handler.ts";
import type { Settings } from "./settings.ts";

/** What of the settings names files of the command. */
export type OwnFileSettings = Pick<Settings, "configFile" | "logFile" | "gate" | "tls" | "server">;

/** Absolute paths of the files that the command was given for itself. */
export function ownFilesOf(settings: OwnFileSettings, workingFolder: string): string[] {
  const { configFile, logFile, gate, tls, server } = settings;
  const files = [configFile, logFile];
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
 * A handler that answers 404 for some files.
 *
 * @param root absolute folder that the handler serves
 * @param files absolute; the handler itself is given back if all lie elsewhere
 * @param prefix path that the handler serves it under
 */
export function hideFiles(handler: Handler, root: string, files: readonly string[], prefix: string = ""): Handler {
  const above = parseMount(prefix)?.names ?? [];
  const places = files.flatMap((file) => [relative(root, file), relative(realOf(root), realOf(file))]);
  const hidden = new Set(
    places
      .filter((below) => below !== "" && !below.startsWith(".."))
      .map((below) => fold([...above, ...below.split(sep)])),
  );
  if (hidden.size === 0) return handler;
  return (request, context) => {
    const { method, target } = context.exchange.request;
    const names = resolveTarget(method, target, true)?.names;
    if (names !== undefined && hidden.has(fold(names)))
      throw new HttpError(404, "the command's own files are not served");
    return handler(request, context);
  };
}

/** A log that is yet to be made has no real path. */
function realOf(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

function fold(names: readonly string[]): string {
  return names.join("/").normalize().toLowerCase();
}
