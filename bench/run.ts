/**
 * `npm run bench -- --profile plaintext`: subjects side by side, on the same core, in the same run, with the same Node.
 *
 * Each subject runs alone on core 0, the load on core 1; rounds are interleaved and their order turns, so that a machine
 * that gets slower is slower for all. Says median (min to max) of each figure and the ratio of medians to node:http.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startSubject } from "./process.ts";
import { type Profile, PROFILES, type Round } from "./profiles.ts";

/** Every script beside the library that some of them share. */
const SUBJECTS: Readonly<Record<string, string>> = Object.fromEntries(
  readdirSync(fileURLToPath(new URL("subjects", import.meta.url)))
    .map((file) => file.replace(/\.js$/, ""))
    .filter((name) => !["library", "tls-certificate"].includes(name))
    .map((name) => [name, script(name)]),
);
const SUBJECT_CORE = 0;
const LOAD_CORE = 1;

function script(name: string): string {
  return fileURLToPath(new URL(`subjects/${name}.js`, import.meta.url));
}

const { values } = parseArgs({
  options: {
    profile: { type: "string", default: "plaintext" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "5" },
    connections: { type: "string" },
    subjects: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

function spreadOf(numbers: readonly number[]): Spread {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
  return { median, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN };
}

async function measure(profile: Profile, names: readonly string[], rounds: number): Promise<Map<string, Round[]>> {
  const seconds = Number(values.seconds);
  const connections = Number(values.connections ?? (profile.needsWrk ? 64 : 5_000));
  const results = new Map<string, Round[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const turn = round % names.length;
    for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
      if (profile.start !== undefined) {
        results.get(name)?.push(await profile.start(name, SUBJECT_CORE));
        continue;
      }
      const subject = await startSubject(name, SUBJECTS[name] ?? "", SUBJECT_CORE);
      try {
        const round = await profile.run?.(subject, { seconds, connections, loadCore: LOAD_CORE });
        if (round !== undefined) results.get(name)?.push(round);
      } finally {
        await subject.stop();
      }
    }
    process.stderr.write(`round ${round + 1} of ${rounds}\n`);
  }
  return results;
}

function report(name: string, profile: Profile, results: ReadonlyMap<string, readonly Round[]>): void {
  console.log(`\n${name}: ${profile.about}`);
  console.log(
    `Node ${process.version}, ${cpus()[0]?.model ?? "unknown CPU"}, ${values.rounds} rounds; median (min-max)\n`,
  );
  const columns = [...profile.figures.map(([figure]) => figure), `ratio to ${profile.reference}`];
  const rows = [["", ...columns]];
  const steer = profile.figures[0]?.[0] ?? "";
  const medianOf = (rounds: readonly Round[]): number => spreadOf(rounds.map((round) => round[steer] ?? NaN)).median;
  const reference = medianOf(results.get(profile.reference) ?? []);
  for (const [subject, rounds] of results) {
    const cells = profile.figures.map(([figure, digits]) => {
      const { median, min, max } = spreadOf(rounds.map((round) => round[figure] ?? NaN));
      return `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`;
    });
    rows.push([subject, ...cells, (medianOf(rounds) / reference).toFixed(2)]);
  }
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows) console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
}

async function main(): Promise<void> {
  const profile = PROFILES[values.profile];
  const names = values.subjects?.split(",") ?? [...(profile?.subjects ?? [])];
  const unknown = names.filter((name) => !(name in SUBJECTS || profile?.subjects.includes(name)));
  if (profile === undefined || unknown.length > 0) {
    console.error(`Profiles: ${Object.keys(PROFILES).join(", ")}. Subjects: ${Object.keys(SUBJECTS).join(", ")}.`);
    process.exitCode = 2;
    return;
  }
  const tools = ["taskset", ...(profile.needsWrk ? ["wrk"] : [])];
  const missing = tools.filter((tool) => spawnSync("which", [tool]).status !== 0);
  missing.push(...(profile.missing?.() ?? []));
  if (missing.length > 0 || cpus().length < 2) {
    console.error(`SKIPPED ALOUD: this needs two cores and ${missing.join(" and ") || "more of them"}`);
    return;
  }
  // This process is part of the load, so it belongs to the load's core
  execFileSync("taskset", ["-acp", String(LOAD_CORE), String(process.pid)], { stdio: "ignore" });
  const undo = profile.prepare?.();
  const results = await measure(profile, names, Number(values.rounds)).finally(() => undo?.());
  if (values.json)
    console.log(
      JSON.stringify({ profile: values.profile, node: process.version, results: Object.fromEntries(results) }),
    );
  else report(values.profile, profile, results);
}

await main();
