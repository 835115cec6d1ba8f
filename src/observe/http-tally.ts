/**
 * What the hot path counts: plain numbers by route, method and class of status, turned into metrics when somebody asks.
 *
 * A label set of prom-client is hashed, sorted and checked for each count, which costs more than answering; here a request is one
 * look-up and a few additions. The number of routes is bounded: what comes beyond is `other` (unbounded cardinality).
 */

import type { ResponseInfo } from "../server/hooks.ts";

/** Registered methods (RFC 9110 §9.3, RFC 5789); all others are one. */
const METHODS: readonly string[] = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "CONNECT",
  "TRACE",
  "other",
];
const OTHER_METHOD = METHODS.length - 1;
const METHOD_INDEX: ReadonlyMap<string, number> = new Map(METHODS.map((method, index) => [method, index]));

/** By the first digit of a status. */
const CLASSES: readonly string[] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/** Where no route answered. */
const NO_ROUTE = "none";
/** All routes beyond the bound. */
const OTHER_ROUTE = "other";

/** Counts by ranges. */
export class Buckets {
  /** Upper bounds, ascending; each includes its bound. */
  readonly bounds: readonly number[];
  /** Of each range alone, the last for what is above all bounds. */
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    const { bounds } = this;
    let i = 0;
    while (i < bounds.length && value > (bounds[i] as number)) i++;
    this.counts[i] = (this.counts[i] as number) + 1;
    this.sum += value;
  }
}

/** Counts of one route. */
export class RouteTally {
  readonly route: string;
  readonly requests: number[] = Array.from({ length: METHODS.length * CLASSES.length }, () => 0);
  readonly duration: Buckets;
  readonly firstByte: Buckets;
  requestBytes = 0;
  responseBytes = 0;

  constructor(route: string, bounds: readonly number[]) {
    this.route = route;
    this.duration = new Buckets(bounds);
    this.firstByte = new Buckets(bounds);
  }
}

/** One count of requests. */
export interface RequestCount {
  readonly method: string;
  readonly status: string;
  readonly route: string;
  readonly count: number;
}

/** Counts of one server. */
export class HttpTally {
  inFlight = 0;
  aborted = 0;
  broken = 0;
  upgraded = 0;
  readonly #bounds: readonly number[];
  readonly #maxRoutes: number;
  readonly #routes: Map<string, RouteTally> = new Map();
  /** Most often the next request is for the same. */
  #last: RouteTally | null = null;

  /** @param bounds upper bounds of durations, in seconds */
  constructor(bounds: readonly number[], maxRoutes: number) {
    this.#bounds = bounds;
    this.#maxRoutes = maxRoutes;
  }

  get routes(): Iterable<RouteTally> {
    return this.#routes.values();
  }

  add({
    exchange,
    outcome,
    status,
    durationMs,
    firstByteMs,
    contentBytes,
    requestContentBytes,
    route,
  }: ResponseInfo): void {
    this.inFlight--;
    const name = route === "" ? NO_ROUTE : route;
    const tally = this.#last !== null && this.#last.route === name ? this.#last : this.#tallyOf(name);
    const method = METHOD_INDEX.get(exchange.request.method) ?? OTHER_METHOD;
    const at = method * CLASSES.length + Math.trunc(status / 100);
    tally.requests[at] = (tally.requests[at] as number) + 1;
    tally.duration.observe(durationMs / 1000);
    tally.firstByte.observe(firstByteMs / 1000);
    tally.responseBytes += contentBytes;
    tally.requestBytes += requestContentBytes;
    if (outcome !== "complete") this.#addEnd(outcome);
  }

  /** What has been counted at all. */
  *counts(): IterableIterator<RequestCount> {
    for (const { route, requests } of this.#routes.values()) {
      for (const [at, count] of requests.entries()) {
        if (count === 0) continue;
        const method = METHODS[Math.trunc(at / CLASSES.length)] as string;
        yield { method, status: CLASSES[at % CLASSES.length] as string, route, count };
      }
    }
  }

  #tallyOf(name: string): RouteTally {
    let tally = this.#routes.get(name);
    if (tally === undefined) {
      // Room is kept for the two that everybody shares
      const isFull = this.#routes.size >= this.#maxRoutes && name !== NO_ROUTE && name !== OTHER_ROUTE;
      if (isFull) return this.#tallyOf(OTHER_ROUTE);
      tally = new RouteTally(name, this.#bounds);
      this.#routes.set(name, tally);
    }
    this.#last = tally;
    return tally;
  }

  #addEnd(outcome: ResponseInfo["outcome"]): void {
    if (outcome === "aborted") this.aborted++;
    else if (outcome === "broken") this.broken++;
    else this.upgraded++;
  }
}
