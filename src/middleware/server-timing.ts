/**
 * Where the time of an answer went, for the browser's own tools: Server-Timing (W3C Server Timing).
 *
 * Handlers measure through the context: `context.get(TIMING).start("db")` … `.end("db")`; without the middleware around them
 * that does nothing. Times can tell an attacker what a server does (timing attack), so the option decides who sees them. It
 * must never hold more than a bounded number of metrics.
 */

import type { FieldEdit, FieldLines } from "../http/exchange.ts";
import { isToken } from "../http/fields.ts";
import { A_FUNCTION, A_TIME_SOURCE, checkOptions, type OptionRules, YES_OR_NO } from "../server/option-rules.ts";
import { SYSTEM_TIME, type TimeSource } from "../web/clock.ts";
import { type Context, type ContextKey, contextKey } from "../web/context.ts";
import type { Middleware } from "../web/handler.ts";
import type { Request } from "../web/request.ts";
import { editAnswer } from "./edit-response.ts";
import { quoted } from "./field-values.ts";

/** What is shown, and to whom. */
export interface ServerTimingOptions {
  /** Who sees the field. Default everybody. Think of a login's branches before leaving it so. */
  readonly isShown?: ((request: Request, context: Context) => boolean) | undefined;
  /** Whether `total`, the time until the answer was made, is among the metrics. Default true. */
  readonly total?: boolean | undefined;
  /** Where time comes from. Default the system. For tests. */
  readonly time?: TimeSource | undefined;
}

/** @internal */
export const SERVER_TIMING_RULES: OptionRules<ServerTimingOptions> = {
  isShown: A_FUNCTION,
  total: YES_OR_NO,
  time: A_TIME_SOURCE,
};

/** Metrics of a request beyond these are left out. */
const MAX_METRICS = 64;

/** The metrics of one request. */
export interface Timing {
  /**
   * Begins to measure, anew if it had begun before.
   *
   * @param name a token (RFC 9110 §5.6.2)
   * @param description for people, printable ASCII
   * @throws TypeError for a name or description that cannot be sent
   */
  start(name: string, description?: string): void;
  /** Ends a measurement; what was not begun is passed over. Several of one name add up. */
  end(name: string): void;
  /** Adds what was measured otherwise. @param durationMs milliseconds */
  add(name: string, durationMs: number, description?: string): void;
}

const NO_TIMING: Timing = Object.freeze({ start: ignore, end: ignore, add: ignore });

function ignore(): void {}

/** The metrics of the request at hand. */
export const TIMING: ContextKey<Timing> = contextKey<Timing>("server timing", NO_TIMING);

/**
 * Measures, and says so in the answer.
 *
 * @throws TypeError that names every mistake in the options
 */
export function serverTiming(options: ServerTimingOptions = {}): Middleware {
  checkOptions("serverTiming", options, SERVER_TIMING_RULES);
  const { isShown, total = true, time = SYSTEM_TIME } = options;
  return (request, context, next) => {
    if (isShown !== undefined && !isShown(request, context)) return next(request, context);
    const timing = new Metrics(time, total);
    context.set(TIMING, timing);
    return editAnswer(next, request, context, timing);
  };
}

interface Metric {
  description: string;
  startedMs: number;
  durationMs: number;
}

class Metrics implements Timing, FieldEdit {
  readonly #time: TimeSource;
  readonly #startedMs: number;
  readonly #hasTotal: boolean;
  readonly #metrics: Map<string, Metric>;

  constructor(time: TimeSource, hasTotal: boolean) {
    this.#time = time;
    this.#startedMs = time.elapsedMs();
    this.#hasTotal = hasTotal;
    this.#metrics = new Map();
  }

  start(name: string, description = ""): void {
    const metric = this.#metric(name, description);
    if (metric !== null) metric.startedMs = this.#time.elapsedMs();
  }

  end(name: string): void {
    const metric = this.#metrics.get(name);
    if (metric === undefined || Number.isNaN(metric.startedMs)) return;
    metric.durationMs += this.#time.elapsedMs() - metric.startedMs;
    metric.startedMs = NaN;
  }

  add(name: string, durationMs: number, description = ""): void {
    if (!Number.isFinite(durationMs)) throw new TypeError(`the duration of ${name} must be a number`);
    const metric = this.#metric(name, description);
    if (metric !== null) metric.durationMs += durationMs;
  }

  /** What has not ended yet counts until now. */
  apply(lines: FieldLines): FieldLines {
    const nowMs = this.#time.elapsedMs();
    const members: string[] = [];
    for (const [name, { description, startedMs, durationMs }] of this.#metrics) {
      const spentMs = durationMs + (Number.isNaN(startedMs) ? 0 : nowMs - startedMs);
      members.push(render(name, spentMs, description));
    }
    if (this.#hasTotal) members.push(render("total", nowMs - this.#startedMs, ""));
    return members.length === 0 ? lines : [...lines, "server-timing", members.join(", ")];
  }

  #metric(name: string, description: string): Metric | null {
    let metric = this.#metrics.get(name);
    if (metric === undefined) {
      if (!isToken(name)) throw new TypeError(`${JSON.stringify(name)} is no name of a metric: a token is`);
      if (this.#metrics.size >= MAX_METRICS) return null;
      metric = { description: "", startedMs: NaN, durationMs: 0 };
      this.#metrics.set(name, metric);
    }
    if (description !== "") {
      if (!/^[\x20-\x7e]*$/.test(description)) throw new TypeError(`the description of ${name} is not printable ASCII`);
      metric.description = description;
    }
    return metric;
  }
}

function render(name: string, durationMs: number, description: string): string {
  const text = `${name};dur=${Math.round(durationMs * 1000) / 1000}`;
  return description === "" ? text : `${text};desc=${quoted(description)}`;
}
