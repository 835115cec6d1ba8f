/**
 * `npm run fuzz`: all targets in turns for the time given.
 *
 *   npm run fuzz -- --minutes 10                   all targets; a seed is drawn and printed
 *   npm run fuzz -- --seconds 30 --only head,range --seed 7
 *   npm run fuzz -- --only head --hex 474554       one input, as printed with a failure
 *   npm run fuzz -- --list                         names and what holds
 *
 * Also: `--keep` writes failing inputs to fuzz/corpus, `--grow` those that reach what no seed does; `--no-coverage` leaves the guidance out. Exit code 0: nothing is
 * broken; 1: something is; 2: it was asked wrongly. Ctrl-C ends with the tally.
 */

import { parseArgs } from "node:util";
import type { Campaign } from "./campaign.ts";
import { keepInput, writeReachingInputs } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { renderFailure, renderProgress, renderTally } from "./report.ts";
import type { FuzzTarget } from "./target.ts";

/** A target's turn. Short enough that a run of 20 s reaches all of them several times. */
const TURN_MS = 200;
const DEFAULT_SECONDS = 60;
const PROGRESS_MS = 1_000;
const PLAIN_PROGRESS_MS = 30_000;

interface Wanted {
  readonly seconds: number;
  readonly only: readonly string[] | null;
  readonly seed: number;
  readonly hex: string | null;
  readonly isListing: boolean;
  readonly isKeeping: boolean;
  readonly isGrowing: boolean;
  readonly isGuided: boolean;
}

function readArguments(): Wanted | string {
  try {
    const { values } = parseArgs({
      options: {
        "minutes": { type: "string" },
        "seconds": { type: "string" },
        "only": { type: "string" },
        "seed": { type: "string" },
        "hex": { type: "string" },
        "list": { type: "boolean", default: false },
        "keep": { type: "boolean", default: false },
        "grow": { type: "boolean", default: false },
        "no-coverage": { type: "boolean", default: false },
      },
    });
    const seconds =
      values.minutes === undefined ? Number(values.seconds ?? DEFAULT_SECONDS) : 60 * Number(values.minutes);
    if (!(seconds > 0)) return "--minutes and --seconds take a number above 0";
    const seed = values.seed === undefined ? (Date.now() ^ (process.pid << 16)) >>> 0 : Number(values.seed);
    if (!Number.isSafeInteger(seed)) return "--seed takes an integer";
    if (values.hex !== undefined && !/^(?:[0-9a-f]{2})*$/i.test(values.hex))
      return "--hex takes pairs of hexadecimal digits";
    return {
      seconds,
      only: values.only?.split(",") ?? null,
      seed,
      hex: values.hex ?? null,
      isListing: values.list,
      isKeeping: values.keep,
      isGrowing: values.grow,
      isGuided: !values["no-coverage"],
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Runs one input, as it is repeated behind a failure. */
async function repeat(target: FuzzTarget, hex: string): Promise<number> {
  try {
    await target.run(Buffer.from(hex, "hex"));
  } catch (error) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return 1;
  } finally {
    await target.close?.();
  }
  say(`${target.name}: holds`);
  return 0;
}

/** Keeps what reached new code, of those targets whose inputs people can read. */
function grow(campaigns: readonly Campaign[]): void {
  for (const { target, pool, hasRunSeeds } of campaigns) {
    if (target.isSlow === true || !hasRunSeeds) continue;
    const seeds = new Set(Array.from(target.seeds(), (seed) => Buffer.from(seed).toString("hex")));
    const found = pool.filter((input) => !seeds.has(input.toString("hex")));
    say(`${target.name}: ${writeReachingInputs(target.name, found)} inputs kept`);
  }
}

class Runner {
  readonly #campaigns: readonly Campaign[];
  readonly #wanted: Wanted;
  readonly #startMs: number = performance.now();
  readonly #isTerminal: boolean = process.stdout.isTTY;
  #shownMs: number = performance.now();
  #isStopped = false;
  #current: Campaign | null = null;

  constructor(campaigns: readonly Campaign[], wanted: Wanted) {
    this.#campaigns = campaigns;
    this.#wanted = wanted;
    process.on("SIGINT", () => {
      // A second time: at once
      if (this.#isStopped) process.exit(130);
      this.#isStopped = true;
    });
    // What nobody waits for belongs to the input under way, as far as that can be told
    for (const event of ["uncaughtException", "unhandledRejection"] as const) {
      process.on(event, (error: unknown) => {
        void this.#current?.fail(Buffer.alloc(0), new Error(`${event}: ${String(error)}`, { cause: error }));
      });
    }
  }

  get #hasTime(): boolean {
    return !this.#isStopped && performance.now() - this.#startMs < this.#wanted.seconds * 1000;
  }

  /** Until the time is over. @returns seconds spent */
  async run(): Promise<number> {
    // Short runs do not reach all: each begins with another
    const first = Math.abs(this.#wanted.seed) % Math.max(1, this.#campaigns.length);
    const order = [...this.#campaigns.slice(first), ...this.#campaigns.slice(0, first)];
    while (this.#hasTime && this.#campaigns.some((campaign) => !campaign.isGivenUp)) {
      for (const campaign of order) {
        if (!this.#hasTime) break;
        if (!campaign.isGivenUp) await this.#turn(campaign);
      }
    }
    if (this.#isTerminal) process.stdout.write("\r\x1b[K");
    return (performance.now() - this.#startMs) / 1000;
  }

  async #turn(campaign: Campaign): Promise<void> {
    const from = performance.now();
    const fromCpu = process.cpuUsage();
    const known = campaign.failures.length;
    this.#current = campaign;
    while (this.#hasTime && performance.now() - from < TURN_MS && !campaign.isGivenUp) {
      await campaign.batch();
      // Signals and rejections get through
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
    const { user, system } = process.cpuUsage(fromCpu);
    campaign.spentMs += (user + system) / 1000;
    for (const failure of campaign.failures.slice(known)) {
      say(`${this.#isTerminal ? "\r\x1b[K" : ""}${renderFailure(failure)}`);
      if (this.#wanted.isKeeping) say(`  kept as ${keepInput(failure.target, failure.input, failure.message)}`);
    }
    const now = performance.now();
    if (now - this.#shownMs < (this.#isTerminal ? PROGRESS_MS : PLAIN_PROGRESS_MS)) return;
    this.#shownMs = now;
    const line = renderProgress(
      this.#campaigns,
      campaign.target.name,
      (now - this.#startMs) / 1000,
      this.#wanted.seconds,
    );
    process.stdout.write(
      this.#isTerminal ? `\r\x1b[K${line.slice(0, (process.stdout.columns ?? 80) - 1)}` : `${line}\n`,
    );
  }
}

async function main(): Promise<number> {
  const wanted = readArguments();
  if (typeof wanted === "string") {
    process.stderr.write(`${wanted}\n`);
    return 2;
  }
  const coverage = wanted.isGuided && wanted.hex === null && !wanted.isListing ? new Coverage() : null;
  coverage?.start();
  // Behind the start of coverage: V8 counts only in what is compiled after it
  const [{ allTargets }, { Campaign }, { Watchdog }] = await Promise.all([
    import("./targets.ts"),
    import("./campaign.ts"),
    import("./watchdog.ts"),
  ]);
  const all = await allTargets();
  const unknown = wanted.only?.find((name) => all.every((target) => target.name !== name));
  if (unknown !== undefined) {
    process.stderr.write(`no target ${unknown}; there are ${all.map(({ name }) => name).join(", ")}\n`);
    return 2;
  }
  const targets = all.filter(({ name }) => wanted.only?.includes(name) ?? true);
  if (wanted.isListing) {
    for (const { name, about } of targets) say(`${name.padEnd(20)} ${about}`);
    return 0;
  }
  const [first] = targets;
  if (wanted.hex !== null) {
    if (first !== undefined && wanted.only?.length === 1) return repeat(first, wanted.hex);
    process.stderr.write("--hex needs --only with one target\n");
    return 2;
  }
  const watchdog = new Watchdog();
  const campaigns = targets.map((target, i) => new Campaign(target, wanted.seed + i * 7919, coverage, watchdog));
  const runner = new Runner(campaigns, wanted);
  say(
    `seed ${wanted.seed}, ${targets.length} targets, ${wanted.seconds} s, Node ${process.versions.node}${coverage === null ? ", without coverage" : ""}`,
  );
  const seconds = await runner.run();
  await watchdog.close();
  for (const target of targets) await target.close?.();
  say(renderTally(campaigns, seconds, wanted.seed));
  if (wanted.isGrowing) grow(campaigns);
  coverage?.stop();
  return campaigns.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

process.exitCode = await main();
