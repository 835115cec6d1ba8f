/**
 * A handler that runs in worker threads, for work that would keep the event loop from everybody else.
 *
 * Piscina keeps the threads; this file decides who may wait for one. Steps: place free? (no: 503 with Retry-After) -> a call of
 * its own per request -> the thread's answer. A full house is an answer like any other and no fault; what a thread dies of is
 * the fault of the request that it worked on, and of no other.
 */

import { isAbsolute } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Piscina } from "piscina";
import { HttpError, ServerError } from "../http/errors.ts";
import { renderProblem } from "../http/problem.ts";
import type { Context } from "../web/context.ts";
import type { Request } from "../web/request.ts";
import { Response } from "../web/response.ts";
import { needsLoader } from "./handler-module.ts";
import { ServerCall } from "./server-call.ts";
import { type ResolvedWorkerOptions, resolveWorkerOptions, type WorkerOptions } from "./worker-options.ts";

/** Times of many requests, in milliseconds. */
export interface Durations {
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What a pool has done and is doing. */
export interface WorkerStats {
  /** Threads that are there now. */
  readonly threads: number;
  /** Requests that threads work on. */
  readonly running: number;
  /** Requests that wait for a thread. */
  readonly queued: number;
  /** Requests that are over, however they ended. */
  readonly completed: number;
  /** Answered 503 because the queue was full. */
  readonly refused: number;
  /** Threads that ended by themselves. */
  readonly crashed: number;
  /** From a request's arrival to its thread's taking it. */
  readonly waitMs: Durations;
  /** From there to its end. */
  readonly runMs: Durations;
}

/** A handler whose work is done in threads. Made by {@link workerHandler}. */
export interface WorkerHandler extends AsyncDisposable {
  (request: Request, context: Context): Response | Promise<Response>;
  /** The same, so that it can be given wherever an object with `fetch` can. */
  readonly fetch: (request: Request, context: Context) => Response | Promise<Response>;
  /**
   * Loads the module in one thread, to find out at the start what would otherwise fail the first request.
   *
   * @throws Error what the module threw, or that it exports no handler
   */
  ready(): Promise<void>;
  stats(): WorkerStats;
  /**
   * Lets the requests that threads work on finish, and ends the threads. Requests from then on are answered 503. A promise that
   * never settles and was given to `waitUntil()` keeps its thread, and with it the process: give it an end (`AbortSignal.timeout()`).
   */
  close(): Promise<void>;
}

/** Longest that a client is asked to stay away, in seconds. */
const MOST_RETRY_SECONDS = 120;

/**
 * Makes a handler of a module, to run in threads of its own.
 *
 * The module exports what a module of the command does: `fetch`, `default.fetch`, or a function by default. It gets a Request
 * and a Context as any handler; upgrades are not possible there, and what is set on the context here does not reach it but for
 * `params`, `route` and the facts of the connection. Request and response stream both ways; trailers do not cross.
 * A thread is free as soon as its answer is made: what a slow client has not taken waits in the server, up to `windowBytes` of
 * each answer. Only one that streams more than that goes on at the pace of its client, and holds its thread meanwhile.
 *
 * @param module file URL, or absolute path
 * @throws ServerError ERR_OPTIONS that lists every mistake
 */
export function workerHandler(module: URL | string, options: WorkerOptions = {}): WorkerHandler {
  const pool = new WorkerPool(fileUrlOf(module), resolveWorkerOptions(options));
  const handler = (request: Request, context: Context): Response | Promise<Response> => pool.answer(request, context);
  return Object.assign(handler, {
    fetch: handler,
    stats: () => pool.stats(),
    ready: () => pool.ready(),
    close: () => pool.close(),
    [Symbol.asyncDispose]: () => pool.close(),
  });
}

function fileUrlOf(module: URL | string): string {
  try {
    if (typeof module === "string" && isAbsolute(module)) return pathToFileURL(module).href;
    const url = new URL(module);
    if (url.protocol === "file:") return url.href;
  } catch {
    // Said below
  }
  throw new ServerError(
    "ERR_OPTIONS",
    `the module of workerHandler() is a file URL or an absolute path, as in new URL("./heavy.ts", import.meta.url), not ${String(module)}`,
  );
}

class WorkerPool {
  readonly #module: string;
  readonly #options: ResolvedWorkerOptions;
  readonly #pool: Piscina;
  readonly #calls = new Set<Promise<void>>();
  #refused = 0;
  #crashed = 0;
  #isClosing = false;

  constructor(module: string, options: ResolvedWorkerOptions) {
    this.#module = module;
    this.#options = options;
    this.#pool = startPool(options);
    // Of a thread that nobody was waiting for
    this.#pool.on("error", (error: Error) => this.#noteCrash(error));
  }

  answer(request: Request, context: Context): Response | Promise<Response> {
    const { threads, requestsPerThread, maxQueue } = this.#options;
    if (this.#isClosing || this.#calls.size >= threads * requestsPerThread + maxQueue) return this.#refuse(request);
    const call = new ServerCall(this.#module, request, context, this.#options, (task, signal) =>
      this.#pool.run(task, { signal, transferList: [task.port] }).catch((error: unknown) => {
        if (!signal.aborted) this.#noteCrash(error as Error);
        throw error;
      }),
    );
    this.#calls.add(call.finished);
    void call.finished.then(() => this.#calls.delete(call.finished));
    // A graceful end waits for what goes on behind the answer
    context.waitUntil(call.finished);
    return call.response;
  }

  async ready(): Promise<void> {
    await this.#pool.run(this.#module, { name: "check" });
  }

  stats(): WorkerStats {
    const { histogram, threads, completed } = this.#pool;
    const queued = this.#pool.queueSize;
    return {
      threads: threads.length,
      running: Math.max(0, this.#calls.size - queued),
      queued,
      completed,
      refused: this.#refused,
      crashed: this.#crashed,
      waitMs: durationsOf(histogram.waitTime),
      runMs: durationsOf(histogram.runTime),
    };
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.#calls);
    await this.#pool.destroy();
  }

  #noteCrash(error: Error): void {
    this.#crashed++;
    this.#options.onCrash(error);
  }

  /** RFC 9110 §15.6.4, §10.2.3: come back when the queue in front of you would be through. */
  #refuse(request: Request): Response {
    this.#refused++;
    const { threads, requestsPerThread } = this.#options;
    const { mean } = this.#pool.histogram.runTime;
    const seconds = Math.ceil((mean * (this.#pool.queueSize + 1)) / (threads * requestsPerThread) / 1000);
    const error = new HttpError(503, "all threads for this work are busy, and as many requests wait as may");
    const problem = { status: error.status, title: "Service Unavailable", detail: error.message };
    const { contentType, text } = renderProblem(problem, request.headers.get("accept"));
    const headers = {
      "content-type": contentType,
      "retry-after": String(Math.min(Math.max(seconds, 1), MOST_RETRY_SECONDS)),
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    };
    return new Response(text, { status: error.status, headers });
  }
}

function startPool({ threads, requestsPerThread, maxHeapMiB }: ResolvedWorkerOptions): Piscina {
  return new Piscina({
    filename: fileURLToPath(new URL(threadFile(), import.meta.url)),
    name: "answer",
    minThreads: threads,
    maxThreads: threads,
    maxQueue: Infinity,
    concurrentTasksPerWorker: requestsPerThread,
    // Else a thread sleeps between tasks, and what it is told about clients and content has to wait
    atomics: "disabled",
    recordTiming: true,
    ...(maxHeapMiB === 0 ? {} : { resourceLimits: { maxOldGenerationSizeMb: maxHeapMiB } }),
  });
}

/** Of the package the thread's code stands beside this; of the source it has the ending that the source has. */
function threadFile(): string {
  if (!import.meta.url.endsWith(".ts")) return "./thread.js";
  return needsLoader("thread.ts") ? "./thread-source.js" : "./thread.ts";
}

function durationsOf({ mean, p50, p99, max }: Durations): Durations {
  return { mean, p50, p99, max };
}
