/**
 * serveProcesses(): a script that calls serve(), run in several processes that share its ports.
 *
 * The script is a file of its own, because the process that calls this runs none of the app: it only watches. Which ports, which
 * handler and which options is in the script, as if it ran alone. There is one such supervisor in a process.
 */

import { randomBytes } from "node:crypto";
import cluster from "node:cluster";
import { fileURLToPath } from "node:url";
import { ServerError } from "../http/errors.ts";
import { SYSTEM_TIME } from "../server/clock.ts";
import { TICKET_KEY_BYTES } from "../server/tls-settings.ts";
import { needsLoader } from "../workers/handler-module.ts";
import { ClusterCrew } from "./cluster-crew.ts";
import type { WorkerEnd } from "./end-listeners.ts";
import type { ListeningPlace, WorkerAnswer } from "./messages.ts";
import { pathOfScript, type ProcessesOptions, resolveProcessesOptions } from "./processes-options.ts";
import { obeySignals } from "./signals.ts";
import { type ProcessesSummary, Supervisor, type WorkerInfo, type WorkerPlace } from "./supervisor.ts";

/** Worker processes that serve. Made by {@link serveProcesses}. */
export interface Processes extends AsyncDisposable {
  /** Where they listen, of the worker that was ready last. */
  readonly listening: readonly ListeningPlace[];
  /** All processes, those that close included. */
  readonly workers: readonly WorkerInfo[];
  /** The places that workers fill, each with how often that has begun and failed. */
  readonly places: readonly WorkerPlace[];
  /** Whether requests are welcome: false before all workers listen, while none does, and from the moment of a close. */
  readonly isReady: boolean;
  /** Workers that ended without having been asked, since the start. */
  readonly crashes: number;
  /** Resolves when all workers are gone after a close. */
  readonly finished: Promise<ProcessesSummary>;
  /**
   * Replaces all workers one by one: each new one listens before the old one closes, so that nobody is refused.
   *
   * @throws ServerError ERR_PROCESSES if a new one does not start; then the old ones go on
   */
  restart(): Promise<void>;
  /**
   * What all workers that serve say of a topic, see `answerWith()`; also those that close. Who does not answer within 2 s is left
   * out.
   */
  ask(topic: string): Promise<readonly WorkerAnswer[]>;
  /**
   * Tells of each worker process that is gone, with what it said last of each topic: what it has counted need not be lost.
   *
   * @returns what ends that
   */
  onWorkerEnd(listener: (end: WorkerEnd) => void): () => void;
  /** Closes all workers gracefully, each within its servers' `timeouts.drainMs`. */
  close(): Promise<ProcessesSummary>;
  /** Closes all workers without waiting for anybody. */
  closeNow(): void;
}

let hasBegun = false;

/**
 * Runs a script in several processes that share the ports it listens on.
 *
 * The script calls serve() as it would alone, as often as it likes. Each worker has its number in `process.env.FAIRLEAD_WORKER`,
 * from 1. Limits hold for each worker: `maxConnections` 10,000 with 4 workers is 40,000.
 *
 * @param script file URL or absolute path, JavaScript or TypeScript; not the file that calls this
 * @returns when all workers listen
 * @throws ServerError ERR_OPTIONS that lists every mistake; ERR_PROCESSES if no worker could be started, or if this process is a
 *   worker itself or has called this before
 */
export async function serveProcesses(script: URL | string, options: ProcessesOptions = {}): Promise<Processes> {
  const path = pathOfScript(script);
  const { workers, args, startMs, lastCallMs, signals, log } = resolveProcessesOptions(options);
  if (cluster.isWorker) {
    throw new ServerError(
      "ERR_PROCESSES",
      "a worker cannot have workers: the script of serveProcesses() is another file than the one that calls it",
    );
  }
  if (hasBegun) throw new ServerError("ERR_PROCESSES", "this process has called serveProcesses() before");
  hasBegun = true;
  const crew = new ClusterCrew({
    file: fileURLToPath(new URL(scriptRunner(), import.meta.url)),
    args: [path, ...args],
    title: "",
    prefixOf: (number) => `[${number}] `,
    writeError: (text) => process.stderr.write(text),
  });
  const supervisor = new Supervisor(
    {
      workers,
      startMs,
      lastCallMs,
      say: log,
      environmentOf: () => ({}),
      hopelessness: () => "",
      makeTicketKeys: () => randomBytes(TICKET_KEY_BYTES).toString("base64"),
      chance: Math.random,
    },
    crew,
    SYSTEM_TIME,
  );
  if (signals) obeySignals(supervisor, process, log, SYSTEM_TIME);
  try {
    await supervisor.start();
  } catch (error) {
    // Nothing has come of it: it may be tried again
    hasBegun = false;
    throw error;
  }
  return faceOf(supervisor);
}

function faceOf(supervisor: Supervisor): Processes {
  return {
    get listening() {
      return supervisor.newest?.places ?? [];
    },
    get workers() {
      return supervisor.workers;
    },
    get crashes() {
      return supervisor.crashes;
    },
    get places() {
      return supervisor.places;
    },
    get isReady() {
      return supervisor.isReady;
    },
    finished: supervisor.finished,
    restart: () => supervisor.restart(),
    ask: (topic) => supervisor.ask(topic),
    onWorkerEnd: (listener) => supervisor.onWorkerEnd(listener),
    close: () => supervisor.close(),
    closeNow: () => supervisor.closeNow(),
    [Symbol.asyncDispose]: async () => void (await supervisor.close()),
  };
}

/** Of the package it stands beside this; of the source it has the ending that the source has. */
function scriptRunner(): string {
  if (!import.meta.url.endsWith(".ts")) return "./script-worker.js";
  return needsLoader("script-worker.ts") ? "./script-worker-source.js" : "./script-worker.ts";
}
