/**
 * `npm run bench:guard`: has something become slower? `--save` makes what is measured the baseline.
 *
 * Runs the bench on some profiles and compares ours with bench/baseline.json (guard-verdict.ts says how). It fails on a
 * regression, on a profile that could not be measured or whose rounds tell nothing, where nothing was compared, and where the
 * baseline is of another machine or another Node, whose ratios are others. A script and no test: while others work on the
 * machine it proves nothing, and the bench says so.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Baseline, type GuardEntry, guardText, isPassed, judge } from "./guard-verdict.ts";
import { findProfiles } from "./profiles.ts";
import { type RunResult, summaryOf } from "./results.ts";

const PROFILES = ["plaintext", "fields", "pipelined", "mix", "json", "static-4k", "static-64k", "tls-plaintext"];
const BASELINE = fileURLToPath(new URL("baseline.json", import.meta.url));
const BENCH = fileURLToPath(new URL("run.ts", import.meta.url));
const JITI = fileURLToPath(new URL("../node_modules/jiti/lib/jiti-cli.mjs", import.meta.url));

const { values } = parseArgs({
  options: {
    save: { type: "boolean", default: false },
    profile: { type: "string", default: PROFILES.join(",") },
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "3" },
    baseline: { type: "string", default: BASELINE },
  },
});

/** Runs the bench as a process of its own, which shows its table. */
function measure(): RunResult {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-guard-"));
  try {
    const file = join(folder, "results.json");
    const words = ["--profile", values.profile, "--rounds", values.rounds, "--seconds", values.seconds, "--json", file];
    const { status } = spawnSync(process.execPath, [JITI, BENCH, ...words], { stdio: "inherit" });
    if (status !== 0 || !existsSync(file)) throw new Error(`the bench ended with ${status}`);
    return JSON.parse(readFileSync(file, "utf8")) as RunResult;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Ours by profile. */
function entriesOf(run: RunResult): readonly GuardEntry[] {
  return run.profiles.flatMap((profile) => {
    const ours = profile.subjects.find(({ name }) => name === profile.ours[0]);
    const ratio = ours === undefined ? null : summaryOf(profile, ours).ratio;
    return ratio === null ? [] : [{ profile: profile.name, ratio }];
  });
}

function main(): number {
  const machine = `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores`;
  const node = process.versions.node.split(".")[0] ?? "";
  if (!values.save && !existsSync(values.baseline)) {
    console.error(`SKIPPED ALOUD: there is no ${values.baseline}; --save on a quiet machine makes it`);
    return 2;
  }
  const baseline = values.save ? null : (JSON.parse(readFileSync(values.baseline, "utf8")) as Baseline);
  if (baseline !== null && (baseline.machine !== machine || baseline.node !== node)) {
    console.error(`The baseline is of ${baseline.machine}, Node ${baseline.node}; this is ${machine}, Node ${node}.`);
    return 2;
  }
  const wanted = findProfiles(values.profile.split(",").map((name) => name.trim())).map(({ name }) => name);
  const run = measure();
  const entries = entriesOf(run);
  if (baseline === null) {
    const lost = wanted.filter((name) => !entries.some(({ profile }) => profile === name));
    if (lost.length > 0) throw new Error(`not measured, so nothing is saved: ${lost.join(", ")}`);
    const stored: Baseline = { date: run.date, machine, node, entries };
    writeFileSync(values.baseline, `${JSON.stringify(stored, null, 2)}\n`);
    console.log(`${values.baseline}: ${entries.length} profiles`);
    return 0;
  }
  const rows = judge(
    baseline.entries.filter(({ profile }) => wanted.includes(profile)),
    entries,
  );
  console.log(`Ratios of CPU per request to the reference; baseline of ${baseline.date.slice(0, 10)}\n`);
  console.log(guardText(rows));
  return isPassed(rows) ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
