/**
 * One target under fuzz: where its inputs come from, what they reach, what they break.
 *
 * Inputs come in this order: the seeds and the kept corpus; then batches, of which each input is by the grammar, or made of
 * one in the pool. The pool holds the inputs that reached code which none had reached before. Now and then an input is tried
 * at twice and four times its length, to see that the work grows no faster than the input.
 */

import fc from "fast-check";
import { keptInputs, reachingInputs } from "./corpus.ts";
import { type Coverage, Reach } from "./coverage.ts";
import { BrokenInvariant, failureKey } from "./invariant.ts";
import { MAX_INPUT_BYTES, mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import { failureOf, shrink } from "./shrink.ts";
import type { FuzzTarget } from "./target.ts";
import type { Watchdog } from "./watchdog.ts";

/** Asking for coverage costs milliseconds: batches grow while nothing new is reached. */
const MIN_BATCH_INPUTS = 64;
const MAX_BATCH_INPUTS = 1024;
const SLOW_BATCH_INPUTS = 16;
/** Down to so many, each input of a batch is looked at on its own. */
const MAX_SINGLE_INPUTS = 16;
/** One turn of growth in so many batches. */
const GROWTH_BATCHES = 2;
/** Above this many inputs of the pool the oldest go. */
const MAX_POOL_INPUTS = 4_000;
/** Of one target. Who breaks that many has enough to look at. */
const MAX_FAILURES = 5;
const GRAMMAR_INPUTS = 500;
/** Repeats of a stretch whose work is compared, and what twice the repeats may cost: twice, and some for what is done once. */
const REPEATS = [64, 128, 256];
const MAX_GROWTH = 2.7;
/** Below this many steps the work is too little to say anything of its growth. */
const MIN_STEPS = 4_000;

/** An invariant that does not hold. */
export interface Failure {
  readonly target: string;
  readonly key: string;
  readonly message: string;
  readonly stack: string;
  readonly input: Buffer;
}

/** What one target has gone through. */
export class Campaign {
  readonly target: FuzzTarget;
  readonly failures: Failure[] = [];
  executions = 0;
  /** Blocks that this target was the first to reach. */
  blocks = 0;
  /** Of the processor: others may use it at the same time. */
  spentMs = 0;
  readonly #random: Random;
  readonly #coverage: Coverage | null;
  readonly reach: Reach | null;
  readonly #watchdog: Watchdog;
  readonly #pool: Buffer[] = [];
  #seeds: Buffer[] | null = null;
  #grammar: Uint8Array[] = [];
  #batches = 0;
  #batchInputs = MIN_BATCH_INPUTS;

  /** @param coverage null: inputs by the grammar and mutations of seeds alone */
  constructor(target: FuzzTarget, seed: number, coverage: Coverage | null, watchdog: Watchdog) {
    this.target = target;
    this.#random = new Random(seed);
    this.#coverage = coverage;
    this.reach = coverage === null ? null : new Reach();
    this.#watchdog = watchdog;
  }

  get poolSize(): number {
    return this.#pool.length;
  }

  /** What reached new code. */
  get pool(): readonly Buffer[] {
    return this.#pool;
  }

  /** Seeds and kept inputs are through: what is in the pool stands for all of them. */
  get hasRunSeeds(): boolean {
    return this.#seeds?.length === 0;
  }

  get isGivenUp(): boolean {
    return this.failures.length >= MAX_FAILURES;
  }

  /** Runs a batch. */
  async batch(): Promise<void> {
    const inputs = this.#nextInputs();
    // What ran before was another target's
    this.#coverage?.take();
    for (const input of inputs) await this.#execute(input);
    this.#batches++;
    const taken = this.#coverage?.take() ?? [];
    const hasNews = this.reach !== null && this.reach.news(taken, false) > 0;
    if (hasNews) await this.#keepNews(inputs);
    // What runs but once, as the first look at something that is remembered, is nobody's
    this.blocks += this.reach?.news(taken, true) ?? 0;
    this.#batchInputs = hasNews ? MIN_BATCH_INPUTS : Math.min(2 * this.#batchInputs, MAX_BATCH_INPUTS);
    if (this.#coverage !== null && this.target.isSlow !== true && this.#batches % GROWTH_BATCHES === 0) {
      await this.#tryGrowth(this.#coverage);
    }
    this.#watchdog.rests();
  }

  /** Runs a batch again, part by part, until it is known which inputs reached what is new. */
  async #keepNews(inputs: readonly Buffer[]): Promise<void> {
    // Nearly every one of few has something, at the beginning; of many hardly any
    const size = inputs.length <= MAX_SINGLE_INPUTS ? 1 : Math.ceil(inputs.length / 4);
    for (let at = 0; at < inputs.length; at += size) {
      const part = inputs.slice(at, at + size);
      for (const input of part) await this.#execute(input);
      const news = this.reach?.news(this.#coverage?.take() ?? [], part.length === 1) ?? 0;
      if (news === 0) continue;
      if (part.length > 1) {
        await this.#keepNews(part);
        continue;
      }
      this.blocks += news;
      this.#pool.push(...part);
      if (this.#pool.length > MAX_POOL_INPUTS) this.#pool.shift();
    }
  }

  #nextInputs(): Buffer[] {
    if (this.#seeds === null) {
      const { name } = this.target;
      const kept = [...keptInputs(name), ...reachingInputs(name)].map(({ bytes }) => bytes);
      // Seeds first: what they reach needs no kept input
      const seeds = [...this.target.seeds(), ...kept];
      this.#seeds = seeds.map((seed) => Buffer.from(seed));
      if (this.#coverage === null) this.#pool.push(...this.#seeds);
    }
    const size = this.target.isSlow === true ? SLOW_BATCH_INPUTS : this.#batchInputs;
    if (this.#seeds.length > 0) return this.#seeds.splice(0, size);
    return Array.from({ length: size }, () => this.#nextInput());
  }

  #nextInput(): Buffer {
    const random = this.#random;
    const isFresh = this.#pool.length === 0 || random.once(3);
    // Those found lately lead where nobody has been yet
    const newest = Math.max(0, this.#pool.length - 50);
    const from = random.once(2) ? newest + random.below(this.#pool.length - newest) : random.below(this.#pool.length);
    const base = isFresh ? this.#fresh() : (this.#pool[from] ?? Buffer.alloc(0));
    if (isFresh && random.once(2)) return base;
    const other = this.#pool.length === 0 ? base : (this.#pool[random.below(this.#pool.length)] ?? base);
    return mutate(base, random, this.target.words ?? [], other);
  }

  #fresh(): Buffer {
    if (this.#grammar.length === 0) {
      this.#grammar = fc.sample(this.target.arbitrary, { numRuns: GRAMMAR_INPUTS, seed: this.#random.next() });
    }
    const input = this.#grammar.pop() ?? new Uint8Array(0);
    return Buffer.from(input.subarray(0, MAX_INPUT_BYTES));
  }

  async #execute(input: Buffer): Promise<void> {
    this.#watchdog.begins(this.target.name, input);
    this.executions++;
    let failure: unknown = null;
    try {
      const pending = this.target.run(input);
      if (pending !== undefined) await pending;
    } catch (error) {
      failure = error ?? new Error("threw null or undefined");
    }
    if (failure !== null) await this.fail(input, failure);
  }

  /** Notes a failure with its shortest input, unless the same has been noted. */
  async fail(input: Buffer, failure: unknown): Promise<void> {
    const key = failureKey(failure);
    if (this.isGivenUp || this.failures.some((known) => known.key === key)) return;
    const shortest = await shrink(this.target, input, failure);
    const final = (await failureOf(this.target, shortest)) ?? failure;
    this.failures.push({
      target: this.target.name,
      key,
      message: final instanceof Error ? final.message : String(final),
      stack: stackOf(final),
      input: shortest,
    });
  }

  /** Takes an input, repeats a stretch of it, and compares the steps. */
  async #tryGrowth(coverage: Coverage): Promise<void> {
    const base = this.#random.once(2)
      ? this.#fresh()
      : (this.#pool[this.#random.below(this.#pool.length)] ?? this.#fresh());
    if (base.length > 2_000) return;
    const at = this.#random.below(base.length);
    const stretch = base.subarray(at, at + 1 + this.#random.below(12));
    const steps: number[] = [];
    let input = base;
    for (const times of REPEATS) {
      input = Buffer.concat([base.subarray(0, at), ...Array<Buffer>(times).fill(stretch), base.subarray(at)]);
      // The first run fills what is remembered between runs
      await this.#execute(input);
      coverage.take();
      await this.#execute(input);
      steps.push(coverage.steps());
    }
    const [small = 0, middle = 0, large = 0] = steps;
    if (large < MIN_STEPS || large <= MAX_GROWTH * middle || middle <= MAX_GROWTH * small) return;
    const shown = JSON.stringify(stretch.toString("latin1"));
    this.failures.push({
      target: this.target.name,
      key: "growth",
      message: new BrokenInvariant(
        "work grows no faster than the input",
        `${shown} repeated ${REPEATS.join(", ")} times takes ${steps.join(", ")} steps`,
      ).message,
      stack: "",
      input,
    });
  }
}

function stackOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const stack = cause instanceof Error ? (cause.stack ?? "") : "";
  return stack.split("\n").slice(1, 6).join("\n");
}
