/**
 * What somebody wants: arguments, environment and file together, as settings and as what is served.
 *
 * The one way from words to settings, for serving, asking, checking and for reading everything again.
 */

import { findConfigFile } from "./config-find.ts";
import { layer } from "./config-layers.ts";
import type { ConfigFile, Environment, Given } from "./config-layers.ts";
import { textOf } from "./flags.ts";
import type { Flags } from "./flags.ts";
import { readSettings } from "./settings.ts";
import type { Settings } from "./settings.ts";
import { findSubject } from "./subject.ts";
import type { Subject } from "./subject.ts";

/** What is wanted, understood. */
export interface Intent {
  readonly given: Given;
  readonly settings: Settings;
  readonly subject: Subject;
}

/** What it needs of the world. */
export interface IntentWorld {
  readonly environment: Environment;
  readonly workingFolder: string;
  readonly isTerminal: boolean;
}

/**
 * Finds out.
 *
 * @param word what shall be served, as it was typed
 * @param isAgain it was done before, and the file may have changed
 * @throws CommandError with all mistakes in what was given
 */
export async function readIntent(
  word: string | undefined,
  flags: Flags,
  world: IntentWorld,
  isAgain = false,
): Promise<Intent> {
  const given = await gather(word, flags, world, isAgain);
  const settings = readSettings(given, world.isTerminal);
  return { given, settings, subject: findIntended(given, word, world.workingFolder) };
}

/** Lays what was given over each other. */
export async function gather(
  word: string | undefined,
  flags: Flags,
  world: IntentWorld,
  isAgain = false,
): Promise<Given> {
  const path = findConfigFile(flags, world.environment, word, world.workingFolder);
  // Most starts have none, and need not wait
  const file = path === "" ? null : await read(path, world.workingFolder, isAgain);
  return layer(flags, world.environment, file);
}

async function read(path: string, workingFolder: string, isAgain: boolean): Promise<ConfigFile> {
  const { loadConfig } = await import("./config-load.ts");
  return loadConfig(path, workingFolder, isAgain);
}

/** What is served. What was typed goes before the root that a file or the environment names. */
export function findIntended({ flags, origins }: Given, word: string | undefined, workingFolder: string): Subject {
  const isTyped = origins.get("root")?.source === "flag";
  return findSubject(word, word === undefined || isTyped ? textOf(flags, "root") : undefined, workingFolder);
}
