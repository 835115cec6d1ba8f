/**
 * Metrics for Prometheus: hooks that count, and a handler that tells (Prometheus text format 0.0.4), through prom-client.
 *
 * What happens per request is added up in plain numbers (http-tally.ts); everything else happens when somebody asks. The handler
 * belongs on an address that only the monitoring reaches (admin-server.ts): counts by route are nobody else's business.
 */

import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import { ERRORS, type ErrorRow } from "../http/errors.ts";
import type { Refusal } from "../http/exchange.ts";
import type { Fault, Hooks } from "../server/hooks.ts";
import type { Handler } from "../web/handler.ts";
import { Response } from "../web/response.ts";
import {
  AN_OBJECT,
  checkOptions,
  type OptionRule,
  type OptionRules,
  whole,
  YES_OR_NO,
} from "../server/option-rules.ts";
import { HttpTally } from "./http-tally.ts";
import { type MetricKey, METRICS } from "./metric-table.ts";
import { TalliedHistogram } from "./tallied-histogram.ts";

/** What is counted, and how finely. */
export interface MetricsOptions {
  /**
   * Upper bounds of durations in seconds, ascending. Default 0.5 ms to 10 s in steps of 1, 2.5 and 5: finer below than
   * prom-client's, since answers from memory take less than its first.
   */
  readonly buckets?: readonly number[] | undefined;
  /** The most patterns of routes that have labels of their own; further ones are `other`. Default 200. */
  readonly maxRoutes?: number | undefined;
  /** Metrics of the process besides: CPU, memory, event-loop delay, garbage collection. Default true. */
  readonly process?: boolean | undefined;
  /** Labels of all metrics, e.g. `{ service: "shop" }`. Default none. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** What is told of a pool of threads; `handler.stats()` of `fairlead/workers` gives it. */
export interface PoolStats {
  readonly threads: number;
  readonly running: number;
  readonly queued: number;
  readonly completed: number;
  readonly refused: number;
  readonly crashed: number;
}

/** Counts of a server, or of several. Made by {@link metrics}. */
export interface Metrics {
  /** For `serve({ hooks })`; with others through `joinHooks`. */
  readonly hooks: Hooks;
  /** Answers with all metrics, whatever the path. */
  readonly handler: Handler;
  /** prom-client's, for metrics of the application and for aggregation over processes. */
  readonly registry: Registry;
  /** Tells of a pool of threads from now on, under `pool: name`. */
  watchPool(name: string, stats: () => PoolStats): void;
  /** Tells of lines that a log has dropped; of several, their sum. */
  watchLog(log: { readonly droppedLines: number }): void;
  /** All metrics as text. */
  render(): Promise<string>;
  /** All metrics as data that JSON can hold, for {@link joinMetrics}: `answerWith("metrics", () => counts.snapshot())`. */
  snapshot(): Promise<MetricsSnapshot>;
}

/** Metrics of one process at one moment, as prom-client's registries give them. */
export type MetricsSnapshot = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>;

const DEFAULT_BUCKETS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
const DEFAULT_MAX_ROUTES = 200;
const MOST_ROUTES = 10_000;

const LABEL_NAME = /^[a-zA-Z][a-zA-Z0-9_]*$/;

/** @internal Of options that hold labels. */
export const LABELS_RULE: OptionRule = {
  allowed: "an object of texts by name of label",
  isAllowed: (value) =>
    AN_OBJECT.isAllowed(value) &&
    Object.entries(value as object).every(([name, text]) => LABEL_NAME.test(name) && typeof text === "string"),
};

const METRICS_RULES: OptionRules<MetricsOptions> = {
  buckets: {
    allowed: "an array of positive numbers, ascending",
    isAllowed: (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((bound: unknown, i) => typeof bound === "number" && bound > (i === 0 ? 0 : (value[i - 1] as number))),
  },
  maxRoutes: whole(1, MOST_ROUTES, "patterns"),
  process: YES_OR_NO,
  labels: LABELS_RULE,
};

/**
 * Makes counters, their hooks and the handler that tells them.
 *
 * @throws TypeError that names every mistake in the options
 */
export function metrics(options: MetricsOptions = {}): Metrics {
  checkOptions("metrics", options, METRICS_RULES);
  return new ServerMetrics(options);
}

/** Refusals of connections, not of requests. */
const OF_CONNECTIONS: ReadonlySet<string> = new Set([
  "ERR_TOO_MANY_CONNECTIONS",
  "ERR_TOO_MANY_CONNECTIONS_OF_ADDRESS",
]);

class ServerMetrics implements Metrics {
  readonly hooks: Hooks;
  readonly handler: Handler;
  readonly registry: Registry = new Registry();
  readonly #tally: HttpTally;
  readonly #refusals: Map<string, number> = new Map();
  readonly #faults: Map<string, number> = new Map();
  readonly #pools: Map<string, () => PoolStats> = new Map();
  readonly #logs: Array<{ readonly droppedLines: number }> = [];
  #accepted = 0;
  #closedInOrder = 0;
  #closedWithError = 0;
  #refusedConnections = 0;

  constructor({ buckets = DEFAULT_BUCKETS, maxRoutes = DEFAULT_MAX_ROUTES, process = true, labels }: MetricsOptions) {
    const tally = new HttpTally(buckets, maxRoutes);
    this.#tally = tally;
    this.hooks = {
      onConnection: () => void this.#accepted++,
      onConnectionClose: (_connection, error) =>
        void (error === null ? this.#closedInOrder++ : this.#closedWithError++),
      onRequest: () => void tally.inFlight++,
      onResponse: (info) => tally.add(info),
      onRefusal: (refusal) => this.#addRefusal(refusal),
      onFault: (fault) => this.#addFault(fault),
    };
    this.handler = () => this.#respond();
    if (labels !== undefined) this.registry.setDefaultLabels(labels);
    this.#register(buckets);
    if (process) collectDefaultMetrics({ register: this.registry });
  }

  watchPool(name: string, stats: () => PoolStats): void {
    this.#pools.set(name, stats);
  }

  watchLog(log: { readonly droppedLines: number }): void {
    this.#logs.push(log);
  }

  render(): Promise<string> {
    return this.registry.metrics();
  }

  snapshot(): Promise<MetricsSnapshot> {
    return this.registry.getMetricsAsJSON();
  }

  async #respond(): Promise<globalThis.Response> {
    return metricsResponse(await this.render(), this.registry.contentType);
  }

  #addRefusal({ error }: Refusal): void {
    add(this.#refusals, error.code);
    if (OF_CONNECTIONS.has(error.code)) this.#refusedConnections++;
  }

  /** False: counted, and not written down by anybody yet. */
  #addFault({ error }: Fault): boolean {
    const code: unknown = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    add(this.#faults, typeof code === "string" && Object.hasOwn(ERRORS, code) ? code : "exception");
    return false;
  }

  #register(bounds: readonly number[]): void {
    const tally = this.#tally;
    this.#counter("requests", (set) => {
      for (const { count, ...labels } of tally.counts()) set(count, labels);
    });
    const histogram = (key: "duration" | "firstByte"): TalliedHistogram =>
      new TalliedHistogram(METRICS[key], bounds, this.registry, () =>
        Array.from(tally.routes, (one) => ({ labels: { route: one.route }, buckets: one[key] })),
      );
    histogram("duration");
    histogram("firstByte");
    this.#counter("requestBytes", (set) => {
      for (const { route, requestBytes } of tally.routes) set(requestBytes, { route });
    });
    this.#counter("responseBytes", (set) => {
      for (const { route, responseBytes } of tally.routes) set(responseBytes, { route });
    });
    this.#counter("cutOff", (set) => {
      set(tally.aborted, { outcome: "aborted" });
      set(tally.broken, { outcome: "broken" });
    });
    this.#counter("upgrades", (set) => set(tally.upgraded));
    this.#gauge("inFlight", (set) => set(tally.inFlight));
    this.#registerConnections();
    this.#registerTrouble();
    this.#registerPools();
  }

  #registerConnections(): void {
    this.#gauge("open", (set) => set(this.#accepted - this.#closedInOrder - this.#closedWithError));
    this.#counter("accepted", (set) => set(this.#accepted));
    this.#counter("refusedConnections", (set) => set(this.#refusedConnections));
    this.#counter("closed", (set) => {
      set(this.#closedInOrder, { end: "in_order" });
      set(this.#closedWithError, { end: "error" });
    });
  }

  #registerTrouble(): void {
    this.#counter("refusals", (set) => {
      for (const [code, count] of this.#refusals) set(count, { code });
    });
    this.#counter("limits", (set) => {
      const byOption = new Map<string, number>();
      for (const [code, count] of this.#refusals) {
        const { option } = (ERRORS as Readonly<Record<string, ErrorRow | undefined>>)[code] ?? {};
        if (option !== undefined) add(byOption, option, count);
      }
      for (const [option, count] of byOption) set(count, { option });
    });
    this.#counter("faults", (set) => {
      for (const [code, count] of this.#faults) set(count, { code });
    });
    this.#counter("logDropped", (set) => set(this.#logs.reduce((sum, { droppedLines }) => sum + droppedLines, 0)));
  }

  #registerPools(): void {
    const each = (value: (stats: PoolStats) => number) => (set: Setter) => {
      for (const [pool, stats] of this.#pools) set(value(stats()), { pool });
    };
    this.#gauge(
      "workerThreads",
      each(({ threads }) => threads),
    );
    this.#gauge(
      "workerRunning",
      each(({ running }) => running),
    );
    this.#gauge(
      "workerQueued",
      each(({ queued }) => queued),
    );
    this.#counter(
      "workerCompleted",
      each(({ completed }) => completed),
    );
    this.#counter(
      "workerRefused",
      each(({ refused }) => refused),
    );
    this.#counter(
      "workerCrashed",
      each(({ crashed }) => crashed),
    );
  }

  #counter(key: MetricKey, read: (set: Setter) => void): void {
    const { name, help, labels } = METRICS[key];
    const counter: Counter = new Counter({
      name,
      help,
      labelNames: [...labels],
      registers: [this.registry],
      collect: () => {
        counter.reset();
        read((value, of = {}) => counter.inc(of, value));
      },
    });
  }

  #gauge(key: MetricKey, read: (set: Setter) => void): void {
    const { name, help, labels } = METRICS[key];
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: [...labels],
      registers: [this.registry],
      collect: () => {
        gauge.reset();
        read((value, of = {}) => gauge.set(of, value));
      },
    });
  }
}

type Setter = (value: number, labels?: Readonly<Record<string, string>>) => void;

/** A page of metrics, which is of this moment. */
export function metricsResponse(text: string, contentType: string): globalThis.Response {
  return new Response(text, { headers: { "content-type": contentType, "cache-control": "no-store" } });
}

function add(counts: Map<string, number>, key: string, count = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
