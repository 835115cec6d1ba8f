/**
 * The profiles of the access log: ours with a line of JSON per request to a file, beside ours without, and peers with and
 * without. The questions: does ours with its log stay ahead of peers that write none, and what does the log itself cost?
 *
 * The second is asked at a fixed rate. In a closed loop a load that has become faster than the server goes to sleep, and the
 * server pays for waking it: 0.4 us of pure computing in a handler then cost 1.2 us, where at a rate they cost 0.35.
 */
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { greetingChecker } from "./answer.ts";
import { fixedRate } from "./load/fixed-rate.ts";
import { greetingRequest, PLAIN_PROFILES } from "./plain-profiles.ts";
import type { Figure, Profile, Round, RoundSettings } from "./profile.ts";
import { LOAD_FIGURES, roundOf } from "./round.ts";
import { targetOf } from "./targets.ts";

const [PLAINTEXT] = PLAIN_PROFILES;
if (PLAINTEXT === undefined) throw new Error("no profile to write a log of");

/** What the load (open-loop.ts) holds, and all subjects but Express on Node 20, which is told as a doubt. */
const COST_RATE = 50_000;
/** Of {@link PLAINTEXT}, without its own latency: the load counts otherwise. */
const COST_FIGURES: readonly Figure[] = LOAD_FIGURES.filter(({ name }) => !/^p\d/.test(name));

const LOG_ON: Profile = {
  ...PLAINTEXT,
  name: "log-on",
  about: "GET / with an access log to a file (those called -log), compared with node:http without one",
  ours: ["fairlead-log", "fairlead"],
  peers: ["node-http-log", "fastify", "fastify-log"],
  target: targetOf("log-on"),
  prepare: makeFolder,
  run: async (subject, settings) => {
    const round = await PLAINTEXT.run?.(subject, settings);
    if (round === undefined) throw new Error("the plaintext profile has no load");
    mustHaveLines(subject.label, round, settings);
    return round;
  },
};

const LOG_COST: Profile = {
  ...PLAINTEXT,
  name: "log-cost",
  about: `GET / at ${COST_RATE.toLocaleString("en")} requests per second, with an access log and without`,
  figures: COST_FIGURES,
  reference: "fairlead",
  ours: ["fairlead-log"],
  peers: [],
  tools: [],
  target: targetOf("log-cost"),
  isSaturating: false,
  prepare: makeFolder,
  run: async (subject, settings) => {
    const checker = await greetingChecker(subject.port);
    const load = { request: greetingRequest(), rate: COST_RATE, connections: settings.connections ?? 64 };
    const round = await roundOf(subject, checker, settings, (seconds) =>
      fixedRate(subject, load, seconds, settings.loadCore),
    );
    mustHaveLines(subject.label, round, settings);
    return round;
  },
};

export const LOG_PROFILES: readonly Profile[] = [LOG_ON, LOG_COST];

function makeFolder(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-bench-logs-"));
  process.env["FAIRLEAD_BENCH_LOGS"] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

/**
 * A log that nobody writes costs nothing, and one that leaves lines out costs less: of those that are called so there must be a
 * line for each request that was measured. Those of warming up make up for what still lies in memory.
 *
 * @throws if there are fewer
 */
export function mustHaveLines(label: string, { figures }: Round, { seconds }: RoundSettings): void {
  if (!/-log\b/.test(label)) return;
  const server = label.replace(/-log\b.*$/, "");
  const file = join(process.env["FAIRLEAD_BENCH_LOGS"] ?? "", `fairlead-bench-${server}.log`);
  const requests = Math.floor((figures["req/s"] ?? NaN) * seconds);
  const lines = existsSync(file) ? linesOf(file) : 0;
  if (!(lines >= requests)) throw new Error(`${label}: wrote ${lines} lines of log for ${requests} requests and more`);
}

const READ_BYTES = 2 ** 20;
const LINE_FEED = 0x0a;

/** How many lines a file has, however large it is. */
function linesOf(file: string): number {
  const buffer = Buffer.alloc(READ_BYTES);
  const descriptor = openSync(file, "r");
  let lines = 0;
  try {
    for (let length = readSync(descriptor, buffer); length > 0; length = readSync(descriptor, buffer)) {
      const piece = buffer.subarray(0, length);
      for (let at = piece.indexOf(LINE_FEED); at !== -1; at = piece.indexOf(LINE_FEED, at + 1)) lines += 1;
    }
  } finally {
    closeSync(descriptor);
  }
  return lines;
}
