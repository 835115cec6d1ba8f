/**
 * The command as one of several workers: it serves as ever, says nothing of itself, and stops when the primary says so.
 *
 * The primary has chosen a port for all where none was asked for. It must never greet, open a browser, or obey a terminal.
 */

import type { Hooks } from "../server/hooks.ts";
import { takeUpDuties } from "../processes/duties.ts";
import type { Handler } from "../web/handler.ts";
import type { ExitCode } from "./command-error.ts";
import type { Environment } from "./config-layers.ts";
import { listen } from "./listen.ts";
import type { Log } from "./log.ts";
import type { Settings } from "./settings.ts";

/** In the environment of a worker: the port that was asked for and the one that all listen on, `8080:8081`. */
export const CHOSEN_PORT = "FAIRLEAD_WORKER_PORT";

/** What a worker tells the primary besides where it listens. */
export interface WorkerNote {
  /** The port that was taken, 0 if the first choice was free. */
  readonly takenPort: number;
}

/** What a worker is made of. */
export interface WorkerParts {
  readonly settings: Settings;
  readonly handler: Handler;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly environment: Environment;
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
  onClosing,
}: WorkerParts): Promise<ExitCode> {
  const { tellReady, closing, ended } = takeUpDuties();
  void closing.then(onClosing);
  const { takenPort } = await listen(withChosenPort(settings, environment[CHOSEN_PORT]), handler, hooks);
  const note: WorkerNote = { takenPort };
  tellReady(note);
  await ended;
  await log.close();
  // Whether something was cut off the primary has been told
  return 0;
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
