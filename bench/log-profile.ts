/**
 * The profile of the access log: ours with a line of JSON per request to a file, beside ours without, and peers with and
 * without. The question: does ours with its log stay ahead of peers that write none?
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PLAIN_PROFILES } from "./plain-profiles.ts";
import type { Profile } from "./profile.ts";
import { targetOf } from "./targets.ts";

const [PLAINTEXT] = PLAIN_PROFILES;
if (PLAINTEXT === undefined) throw new Error("no profile to write a log of");

export const LOG_PROFILE: Profile = {
  ...PLAINTEXT,
  name: "log-on",
  about: "GET / with an access log to a file (those called -log), compared with node:http without one",
  ours: ["fairlead-log", "fairlead"],
  peers: ["node-http-log", "fastify", "fastify-log"],
  target: targetOf("log-on"),
  prepare: () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-bench-logs-"));
    process.env["FAIRLEAD_BENCH_LOGS"] = folder;
    return () => rmSync(folder, { recursive: true, force: true });
  },
  run: async (subject, settings) => {
    const round = await PLAINTEXT.run?.(subject, settings);
    if (round === undefined) throw new Error("the plaintext profile has no load");
    if (/-log\b/.test(subject.label)) mustHaveLines(subject.label);
    return round;
  },
};

/** A log that nobody writes costs nothing: the file must be there and have grown. */
function mustHaveLines(label: string): void {
  const folder = process.env["FAIRLEAD_BENCH_LOGS"] ?? "";
  const server = label.replace(/-log\b.*$/, "");
  const file = readdirSync(folder).find((name) => name === `fairlead-bench-${server}.log`);
  if (file === undefined || statSync(join(folder, file)).size < 100_000) {
    throw new Error(`${label}: wrote no log`);
  }
}
