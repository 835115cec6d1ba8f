/**
 * The command as one of several workers: it serves as ever, says nothing of itself, and stops when the primary says so.
 *
 * The primary has chosen a port for all where none was asked for. It must never greet, open a browser, or obey a terminal.
 */

import type { Hooks } from "../server/hooks.ts";
import { takeUpDuties } from "../processes/duties.ts";
import type { Handler } from "../web/handler.ts";
import type { ExitCode } from "./command-error.ts";
import type { OwnPaths } from "./config-hide.ts";
import type { Outlook } from "./config-intent.ts";
import type { Environment } from "./config-layers.ts";
import { keepConfigFile, waitingSettings, withHeld } from "./held-settings.ts";
import type { HeldSettings } from "./held-settings.ts";
import { listen } from "./listen.ts";
import type { Log } from "./log.ts";
import type { Settings } from "./settings.ts";

/** In the environment of a worker: the port that was asked for and the one that all listen on, `8080:8081`. */
export const CHOSEN_PORT = "FAIRLEAD_WORKER_PORT";

/** In the environment of a worker: what workers before it have used, as JSON. It may be in use still, and is no less secret. */
export const USED_BEFORE = "FAIRLEAD_WORKER_OWN";

/** In the environment of a worker: what it takes from the start of the command, as JSON. */
export const HELD = "FAIRLEAD_WORKER_HELD";

/** What a worker tells the primary besides where it listens. */
export interface WorkerNote {
  /** The port that was taken, 0 if the first choice was free. */
  readonly takenPort: number;
  /** Where it sends plain HTTP on to HTTPS, as all do; `""` for nowhere. */
  readonly redirectUrl: string;
  /** What it keeps back, with what workers before it did. */
  readonly own: OwnPaths;
  /** The configuration file that it has read, an absolute path; `""` for none. */
  readonly configFile: string;
  /** Names of settings that it has read otherwise than the command was started with, and that wait for a restart. */
  readonly waiting: readonly string[];
}

/** What a worker is made of. */
export interface WorkerParts {
  readonly settings: Settings;
  readonly handler: Handler;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly environment: Environment;
  readonly own: OwnPaths;
  /** See {@link WorkerNote}. */
  readonly waiting: readonly string[];
  /** Called once, when the servers begin to be closed. */
  readonly onClosing: () => void;
}

/** Serves until the primary has had enough. */
export async function serveAsWorker({
  settings,
  handler,
  log,
  hooks,
  environment,
  own,
  waiting,
  onClosing,
}: WorkerParts): Promise<ExitCode> {
  const { tellReady, closing, ended } = takeUpDuties();
  void closing.then(onClosing);
  const { takenPort, redirectUrl } = await listen(withChosenPort(settings, environment[CHOSEN_PORT]), handler, hooks);
  const note: WorkerNote = { takenPort, redirectUrl, own, configFile: settings.configFile, waiting };
  tellReady(note);
  await ended;
  await log.close();
  // Whether something was cut off the primary has been told
  return 0;
}

/**
 * What this worker has read, with what it takes from the start of the command; and the names of what waits for a restart.
 *
 * @param isSound whether nothing wrong was found in it: of a file that cannot be read nothing is known, and that is told
 * @throws CommandError if the configuration file is gone that workers before it have read, or the start
 */
export function holdToStart(
  outlook: Outlook,
  environment: Environment,
  isSound: boolean,
): { readonly outlook: Outlook; readonly waiting: readonly string[] } {
  const held = JSON.parse(environment[HELD] ?? "null") as HeldSettings | null;
  if (held === null) return { outlook, waiting: [] };
  if (isSound) keepConfigFile(held.configFile, outlook.settings);
  return { outlook: withHeld(outlook, held), waiting: waitingSettings(held, outlook) };
}

/** What workers before this one have used; null of the first. */
export function usedBefore(environment: Environment): OwnPaths | null {
  const text = environment[USED_BEFORE] ?? "";
  return text === "" ? null : (JSON.parse(text) as OwnPaths);
}

/** Settings that ask for the port that the other workers have. */
export function withChosenPort(settings: Settings, choice: string | undefined): Settings {
  const [asked = 0, chosen = 0] = (choice ?? "").split(":").map(Number);
  if (!(chosen > 0) || (settings.isPortFixed && asked !== 0)) return settings;
  const targets = settings.targets.map((target) =>
    target.kind === "tcp" && target.port === asked ? { ...target, port: chosen } : target,
  );
  return { ...settings, targets, isPortFixed: true };
}
