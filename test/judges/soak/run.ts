/**
 * The soak: two workers of the built command under mixed load, with restarts, files that change and clients that leave, for
 * as long as one likes. Run by hand: `npm run judge:soak -- --minutes 20 --out folder`.
 *
 * The first third has a rolling restart every 20 s, the rest has none, so that memory can be seen to stay where it is. Ends
 * with 1 if anybody who behaves got a wrong answer or was cut off, if the service failed, or if memory went on growing: the
 * median of the last tenth may be at most 5 % and 8 MiB above that of the tenth which follows the warm-up.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { RunningCommand } from "../../cli/run-command.ts";
import { ChangingTree, seeded } from "../../clients/support/changing-tree.ts";
import { Judge } from "../../clients/support/judge.ts";
import { startLoad } from "../../processes/load.ts";
import { askApp, leaveEarly, readFiles, type Soak } from "./clients.ts";
import { plotMemory, type Sample } from "./plot.ts";

const { values } = parseArgs({
  options: {
    "minutes": { type: "string", default: "20" },
    "seed": { type: "string", default: String(Math.floor(Math.random() * 1e9)) },
    "out": { type: "string" },
    "pause-ms": { type: "string", default: "5" },
  },
});
const SECONDS = Number(values.minutes) * 60;
const RESTART_SECONDS = 20;
const CHANGE_MS = 50;
const MOST_MISTAKES = 20;
const PAGE_BYTES = Number(execFileSync("getconf", ["PAGESIZE"], { encoding: "utf8" }));

const base = mkdtempSync(join(tmpdir(), "fairlead-soak-"));
const draw = seeded(Number(values.seed));
const tree = new ChangingTree(base, draw);
const judge = new Judge();
const counts = new Map<string, number>();
const mistakes: string[] = [];
const samples: Sample[] = [];
const restartsAt: number[] = [];

function tally(count: ReadonlyMap<string, number>): string {
  const sorted = [...count].toSorted(([, a], [, b]) => b - a);
  return sorted.map(([what, times]) => `${times} ${what}`).join(", ");
}

function treeOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
    return [pid, ...children.flatMap((child) => treeOf(Number(child)))];
  } catch {
    // It ended meanwhile
    return [];
  }
}

function sample(pid: number, seconds: number, answers: number): Sample {
  let residentMib = 0;
  let descriptors = 0;
  const pids = treeOf(pid);
  for (const one of pids) {
    try {
      residentMib += (Number(readFileSync(`/proc/${one}/statm`, "utf8").split(" ")[1]) * PAGE_BYTES) / 2 ** 20;
      descriptors += readdirSync(`/proc/${one}/fd`).length;
    } catch {
      // The same
    }
  }
  return { seconds, residentMib, processes: pids.length, descriptors, answers };
}

function medianOf(from: number, to: number): number {
  const between = samples.filter(({ seconds }) => seconds >= from * SECONDS && seconds < to * SECONDS);
  const sorted = between.map(({ residentMib }) => residentMib).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

const command = new RunningCommand(
  [
    join(import.meta.dirname, "app.js"),
    "--workers",
    "2",
    "--port",
    "0",
    "--log",
    "json",
    "--log-file",
    join(base, "log"),
  ],
  { cwd: base, env: { FAIRLEAD_SOAK_FOLDER: join(base, "www") } },
);
const port = Number(new URL(await command.url()).port);
const pid = command.child.pid as number;
const startedMs = performance.now();
const elapsed = (): number => (performance.now() - startedMs) / 1000;
const isOver = (): boolean =>
  elapsed() >= SECONDS || command.child.exitCode !== null || mistakes.length + judge.mistakes.length > MOST_MISTAKES;
process.once("SIGINT", () => mistakes.push(...Array.from({ length: MOST_MISTAKES + 1 }, () => "stopped by hand")));

const soak: Soak = {
  port,
  tree,
  judge,
  draw,
  isOver,
  pauseMs: Number(values["pause-ms"]),
  count: (what) => counts.set(what, (counts.get(what) ?? 0) + 1),
  mistake: (what) => mistakes.push(`${elapsed().toFixed(1)} s: ${what}`),
};

async function change(): Promise<void> {
  while (!isOver()) {
    tree.changeOne();
    await sleep(CHANGE_MS);
  }
}

async function restart(): Promise<void> {
  while (!isOver() && elapsed() < SECONDS / 3) {
    await sleep(RESTART_SECONDS * 1000);
    if (isOver()) return;
    const before = command.output.length;
    restartsAt.push(elapsed());
    command.child.kill("SIGHUP");
    while (!isOver() && !command.output.slice(before).includes("All workers are new")) await sleep(100);
  }
}

async function watch(load: { readonly answers: number }): Promise<void> {
  while (!isOver()) {
    await sleep(1000);
    const answers = [...counts.values()].reduce((sum, one) => sum + one, load.answers);
    const now = sample(pid, elapsed(), answers);
    samples.push(now);
    if (samples.length % 30 !== 0) continue;
    process.stdout.write(
      `${now.seconds.toFixed(0)} s: ${answers} answers, ${now.residentMib.toFixed(0)} MiB in ${now.processes} processes, ${now.descriptors} descriptors, ${mistakes.length + judge.mistakes.length} mistakes\n`,
    );
  }
}

/** The connection's load asks `/`, which has to be there. */
writeFileSync(join(base, "www", "index.html"), "<!doctype html><title>Soak</title>");
const load = startLoad(port, { oneShot: 1, keepAlive: 2, pipelining: 1 });
await Promise.all([
  ...Array.from({ length: 6 }, () => readFiles(soak)),
  ...Array.from({ length: 4 }, () => askApp(soak)),
  ...Array.from({ length: 4 }, () => leaveEarly(soak)),
  change(),
  restart(),
  watch(load.count),
]);
const { failures, answers, connections } = await load.stop();
for (const [what, times] of failures) mistakes.push(`${times} times: ${what}`);
const exitCode = await command.end("SIGTERM");

const warm = medianOf(0.4, 0.5);
const end = medianOf(0.9, 1);
const isFlat = end <= warm * 1.05 + 8;
mistakes.push(...judge.mistakes);
const isGood = mistakes.length === 0 && exitCode === 0 && isFlat;
const others = [...counts.values()].reduce((sum, one) => sum + one, 0);
process.stdout.write(
  [
    `soak of ${values.minutes} min, seed ${values.seed}: ${answers + others} answers`,
    `load: ${answers} answers on ${connections} connections; others: ${tally(counts)}`,
    `files: ${tally(judge.counts)}; changes: ${tally(tree.changes)}`,
    `restarts: ${restartsAt.length}; memory: ${warm.toFixed(1)} MiB after the warm-up, ${end.toFixed(1)} MiB at the end: ${isFlat ? "flat" : "it grows"}`,
    `exit code ${exitCode}; mistakes: ${mistakes.length}`,
    ...mistakes.slice(0, MOST_MISTAKES),
    `${isGood ? "good" : "bad"}\n`,
  ].join("\n"),
);
if (values.out !== undefined) {
  mkdirSync(values.out, { recursive: true });
  writeFileSync(
    join(values.out, "soak.svg"),
    plotMemory(samples, restartsAt, `Memory of ${values.minutes} minutes under mixed load`),
  );
  writeFileSync(join(values.out, "soak.json"), JSON.stringify({ seed: values.seed, samples, restartsAt }));
  writeFileSync(join(values.out, "stderr.txt"), command.errors);
}
rmSync(base, { recursive: true, force: true });
process.exitCode = isGood ? 0 : 1;
