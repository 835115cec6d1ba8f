/**
 * What serveProcesses() accepts, and what it becomes: defaults, bounds, every mistake told at once.
 *
 * It must start nothing.
 */

import { availableParallelism } from "node:os";
import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import { ServerError } from "../http/errors.ts";
import { errorText, harmless } from "../server/fault-text.ts";
import { editDistance, type OptionMistake, renderMistakes, show } from "../server/option-check.ts";

/** Options of serveProcesses(). */
export interface ProcessesOptions {
  /**
   * Worker processes, 1 to 1024, default `"auto"`: one per core that this process may use. nginx `worker_processes auto`. One
   * worker brings restarts without refusals and a replacement when it ends, and no second core.
   */
  readonly workers?: number | "auto" | undefined;
  /** Arguments that the script finds in `process.argv` from the third on, default those of this process. */
  readonly args?: readonly string[] | undefined;
  /** Milliseconds that a worker has from its start until it listens, default 60,000; Infinity: no limit. Then it is killed. */
  readonly startMs?: number | undefined;
  /**
   * Milliseconds that an idle connection of a worker that is replaced stays open for one more request, default 2,000. 0: closed at
   * once, also under a request that is on its way. nginx `keepalive_min_timeout` 0.
   */
  readonly lastCallMs?: number | undefined;
  /** SIGTERM and SIGINT close, SIGHUP replaces the workers, SIGUSR1 and SIGUSR2 reopen logs; default true. */
  readonly signals?: boolean | undefined;
  /**
   * Told what happens to workers, in words. Default: warnings go to standard error, as they do where this fails: it throws, or
   * rejects, and neither ends the primary.
   */
  readonly log?: ((level: "info" | "warning", text: string) => void) | undefined;
}

/** Options after validation. */
export interface ResolvedProcessesOptions {
  readonly workers: number;
  readonly args: readonly string[];
  readonly startMs: number;
  readonly lastCallMs: number;
  readonly signals: boolean;
  readonly log: (level: "info" | "warning", text: string) => void;
}

/** Default of {@link ProcessesOptions.startMs}. */
export const START_MS = 60_000;
/** Default of {@link ProcessesOptions.lastCallMs}. */
export const LAST_CALL_MS = 2_000;
/** More would be a slip of the finger. */
const MOST_WORKERS = 1024;

const ALLOWED: Readonly<Record<string, readonly [allowed: string, isRight: (value: unknown) => boolean]>> = {
  workers: [`"auto" or a whole number from 1 to ${MOST_WORKERS}`, isWorkerCount],
  args: ["an array of texts", (value) => Array.isArray(value) && value.every((one) => typeof one === "string")],
  startMs: ["a number from 1 on, or Infinity", (value) => typeof value === "number" && value >= 1],
  lastCallMs: ["a number from 0 to 60000", (value) => typeof value === "number" && value >= 0 && value <= 60_000],
  signals: ["true or false", (value) => typeof value === "boolean"],
  log: ["a function", (value) => typeof value === "function"],
};

/** Whether this can be asked for. */
function isWorkerCount(value: unknown): boolean {
  if (value === "auto") return true;
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MOST_WORKERS;
}

/** How many workers that is on this machine; a container's share of processors counts where Node knows of it. */
function countOf(workers: number | "auto"): number {
  return workers === "auto" ? availableParallelism() : workers;
}

/**
 * Checks options whole and fills in defaults.
 *
 * @throws ServerError ERR_OPTIONS that lists every mistake
 */
export function resolveProcessesOptions(options: ProcessesOptions): ResolvedProcessesOptions {
  const mistakes: OptionMistake[] = [];
  for (const [path, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const rule = Object.hasOwn(ALLOWED, path) ? ALLOWED[path] : undefined;
    if (rule === undefined) {
      const nearest = Object.keys(ALLOWED).find((name) => editDistance(name.toLowerCase(), path.toLowerCase()) <= 2);
      mistakes.push({ path, given: show(value), allowed: "", nearest: nearest ?? "" });
    } else if (!rule[1](value)) mistakes.push({ path, given: show(value), allowed: rule[0], nearest: "" });
  }
  if (mistakes.length > 0) throw new ServerError("ERR_OPTIONS", renderMistakes(mistakes));
  return Object.freeze({
    workers: countOf(options.workers ?? "auto"),
    args: Object.freeze([...(options.args ?? process.argv.slice(2))]),
    startMs: options.startMs ?? START_MS,
    lastCallMs: options.lastCallMs ?? LAST_CALL_MS,
    signals: options.signals ?? true,
    log: options.log === undefined ? logWarnings : guarded(options.log),
  });
}

/**
 * The path of a script.
 *
 * @throws ServerError ERR_OPTIONS for what is neither a file URL nor an absolute path
 */
export function pathOfScript(script: URL | string): string {
  try {
    if (typeof script === "string" && isAbsolute(script)) return script;
    const url = new URL(script);
    if (url.protocol === "file:") return fileURLToPath(url);
  } catch {
    // Said below
  }
  throw new ServerError(
    "ERR_OPTIONS",
    `the script of serveProcesses() is a file URL or an absolute path, as in new URL("./server.ts", import.meta.url), not ${String(script)}`,
  );
}

function logWarnings(level: "info" | "warning", text: string): void {
  if (level === "warning") process.stderr.write(`fairlead: ${text}\n`);
}

/** It is the app's: one that fails is told of once, and neither ends the primary nor loses what it was to say. */
function guarded(log: ResolvedProcessesOptions["log"]): ResolvedProcessesOptions["log"] {
  let hasWarned = false;
  return (level, text) => {
    const fail = (error: unknown): void => {
      logWarnings(level, text);
      if (hasWarned) return;
      hasWarned = true;
      const what = harmless(errorText(error));
      process.emitWarning(`log of serveProcesses() failed; this is said once: ${what}`, { code: "FAIRLEAD_HOOK" });
    };
    try {
      const result: unknown = log(level, text);
      if (result instanceof Promise) result.catch(fail);
    } catch (error) {
      fail(error);
    }
  };
}
