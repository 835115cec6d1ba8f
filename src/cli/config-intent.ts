/**
 * What somebody wants: arguments, environment and file together, as settings and as what is served.
 *
 * The one way from words to settings, for serving, asking, checking and for reading everything again.
 */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { CommandError, Mistakes } from "./command-error.ts";
import { findConfigFile } from "./config-find.ts";
import { layer } from "./config-layers.ts";
import type { ConfigFile, Environment, Given } from "./config-layers.ts";
import { textOf } from "./flags.ts";
import type { Flags } from "./flags.ts";
import { understand } from "./settings.ts";
import type { Settings } from "./settings.ts";
import { findSubject } from "./subject.ts";
import type { Subject } from "./subject.ts";
import { HALF_PASSWORD, hasHalfPassword } from "./usage.ts";
import { hintsFor } from "./word-hints.ts";

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

/** What is known of it, though there may be mistakes. */
export interface Outlook extends Omit<Intent, "subject"> {
  /** Null if there is nothing to serve. */
  readonly subject: Subject | null;
}

const NOTHING: Given = { flags: new Map(), origins: new Map(), file: null, mistakes: [] };

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
  const mistakes = new Mistakes();
  const outlook = await lookAround(word, flags, world, mistakes, isAgain);
  mistakes.complain();
  // Or there would have been a mistake
  return outlook as Intent;
}

/** The same as far as it goes, for who goes on to look for more that is wrong. What is, is in `mistakes`. */
export async function lookAround(
  word: string | undefined,
  flags: Flags,
  world: IntentWorld,
  mistakes: Mistakes,
  isAgain = false,
): Promise<Outlook> {
  // Of a file that cannot be read nobody knows what would hold
  const given = await mistakes.attempt(() => gather(word, flags, world, isAgain), NOTHING);
  const settings = understand(given, world.isTerminal, mistakes);
  const subject = await mistakes.attempt(() => findIntended(given, word, world.workingFolder), null);
  return { given, settings: withNotes(settings, subject), subject };
}

/** A page that is not there yet may be built later; nobody would know why there are no answers until then. */
function withNotes(settings: Settings, subject: Subject | null): Settings {
  const { singlePage, more } = settings.files;
  if (subject?.kind !== "folder" || singlePage === false) return settings;
  const page = singlePage === true ? (more.index ?? "index.html") : singlePage;
  if (existsSync(join(subject.path, page))) return settings;
  const note = `there is no ${page} in ${subject.path}, the page of --single: until there is, what does not exist is 404`;
  return { ...settings, notes: [...settings.notes, note] };
}

/** Lays what was given over each other. */
async function gather(word: string | undefined, flags: Flags, world: IntentWorld, isAgain = false): Promise<Given> {
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
function findIntended({ flags, origins }: Given, word: string | undefined, workingFolder: string): Subject {
  const isTyped = origins.get("root")?.source === "flag";
  const root = word === undefined || isTyped ? textOf(flags, "root") : undefined;
  const typed = new Map([...flags].filter(([name]) => origins.get(name)?.source === "flag"));
  const hints = word === undefined ? [] : hintsFor(word, typed);
  try {
    return findSubject(word, root, workingFolder, hints);
  } catch (error) {
    if (word !== undefined && hasHalfPassword(typed) && !existsSync(resolve(workingFolder, word))) {
      const what = "what shall be served does not exist; it is not shown, since it may be a password";
      throw new CommandError(1, what, [HALF_PASSWORD]);
    }
    const shown = origins.get("root")?.shown;
    if (!(error instanceof CommandError) || word !== undefined || isTyped || shown === undefined) throw error;
    // Nobody has typed it: who reads this must know where it stands
    throw new CommandError(error.exitCode, `${shown}: ${error.message}`, error.advice, { cause: error });
  }
}
