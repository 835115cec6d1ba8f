/** Metrics of several workers as one page: sums that never go down, whoever is silent, restarted or gone. */
import { Counter, Gauge, Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { joinMetrics, type MetricsSource } from "../../src/observe/joined-metrics.ts";
import { metrics, type Metrics } from "../../src/observe/metrics.ts";
import { responseOf } from "./support/exchanges.ts";

interface FakeWorker {
  readonly number: number;
  readonly pid: number;
  state: string;
  /** What it answers, undefined for nothing. */
  say: () => Promise<unknown>;
}

/** Processes that a test plays. Answers go through JSON, as they do between processes. */
class FakeSource implements MetricsSource {
  readonly all: FakeWorker[] = [];
  questions = 0;
  #onEnd: (end: { pid: number; lastAnswers: Readonly<Record<string, unknown>> }) => void = () => {};

  add(number: number, pid: number, counts: Metrics | null, state = "ready"): FakeWorker {
    const worker: FakeWorker = { number, pid, state, say: async () => counts?.snapshot() };
    this.all.push(worker);
    return worker;
  }

  get workers(): FakeWorker[] {
    return this.all;
  }

  get places(): MetricsSource["places"] {
    return [1, 2].map((number) => ({
      number,
      isUp: this.all.some((one) => one.number === number && one.state === "ready"),
      starts: number,
      crashes: number - 1,
    }));
  }

  async ask(): Promise<{ pid: number; answer: unknown }[]> {
    this.questions++;
    const answers = await Promise.all(this.all.map(async ({ pid, say }) => ({ pid, answer: await say() })));
    return answers
      .filter(({ answer }) => answer !== undefined)
      .map((one) => JSON.parse(JSON.stringify(one)) as { pid: number; answer: unknown });
  }

  onWorkerEnd(listener: (end: { pid: number; lastAnswers: Readonly<Record<string, unknown>> }) => void): void {
    this.#onEnd = listener;
  }

  end(worker: FakeWorker, lastAnswers: Readonly<Record<string, unknown>> = {}): void {
    this.all.splice(this.all.indexOf(worker), 1);
    this.#onEnd({ pid: worker.pid, lastAnswers });
  }
}

function plain(): Metrics {
  return metrics({ process: false });
}

function count(counts: Metrics, requests: number): void {
  for (let i = 0; i < requests; i++) counts.hooks.onResponse?.(responseOf({ durationMs: 5 }));
}

/** Values by `name{labels}`. */
function valuesIn(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

const REQUESTS = 'fairlead_http_requests_total{method="GET",status="2xx",route="none"}';

describe("metrics of several processes", () => {
  it("are summed: counters, histograms and gauges, and the slowest event loop stands for all", async () => {
    const source = new FakeSource();
    for (const [i, lag] of [0.25, 0.5].entries()) {
      const counts = plain();
      count(counts, i + 2);
      counts.hooks.onRequest?.(responseOf().exchange);
      new Gauge({ name: "nodejs_eventloop_lag_p99_seconds", help: "h", registers: [counts.registry] }).set(lag);
      new Gauge({ name: "nothing", help: "h", registers: [counts.registry] }).set(i === 0 ? 3 : NaN);
      new Counter({ name: "mine_total", help: "h", labelNames: ["a"], registers: [counts.registry] }).inc(
        { a: "x" },
        4,
      );
      source.add(i + 1, 10 + i, counts);
    }
    const text = await joinMetrics(source).render();
    const values = valuesIn(text);
    expect(values.get(REQUESTS)).toBe(5);
    expect(values.get('fairlead_http_request_duration_seconds_bucket{route="none",le="0.005"}')).toBe(5);
    expect(values.get('fairlead_http_request_duration_seconds_bucket{route="none",le="+Inf"}')).toBe(5);
    expect(values.get('fairlead_http_request_duration_seconds_sum{route="none"}')).toBeCloseTo(0.025);
    expect(values.get("fairlead_http_requests_in_flight")).toBe(-3);
    expect(values.get("nodejs_eventloop_lag_p99_seconds")).toBe(0.5);
    expect(values.get('mine_total{a="x"}')).toBe(8);
    expect(values.get("nothing")).toBe(3);
    expect(text.match(/^# TYPE fairlead_http_requests_total counter$/gm)).toHaveLength(1);
  });

  it("do not go down by a rounding when a process is gone, which would be a reset to Prometheus", async () => {
    const source = new FakeSource();
    const series = 'mine_seconds_total{a="x"}';
    // 0.1 + (0.2 + 0.3) is less than (0.1 + 0.2) + 0.3
    const workers = [0.1, 0.2, 0.3].map((seconds, i) => {
      const counts = plain();
      new Counter({ name: "mine_seconds_total", help: "h", labelNames: ["a"], registers: [counts.registry] }).inc(
        { a: "x" },
        seconds,
      );
      return { counts, worker: source.add(i + 1, 10 + i, counts) };
    });
    const joined = joinMetrics(source);
    let last = 0;
    for (const { counts, worker } of [null, ...workers.toReversed()].map(
      (one) => one ?? { counts: null, worker: null },
    )) {
      if (worker !== null)
        source.end(worker, { metrics: JSON.parse(JSON.stringify(await counts.snapshot())) as unknown });
      const value = valuesIn(await joined.render()).get(series) ?? 0;
      expect(value).toBeGreaterThanOrEqual(last);
      last = value;
    }
    expect(last).toBeCloseTo(0.6);
  });

  it("tell which places are up, have reported, and were filled how often", async () => {
    const source = new FakeSource();
    source.add(1, 10, metrics());
    source.add(2, 11, null, "starting");
    const values = valuesIn(await joinMetrics(source, { labels: { service: "shop" } }).render());
    const of = (name: string, worker: number): number | undefined =>
      values.get(`fairlead_process_${name}{worker="${worker}",service="shop"}`);
    expect([of("up", 1), of("up", 2)]).toEqual([1, 0]);
    expect([of("reporting", 1), of("reporting", 2)]).toEqual([1, 0]);
    expect([of("starts_total", 1), of("starts_total", 2)]).toEqual([1, 2]);
    expect([of("crashes_total", 1), of("crashes_total", 2)]).toEqual([0, 1]);
    expect(of("resident_memory_bytes", 1)).toBeGreaterThan(1_000_000);
    expect(of("resident_memory_bytes", 2)).toBeUndefined();
    expect(values.get('fairlead_processes{state="starting",service="shop"}')).toBe(1);
    expect(values.get('fairlead_processes{state="closing",service="shop"}')).toBe(0);
  });

  it("keep what a silent process has counted, leave its gauges out, and say who it is", async () => {
    const source = new FakeSource();
    const counts = [plain(), plain()];
    const [, two] = counts.map((one, i) => source.add(i + 1, 10 + i, one));
    for (const one of counts) {
      count(one, 3);
      one.hooks.onConnection?.({} as never);
    }
    const joined = joinMetrics(source);
    expect(valuesIn(await joined.render()).get("fairlead_connections_open")).toBe(2);
    if (two !== undefined) two.say = async () => undefined;
    const text = await joined.render();
    expect(text).toMatch(/^# worker 2, process 11, has not answered/);
    const values = valuesIn(text);
    expect(values.get(REQUESTS)).toBe(6);
    expect(values.get("fairlead_connections_open")).toBe(1);
    expect(values.get('fairlead_process_up{worker="2"}')).toBe(1);
    expect(values.get('fairlead_process_reporting{worker="2"}')).toBe(0);
  });

  it.each<[string, (counts: Metrics) => Promise<Record<string, unknown>>, number]>([
    ["by its last words, if it ended in order", async (counts) => ({ metrics: await counts.snapshot() }), 12],
    ["as they were last asked for, if it crashed", async () => ({}), 8],
    ["as they were last asked for, if its last words are none", async () => ({ metrics: "bye" }), 8],
  ])("keep what a process has counted that is gone: %s", async (_, wordsOf, expected) => {
    const source = new FakeSource();
    const first = plain();
    const old = source.add(1, 10, first);
    count(first, 3);
    const joined = joinMetrics(source);
    expect(valuesIn(await joined.render()).get(REQUESTS)).toBe(3);
    count(first, 4);
    const next = plain();
    const successor = source.add(1, 20, next);
    count(next, 2);
    source.end(old, await wordsOf(first));
    expect(valuesIn(await joined.render()).get(REQUESTS)).toBe(expected - 3);
    count(next, 3);
    const values = valuesIn(await joined.render());
    expect(values.get(REQUESTS)).toBe(expected);
    expect(values.get('fairlead_http_request_duration_seconds_count{route="none"}')).toBe(expected);
    source.end(successor, { metrics: await next.snapshot() });
    expect(valuesIn(await joined.render()).get(REQUESTS)).toBe(expected);
  });

  it("do not count twice who ends between question and answer", async () => {
    const source = new FakeSource();
    const counts = plain();
    const worker = source.add(1, 10, counts);
    count(counts, 3);
    worker.say = async () => {
      source.end(worker, { metrics: await counts.snapshot() });
      return counts.snapshot();
    };
    expect(valuesIn(await joinMetrics(source).render()).get(REQUESTS)).toBe(3);
  });

  it.each<[string, unknown]>([
    ["a text", "x"],
    ["things that are no metrics", [1, null, { name: 2, values: [] }, { name: "x" }]],
    ["values that are no values", [{ name: "x", values: [null] }]],
  ])("take no harm from a worker that says %s", async (_, answer) => {
    const source = new FakeSource();
    source.add(1, 10, null).say = async () => answer;
    const text = await joinMetrics(source).render();
    expect(valuesIn(text).get('fairlead_process_reporting{worker="1"}')).toBe(0);
  });

  it("take no harm from an aggregator that nobody knows", async () => {
    const source = new FakeSource();
    const answer = [{ name: "x", help: "", type: "gauge", aggregator: "guess", values: [{ value: 1, labels: {} }] }];
    for (const number of [1, 2]) source.add(number, number, null).say = async () => answer;
    expect(valuesIn(await joinMetrics(source).render()).get("x")).toBe(2);
  });

  it("are gathered once for all who ask at the same time", async () => {
    const source = new FakeSource();
    source.add(1, 10, plain());
    const joined = joinMetrics(source);
    const [one, other] = await Promise.all([joined.render(), joined.render()]);
    expect([source.questions, one === other]).toEqual([1, true]);
    await joined.render();
    expect(source.questions).toBe(2);
  });

  it("can be had of no worker at all", async () => {
    const values = valuesIn(await joinMetrics(new FakeSource()).render());
    expect(values.get('fairlead_process_up{worker="1"}')).toBe(0);
  });

  it("have options that are checked whole", () => {
    expect(() => joinMetrics(new FakeSource(), { topics: "x", labels: { "a-b": "y" } } as never)).toThrow(
      /2 options are invalid[^]*did you mean topic/,
    );
  });
});

describe("a registry of prom-client", () => {
  it("speaks of types in words, as joining needs it", async () => {
    const registry = new Registry();
    new Counter({ name: "a_total", help: "h", registers: [registry] }).inc();
    expect((await registry.getMetricsAsJSON())[0]?.type).toBe("counter");
  });
});
