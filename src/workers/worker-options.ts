/**
 * What workerHandler() accepts, and what it becomes: defaults, bounds, every mistake told at once.
 *
 * Zero never means "no limit" where a limit is what keeps the process alive. It must start nothing.
 */

import { availableParallelism } from "node:os";
import { ServerError } from "../http/errors.ts";
import { renderMistakes } from "../server/option-check.ts";
import {
  A_FUNCTION,
  A_TIME_SOURCE,
  findMistakes,
  type OptionRules,
  whole,
  wholeOrInfinity,
} from "../server/option-rules.ts";
import { SYSTEM_TIME, type TimeSource } from "../web/clock.ts";

/** Options of workerHandler(). */
export interface WorkerOptions {
  /** Threads, 1 to 256, default one per core but one, at least 1. nginx: `thread_pool threads=32`; tutorials: 3. */
  readonly threads?: number | undefined;
  /**
   * Requests that wait for a thread, 0 or more, default 4 for each thread; one more is answered 503 with Retry-After. 0: nobody
   * waits. A queue that is longer than what clients wait for only makes work for nobody. nginx: `max_queue=65536`.
   */
  readonly maxQueue?: number | undefined;
  /**
   * Requests that one thread works on at a time, 1 to 1000, default 1: the right one for work that keeps the processor busy. More
   * is for handlers that wait a lot; such a thread is not stopped when one of its clients leaves.
   */
  readonly requestsPerThread?: number | undefined;
  /** Milliseconds from the call of the handler to its answer, default 0: no limit. Then 503, and the thread is replaced. */
  readonly timeoutMs?: number | undefined;
  /**
   * Milliseconds that a handler has to end by itself when its client has left (`request.signal` tells it), default 1000; then
   * its thread is stopped and replaced, so that nobody's work holds a place. Infinity: it is never stopped.
   */
  readonly abandonMs?: number | undefined;
  /**
   * Octets of content under way between server and thread, in one direction, 1024 or more, default 1 MiB. What is left of a
   * streamed answer and fits into it waits in the server, and holds no thread; a larger one does so while its client is slow.
   * To be raised where threads stream more; the server may hold as much for each client. nginx: `proxy_buffers` 64 KiB.
   */
  readonly windowBytes?: number | undefined;
  /** Octets that `text()`, `json()` and their like read at once in a thread, default 1 MiB as `limits.maxBufferedBytes`. */
  readonly maxBufferedBytes?: number | undefined;
  /** Mebibytes of heap that a thread may take, default 0: V8's own choice. Above, the thread ends and its requests get 500. */
  readonly maxHeapMiB?: number | undefined;
  /** Told when a thread ended by itself or by an error that nobody caught. Default: a process warning, FAIRLEAD_WORKER. */
  readonly onCrash?: ((error: Error) => void) | undefined;
  /** The time, for tests. */
  readonly time?: TimeSource | undefined;
}

/** Options after validation. */
export interface ResolvedWorkerOptions {
  readonly threads: number;
  readonly maxQueue: number;
  readonly requestsPerThread: number;
  readonly timeoutMs: number;
  readonly abandonMs: number;
  readonly windowBytes: number;
  readonly maxBufferedBytes: number;
  readonly maxHeapMiB: number;
  readonly onCrash: (error: Error) => void;
  readonly time: TimeSource;
}

const RULES: OptionRules<WorkerOptions> = {
  threads: whole(1, 256, "threads"),
  maxQueue: wholeOrInfinity(0, "requests"),
  requestsPerThread: whole(1, 1000, "requests"),
  timeoutMs: whole(0, 2 ** 31 - 1, "milliseconds"),
  abandonMs: wholeOrInfinity(0, "milliseconds"),
  windowBytes: whole(1024, 2 ** 31 - 1, "octets"),
  maxBufferedBytes: wholeOrInfinity(0, "octets"),
  maxHeapMiB: whole(0, 2 ** 20, "mebibytes"),
  onCrash: A_FUNCTION,
  time: A_TIME_SOURCE,
};

/**
 * Checks options whole and fills in defaults.
 *
 * @throws ServerError ERR_OPTIONS that lists every mistake
 */
export function resolveWorkerOptions(options: WorkerOptions): ResolvedWorkerOptions {
  const mistakes = findMistakes(options, RULES);
  if (mistakes.length > 0) throw new ServerError("ERR_OPTIONS", renderMistakes(mistakes));
  const threads = options.threads ?? Math.max(1, availableParallelism() - 1);
  return Object.freeze({
    threads,
    maxQueue: options.maxQueue ?? 4 * threads,
    requestsPerThread: options.requestsPerThread ?? 1,
    timeoutMs: options.timeoutMs ?? 0,
    abandonMs: options.abandonMs ?? 1000,
    windowBytes: options.windowBytes ?? 1024 * 1024,
    maxBufferedBytes: options.maxBufferedBytes ?? 1024 * 1024,
    maxHeapMiB: options.maxHeapMiB ?? 0,
    onCrash: options.onCrash ?? warnOfCrash,
    time: options.time ?? SYSTEM_TIME,
  });
}

function warnOfCrash(error: Error): void {
  process.emitWarning(`a worker thread ended and is replaced: ${error.message}`, { code: "FAIRLEAD_WORKER" });
}
