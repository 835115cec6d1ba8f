/**
 * The profiles of the access log: ours with a line of JSON per request to a file, beside ours without, and peers with and
 * without. The questions: does ours with its log stay ahead of peers that write none, and what does the log itself cost?
 *
 * The second is asked at a fixed rate. In a closed loop a load that has become faster than the server goes to sleep, and the
 * server pays for waking it: 0.4 us of pure computing in a handler then cost 1.2 us, where at a rate they cost 0.35.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { greetingChecker } from "./answer.ts";
import { fixedRate } from "./load/fixed-rate.ts";
import { greetingRequest, PLAIN_PROFILES } from "./plain-profiles.ts";
import type { Figure, Profile } from "./profile.ts";
import { LOAD_FIGURES, roundOf } from "./round.ts";
import { targetOf } from "./targets.ts";

const [PLAINTEXT] = PLAIN_PROFILES;
if (PLAINTEXT === undefined) throw new Error("no profile to write a log of");

/** What the load (open-loop.ts) and all subjects hold. */
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
    if (/-log\b/.test(subject.label)) mustHaveLines(subject.label);
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
    if (/-log\b/.test(subject.label)) mustHaveLines(subject.label);
    return round;
  },
};

export const LOG_PROFILES: readonly Profile[] = [LOG_ON, LOG_COST];

function makeFolder(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-bench-logs-"));
  process.env["FAIRLEAD_BENCH_LOGS"] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

/** A log that nobody writes costs nothing: the file must be there and have grown. */
function mustHaveLines(label: string): void {
  const folder = process.env["FAIRLEAD_BENCH_LOGS"] ?? "";
  const server = label.replace(/-log\b.*$/, "");
  const file = readdirSync(folder).find((name) => name === `fairlead-bench-${server}.log`);
  if (file === undefined || statSync(join(folder, file)).size < 100_000) {
    throw new Error(`${label}: wrote no log`);
  }
}
