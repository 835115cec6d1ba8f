/**
 * The rounds of a profile: every contestant once a round, the order turning, each alone on its core.
 *
 * A round during which somebody else worked is repeated as often as is allowed, aloud, and the least disturbed of the tries counts. A
 * contestant that cannot be started, fails, answers wrongly or not at all is put out, with all of its rounds: speed with wrong
 * answers is no result. An abort ends what runs and keeps the rounds that were finished.
 */
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import type { Contestant } from "./contestants.ts";
import { disturbanceOf, isDisturbed } from "./noise.ts";
import { endAll, startSubject } from "./process.ts";
import type { Profile, Round, RoundSettings } from "./profile.ts";
import type { Progress } from "./progress.ts";
import type { ProfileResult, SubjectResult } from "./results.ts";

/** What a run of rounds needs. */
export interface Measuring {
  readonly rounds: number;
  /** Of a disturbed round, at most. */
  readonly repeats: number;
  readonly settings: RoundSettings;
  readonly progress: Progress;
  readonly abort: AbortSignal;
  /** How long a round may take besides four times what it is thought to take; default {@link PATIENCE_MS}. */
  readonly patienceMs?: number;
}

/** For a machine that is busy. A subject that accepts and never answers would hold up all that come behind it. */
const PATIENCE_MS = 60_000;

/** Seconds that a round of one contestant is thought to take, before one was seen. */
export function secondsPerRound(profile: Profile, seconds: number): number {
  if (profile.start !== undefined) return 2;
  return profile.name === "idle" ? 8 : seconds + Math.max(1, seconds / 3) + 1.5;
}

/** Measures one profile. */
export async function measureProfile(
  profile: Profile,
  contestants: readonly Contestant[],
  measuring: Measuring,
): Promise<ProfileResult> {
  const { rounds, progress, abort, settings } = measuring;
  const results = new Map<string, Round[]>(contestants.map(({ label }) => [label, []]));
  const failures = new Map<string, string>();
  const putOut = (label: string, error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error);
    failures.set(label, reason);
    progress.say(`PUT OUT of ${profile.name}: ${label}: ${reason}`);
  };
  let undo: (() => void) | undefined;
  try {
    undo = profile.prepare?.();
  } catch (error) {
    // A full disk, a program that is not there: this profile is lost, and not what was measured before it. Ctrl-C of a terminal
    // ends programs that are waited for too, and is heard after them
    await turn();
    if (!abort.aborted) for (const { label } of contestants) putOut(label, error);
  }
  try {
    for (const { round, contestant } of stepsOf(contestants, rounds)) {
      const { label } = contestant;
      if (abort.aborted) break;
      if (failures.has(label)) continue;
      progress.begin(profile.name, round + 1, rounds, label);
      try {
        results.get(label)?.push(await undisturbedRound(profile, contestant, measuring));
      } catch (error) {
        if (abort.aborted) break;
        putOut(label, error);
      }
      progress.end();
    }
  } finally {
    undo?.();
  }
  const subjects = contestants.map((one) => resultOf(one, results.get(one.label) ?? [], failures.get(one.label)));
  const { name, about, figures, reference, ours, target, isSaturating } = profile;
  return { name, about, figures, reference, ours, target, isSaturating, seconds: settings.seconds, subjects };
}

/** Everybody once a round; round 2 begins with the second, so that nobody is always behind the same one. */
function* stepsOf(
  contestants: readonly Contestant[],
  rounds: number,
): Generator<{ readonly round: number; readonly contestant: Contestant }> {
  for (let round = 0; round < rounds; round++) {
    const turn = round % contestants.length;
    for (const contestant of [...contestants.slice(turn), ...contestants.slice(0, turn)]) yield { round, contestant };
  }
}

function resultOf(contestant: Contestant, rounds: readonly Round[], failure: string | undefined): SubjectResult {
  const { spec, node, label, reference } = contestant;
  return {
    label,
    name: spec.name,
    about: spec.about,
    version: spec.version(node.path),
    reference,
    rounds: failure === undefined ? rounds : [],
    failure: failure ?? null,
  };
}

async function undisturbedRound(profile: Profile, contestant: Contestant, measuring: Measuring): Promise<Round> {
  let best = await oneRound(profile, contestant, measuring);
  for (let repeat = 1; repeat <= measuring.repeats; repeat++) {
    if (best.busy === null || !isDisturbed(best.busy) || measuring.abort.aborted) break;
    const words = `${profile.name}, ${contestant.label}: ${disturbanceOf(best.busy)}`;
    measuring.progress.say(`${words}: repeating (${repeat} of ${measuring.repeats})`);
    const next = await oneRound(profile, contestant, measuring);
    if (next.busy !== null && next.busy.foreign + next.busy.stolen < best.busy.foreign + best.busy.stolen) best = next;
  }
  return best;
}

async function oneRound(profile: Profile, { spec, node, label }: Contestant, measuring: Measuring): Promise<Round> {
  const { settings, patienceMs = PATIENCE_MS } = measuring;
  const mostMs = 4000 * secondsPerRound(profile, settings.seconds) + patienceMs;
  if (profile.start !== undefined) return inTime(profile.start(spec, node.path, settings), mostMs);
  if (profile.run === undefined) throw new Error(`${profile.name} has nothing to run`);
  const subject = await startSubject(label, spec.command(node.path), settings.subjectCore);
  try {
    return await inTime(profile.run(subject, settings), mostMs);
  } catch (error) {
    // Its load may have most of its time before it, and must not run beside the next subject
    endAll();
    throw error;
  } finally {
    await subject.stop();
  }
}

/** What a round says, if it says it in time; else its subject and its load are ended, and with them what waits for them. */
async function inTime(round: Promise<Round>, mostMs: number): Promise<Round> {
  const isOver = new AbortController();
  const late = sleep(mostMs, null, { signal: isOver.signal }).catch(() => null);
  try {
    const outcome = await Promise.race([round, late]);
    if (outcome !== null) return outcome;
    endAll();
    throw new Error(`the round was not over after ${Math.round(mostMs / 1000)} s`);
  } finally {
    isOver.abort();
  }
}
