/**
 * Files of unix sockets that were left behind: a process that is killed, or loses its power, does not take its own with it.
 *
 * Steps: ask whether anybody answers -> see that the file is still the one that was asked -> remove it. It must never remove a
 * file that is no socket, or a socket that somebody answers on.
 * In a worker of node:cluster it is done before the first listen, and not because that has failed: the primary opens one socket
 * for the first time that a worker listens at an address, and another for the second, and workers would not share it.
 */

import { type BigIntStats, lstatSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { SYSTEM_TIME } from "./clock.ts";

/** Variable of workers: when their primary began, in milliseconds since 1970. */
const PRIMARY_SINCE = "FAIRLEAD_PRIMARY_SINCE";

/** What a primary puts into the environment of its workers, so that they know a socket of its own from one that was left behind. */
export function sinceForWorkers(): Record<string, string> {
  return { [PRIMARY_SINCE]: String(processSinceMs()) };
}

/** Whether listening is the primary's, and may be asked of it once per address. Loads node:cluster, so only for unix sockets. */
export function isListeningShared(): boolean {
  // As it is, not as its types have it, which are those of an import
  return Reflect.get(process.getBuiltinModule("node:cluster"), "isWorker") === true;
}

/**
 * Whether the file at `path` is of before this run. One that is not may be what other workers listen on already, or are about to:
 * it is not even asked, for between bind and listen nobody answers. A time that is still to come is that of a clock that was
 * set, and says nothing.
 */
export function isOfBefore(path: string): boolean {
  const since = Number(process.env[PRIMARY_SINCE] ?? processSinceMs());
  try {
    const { mtimeMs } = lstatSync(path);
    return mtimeMs < since || mtimeMs > SYSTEM_TIME.wallMs();
  } catch {
    // There is none, or listening will say what is wrong
    return false;
  }
}

/** Removes the socket file at `path` if nobody answers on it. False: it stays. */
export async function removeStaleSocket(path: string): Promise<boolean> {
  try {
    const asked = lstatSync(path, { bigint: true });
    if (!asked.isSocket() || (await answers(path))) return false;
    // Somebody else may have replaced it meanwhile
    if (!isSameFile(asked, lstatSync(path, { bigint: true }))) return false;
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

function processSinceMs(): number {
  return SYSTEM_TIME.wallMs() - process.uptime() * 1000;
}

function isSameFile(one: BigIntStats, other: BigIntStats): boolean {
  // Numbers of files are given again
  return one.dev === other.dev && one.ino === other.ino && one.ctimeNs === other.ctimeNs;
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    // Only a refusal says that nobody is there; a full queue, or no right to ask, does not
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  });
}
