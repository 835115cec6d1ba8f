/**
 * `--workers`: the command as the primary process, which serves nothing itself and watches over workers that do.
 *
 * Each worker is the same command with the same arguments, and knows by its number that it is one (processes-worker.ts). So a
 * restart reads arguments, environment and file anew in a new worker, and a mistake there changes nothing. It must never load
 * what is served.
 */

import { randomBytes } from "node:crypto";
import { ServerError } from "../http/errors.ts";
import { ClusterCrew } from "../processes/cluster-crew.ts";
import type { ListeningPlace } from "../processes/messages.ts";
import { LAST_CALL_MS, START_MS } from "../processes/processes-options.ts";
import { obeySignals, type Say } from "../processes/signals.ts";
import { type ProcessesSummary, Supervisor } from "../processes/supervisor.ts";
import { SYSTEM_TIME } from "../server/clock.ts";
import { TICKET_KEY_BYTES } from "../server/tls-settings.ts";
import type { Admin } from "./admin.ts";
import { CommandError } from "./command-error.ts";
import type { ExitCode } from "./command-error.ts";
import { joinOwnPaths, type OwnPaths } from "./config-hide.ts";
import type { Intent } from "./config-intent.ts";
import { greet } from "./greet.ts";
import { describeWaiting, heldSettings } from "./held-settings.ts";
import type { HeldSettings } from "./held-settings.ts";
import { openLog } from "./log.ts";
import type { Painter } from "./paint.ts";
import type { Settings } from "./settings.ts";
import { CHOSEN_PORT, HELD, USED_BEFORE, type WorkerNote } from "./processes-worker.ts";
import { openServiceManager } from "./service-manager.ts";
import type { CommandWorld } from "./world.ts";

/** Runs the primary until its workers have stopped. */
export async function serveInProcesses(intent: Intent, world: CommandWorld, paint: Painter): Promise<ExitCode> {
  const { settings, subject } = intent;
  // The lines per request are the workers' to write
  const { say: tell } = openLog({ ...settings, logFile: "" }, world, paint);
  const say: Say = (level, text) => (level === "info" ? tell(text) : world.writeError(`fairlead: ${text}\n`));
  const supervisor = supervise(intent, world, say);
  // First, so that what asks whether all is ready has somebody to ask; and a mistake in it starts nothing
  const admin = await openAdmin(settings, supervisor, world);
  const manager = openServiceManager();
  const sayWaiting = waitingTeller(supervisor, tell);
  const serving = `Serving with ${settings.workers === 1 ? "1 worker" : `${settings.workers} workers`}`;
  obeySignals(supervisor, world.signals, say, SYSTEM_TIME, {
    onClosing: () => manager?.stopping(),
    onRestarting: () => manager?.reloading(),
    onRestarted: () => {
      manager?.ready(serving);
      sayWaiting();
    },
    onHangup: world.onHangup,
  });
  try {
    await supervisor.start();
  } catch (error) {
    await admin?.close();
    if (!(error instanceof ServerError)) throw error;
    // Its own words stand above
    const { failedExitCode } = supervisor;
    if (failedExitCode === 1 || failedExitCode === 2) return failedExitCode;
    throw new CommandError(1, error.message, [], { cause: error });
  }
  if (!supervisor.isClosing) {
    const { places, note } = supervisor.newest ?? { places: [], note: null };
    const { takenPort = 0, redirectUrl = "" } = (note ?? {}) as Partial<WorkerNote>;
    const listening = { servers: places.map(reachableAt), takenPort, redirectUrl };
    const notes = [...settings.notes, describeWorkers(supervisor, settings.workers)];
    const noted = { ...settings, notes: admin === null ? notes : [...notes, admin.note] };
    await greet({ settings: noted, subject, listening }, world, paint, tell);
    manager?.ready(serving);
    world.onServing();
  }
  const summary = await supervisor.finished;
  manager?.close();
  await admin?.close();
  return supervisor.hasGivenUp ? 1 : exitCodeOf(summary, tell);
}

async function openAdmin(settings: Settings, supervisor: Supervisor, world: CommandWorld): Promise<Admin | null> {
  if (settings.admin === null) return null;
  const { openAdminOfWorkers } = await import("./admin.ts");
  return openAdminOfWorkers(settings.admin, settings, supervisor, world);
}

function supervise({ given, settings }: Intent, world: CommandWorld, say: Say): Supervisor {
  const [file = "", ...args] = world.commandLine;
  const crew = new ClusterCrew({
    file,
    args,
    title: "fairlead primary",
    // Until then it is the one that finds out whether all is well, and speaks for the command
    prefixOf: (number): string => (supervisor.isStarted ? `[${number}] ` : ""),
    writeError: world.writeError,
  });
  const portOf = portChooser(settings);
  const usedOf = ownKeeper();
  const heldOf = holder(heldSettings({ given, settings }));
  const supervisor: Supervisor = new Supervisor(
    {
      workers: settings.workers,
      startMs: START_MS,
      lastCallMs: LAST_CALL_MS,
      say,
      environmentOf: (one) => ({ ...heldOf(one), ...portOf(one), ...usedOf(one) }),
      // node:cluster closes what nobody listens on any more
      hopelessness: ({ ready }) =>
        ready.length === 0 && settings.targets.some(({ kind }) => kind === "fd")
          ? "It was the last one, and the inherited socket is gone with it: only who has passed it on can do so again."
          : "",
      makeTicketKeys: () => randomBytes(TICKET_KEY_BYTES).toString("base64"),
      chance: Math.random,
    },
    crew,
    SYSTEM_TIME,
  );
  return supervisor;
}

/**
 * Which port later workers listen on, where the first one has chosen it: the next free one, or any. While some of them listen on
 * any port, the others get the same by asking for the same; once there were none, it has to be asked for by its number.
 */
function portChooser({ targets, isPortFixed }: Settings): (supervisor: Supervisor) => Record<string, string> {
  const [first] = targets;
  const asked = first?.kind === "tcp" ? first.port : -1;
  let chosen = 0;
  let isLost = false;
  return ({ newest, ready, isStarted }) => {
    chosen = newest?.places[0]?.port ?? chosen;
    if (isStarted && ready.length === 0) isLost = true;
    const isNeeded = asked === 0 ? isLost && targets.length === 1 : asked > 0 && !isPortFixed;
    return chosen !== 0 && isNeeded ? { [CHOSEN_PORT]: `${asked}:${chosen}` } : {};
  };
}

/** What later workers take from the start, and which configuration file holds: one may have come since then. */
function holder(start: HeldSettings): (supervisor: Supervisor) => Record<string, string> {
  let held = start;
  return (supervisor) => {
    for (const { configFile } of notesOf(supervisor)) if (configFile !== "") held = { ...held, configFile };
    return { [HELD]: JSON.stringify(held) };
  };
}

/** Of all that serve; and of the last, which may be gone and have left nobody. */
function notesOf({ ready, lastNote }: Supervisor): WorkerNote[] {
  const notes = ready.map(({ note }) => note as WorkerNote);
  return lastNote === null ? notes : [...notes, lastNote as WorkerNote];
}

/** What workers have used since the start: the next one keeps it back too, whatever its settings say. */
function ownKeeper(): (supervisor: Supervisor) => Record<string, string> {
  let used: OwnPaths | null = null;
  return (supervisor) => {
    for (const { own } of notesOf(supervisor)) {
      used = used === null ? own : joinOwnPaths(used, own);
    }
    return used === null ? {} : { [USED_BEFORE]: JSON.stringify(used) };
  };
}

/** Says once after each restart what workers have read and do not obey; all have read the same. */
function waitingTeller(supervisor: Supervisor, tell: (text: string) => void): () => void {
  let restarts = 0;
  return () => {
    // One that failed has said so, and nothing of what was read is in force
    if (supervisor.restarts === restarts) return;
    restarts = supervisor.restarts;
    const { waiting = [] } = (supervisor.newest?.note ?? {}) as Partial<WorkerNote>;
    if (waiting.length > 0) tell(describeWaiting(waiting));
  };
}

function reachableAt({ url, hostname, port }: ListeningPlace): { url: URL; hostname: string; port: number } {
  return { url: new URL(url), hostname, port };
}

function describeWorkers({ ready }: Supervisor, wanted: number): string {
  const count = ready.length === wanted ? `${wanted}` : `${ready.length} of ${wanted}`;
  const noun = wanted === 1 ? "worker process" : "worker processes";
  return `${count} ${noun}; kill -HUP ${process.pid} replaces ${wanted === 1 ? "it" : "them"} one by one`;
}

function exitCodeOf({ destroyedConnections }: ProcessesSummary, tell: (text: string) => void): ExitCode {
  if (destroyedConnections === 0) {
    tell("Stopped.");
    return 0;
  }
  const number = destroyedConnections === 1 ? "1 connection was" : `${destroyedConnections} connections were`;
  tell(`Stopped; ${number} cut off.`);
  return 1;
}
