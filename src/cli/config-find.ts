/**
 * Which configuration file holds: the one that was named, else the one that lies where the command was started.
 *
 * Every start comes here, most find none: it costs a few failed stats and loads nothing. Reading a file is config-load.ts's.
 * A `serve.json` in the folder that is served is the last resort, for people who come from that tool.
 */

import { statSync } from "node:fs";
import type { Stats } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { CommandError, howToOpen, whyNotOpened } from "./command-error.ts";
import { valueOf } from "./config-layers.ts";
import type { Environment } from "./config-layers.ts";
import { lastOf } from "./flags.ts";
import type { Flags } from "./flags.ts";

/** Names that are looked for, one of which may be there. */
export const CONFIG_NAMES: readonly string[] = [
  "fairlead.config.ts",
  "fairlead.config.js",
  "fairlead.config.mjs",
  "fairlead.config.json",
];

/** The file of vercel's serve. */
export const FOREIGN_NAME = "serve.json";

/**
 * Looks for it.
 *
 * @param word what shall be served, as it was typed
 * @param workingFolder absolute
 * @returns an absolute path, `""` for none
 * @throws CommandError with exit code 1 if the one that was named is not there, 2 if it can be none or there are two
 */
export function findConfigFile(
  flags: Flags,
  environment: Environment,
  word: string | undefined,
  workingFolder: string,
): string {
  const flag = lastOf(flags, "config");
  if (flag === false) return "";
  if (typeof flag === "string") return namedFile(flag, "-c", workingFolder);
  const variable = valueOf(environment, "FAIRLEAD_CONFIG");
  if (variable !== undefined) return namedFile(variable, "the environment's FAIRLEAD_CONFIG", workingFolder);
  const [first, second] = CONFIG_NAMES.filter((name) => isFile(join(workingFolder, name)));
  if (second !== undefined) {
    throw new CommandError(2, `there are two configuration files: ${first} and ${second}`, [
      `Remove one, or say which holds: -c ${first}`,
    ]);
  }
  if (first !== undefined) return join(workingFolder, first);
  // Relative to a folder that is gone there is none, and what is to be served is told of then
  if (workingFolder === "" && !isAbsolute(word ?? "")) return "";
  const foreign = join(resolve(workingFolder, word ?? ""), FOREIGN_NAME);
  return isFile(foreign) ? foreign : "";
}

const GIVE_OTHER = "Give the path of one that is there, or leave -c out";

function namedFile(word: string, origin: string, workingFolder: string): string {
  const path = resolve(workingFolder, word);
  const stats = statsOf(path, word);
  if (stats?.isFile() === true) return path;
  // "-c-1" is how http-server's users switch caching off, "-c" lets other sites' scripts in for sirv's
  const seconds = /^=?(-?\d+)$/.exec(word)?.[1];
  if (seconds !== undefined) {
    const caching =
      Number(seconds) < 0 ? "caching off is --cache off" : `caching for ${seconds} seconds is --cache ${seconds}s`;
    throw new CommandError(2, `${origin} names a configuration file, which ${word} is not; ${caching}`);
  }
  const advice = ["Other sites' scripts are let in by --cors, caching is --cache"];
  if (stats !== undefined) {
    throw new CommandError(2, `${origin} names a configuration file, and ${word} is none`, advice);
  }
  throw new CommandError(
    1,
    isAbsolute(word)
      ? `there is no configuration file ${word}`
      : `there is no configuration file ${word} in ${workingFolder}`,
    [GIVE_OTHER],
  );
}

/** @throws CommandError where a folder on the way is closed to us */
function statsOf(path: string, word: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const advice = howToOpen(error, [GIVE_OTHER]);
    throw new CommandError(1, `the configuration file ${word} cannot be read: ${whyNotOpened(error)}`, advice, {
      cause: error,
    });
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    // What cannot be looked at cannot be read either, and nobody has named it
    return false;
  }
}
