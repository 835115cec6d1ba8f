/**
 * Fuzzes connections for some minutes, from a seed that is printed: `jiti fuzz/connection/run.ts --minutes 2 [--seed N]`.
 *
 * What fails is made short, printed as a scenario, and kept as a regression in fuzz/connection/corpus, which the tests replay; each
 * kind of failure once. Ends with 1 if anything failed. `--seed N --scripts 1` repeats one.
 */

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { check, checkSeed, comparesSplits, failureOf } from "./check.ts";
import { drawScript } from "./generate.ts";
import { describe } from "./script.ts";
import { shrink } from "./shrink.ts";

const CORPUS = new URL("corpus/", import.meta.url);
/** Seeds begin somewhere below this, unless one is given. */
const MAX_FIRST_SEED = 1_000_000_000;

/** Runs and prints; true: nothing failed. */
async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "2" },
      seed: { type: "string" },
      scripts: { type: "string", default: "0" },
      keep: { type: "boolean", default: true },
    },
    allowNegative: true,
  });
  const first = values.seed === undefined ? Math.floor(Math.random() * MAX_FIRST_SEED) : Number(values.seed);
  const count = Number(values.scripts) || Infinity;
  const began = performance.now();
  const untilMs = count === Infinity ? Number(values.minutes) * 60_000 : Infinity;
  const kinds = new Map<string, number>();
  say(`seed ${first}`);
  let played = 0;
  while (played < count && performance.now() - began < untilMs) {
    const seed = first + played++;
    const [broken] = await checkSeed(seed);
    if (broken !== undefined) await report(seed, broken, kinds, values.keep);
  }
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage();
  const rate = Math.round(played / ((user + system) / 1e6));
  say(`${played} scripts in ${seconds.toFixed(1)} s, ${rate} per second of processor time`);
  for (const [kind, times] of kinds) say(`${times} times ${kind}`);
  return kinds.size === 0;
}

async function report(seed: number, broken: string, kinds: Map<string, number>, keeps: boolean): Promise<void> {
  const script = drawScript(seed);
  const hasSplits = comparesSplits(seed);
  const kind = await failureOf(script, hasSplits);
  if (kind === "") {
    // Not alone: beside the other it does
    kinds.set(`seed ${seed} beside another: ${broken}`, 1);
    return say(`\nseed ${seed}, beside another\n${broken}\n`);
  }
  const times = kinds.get(kind) ?? 0;
  kinds.set(kind, times + 1);
  if (times > 0) return;
  const short = await shrink(script, (candidate) => failureOf(candidate, hasSplits));
  const all = await check(short, hasSplits);
  say(`\nseed ${seed}${hasSplits ? ", in its splits" : ""}\n${describe(short)}\n${all.join("\n")}\n`);
  if (!keeps) return;
  const about = all[0] ?? broken;
  writeFileSync(
    new URL(`seed-${seed}.json`, CORPUS),
    `${JSON.stringify({ about, hasSplits, script: short }, null, 1)}\n`,
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exitCode = (await main()) ? 0 : 1;
