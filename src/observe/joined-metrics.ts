/**
 * Metrics of several worker processes as one page, told by the process that watches over them.
 *
 *  1 ask     every process for its snapshot, within the time that the source allows
 *  2 keep    what each has counted, so that neither its silence nor its end makes a sum go down: Prometheus would take that
 *            for a restart of everything, and count all of it once more
 *  3 join    counters and histograms summed, gauges as each of them says (prom-client's aggregators)
 *  4 tell    which places are up, which have reported, and how often they were filled
 *
 * It must know processes only through a {@link MetricsSource}, and believe nothing of their answers but numbers.
 */

import { AggregatorRegistry, Counter, Gauge, Registry } from "prom-client";
import { AN_OBJECT, checkOptions, type OptionRules } from "../server/option-rules.ts";
import type { Handler } from "../web/handler.ts";
import { type MetricRow, PROCESS_METRICS } from "./metric-table.ts";
import { LABELS_RULE, metricsResponse, type MetricsSnapshot } from "./metrics.ts";

/** Processes whose metrics are joined; `serveProcesses()` gives it. */
export interface MetricsSource {
  /** Places that processes fill. */
  readonly places: readonly {
    readonly number: number;
    readonly isUp: boolean;
    readonly starts: number;
    readonly crashes: number;
  }[];
  /** All processes that live. */
  readonly workers: readonly { readonly number: number; readonly pid: number; readonly state: string }[];
  /** What they say of a topic; whoever is silent is left out. */
  ask(topic: string): Promise<readonly { readonly pid: number; readonly answer: unknown }[]>;
  /** Tells of each that is gone, with what it said last. */
  onWorkerEnd(
    listener: (end: { readonly pid: number; readonly lastAnswers: Readonly<Record<string, unknown>> }) => void,
  ): unknown;
}

/** What is asked, and what is added. */
export interface JoinMetricsOptions {
  /** Topic of `answerWith()` under which each worker gives `counts.snapshot()`. Default `"metrics"`. */
  readonly topic?: string | undefined;
  /** Labels of the metrics of the processes themselves; those of the workers are in what they say. Default none. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Metrics of several processes. Made by {@link joinMetrics}. */
export interface JoinedMetrics {
  /** Answers with all metrics, whatever the path. */
  readonly handler: Handler;
  /** All metrics as text. Asked for again while it is being gathered, it is gathered once. */
  render(): Promise<string>;
}

/** Who of the living has something to say. */
const SERVING: ReadonlySet<string> = new Set(["ready", "closing"]);
const STATES: readonly string[] = ["starting", "ready", "closing"];
const MEMORY = "process_resident_memory_bytes";

/** Averages of the slowest percents hide the one process that is slow. */
const AGGREGATORS: Readonly<Record<string, string>> = {
  nodejs_eventloop_lag_p90_seconds: "max",
  nodejs_eventloop_lag_p99_seconds: "max",
};
/** Those of prom-client. */
const KNOWN_AGGREGATORS: ReadonlySet<string> = new Set(["sum", "first", "omit", "average", "min", "max"]);

const RULES: OptionRules<JoinMetricsOptions> = {
  topic: { allowed: "a text", isAllowed: (value) => typeof value === "string" && value !== "" },
  labels: LABELS_RULE,
};

/**
 * Joins the metrics of worker processes, in the process that has started them:
 * `adminServer({ metrics: joinMetrics(processes), server: processes })`. Each worker says what it has counted by
 * `answerWith("metrics", () => counts.snapshot())`.
 *
 * @throws TypeError that names every mistake in the options
 */
export function joinMetrics(source: MetricsSource, options: JoinMetricsOptions = {}): JoinedMetrics {
  checkOptions("joinMetrics", options, RULES);
  return new ProcessMetrics(source, options);
}

/** Metrics of one round of questions. */
interface Round {
  /** Of those that have answered. */
  readonly fresh: ReadonlyMap<number, MetricsSnapshot>;
  /** Those that should have. */
  readonly silent: readonly { readonly number: number; readonly pid: number }[];
}

class ProcessMetrics implements JoinedMetrics {
  readonly handler: Handler;
  readonly #source: MetricsSource;
  readonly #topic: string;
  readonly #labels: Readonly<Record<string, string>>;
  /** The last of each process that lives. */
  readonly #last: Map<number, MetricsSnapshot> = new Map();
  /** What those have counted that are gone. */
  #past: MetricsSnapshot = [];
  /** Ends that are being added to it, one after the other. */
  #adding: Promise<void> = Promise.resolve();
  #rendering: Promise<string> | null = null;
  /** What was told last of each series that only grows. */
  readonly #told: Map<string, number> = new Map();

  constructor(source: MetricsSource, { topic = "metrics", labels = {} }: JoinMetricsOptions) {
    this.#source = source;
    this.#topic = topic;
    this.#labels = labels;
    source.onWorkerEnd(({ pid, lastAnswers }) => this.#bury(pid, readSnapshot(lastAnswers[topic])));
    this.handler = async () => metricsResponse(await this.render(), Registry.PROMETHEUS_CONTENT_TYPE);
  }

  render(): Promise<string> {
    this.#rendering ??= this.#render().finally(() => (this.#rendering = null));
    return this.#rendering;
  }

  async #render(): Promise<string> {
    const { fresh, silent } = await this.#ask();
    await this.#adding;
    const stale = silent.map(({ pid }) => countersOf(this.#last.get(pid) ?? []));
    const joined = AggregatorRegistry.aggregate([this.#past, ...stale, ...fresh.values()]);
    const remarks = silent.map(
      ({ number, pid }) =>
        `# worker ${number}, process ${pid}, has not answered: its counters are the last known, its gauges are missing\n`,
    );
    const grown = AggregatorRegistry.aggregate([this.#neverLess(await joined.getMetricsAsJSON())]);
    return `${remarks.join("")}${await this.#describe(fresh).metrics()}\n${await grown.metrics()}`;
  }

  /**
   * Fractions of seconds, added in another order when a process is gone, are less by a rounding now and then, and the least of
   * that is a reset to Prometheus.
   */
  #neverLess(metrics: MetricsSnapshot): MetricsSnapshot {
    for (const { name, values } of metrics.filter(isGrowing)) {
      for (const one of values) {
        const { metricName = name } = one as { readonly metricName?: string };
        const series = JSON.stringify([metricName, Object.entries(one.labels).toSorted(byName)]);
        one.value = Math.max(one.value, this.#told.get(series) ?? one.value);
        this.#told.set(series, one.value);
      }
    }
    return metrics;
  }

  async #ask(): Promise<Round> {
    const fresh = new Map<number, MetricsSnapshot>();
    const answers = await this.#source.ask(this.#topic);
    const living = this.#source.workers.filter(({ state }) => SERVING.has(state));
    for (const { pid, answer } of answers) {
      const snapshot = readSnapshot(answer);
      // What one has counted that is gone meanwhile is in the past already
      if (snapshot === null || !living.some((one) => one.pid === pid)) continue;
      fresh.set(pid, snapshot);
      this.#last.set(pid, snapshot);
    }
    return { fresh, silent: living.filter(({ pid }) => !fresh.has(pid)) };
  }

  #bury(pid: number, lastWords: MetricsSnapshot | null): void {
    const snapshot = lastWords ?? this.#last.get(pid) ?? null;
    this.#last.delete(pid);
    if (snapshot === null) return;
    this.#adding = this.#adding.then(async () => {
      this.#past = await AggregatorRegistry.aggregate([this.#past, countersOf(snapshot)]).getMetricsAsJSON();
    });
  }

  /** The processes themselves. */
  #describe(fresh: ReadonlyMap<number, MetricsSnapshot>): Registry {
    const registry = new Registry();
    registry.setDefaultLabels({ ...this.#labels });
    const { places, workers } = this.#source;
    const gauge = (row: MetricRow): Gauge => new Gauge({ ...shapeOf(row), registers: [registry] });
    const counter = (row: MetricRow): Counter => new Counter({ ...shapeOf(row), registers: [registry] });
    const metrics = {
      processes: gauge(PROCESS_METRICS.processes),
      up: gauge(PROCESS_METRICS.up),
      reporting: gauge(PROCESS_METRICS.reporting),
      starts: counter(PROCESS_METRICS.starts),
      crashes: counter(PROCESS_METRICS.crashes),
      memory: gauge(PROCESS_METRICS.memory),
    };
    for (const state of STATES) metrics.processes.set({ state }, workers.filter((one) => one.state === state).length);
    for (const { number, isUp, starts, crashes } of places) {
      const worker = String(number);
      const pid = workers.find((one) => one.number === number && one.state === "ready")?.pid ?? -1;
      metrics.up.set({ worker }, isUp ? 1 : 0);
      metrics.reporting.set({ worker }, fresh.has(pid) ? 1 : 0);
      metrics.starts.inc({ worker }, starts);
      metrics.crashes.inc({ worker }, crashes);
      const bytes = fresh.get(pid)?.find(({ name }) => name === MEMORY)?.values[0]?.value;
      if (bytes !== undefined) metrics.memory.set({ worker }, bytes);
    }
    return registry;
  }
}

function shapeOf({ name, help, labels }: MetricRow): { name: string; help: string; labelNames: string[] } {
  return { name, help, labelNames: [...labels] };
}

/** What a process has said, as far as it is metrics; null if it is none. JSON has made null of what is no number. */
function readSnapshot(answer: unknown): MetricsSnapshot | null {
  if (!Array.isArray(answer)) return null;
  const metrics = answer.filter(isMetric).map((metric) => ({
    ...metric,
    aggregator: (AGGREGATORS[metric.name] ?? aggregatorOf(metric)) as MetricsSnapshot[number]["aggregator"],
    values: metric.values.filter(({ value }) => typeof value === "number"),
  }));
  return metrics.length === 0 && answer.length > 0 ? null : metrics;
}

function isMetric(value: unknown): value is MetricsSnapshot[number] {
  if (typeof value !== "object" || value === null) return false;
  const { name, values } = value as Readonly<Record<string, unknown>>;
  return typeof name === "string" && Array.isArray(values) && values.every((one) => AN_OBJECT.isAllowed(one));
}

function aggregatorOf({ aggregator }: MetricsSnapshot[number]): string {
  return KNOWN_AGGREGATORS.has(aggregator) ? aggregator : "sum";
}

/** What only grows, and is worth something when its process is not. */
function countersOf(snapshot: MetricsSnapshot): MetricsSnapshot {
  return snapshot.filter(isGrowing);
}

/** Types are words in what prom-client gives, and its own types say otherwise. */
function isGrowing({ type, aggregator }: MetricsSnapshot[number]): boolean {
  return aggregator === "sum" && ["counter", "histogram"].includes(String(type));
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : Number(a > b);
}
