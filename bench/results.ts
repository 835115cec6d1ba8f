/**
 * The results of a run, as they are kept in JSON, and what follows from them: medians, ratios, verdicts and doubts.
 *
 * Everything that is shown (tables, charts, docs, the guard) is made of this, so a run can be shown again without measuring.
 */
import type { Machine } from "./machine.ts";
import { bottleneckOf, disturbanceOf, isDisturbed, MAX_HALF_RANGE } from "./noise.ts";
import type { Figure, Round, Target } from "./profile.ts";
import { halfRange, medianPercentiles, pairRatios, type Spread, spreadOf } from "./statistics.ts";
import { verdictOf } from "./targets.ts";

/** One subject's rounds; null for one that was not finished. */
export interface SubjectResult {
  readonly label: string;
  readonly name: string;
  readonly about: string;
  readonly version: string;
  /** Label of whom it is compared with, or null. */
  readonly reference: string | null;
  /** Its rounds of the same run, where others stand in the table; not there where it is in the table itself. */
  readonly referenceRounds?: readonly (Round | null)[];
  readonly rounds: readonly (Round | null)[];
  /** Why it was put out, or null. A subject that answers wrongly has no figures. */
  readonly failure: string | null;
}

/** One profile's subjects. */
export interface ProfileResult {
  readonly name: string;
  readonly about: string;
  readonly figures: readonly Figure[];
  readonly reference: string;
  /** Names of ours; the target is for the first of them. */
  readonly ours: readonly string[];
  readonly target: Target | null;
  readonly isSaturating: boolean;
  readonly seconds: number;
  readonly subjects: readonly SubjectResult[];
}

/** A whole run. */
export interface RunResult {
  readonly format: 1;
  /** ISO 8601. */
  readonly date: string;
  /** As it was typed. */
  readonly command: string;
  /** False if it was ended before its end. */
  readonly isWhole: boolean;
  readonly machine: Machine;
  /** What was left out, and why. */
  readonly skipped: readonly string[];
  readonly profiles: readonly ProfileResult[];
}

/** What a subject's rounds come to. */
export interface Summary {
  readonly figures: ReadonlyMap<string, Spread>;
  /** Of the first figure, round by round; null without a reference. */
  readonly ratio: Spread | null;
  /** Null where nothing is demanded. */
  readonly verdict: string | null;
  readonly percentiles: readonly (readonly [number, number])[];
  /** What makes one doubt the figures. */
  readonly doubts: readonly string[];
}

/** Later than this, the load itself makes much of a latency at a fixed rate. */
const LATE_P99_US = 500;
/** Below this share of the rate that was asked, a profile at a fixed rate is one of another rate. */
const HELD_SHARE = 0.98;

/** @returns what the rounds of a subject come to */
export function summaryOf(profile: ProfileResult, subject: SubjectResult): Summary {
  const rounds = subject.rounds.filter((round) => round !== null);
  const figures = new Map<string, Spread>();
  for (const { name } of profile.figures) {
    figures.set(name, spreadOf(rounds.map((round) => round.figures[name] ?? NaN)));
  }
  const steer = profile.figures[0]?.name ?? "";
  const reference = profile.subjects.find(({ label }) => label === subject.reference);
  const numbersOf = (some: readonly (Round | null)[]): (number | null)[] =>
    some.map((round) => round?.figures[steer] ?? null);
  const against = subject.referenceRounds ?? reference?.rounds;
  const ratios = against === undefined ? [] : pairRatios(numbersOf(subject.rounds), numbersOf(against));
  const ratio = ratios.length === 0 ? null : spreadOf(ratios);
  const isJudged = profile.target !== null && subject.name === profile.ours[0] && ratio !== null;
  return {
    figures,
    ratio,
    verdict: isJudged ? verdictOf(ratio.median, profile.target) : null,
    percentiles: medianPercentiles(rounds.map((round) => round.percentiles)),
    doubts: doubtsOf(profile, rounds, figures.get(steer)),
  };
}

function doubtsOf(profile: ProfileResult, rounds: readonly Round[], steer: Spread | undefined): readonly string[] {
  const doubts: string[] = [];
  const share = steer === undefined ? 0 : halfRange(steer);
  if (share > MAX_HALF_RANGE) doubts.push(`rounds differ by ±${(share * 100).toFixed(0)} %`);
  const busy = rounds.flatMap((round) => (round.busy === null ? [] : [round.busy]));
  const disturbed = busy.filter(isDisturbed);
  const [worst] = disturbed.toSorted((a, b) => b.foreign + b.stolen - a.foreign - a.stolen);
  if (worst !== undefined) {
    doubts.push(`${disturbed.length} of ${rounds.length} rounds disturbed (${disturbanceOf(worst)})`);
  }
  if (profile.isSaturating && busy.length > 0) {
    const isMost = (what: string): boolean => busy.filter((one) => bottleneckOf(one) === what).length > busy.length / 2;
    if (isMost("load")) doubts.push("the load was the bottleneck: req/s are its own, CPU per request holds");
    if (isMost("neither")) doubts.push("neither core was full: req/s are bound by waiting");
  }
  const medianOf = (name: string): number => spreadOf(rounds.map((round) => round.figures[name] ?? NaN)).median;
  const [reached, asked] = [medianOf("req/s"), medianOf("asked/s")];
  if (reached < HELD_SHARE * asked) {
    doubts.push(`the rate was not held: ${reached.toFixed(0)} of ${asked.toFixed(0)} requests per second`);
  }
  const late = spreadOf(rounds.map((round) => round.figures["late p99 us"] ?? 0)).median;
  if (late > LATE_P99_US) doubts.push(`the load was late itself (p99 ${late.toFixed(0)} us)`);
  return doubts;
}

/** @returns the results with the summaries in plain objects, as they are written to a file */
export function withSummaries(run: RunResult): unknown {
  const profiles = run.profiles.map((profile) => ({
    ...profile,
    subjects: profile.subjects.map((subject) => {
      const { figures, ...rest } = summaryOf(profile, subject);
      return { ...subject, summary: { ...rest, figures: Object.fromEntries(figures) } };
    }),
  }));
  return { ...run, profiles };
}

/**
 * Joins runs. Of two profiles of the same name the later one stays, with those subjects of the earlier that it does not have:
 * each is compared with the reference of its own run.
 *
 * @throws if they are of different machines: figures of two machines stand in no common table
 */
export function joinRuns(runs: readonly RunResult[]): RunResult {
  const [first] = runs;
  if (first === undefined) throw new Error("no results to show");
  const profiles = new Map<string, ProfileResult>();
  for (const run of runs) {
    if (run.format !== 1) throw new Error("results of another format");
    if (run.machine.cpu !== first.machine.cpu || run.machine.cores !== first.machine.cores) {
      throw new Error(`results of different machines: ${first.machine.cpu} and ${run.machine.cpu}`);
    }
    for (const profile of run.profiles) profiles.set(profile.name, joinProfiles(profiles.get(profile.name), profile));
  }
  return {
    ...first,
    date: runs.map(({ date }) => date).toSorted()[0] ?? first.date,
    command: runs.map(({ command }) => command).join("\n"),
    isWhole: runs.every(({ isWhole }) => isWhole),
    skipped: [...new Set(runs.flatMap(({ skipped }) => skipped))],
    profiles: [...profiles.values()],
  };
}

/**
 * Puts the rounds of runs that measured the same together, one run's behind the other's, as if they were one: so that of
 * two runs nobody can show the better. A subject that a run does not have has no rounds there.
 *
 * @throws if they are of different machines, or measured the same profile for different times or asked otherwise
 */
export function poolRuns(runs: readonly RunResult[]): RunResult {
  const joined = joinRuns(runs);
  const profiles = joined.profiles.map((profile) => {
    const parts = runs.flatMap((run) => run.profiles.filter(({ name }) => name === profile.name));
    const seconds = new Set(parts.map((part) => part.seconds));
    if (seconds.size > 1)
      throw new Error(`${profile.name}: rounds of ${[...seconds].join(" and ")} s are not the same`);
    // On other connections, or by another load
    const questions = new Set(parts.map((part) => part.about));
    if (questions.size > 1) throw new Error(`${profile.name}: not the same were asked: ${[...questions].join("; ")}`);
    return { ...profile, subjects: poolSubjects(parts) };
  });
  return { ...joined, profiles };
}

function poolSubjects(parts: readonly ProfileResult[]): SubjectResult[] {
  const labels = new Set(parts.flatMap(({ subjects }) => subjects.map(({ label }) => label)));
  return [...labels].flatMap((label) => {
    const found = parts.map(({ subjects }) => subjects.find((subject) => subject.label === label));
    const last = found.findLast((subject) => subject !== undefined);
    if (last === undefined) return [];
    const rounds = found.flatMap((subject, i) => {
      // Rounds are compared by their number, so all subjects must have the same
      const most = Math.max(...(parts[i]?.subjects ?? []).map((one) => one.rounds.length));
      const own = subject?.rounds ?? [];
      return [...own, ...Array.from({ length: most - own.length }, () => null)];
    });
    const failure = found.find((subject) => subject?.failure)?.failure ?? null;
    // Speed with wrong answers is no result, in whichever run they were given
    return [{ ...last, rounds: failure === null ? rounds : rounds.map(() => null), failure }];
  });
}

function joinProfiles(earlier: ProfileResult | undefined, later: ProfileResult): ProfileResult {
  if (earlier === undefined) return later;
  const has = (label: string | null): boolean => later.subjects.some((subject) => subject.label === label);
  const kept = earlier.subjects
    .filter(({ label }) => !has(label))
    .map((subject) => {
      if (!has(subject.reference)) return subject;
      const reference = earlier.subjects.find(({ label }) => label === subject.reference);
      const referenceRounds = subject.referenceRounds ?? reference?.rounds;
      return referenceRounds === undefined ? subject : { ...subject, referenceRounds };
    });
  return { ...later, subjects: [...later.subjects, ...kept] };
}
