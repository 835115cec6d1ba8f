/**
 * An answer in time or 503 (RFC 9110 §15.6.4). Not 504: that says that a server behind this one was too slow (§15.6.5).
 *
 * Nothing can stop a handler that runs. It is told by a signal, {@link timeoutSignal}, and if it goes on all the same, its late
 * answer is let go of: a stream is cancelled, a file closed; its late error is reported like that of any work that goes on
 * after the answer, and a graceful shutdown waits for it. `request.signal` stays what it is, the news that the client has
 * left. An answer that is there at once costs no timer. It must never cut an answer off that has begun.
 */

import { HttpError } from "../http/errors.ts";
import { A_TIME_SOURCE, checkOptions, type OptionRules, whole } from "../server/option-rules.ts";
import { SYSTEM_TIME, type TimeSource } from "../web/clock.ts";
import { type Context, type ContextKey, contextKey } from "../web/context.ts";
import type { Middleware } from "../web/handler.ts";
import { discardResponse, isPromise } from "./edit-response.ts";

/** How long. */
export interface TimeoutOptions {
  /** Milliseconds for the handler to return its Response; its content may take longer. Required, 1 to 2,147,483,647. */
  readonly ms: number;
  /** Where time comes from. Default the system. For tests. */
  readonly time?: TimeSource | undefined;
}

/** The most that a timer takes. */
const MAX_MS = 2_147_483_647;

/** @internal */
export const TIMEOUT_RULES: OptionRules<TimeoutOptions> = {
  ms: whole(1, MAX_MS, "milliseconds"),
  time: A_TIME_SOURCE,
};

const DEADLINE: ContextKey<Deadline | undefined> = contextKey<Deadline>("deadline");

/** The answer, where time was over. */
class TooLate extends HttpError {}

/** Made for each request; its controller only for a handler that asks. */
class Deadline {
  #controller: AbortController | null = null;
  #reason: Error | null = null;
  /** Those inside of it, over when it is. */
  #inner: Deadline[] | null = null;

  /**
   * One more inside of this one.
   *
   * @param isAnswered nothing counts any more: what is over for this one is for that. Otherwise somebody outside may try anew
   */
  within(isAnswered: boolean): Deadline {
    const inner = new Deadline();
    if (isAnswered && this.#reason !== null) inner.expire(this.#reason);
    else (this.#inner ??= []).push(inner);
    return inner;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#reason !== null) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  expire(reason: Error): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    if (this.#inner !== null) for (const inner of this.#inner) inner.expire(reason);
  }
}

/**
 * Aborts when the answer is too late to count, with the error that was answered: where one `timeout` is inside of another,
 * whichever is over first. Together with the client's leaving:
 * `AbortSignal.any([request.signal, timeoutSignal(context)])`. Without `timeout` around the handler it never aborts.
 */
export function timeoutSignal(context: Context): AbortSignal {
  return (context.get(DEADLINE) ?? new Deadline()).signal;
}

/**
 * Answers 503 where a handler takes too long.
 *
 * @throws TypeError that names every mistake in the options
 */
export function timeout(options: TimeoutOptions): Middleware {
  checkOptions("timeout", options, TIMEOUT_RULES);
  const { ms, time = SYSTEM_TIME } = options;
  if ((ms as number | undefined) === undefined) throw new TypeError("timeout: ms is required");
  return (request, context, next) => {
    const deadline = context.get(DEADLINE)?.within(context.exchange.isAnswered) ?? new Deadline();
    context.set(DEADLINE, deadline);
    const result = next(request, context);
    return isPromise(result) ? inTime(result, deadline, context, ms, time) : result;
  };
}

type Late = Promise<globalThis.Response | undefined>;

function inTime(result: Late, deadline: Deadline, context: Context, ms: number, time: TimeSource): Late {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const stop = time.after(ms, () => {
      isLate = true;
      const error = new TooLate(503, `the answer took longer than ${ms} ms to make`);
      reject(error);
      deadline.expire(error);
      context.waitUntil(result.then(discardResponse, (late: unknown) => reportLate(late, error)));
    });
    // Nobody waits for an answer any more
    context.exchange.onAbort(stop);
    result.then(
      (response) => {
        if (isLate) return;
        stop();
        resolve(response);
      },
      (error: unknown) => {
        stop();
        if (!isLate) reject(error instanceof Error ? error : new Error("the handler failed", { cause: error }));
      },
    );
  });
}

/** What the signal itself has made the handler throw is no news, nor what a `timeout` inside of this one has answered. */
function reportLate(late: unknown, reason: Error): void {
  if (
    late === reason ||
    late instanceof TooLate ||
    (late instanceof Error && (late.name === "AbortError" || late.cause === reason))
  )
    return;
  throw late;
}
