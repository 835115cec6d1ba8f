/**
 * Profiles of a greeting: the least that a server can do, so that what is measured is the server.
 *
 * Small and browser-like heads, one at a time and sixteen, connections that stay and that do not, and a fixed rate. All are
 * answered by the family `plain` and steered by server CPU per request, but for the fixed rate, which is about latency.
 */
import { greetingChecker } from "./answer.ts";
import { fixedRate } from "./load/fixed-rate.ts";
import { h2load } from "./load/h2load.ts";
import type { Load, LoadResult } from "./load/result.ts";
import { wrk } from "./load/wrk.ts";
import type { Subject } from "./process.ts";
import type { Figure, Profile, RoundSettings } from "./profile.ts";
import { LOAD_FIGURES, roundOf } from "./round.ts";
import { targetOf } from "./targets.ts";

/** The fields of a browser's head besides Host. */
const BROWSER_FIELDS: Readonly<Record<string, string>> = {
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Accept-Language": "en-GB,en;q=0.9,de;q=0.8",
  "Accept-Encoding": "gzip, deflate, br, zstd",
  "Cache-Control": "no-cache",
  "Cookie": "session=0123456789abcdef0123456789abcdef; theme=dark; consent=1",
  "Referer": "http://127.0.0.1/index.html",
  "Sec-Fetch-Mode": "navigate",
  "Upgrade-Insecure-Requests": "1",
};

/** A request for the greeting. */
export function greetingRequest(fields: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join("")}\r\n`;
}

/** Runs the load that the settings name, where it can ask this. */
export function saturate(subject: Subject, load: Load, seconds: number, settings: RoundSettings): Promise<LoadResult> {
  const told = settings.connections === null ? load : { ...load, connections: settings.connections };
  const make = settings.load === "h2load" && load.get !== undefined ? h2load : wrk;
  return make(subject, told, seconds, settings.loadCore);
}

const PLAIN = { family: "plain", reference: "node-http", ours: ["fairlead"], peers: [], tools: ["wrk"] } as const;

interface Shape {
  readonly connections?: number;
  readonly depth?: number;
  readonly fields?: Readonly<Record<string, string>>;
  readonly closeEvery?: number;
}

function saturating(name: string, about: string, shape: Shape): Profile {
  const { connections = 64, depth = 1, fields = {}, closeEvery = 0 } = shape;
  const one = greetingRequest(fields);
  const closing = greetingRequest({ ...fields, Connection: "close" });
  const load: Load = {
    requests: closeEvery > 0 ? [closeEvery === 1 ? closing : one, closing] : [one.repeat(depth)],
    status: 200,
    connections,
    closeEvery,
    depth,
    ...(closeEvery === 0 && { get: { paths: ["/"], fields } }),
  };
  return {
    ...PLAIN,
    name,
    about,
    figures: LOAD_FIGURES,
    target: targetOf(name),
    isSaturating: true,
    isForH2load: load.get !== undefined,
    run: async (subject, settings) => {
      const checker = await greetingChecker(subject.port);
      return roundOf(subject, checker, settings, (seconds) => saturate(subject, load, seconds, settings));
    },
  };
}

const RATE_FIGURES: readonly Figure[] = [
  { name: "p50 us", digits: 1, better: "less" },
  { name: "p99 us", digits: 1, better: "less" },
  { name: "p99.9 us", digits: 0, better: "less" },
  { name: "req/s", digits: 0, better: "more" },
  { name: "CPU us/req", digits: 2, better: "less" },
  { name: "late p50 us", digits: 1, better: "less" },
  { name: "late p99 us", digits: 1, better: "less" },
  { name: "waited %", digits: 2, better: "less" },
];

function atRate(name: string, rate: number): Profile {
  return {
    ...PLAIN,
    name,
    about: `latency of GET / at ${rate.toLocaleString("en")} requests per second, counted from when each was due`,
    figures: RATE_FIGURES,
    target: targetOf(name),
    tools: [],
    isSaturating: false,
    run: async (subject, settings) => {
      const checker = await greetingChecker(subject.port);
      const load = { request: greetingRequest(), rate, connections: settings.connections ?? 64 };
      return roundOf(subject, checker, settings, (seconds) => fixedRate(subject, load, seconds, settings.loadCore));
    },
  };
}

export const PLAIN_PROFILES: readonly Profile[] = [
  saturating("plaintext", "GET / with a small head on 64 keep-alive connections", {}),
  saturating("plaintext-c512", "the same on 512 connections", { connections: 512 }),
  saturating("fields", "GET / with the ten fields of a browser's head", { fields: BROWSER_FIELDS }),
  saturating("pipelined", "GET / sixteen at a time on each connection", { depth: 16 }),
  saturating("ten-per-connection", "GET /, ten requests on each connection on average", { closeEvery: 10 }),
  saturating("one-per-connection", "GET /, one request on each connection", { closeEvery: 1 }),
  atRate("rate-20k", 20_000),
  atRate("rate-5k", 5_000),
];
